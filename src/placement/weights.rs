//! Shares of paths with unequal capacities.

use std::collections::HashMap;

use crate::ids::NodeId;
use crate::topology::Fabric;

/// The largest sum of weights of one pair: its product with any sum of bytes fits in 128 bits.
const LARGEST_SUM: u128 = 1 << 48;

/// Weights of the paths of a pair in weighted spraying, by path index, in lowest terms: at least 1,
/// and all 1 where the links are equal.
///
/// Every switch splits in proportion to what its next links can carry on towards `dst`: the smaller
/// of the link's rate and of what the switch behind it can carry (weighted ECMP). With two tiers that is the
/// smallest rate of each path between the two edges. The hosts' own links do not count.
pub fn path_weights(fabric: &Fabric, src: NodeId, dst: NodeId) -> Vec<u64> {
    let paths = fabric.path_count(src, dst);
    if paths == 0 {
        return Vec::new();
    }
    let mut shares = Vec::with_capacity(paths as usize);
    let split = Split { fabric, dst };
    let from = fabric.edge(src);
    split.down(from, split.capacity(from), &mut shares);
    in_lowest_terms(&mut shares);
    shares
}

struct Split<'a> {
    fabric: &'a Fabric,
    dst: NodeId,
}

impl Split<'_> {
    /// What `at` can carry towards the destination, in bits per second; without limit at its edge.
    fn capacity(&self, at: NodeId) -> u64 {
        if at == self.fabric.edge(self.dst) {
            return u64::MAX;
        }
        let hops = self.fabric.next_hops(at, self.dst).iter();
        hops.fold(0, |sum, &hop| sum.saturating_add(self.through(hop)))
    }

    /// What a link can carry towards the destination.
    fn through(&self, hop: crate::ids::LinkId) -> u64 {
        let link = self.fabric.link(hop);
        link.rate.0.min(self.capacity(link.to))
    }

    /// Appends the shares of `share` that the paths from `at` get, in the order of their indices.
    fn down(&self, at: NodeId, share: u64, shares: &mut Vec<u64>) {
        if at == self.fabric.edge(self.dst) {
            shares.push(share.max(1));
            return;
        }
        let total = u128::from(self.capacity(at));
        for &hop in self.fabric.next_hops(at, self.dst) {
            let part = u128::from(share) * u128::from(self.through(hop)) / total;
            self.down(self.fabric.link(hop).to, part as u64, shares);
        }
    }
}

fn in_lowest_terms(shares: &mut [u64]) {
    let divisor = shares.iter().fold(0, |divisor, &share| gcd(divisor, share)).max(1);
    let sum: u128 = shares.iter().map(|&share| u128::from(share / divisor)).sum();
    let excess = (sum / LARGEST_SUM + 1).next_power_of_two().trailing_zeros();
    for share in shares {
        *share = ((*share / divisor) >> excess).max(1);
    }
}

pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if a == 0 { b } else { gcd(b % a, a) }
}

/// The weights of many pairs, computed once for each pair of edges.
pub(super) struct WeightCache<'a> {
    fabric: &'a Fabric,
    known: HashMap<(NodeId, NodeId), Vec<u64>>,
}

impl<'a> WeightCache<'a> {
    pub(super) fn new(fabric: &'a Fabric) -> Self {
        Self {
            fabric,
            known: HashMap::new(),
        }
    }

    /// The weights of the paths of a pair, by path index.
    pub(super) fn of(&mut self, src: NodeId, dst: NodeId) -> &[u64] {
        let fabric = self.fabric;
        let edges = (fabric.edge(src), fabric.edge(dst));
        self.known
            .entry(edges)
            .or_insert_with(|| path_weights(fabric, src, dst))
    }
}
