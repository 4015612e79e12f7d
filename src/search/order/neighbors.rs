//! Hosts close to each other.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::load_tracker::{LoadTracker, SeatId};
use crate::ids::{IdVec, NodeId};
use crate::routes::EdgeId;

/// Neighbors that are kept of each seat.
const NEAREST: usize = 8;

/// The nearest seats of every seat, nearest first: fewer links between, then less propagation.
#[derive(Debug)]
pub(super) struct Neighbors {
    of: IdVec<SeatId, Vec<SeatId>>,
}

/// How far an edge is from another.
pub(super) fn distance(tracker: &mut LoadTracker<'_>, from: EdgeId, to: EdgeId) -> (f64, f64) {
    let print = tracker.prints().of(from, to);
    (print.hops, print.delay)
}

/// Seats by edge.
pub(super) fn seats_by_edge(tracker: &LoadTracker<'_>) -> BTreeMap<EdgeId, Vec<SeatId>> {
    let mut by_edge: BTreeMap<EdgeId, Vec<SeatId>> = BTreeMap::new();
    for seat in tracker.seats() {
        by_edge.entry(tracker.edge(seat)).or_default().push(seat);
    }
    by_edge
}

/// Edges by class and by server, so that those near to one are found without asking all.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    by_class: BTreeMap<u32, BTreeSet<EdgeId>>,
    by_server: BTreeMap<NodeId, BTreeSet<EdgeId>>,
}

/// How far an edge is.
type Near = ((f64, f64), EdgeId);

impl Surroundings {
    pub(super) fn new(tracker: &mut LoadTracker<'_>, edges: impl Iterator<Item = EdgeId>) -> Self {
        let mut all = Self::default();
        for edge in edges {
            let prints = tracker.prints();
            all.by_class.entry(prints.class(edge)).or_default().insert(edge);
            if let Some(server) = prints.server(edge) {
                all.by_server.entry(server).or_default().insert(edge);
            }
        }
        all
    }

    /// Leaves an edge out from now on.
    pub(super) fn remove(&mut self, tracker: &mut LoadTracker<'_>, edge: EdgeId) {
        let prints = tracker.prints();
        let class = prints.class(edge);
        if let Some(members) = self.by_class.get_mut(&class) {
            members.remove(&edge);
            if members.is_empty() {
                self.by_class.remove(&class);
            }
        }
        let server = prints.server(edge);
        if let Some(mates) = server.and_then(|server| self.by_server.get_mut(&server)) {
            mates.remove(&edge);
        }
    }

    /// So many others, the nearest first, and the first among those that are as near.
    pub(super) fn nearest(&self, tracker: &mut LoadTracker<'_>, edge: EdgeId, count: usize) -> Vec<Near> {
        let own = tracker.prints().server(edge);
        // Those of a class are equally far, but for those of the server.
        let outside = |tracker: &mut LoadTracker<'_>, other: EdgeId| {
            other != edge && (own.is_none() || tracker.prints().server(other) != own)
        };
        let mut classes: Vec<(Near, u32)> = Vec::with_capacity(self.by_class.len());
        for (&class, members) in &self.by_class {
            if let Some(&first) = members.iter().find(|&&other| outside(tracker, other)) {
                classes.push(((distance(tracker, edge, first), first), class));
            }
        }
        first_of(&mut classes, count, |a, b| compare(&a.0, &b.0));
        let mut near: Vec<Near> = Vec::new();
        for ((way, _), class) in classes {
            let members = self.by_class[&class].iter().copied();
            let found = members.filter(|&other| outside(tracker, other)).take(count);
            near.extend(found.map(|other| (way, other)));
        }
        for &mate in own.and_then(|server| self.by_server.get(&server)).into_iter().flatten() {
            if mate != edge {
                near.push((distance(tracker, edge, mate), mate));
            }
        }
        first_of(&mut near, count, compare);
        near
    }
}

/// Leaves the first in an order, sorted.
fn first_of<T>(all: &mut Vec<T>, count: usize, order: impl Fn(&T, &T) -> Ordering) {
    if count > 0 && count < all.len() {
        all.select_nth_unstable_by(count - 1, &order);
        all.truncate(count);
    }
    all.sort_unstable_by(order);
}

impl Neighbors {
    pub(super) fn new(tracker: &mut LoadTracker<'_>) -> Self {
        let by_edge = seats_by_edge(tracker);
        let around = Surroundings::new(tracker, by_edge.keys().copied());
        let mut of = IdVec::filled(Vec::new(), tracker.seats().len());
        for (&edge, seats) in &by_edge {
            let near = around.nearest(tracker, edge, NEAREST);
            for (place, &seat) in seats.iter().enumerate() {
                // Of one's own edge those that follow, so that every seat is near to some.
                let own = seats[place + 1..].iter().chain(&seats[..place]).copied();
                let mut found: Vec<SeatId> = own.take(NEAREST / 2).collect();
                for (turn, (_, other)) in near.iter().enumerate() {
                    let there = &by_edge[other];
                    found.push(there[(place + turn) % there.len()]);
                    if found.len() >= NEAREST {
                        break;
                    }
                }
                of[seat] = found;
            }
        }
        Self { of }
    }

    pub(super) fn of(&self, seat: SeatId) -> &[SeatId] {
        &self.of[seat]
    }
}

fn compare(a: &Near, b: &Near) -> Ordering {
    let ((hops_a, delay_a), edge_a) = a;
    let ((hops_b, delay_b), edge_b) = b;
    hops_a
        .total_cmp(hops_b)
        .then(delay_a.total_cmp(delay_b))
        .then(edge_a.cmp(edge_b))
}

#[cfg(test)]
mod tests {
    use super::super::footprints::Footprints;
    use super::super::key::Objective;
    use super::*;
    use crate::input::NoFiles;
    use crate::topology::{Fabric, Topology};

    /// Of hosts that are alike, too, those near are those that asking all finds.
    #[test]
    fn the_nearest_are_those_of_all() {
        let topology: Topology = toml::from_str(
            "rail = { servers = 150, gpus = 8, servers_per_unit = 5, spines = 2, host_link = { rate = \"400Gbps\" }, server_link = { rate = \"3600Gbps\" }, fabric_link = { rate = \"400Gbps\" } }",
        )
        .unwrap();
        let fabric = Fabric::compile(&topology.blueprint(&NoFiles).unwrap());
        let hosts: Vec<u32> = (0..1200).collect();
        let mut tracker = LoadTracker::new(Footprints::new(&fabric, &hosts), Objective::Bytes, &hosts, 1);
        let mut left: Vec<EdgeId> = tracker.seats().map(|seat| tracker.edge(seat)).collect();
        let mut around = Surroundings::new(&mut tracker, left.iter().copied());
        assert!(around.by_class.len() < left.len());
        for edge in [0, 7, 8, 611, 1199].map(EdgeId) {
            let mut all: Vec<Near> = left
                .iter()
                .map(|&other| (distance(&mut tracker, edge, other), other))
                .collect();
            all.retain(|&(_, other)| other != edge);
            all.sort_unstable_by(compare);
            all.truncate(NEAREST);
            assert_eq!(around.nearest(&mut tracker, edge, NEAREST), all, "{edge:?}");
            // Later ones are found among those that are left.
            for (_, other) in all {
                around.remove(&mut tracker, other);
                left.retain(|&one| one != other);
            }
        }
    }
}
