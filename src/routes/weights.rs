//! Shares of paths with unequal capacities.

use std::collections::HashMap;

use super::path_table::PathTable;
use crate::ids::NodeId;
use crate::topology::{Fabric, Place};

/// The largest denominator of a share while it is computed.
const LARGEST_WHOLE: u128 = 1 << 60;

/// The finest unit of the weights of one pair: their sum times any sum of bytes fits in 128 bits.
const FINEST: u128 = 1 << 48;

/// Weights of the paths of a pair in weighted spraying, by path index, in lowest terms: at least 1,
/// and all 1 where the links are equal.
///
/// Every switch splits in proportion to what its next links can carry on towards `dst`: the smaller
/// of the link's rate and of what the switch behind it can carry (weighted ECMP). With two tiers that is the
/// smallest rate of each path between the two leaves. Links that all paths share do not count.
pub fn path_weights(fabric: &Fabric, src: NodeId, dst: NodeId) -> Vec<u64> {
    let paths = fabric.path_count(src, dst);
    if paths == 0 {
        return Vec::new();
    }
    let (from, to) = PathTable::new(fabric).ends(src, dst);
    let start = fabric.start(src, dst);
    let from = if from == start.node { start } else { from.into() };
    in_lowest_terms(&Split { fabric, dst, to }.shares(from))
}

/// A share of the bytes of a pair, as a reduced fraction.
#[derive(Clone, Copy)]
struct Share {
    part: u128,
    whole: u128,
}

impl Share {
    /// Of this share `part` in `whole`. Exact until the denominator becomes too large.
    fn of(self, part: u64, whole: u64) -> Self {
        let (part, whole) = (self.part * u128::from(part), self.whole * u128::from(whole));
        let divisor = gcd(part, whole);
        let excess = (whole / divisor / LARGEST_WHOLE + 1).ilog2();
        Self {
            part: (part / divisor) >> excess,
            whole: (whole / divisor) >> excess,
        }
    }
}

struct Split<'a> {
    fabric: &'a Fabric,
    dst: NodeId,
    /// Where all paths have met.
    to: NodeId,
}

impl Split<'_> {
    /// What every node from `from` on can carry towards the destination, in bits per second; without limit once
    /// all paths have met.
    //
    // Lists take the place of recursion here and below: a path may be longer than any stack.
    fn capacities(&self, from: Place) -> HashMap<Place, u64> {
        let mut known = HashMap::from([(self.to.into(), u64::MAX)]);
        let mut open = vec![from];
        while let Some(&at) = open.last() {
            let hops = self.fabric.hops_from(at, self.dst);
            let hops = hops
                .iter()
                .map(|&hop| (self.fabric.link(hop).rate, self.fabric.after(at, hop)));
            let before = open.len();
            open.extend(hops.clone().map(|(_, to)| to).filter(|to| !known.contains_key(to)));
            if open.len() == before {
                open.pop();
                let sum = hops.fold(0_u64, |sum, (rate, to)| sum.saturating_add(rate.0.min(known[&to])));
                known.entry(at).or_insert(sum);
            }
        }
        known
    }

    /// The shares of the paths from `from`, in the order of their indices.
    fn shares(&self, from: Place) -> Vec<Share> {
        let capacities = self.capacities(from);
        let mut shares = Vec::new();
        let mut open = vec![(from, Share { part: 1, whole: 1 })];
        while let Some((at, share)) = open.pop() {
            if at.node == self.to {
                shares.push(share);
                continue;
            }
            let hops = self.fabric.hops_from(at, self.dst);
            let hops = hops
                .iter()
                .map(|&hop| (self.fabric.link(hop).rate, self.fabric.after(at, hop)));
            open.extend(hops.rev().map(|(rate, to)| {
                let through = rate.0.min(capacities[&to]);
                (to, share.of(through, capacities[&at]))
            }));
        }
        shares
    }
}

fn in_lowest_terms(shares: &[Share]) -> Vec<u64> {
    let multiple = |a: u128, b: u128| (a / gcd(a, b) * b).min(FINEST);
    let whole = shares.iter().fold(1, |whole, share| multiple(whole, share.whole));
    let weight = |share: &Share| (share.part * whole / share.whole).max(1);
    let divisor = shares.iter().fold(0, |divisor, share| gcd(divisor, weight(share)));
    shares.iter().map(|share| (weight(share) / divisor) as u64).collect()
}

/// The greatest common divisor; that of 0 and n is n.
pub(crate) fn gcd(a: u128, b: u128) -> u128 {
    if a == 0 { b } else { gcd(b % a, a) }
}

/// The weights of many pairs, computed once for each pair of edges.
pub(crate) struct WeightCache<'a> {
    fabric: &'a Fabric,
    known: HashMap<(NodeId, NodeId), Vec<u64>>,
}

impl<'a> WeightCache<'a> {
    pub(crate) fn new(fabric: &'a Fabric) -> Self {
        Self {
            fabric,
            known: HashMap::new(),
        }
    }

    /// The weights of the paths of a pair, by path index.
    pub(crate) fn of(&mut self, src: NodeId, dst: NodeId) -> &[u64] {
        let fabric = self.fabric;
        let edges = (fabric.edge(src), fabric.edge(dst));
        self.known
            .entry(edges)
            .or_insert_with(|| path_weights(fabric, src, dst))
    }
}
