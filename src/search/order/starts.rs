//! Maps to begin with: edge after edge along nearest neighbors, and ranks that have much to do with each other together.

use std::collections::{BTreeMap, BTreeSet};

use super::load_tracker::{LoadTracker, SeatId};
use super::map::{Partners, SeatOf};
use super::neighbors::{Surroundings, seats_by_edge};
use super::traffic::Traffic;
use crate::ids::{Id, IdVec, RankId};

/// All seats, those of an edge together, and after each edge the nearest that is left.
pub(super) fn along_neighbors(tracker: &mut LoadTracker<'_>) -> Vec<SeatId> {
    let by_edge = seats_by_edge(tracker);
    let mut left = Surroundings::new(tracker, by_edge.keys().copied());
    let mut order = Vec::with_capacity(tracker.seats().len());
    let mut at = by_edge.keys().next().copied();
    while let Some(edge) = at {
        order.extend_from_slice(&by_edge[&edge]);
        left.remove(tracker, edge);
        at = left.nearest(tracker, edge, 1).first().map(|&(_, other)| other);
    }
    order
}

/// Fills the edges one after the other, in the order of the seats, each with the ranks that have most to do with those
/// that it has, then with those before.
pub(super) fn by_attraction(tracker: &LoadTracker<'_>, traffic: &Traffic, order: &[SeatId]) -> SeatOf {
    let links = Partners::new(traffic);
    let ranks = traffic.ranks as usize;
    let mut seat_of = SeatOf::filled(SeatId::NONE, ranks);
    // Bytes to ranks that have a seat, those of edges before counting little: rather than all that is there shrinking with every
    // edge, what is added grows, by powers of two, which round nothing.
    let mut weight = 1.0;
    let mut pull = IdVec::filled(0.0_f64, ranks);
    let mut frontier: BTreeMap<(std::cmp::Reverse<u64>, RankId), ()> = BTreeMap::new();
    let mut free: BTreeSet<RankId> = (0..traffic.ranks).map(RankId).collect();
    for (place, &seat) in order.iter().enumerate() {
        if place > 0 && tracker.edge(order[place - 1]) != tracker.edge(seat) {
            weight /= FADING;
            if weight > HEAVIEST {
                let all: Vec<RankId> = frontier.keys().map(|&(_, rank)| rank).collect();
                frontier.clear();
                for rank in all {
                    pull[rank] /= weight;
                    frontier.insert(entry(pull[rank], rank), ());
                }
                weight = 1.0;
            }
        }
        let next = frontier
            .pop_first()
            .map(|((_, rank), ())| rank)
            .or_else(|| free.first().copied());
        let Some(rank) = next else { break };
        free.remove(&rank);
        seat_of[rank] = seat;
        for partner in links.of(rank) {
            let other = partner.rank;
            if seat_of[other] == SeatId::NONE {
                frontier.remove(&entry(pull[other], other));
                pull[other] += weight * partner.bytes;
                frontier.insert(entry(pull[other], other), ());
            }
        }
    }
    seat_of
}

/// What a byte to an edge before counts for.
const FADING: f64 = 0.25;

/// Weight beyond which all is brought back to scale.
const HEAVIEST: f64 = 1e150;

/// Most bytes first; bits of numbers that are not negative are in their order.
fn entry(pull: f64, rank: RankId) -> (std::cmp::Reverse<u64>, RankId) {
    (std::cmp::Reverse(pull.to_bits()), rank)
}
