//! Every flow as a few equal queue pairs, each hashed by ECMP ("MP-RDMA-x" in the paper).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::subflows::equal_parts;
use super::{Hash, Placement, Problem, Scheme, Subflow};
use crate::ids::NodeId;
use crate::input::InputError;
use crate::rng::{index_below, mix};
use crate::routes::Route;
use crate::workload::Transfer;

/// The most queue pairs of one flow.
const MOST_WAYS: u32 = 1_024;

/// Options of `ecmp-split`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EcmpSplit {
    /// Queue pairs of each flow, from 1 to 1024; two of them may share a path. Default 2.
    pub ways: u32,
    /// What keeps its paths: every connection (default), or every transfer for itself.
    pub hash: Hash,
}

impl Default for EcmpSplit {
    fn default() -> Self {
        Self {
            ways: 2,
            hash: Hash::default(),
        }
    }
}

impl Scheme for EcmpSplit {
    fn check(&self) -> Result<(), InputError> {
        if !(1..=MOST_WAYS).contains(&self.ways) {
            let error = InputError::key("ways", format!("a flow cannot be split in {} queue pairs", self.ways));
            return Err(error.help(format!("`ways` is from 1 to {MOST_WAYS}")));
        }
        Ok(())
    }

    fn hashes(&self) -> Option<Hash> {
        Some(self.hash)
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        Ok(Placement::split(
            problem.schedule,
            |Transfer { task, src, dst, bytes }, subflows| {
                let first = self.hash.queue_pair(problem.schedule, task);
                for (way, bytes) in equal_parts(bytes, self.ways).enumerate().filter(|&(_, part)| part > 0) {
                    let label = u64::from(first.0) << 32 | way as u64;
                    let route = Route::Pinned(problem.hashed_path(label, src.node(), dst.node()));
                    subflows.push(Subflow { route, bytes });
                }
            },
        ))
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
