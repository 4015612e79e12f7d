//! Ports that a host gives up by itself, as NCCL does: after timeouts for a while a queue pair moves to another port, and no
//! other starts on the old one until that may have recovered.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::queue::EventQueue;
use crate::ids::{LinkId, NodeId};
use crate::rng::{index_below, mix};
use crate::units::Time;

/// When a host gives up a port, and when it tries it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PortFailover {
    /// From the first timeout without an answer in between until the queue pair moves. Default 10 ms (NCCL's probe delay).
    pub probe: Time,
    /// How long queue pairs that start keep off the port. Default 200 ms (NCCL's).
    pub recovery: Time,
}

impl Default for PortFailover {
    fn default() -> Self {
        Self {
            probe: Time::from_us(10_000),
            recovery: Time::from_us(200_000),
        }
    }
}

/// What hosts know of their ports.
#[derive(Debug, Default)]
pub(super) struct PortWatch {
    /// By queue pair, when the first timeout in a row was.
    failing: BTreeMap<u32, u64>,
    /// Ports that were given up, and until when.
    given_up: BTreeMap<LinkId, u64>,
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// After a timeout, the path through another port that a queue pair moves to, if it is time.
    pub fn fail_over(&mut self, qp: u32, failover: PortFailover, timeouts: u32) -> Option<u32> {
        let now = self.now;
        if timeouts <= 1 {
            self.port_watch.failing.insert(qp, now);
        }
        let since = *self.port_watch.failing.entry(qp).or_insert(now);
        if now - since < failover.probe.0 {
            return None;
        }
        let port = self.port_of_path(qp)?;
        self.port_watch
            .given_up
            .insert(port, now.saturating_add(failover.recovery.0));
        let path = self.path_by_another_port(qp)?;
        self.port_watch.failing.remove(&qp);
        Some(path)
    }

    /// For a queue pair that starts: a path through another port where its own was given up.
    pub fn avoid_bad_port(&self, qp: u32) -> Option<u32> {
        let port = self.port_of_path(qp)?;
        self.is_given_up(port).then(|| self.path_by_another_port(qp))?
    }

    fn is_given_up(&self, port: LinkId) -> bool {
        self.port_watch
            .given_up
            .get(&port)
            .is_some_and(|&until| until > self.now)
    }

    fn port_of_path(&self, qp: u32) -> Option<LinkId> {
        let ends = self.queue_pairs[qp as usize].ends;
        let (src, dst) = (NodeId(ends.src), NodeId(ends.dst));
        let fabric = self.fabric();
        (ends.base < fabric.path_count(src, dst)).then(|| fabric.path(src, dst, ends.base)[0])
    }

    /// A random path among those that begin with a port which was not given up.
    fn path_by_another_port(&self, qp: u32) -> Option<u32> {
        let ends = self.queue_pairs[qp as usize].ends;
        let (src, dst) = (NodeId(ends.src), NodeId(ends.dst));
        let good = |&path: &u32| !self.is_given_up(self.fabric().path(src, dst, path)[0]);
        let paths: Vec<u32> = (0..self.fabric().path_count(src, dst)).filter(good).collect();
        let draw = mix(mix(self.setup.seed ^ 0x9047) ^ mix(self.now) ^ u64::from(qp));
        (!paths.is_empty()).then(|| paths[index_below(draw, paths.len() as u32) as usize])
    }
}
