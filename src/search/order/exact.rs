//! The best map of few ranks, by branch and bound: seats are given rank by rank, and what can not become better than the
//! best so far is left. Every figure of a key only grows as ranks are added, so that a part of a map bounds the whole.

use super::key::Key;
use super::load_tracker::{LoadTracker, SeatId};
use super::map::{Partners, SeatOf};
use super::traffic::Traffic;
use crate::ids::{IdVec, RankId};

/// Most ranks for which that is done.
pub(super) const MOST_RANKS: u32 = 9;

/// The best of all maps, `known` being one that is good already.
pub(super) fn best_map(tracker: &mut LoadTracker<'_>, traffic: &Traffic, known: SeatOf) -> SeatOf {
    tracker.clear();
    let links = Partners::new(traffic);
    let mut search = Search {
        tracker,
        links,
        seats: IdVec::new(),
        best: known.clone(),
        key: Key([f64::INFINITY; 3]),
    };
    for (rank, &seat) in known.entries() {
        search.place(rank, seat);
    }
    search.key = search.tracker.key();
    search.tracker.clear();
    search.seats.clear();
    search.descend();
    search.best
}

struct Search<'s, 'a> {
    tracker: &'s mut LoadTracker<'a>,
    links: Partners,
    /// The seats of the first ranks.
    seats: SeatOf,
    best: SeatOf,
    key: Key,
}

impl Search<'_, '_> {
    fn place(&mut self, rank: RankId, seat: SeatId) {
        self.seats.push(seat);
        for partner in self.links.of(rank).iter().filter(|partner| partner.rank < rank) {
            let other = self.seats[partner.rank];
            let (from, to) = if partner.receives { (seat, other) } else { (other, seat) };
            self.tracker.add(partner.step as usize, from, to, partner.bytes);
        }
    }

    /// At most as deep as there are ranks, of which there are few.
    fn descend(&mut self) {
        let rank = RankId(self.seats.len() as u32);
        if self.seats.len() == self.best.len() {
            self.key = self.tracker.key();
            self.best.clone_from(&self.seats);
            return;
        }
        for seat in self.tracker.seats() {
            if self.seats.contains(&seat) {
                continue;
            }
            let mark = self.tracker.mark();
            self.place(rank, seat);
            if self.tracker.key().beats(&self.key) {
                self.descend();
            }
            self.tracker.roll_back(mark);
            self.seats.pop();
        }
    }
}
