//! Where hashing takes a queue pair.

use super::scheme::Problem;
use crate::ids::{NodeId, PathIndex};
use crate::rng::{index_below, mix};

impl Problem<'_> {
    /// The path of a queue pair with a given label. Every switch salts the hash with its own number:
    /// without the salt all tiers would pick alike (hash polarisation).
    pub(super) fn hashed_path(&self, label: u64, src: NodeId, dst: NodeId) -> PathIndex {
        self.hashed_from(label, src, dst, None)
    }

    /// The same for one that leaves its host by a port, which is counted modulo the ports that lead to `dst`.
    pub(super) fn hashed_path_by_port(&self, label: u64, src: NodeId, dst: NodeId, port: usize) -> PathIndex {
        self.hashed_from(label, src, dst, Some(port))
    }

    fn hashed_from(&self, label: u64, src: NodeId, dst: NodeId, port: Option<usize>) -> PathIndex {
        let flow = mix(mix(self.seed) ^ label);
        let walk = self.fabric.walk_to_index(src, dst, |node, hops| match port {
            Some(port) if node == src => port % hops.len(),
            _ => index_below(mix(flow ^ mix(u64::from(node.0))), hops.len() as u32) as usize,
        });
        walk.unwrap_or(PathIndex(0))
    }
}
