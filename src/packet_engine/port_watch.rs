//! What hosts know of the ports that they have given up: see [`PortFailover`].

use std::collections::BTreeMap;

use super::network::Network;
use super::port_failover::PortFailover;
use super::queue::EventQueue;
use crate::ids::{LinkId, PathIndex, SubflowId};
use crate::rng::{index_below, mix};

/// What hosts know of their ports.
#[derive(Debug, Default)]
pub(super) struct PortWatch {
    /// By queue pair, when the first timeout in a row was.
    failing: BTreeMap<SubflowId, u64>,
    /// Ports that were given up, and until when.
    given_up: BTreeMap<LinkId, u64>,
}

impl PortWatch {
    /// After a timeout, the path through another port that a queue pair moves to, if it is time.
    pub(super) fn fail_over<Q: EventQueue>(
        &mut self,
        net: &Network<'_, Q>,
        qp: SubflowId,
        failover: PortFailover,
        timeouts: u32,
    ) -> Option<PathIndex> {
        let now = net.events.now;
        if timeouts <= 1 {
            self.failing.insert(qp, now);
        }
        let since = *self.failing.entry(qp).or_insert(now);
        if now - since < failover.probe.0 {
            return None;
        }
        let port = port_of_path(net, qp)?;
        self.given_up.insert(port, now.saturating_add(failover.recovery.0));
        let path = self.path_by_another_port(net, qp)?;
        self.failing.remove(&qp);
        Some(path)
    }

    /// For a queue pair that starts: a path through another port where its own was given up.
    pub(super) fn avoid_bad_port<Q: EventQueue>(&self, net: &Network<'_, Q>, qp: SubflowId) -> Option<PathIndex> {
        let port = port_of_path(net, qp)?;
        self.is_given_up(port, net.events.now)
            .then(|| self.path_by_another_port(net, qp))?
    }

    fn is_given_up(&self, port: LinkId, now: u64) -> bool {
        self.given_up.get(&port).is_some_and(|&until| until > now)
    }

    /// A random path among those that begin with a port which was not given up.
    fn path_by_another_port<Q: EventQueue>(&self, net: &Network<'_, Q>, qp: SubflowId) -> Option<PathIndex> {
        let ends = net.pairs[qp].ends;
        let (src, dst) = (ends.src.node(), ends.dst.node());
        let good = |&path: &PathIndex| !self.is_given_up(net.fabric().path(src, dst, path)[0], net.events.now);
        let paths: Vec<PathIndex> = (0..net.fabric().path_count(src, dst))
            .map(PathIndex)
            .filter(good)
            .collect();
        let draw = mix(mix(net.setup.seed ^ 0x9047) ^ mix(net.events.now) ^ u64::from(qp.0));
        (!paths.is_empty()).then(|| paths[index_below(draw, paths.len() as u32) as usize])
    }
}

/// The port that the path of a queue pair begins with.
fn port_of_path<Q: EventQueue>(net: &Network<'_, Q>, qp: SubflowId) -> Option<LinkId> {
    let ends = net.pairs[qp].ends;
    let (src, dst) = (ends.src.node(), ends.dst.node());
    let fabric = net.fabric();
    (ends.base.0 < fabric.path_count(src, dst)).then(|| fabric.path(src, dst, ends.base)[0])
}
