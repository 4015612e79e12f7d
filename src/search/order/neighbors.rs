//! Hosts close to each other.

use std::collections::BTreeMap;

use super::load_tracker::{LoadTracker, SeatId};
use crate::ids::IdVec;
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

impl Neighbors {
    pub(super) fn new(tracker: &mut LoadTracker<'_>) -> Self {
        let by_edge = seats_by_edge(tracker);
        let edges: Vec<EdgeId> = by_edge.keys().copied().collect();
        let mut of = IdVec::filled(Vec::new(), tracker.seats().len());
        for (&edge, seats) in &by_edge {
            let mut near: Vec<((f64, f64), EdgeId)> = edges
                .iter()
                .filter(|&&other| other != edge)
                .map(|&other| (distance(tracker, edge, other), other))
                .collect();
            let few = NEAREST.min(near.len());
            if few > 0 && few < near.len() {
                near.select_nth_unstable_by(few - 1, compare);
                near.truncate(few);
            }
            near.sort_unstable_by(compare);
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

fn compare(a: &((f64, f64), EdgeId), b: &((f64, f64), EdgeId)) -> std::cmp::Ordering {
    let ((hops_a, delay_a), edge_a) = a;
    let ((hops_b, delay_b), edge_b) = b;
    hops_a
        .total_cmp(hops_b)
        .then(delay_a.total_cmp(delay_b))
        .then(edge_a.cmp(edge_b))
}
