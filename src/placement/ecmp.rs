//! Equal-cost multipath: every switch hashes a flow onto one of its next links.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EcmpSplit, Placement, Problem, Scheme};
use crate::ids::{NodeId, TaskId};
use crate::input::InputError;
use crate::rng::{index_below, mix};
use crate::workload::Schedule;

/// Options of `ecmp`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ecmp {
    /// What keeps its path: every connection (default), or every transfer for itself.
    pub hash: Hash,
}

/// What keeps its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hash {
    /// The transfers that follow one another between two ranks on one channel of a collective share a
    /// queue pair, as in NCCL, whose queue pairs live as long as the job.
    #[default]
    Connection,
    /// Every transfer is a queue pair of its own.
    Transfer,
}

impl Hash {
    /// The number of the queue pair that carries a transfer: that of its first transfer.
    pub fn queue_pair(self, schedule: &Schedule, transfer: TaskId) -> TaskId {
        match self {
            Self::Connection => schedule.task(transfer).connection,
            Self::Transfer => transfer,
        }
    }
}

impl Scheme for Ecmp {
    fn hashes(&self) -> Option<Hash> {
        Some(self.hash)
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let hash = self.hash;
        EcmpSplit { ways: 1, hash }.place(problem)
    }
}

impl Problem<'_> {
    /// The path of a queue pair with a given label. Every switch salts the hash with its own number:
    /// without the salt all tiers would pick alike (hash polarisation).
    pub(super) fn hashed_path(&self, label: u64, src: NodeId, dst: NodeId) -> u32 {
        self.hashed_from(label, src, dst, None)
    }

    /// The same for one that leaves its host by a port, which is counted modulo the ports that lead to `dst`.
    pub(super) fn hashed_path_by_port(&self, label: u64, src: NodeId, dst: NodeId, port: usize) -> u32 {
        self.hashed_from(label, src, dst, Some(port))
    }

    fn hashed_from(&self, label: u64, src: NodeId, dst: NodeId, port: Option<usize>) -> u32 {
        let flow = mix(mix(self.seed) ^ label);
        let walk = self.fabric.walk(src, dst, |node, hops| match port {
            Some(port) if node == src => port % hops.len(),
            _ => index_below(mix(flow ^ mix(u64::from(node.0))), hops.len() as u32) as usize,
        });
        walk.map_or(0, |(index, _)| index)
    }
}
