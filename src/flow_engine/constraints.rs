//! What limits the rates: every host's own link, and the fabric links that can be limits at all.
//!
//! Two kinds of fabric links drop out before anything is shared, and with them most of the work for
//! sprayed traffic:
//! - one that the hosts behind it cannot fill however they send, as in a fabric without
//!   oversubscription whose traffic is spread evenly;
//! - one that carries the same fractions of the same segments as another link with no more capacity, as the
//!   up-links of a leaf do whose traffic is spread evenly.

use std::collections::BTreeMap;

use super::routes::{Routes, SegmentId};
use crate::ids::{Id, IdLists, IdVec, LinkId, NodeId, id};
use crate::topology::Fabric;

id! {
    /// What limits rates: the hosts' links first, then fabric links. NONE, as at a host whose paths have nothing in common but the
    /// host.
    pub(super) ConstraintId;
}

/// Room for rounding when a load is compared with a capacity.
const ROUNDING: f64 = 1e-12;

/// All constraints.
#[derive(Debug)]
pub(super) struct Constraints {
    /// Bytes per picosecond.
    pub capacity: IdVec<ConstraintId, f64>,
    /// Constraints of each host's link to and from the fabric.
    pub ports: Vec<(ConstraintId, ConstraintId)>,
    /// The most that the hosts of one edge can send or receive together.
    pub largest_edge: f64,
    /// Fabric constraints of each segment that is a single path, or NONE: they see all of its rate.
    /// Where there are more than fit, and on spread segments, they are in the lists.
    pub direct: IdVec<SegmentId, Direct>,
    /// Fabric constraints of each segment, with the fraction of its rate.
    of_segment: IdLists<SegmentId, (ConstraintId, f64)>,
    /// Segments of each constraint, with the fraction of their rates.
    segments: IdLists<ConstraintId, (SegmentId, f64)>,
}

/// Fabric links of a path of two tiers.
pub(super) const DIRECT: usize = 2;

/// Constraints that a segment knows directly, NONE at the end.
pub(super) type Direct = [ConstraintId; DIRECT];

/// Segments on a constraint, with the fractions of their rates.
type Carried = Vec<(SegmentId, f64)>;

/// Lists in one piece.
fn lists<I: Id, T: Copy>(lists: &IdVec<I, Vec<T>>) -> IdLists<I, T> {
    let mut all = IdLists::new();
    for list in lists {
        all.push(list.iter().copied());
    }
    all
}

impl Constraints {
    pub(super) fn new(fabric: &Fabric, routes: &Routes) -> Self {
        let mut capacity: IdVec<ConstraintId, f64> = IdVec::new();
        let mut ports = Vec::new();
        let mut add = |rate: f64| capacity.push(rate);
        for port in &routes.ports {
            ports.push(port.map_or((ConstraintId::NONE, ConstraintId::NONE), |port| {
                let rate = |id| fabric.link(id).rate.bytes_per_ps();
                (add(rate(port.up)), add(rate(port.down)))
            }));
        }
        let hosts = capacity.len();
        let edges = EdgeRates::new(fabric, routes);
        let mut of_segment = IdVec::filled(Vec::new(), routes.segments.len());
        let mut segments = IdVec::filled(Vec::new(), hosts);
        for (limit, carried) in binding_links(fabric, routes, &edges) {
            let constraint = capacity.push(limit);
            for &(segment, fraction) in &carried {
                of_segment[segment].push((constraint, fraction));
            }
            segments.push(carried);
        }
        let direct = take_direct(&mut of_segment, &mut segments);
        Self {
            capacity,
            ports,
            largest_edge: edges.largest(),
            direct,
            of_segment: lists(&of_segment),
            segments: lists(&segments),
        }
    }

    /// Constraints of segments that count for several sub-flows each: each list has the constraints of a segment, by number, with how
    /// often they see its rate.
    pub(super) fn folded(
        capacity: IdVec<ConstraintId, f64>,
        hosts: usize,
        largest_edge: f64,
        mut of_segment: IdVec<SegmentId, Vec<(ConstraintId, f64)>>,
    ) -> Self {
        let mut segments = IdVec::filled(Vec::new(), capacity.len());
        for (segment, list) in of_segment.entries() {
            list.iter()
                .for_each(|&(constraint, times)| segments[constraint].push((segment, times)));
        }
        let direct = take_direct(&mut of_segment, &mut segments);
        Self {
            capacity,
            ports: vec![(ConstraintId::NONE, ConstraintId::NONE); hosts],
            largest_edge,
            direct,
            of_segment: lists(&of_segment),
            segments: lists(&segments),
        }
    }

    /// The fabric constraints of a segment, with the fraction of its rate that each sees, but for direct ones;
    /// of NONE, none.
    pub(super) fn of_segment(&self, segment: SegmentId) -> &[(ConstraintId, f64)] {
        if segment == SegmentId::NONE {
            return &[];
        }
        &self.of_segment[segment]
    }

    /// Whether a segment crosses fabric constraints that it does not know directly; not one that does not exist.
    pub(super) fn is_spread(&self, segment: SegmentId) -> bool {
        self.direct.get(segment).is_some() && !self.of_segment(segment).is_empty()
    }

    /// The segments under a constraint, with the fraction of their rates that it sees, but for those
    /// that know it directly; none for a host's own link.
    pub(super) fn segments(&self, constraint: ConstraintId) -> &[(SegmentId, f64)] {
        &self.segments[constraint]
    }
}

/// Takes the constraints of segments that are a single path from the lists.
fn take_direct(
    of_segment: &mut IdVec<SegmentId, Vec<(ConstraintId, f64)>>,
    segments: &mut IdVec<ConstraintId, Carried>,
) -> IdVec<SegmentId, Direct> {
    let taken = of_segment.iter_mut().map(|list| {
        let mut direct = [ConstraintId::NONE; DIRECT];
        if list.len() <= DIRECT && list.iter().all(|&(_, fraction)| fraction == 1.0) {
            direct
                .iter_mut()
                .zip(list.drain(..))
                .for_each(|(direct, (c, _))| *direct = c);
        }
        direct
    });
    let direct: IdVec<SegmentId, _> = taken.collect();
    for list in segments {
        list.retain(|&(segment, _)| direct[segment] == [ConstraintId::NONE; DIRECT]);
    }
    direct
}

/// What the hosts of each edge can send and receive together, by node; infinite where their paths
/// do not begin with one link.
struct EdgeRates {
    sent: IdVec<NodeId, f64>,
    received: IdVec<NodeId, f64>,
}

impl EdgeRates {
    fn new(fabric: &Fabric, routes: &Routes) -> Self {
        let mut sent = IdVec::filled(0.0, fabric.nodes().len());
        let mut received = sent.clone();
        for (host, port) in routes.ports.iter().enumerate() {
            let edge = fabric.edge(NodeId::from(host));
            let rate = |id| fabric.link(id).rate.bytes_per_ps();
            sent[edge] += port.map_or(f64::INFINITY, |port| rate(port.up));
            received[edge] += port.map_or(f64::INFINITY, |port| rate(port.down));
        }
        Self { sent, received }
    }

    fn largest(&self) -> f64 {
        let finite = self.sent.iter().chain(&self.received).filter(|rate| rate.is_finite());
        finite.fold(0.0, |largest, &rate| largest.max(rate))
    }

    /// The most that the segments can put on a link, by what the hosts at either end can do.
    fn most(&self, routes: &Routes, carried: &Carried) -> f64 {
        let mut from: BTreeMap<NodeId, f64> = BTreeMap::new();
        let mut to: BTreeMap<NodeId, f64> = BTreeMap::new();
        for &(segment, fraction) in carried {
            let segment = &routes.segments[segment];
            for (ends, edge) in [(&mut from, segment.from), (&mut to, segment.to)] {
                let largest = ends.entry(edge).or_insert(0.0);
                *largest = largest.max(fraction);
            }
        }
        let bound = |ends: &BTreeMap<NodeId, f64>, rates: &IdVec<NodeId, f64>| -> f64 {
            ends.iter().map(|(edge, fraction)| fraction * rates[*edge]).sum()
        };
        bound(&from, &self.sent).min(bound(&to, &self.received))
    }
}

/// The fabric links that can limit, each with its capacity and the segments on it.
fn binding_links(fabric: &Fabric, routes: &Routes, edges: &EdgeRates) -> Vec<(f64, Carried)> {
    let mut carried: IdVec<LinkId, Carried> = IdVec::filled(Vec::new(), fabric.links().len());
    for (id, segment) in routes.segments.entries() {
        for &(link, fraction) in &segment.links {
            carried[link].push((id, fraction));
        }
    }
    // Links with the same segments in the same fractions, by these; the first with the least capacity stays.
    let mut distinct: BTreeMap<Vec<(SegmentId, u64)>, (f64, LinkId)> = BTreeMap::new();
    for (link, carried) in carried.entries().filter(|(_, carried)| !carried.is_empty()) {
        let capacity = fabric.link(link).rate.bytes_per_ps();
        let key = carried.iter().map(|&(segment, fraction)| (segment, fraction.to_bits()));
        let least = distinct.entry(key.collect()).or_insert((capacity, link));
        if capacity < least.0 {
            *least = (capacity, link);
        }
    }
    let mut kept: Vec<(f64, LinkId)> = distinct.into_values().collect();
    kept.sort_unstable_by_key(|&(_, link)| link);
    kept.retain(|&(capacity, link)| edges.most(routes, &carried[link]) > capacity * (1.0 + ROUNDING));
    kept.into_iter()
        .map(|(capacity, link)| (capacity, std::mem::take(&mut carried[link])))
        .collect()
}
