//! What hashing is expected to cost: the largest congestion of a switch-to-switch link under ECMP, on
//! the average over hash functions.
//!
//! A sub-flow hashed at a leaf is a ball in one of the leaf's up-links, and in one of the down-links of the
//! leaf that it goes to. The fullest up-link of one leaf has an exact distribution, and leaves hash
//! independently; so do the down-links. How the two sides depend on each other is left open between
//! two limits, which meet where they are the same flows, as in a shift by whole leaves.

use std::collections::BTreeMap;

use super::balls_in_bins::{cdf, mean};
use crate::ids::{HostId, IdVec, LinkId, TaskId};
use crate::loads::Interval;
use crate::placement::{Hash, Placement};
use crate::routes::{EdgeId, EdgeSwitches};
use crate::topology::Fabric;
use crate::workload::{Schedule, Transfer};

/// Sub-flows out of one edge beyond which the distribution takes too long.
const MOST_BALLS: usize = 50_000;

/// Limits, in microseconds, of the expected largest congestion of a switch-to-switch link, where every sub-flow of what `hash`
/// says hashes onto one of its paths. `None` unless all paths have two links, of one rate, and
/// whatever leaves or enters an edge has the same choice, as on a leaf-spine without faults.
///
/// Where sub-flows differ in size, the limits are those of as many of the smallest and of the largest size.
pub fn expected_over_all(fabric: &Fabric, schedule: &Schedule, placement: &Placement, hash: Hash) -> Option<Interval> {
    let tasks = schedule.transfers().map(|transfer| transfer.task);
    expected(fabric, schedule, placement, hash, tasks)
}

/// The same for every step alone, by step.
pub fn expected_by_step(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    hash: Hash,
) -> Vec<Option<Interval>> {
    let steps = schedule.transfers_by_step().into_iter();
    steps
        .map(|step| expected(fabric, schedule, placement, hash, step.into_iter()))
        .collect()
}

fn expected(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    hash: Hash,
    tasks: impl Iterator<Item = TaskId>,
) -> Option<Interval> {
    let edges = EdgeSwitches::new(fabric);
    let mut balls = BallsInBins::new(edges.len());
    let mut hosts = BTreeMap::new();
    let mut subflows = BTreeMap::new();
    for task in tasks {
        let Transfer { src, dst, .. } = schedule.transfer(task)?;
        let (from, to) = (edges.of(src), edges.of(dst));
        if from != to {
            hosts.entry((from, to)).or_insert((src, dst));
            let first = hash.queue_pair(schedule, task);
            // Of fewer bytes than sub-flows there is the last sub-flow alone.
            for (way, subflow) in placement.of(task).iter().rev().enumerate() {
                let (.., bytes) = subflows.entry((first, way)).or_insert((from, to, 0));
                *bytes += subflow.bytes;
            }
        }
    }
    for (from, to, bytes) in subflows.into_values() {
        balls.add(from, to, bytes);
    }
    let links = Links::survey(fabric, &edges, &hosts)?;
    balls.expected(&links)
}

/// The links that sub-flows pick from.
struct Links {
    /// By edge, in order of their ids.
    up: BTreeMap<EdgeId, Vec<LinkId>>,
    down: BTreeMap<EdgeId, Vec<LinkId>>,
    bytes_per_ps: f64,
    /// Whoever knows the up-link knows the down-link.
    single: bool,
}

impl Links {
    /// `None` where picks are not uniform.
    fn survey(
        fabric: &Fabric,
        edges: &EdgeSwitches,
        hosts: &BTreeMap<(EdgeId, EdgeId), (HostId, HostId)>,
    ) -> Option<Self> {
        let mut links = Self {
            up: BTreeMap::new(),
            down: BTreeMap::new(),
            bytes_per_ps: 0.0,
            single: true,
        };
        let mut rate = None;
        for (&(from, to), &(src, dst)) in hosts {
            let mut uses = [BTreeMap::<LinkId, u32>::new(), BTreeMap::new()];
            for path in fabric.paths(src.node(), dst.node()) {
                let &[up, down] = edges.inner(&path, src, dst) else {
                    return None;
                };
                for (uses, link) in uses.iter_mut().zip([up, down]) {
                    *uses.entry(link).or_default() += 1;
                    if *rate.get_or_insert(fabric.link(link).rate) != fabric.link(link).rate {
                        return None;
                    }
                }
            }
            for (uses, (known, edge)) in uses.iter().zip([(&mut links.up, from), (&mut links.down, to)]) {
                let each = *uses.values().next()?;
                let picked: Vec<_> = uses.keys().copied().collect();
                if uses.values().any(|&count| count != each) || *known.entry(edge).or_insert(picked.clone()) != picked {
                    return None;
                }
                links.single &= each == 1;
            }
        }
        links.bytes_per_ps = rate?.bytes_per_ps();
        Some(links)
    }
}

/// Sub-flows by edge.
struct BallsInBins {
    out: IdVec<EdgeId, usize>,
    into: IdVec<EdgeId, usize>,
    /// Where the first sub-flow out of each edge goes.
    partner: IdVec<EdgeId, Option<EdgeId>>,
    smallest: u64,
    largest: u64,
    /// All others out of an edge go where its first one goes.
    one_to_one: bool,
}

impl BallsInBins {
    fn new(edges: usize) -> Self {
        Self {
            out: IdVec::filled(0, edges),
            into: IdVec::filled(0, edges),
            partner: IdVec::filled(None, edges),
            smallest: u64::MAX,
            largest: 0,
            one_to_one: true,
        }
    }

    fn add(&mut self, from: EdgeId, to: EdgeId, bytes: u64) {
        self.out[from] += 1;
        self.into[to] += 1;
        self.smallest = self.smallest.min(bytes);
        self.largest = self.largest.max(bytes);
        self.one_to_one &= *self.partner[from].get_or_insert(to) == to;
    }

    fn expected(&self, links: &Links) -> Option<Interval> {
        if self.out.iter().chain(&self.into).any(|&balls| balls > MOST_BALLS) {
            return None;
        }
        let mut known = BTreeMap::new();
        let mut side = |balls: &IdVec<EdgeId, usize>, links: &BTreeMap<EdgeId, Vec<LinkId>>| {
            let edges = links.iter().map(|(&edge, links)| (balls[edge], links.len()));
            let mut all: Vec<f64> = Vec::new();
            for (balls, bins) in edges {
                let one = known.entry((balls, bins)).or_insert_with(|| cdf(balls, bins));
                let longest = all.len().max(one.len());
                all.resize(longest, 1.0);
                all.iter_mut().zip(&*one).for_each(|(all, one)| *all *= one);
            }
            all
        };
        let (up, down) = (side(&self.out, &links.up), side(&self.into, &links.down));
        let lower = mean(&up).max(mean(&down));
        let upper = if self.is_same_on_both_sides(links) {
            lower
        } else {
            let chance = |side: &[f64], most: usize| side.get(most).copied().unwrap_or(1.0);
            let either = |most| (2.0 - chance(&up, most) - chance(&down, most)).min(1.0);
            (0..up.len().max(down.len())).map(either).sum()
        };
        let time_us = |balls: f64, bytes: u64| balls * bytes as f64 / links.bytes_per_ps / 1e6;
        Some(Interval {
            lower: time_us(lower, self.smallest),
            upper: time_us(upper, self.largest),
        })
    }

    /// What leaves an edge is what enters another, in the same shares.
    fn is_same_on_both_sides(&self, links: &Links) -> bool {
        let pairs = || {
            let partners = self.partner.entries();
            partners.filter_map(|(from, &to)| Some((from, to?)))
        };
        self.one_to_one && links.single && pairs().all(|(from, to)| self.out[from] == self.into[to])
    }
}
