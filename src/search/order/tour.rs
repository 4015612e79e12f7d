//! A ring over all seats, and its moves: a few seats go elsewhere (Or-opt), or a part is turned around (2-opt).

use super::key::{Key, Objective};
use super::load_journal::LoadJournal;
use super::load_tracker::{LoadTracker, SeatId};
use super::neighborhood::Neighborhood;
use super::neighbors::{Neighbors, distance};
use crate::ids::IdVec;

/// Seats in the order of the ring, each of which sends to the next.
#[derive(Debug)]
pub(super) struct Tour<'a> {
    loads: LoadJournal<'a>,
    neighbors: Neighbors,
    bytes: f64,
    order: Vec<SeatId>,
    /// The position of each seat.
    at: IdVec<SeatId, u32>,
}

/// Positions of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TourMove {
    /// The first `left` of `from..end` change places with the rest of it.
    Rotate { from: u32, left: u32, end: u32 },
    /// `from..end` is turned around.
    Reverse { from: u32, end: u32 },
}

/// Longest part that moves elsewhere.
const LONGEST_PART: u32 = 3;
/// Longest part that is turned around.
const LONGEST_TURN: u32 = 64;

impl<'a> Tour<'a> {
    pub(super) fn new(tracker: LoadTracker<'a>, neighbors: Neighbors, bytes: f64, order: Vec<SeatId>) -> Self {
        let mut tour = Self {
            loads: LoadJournal::new(tracker),
            neighbors,
            bytes,
            at: IdVec::filled(0, order.len()),
            order: Vec::new(),
        };
        tour.begin_with(order);
        tour
    }

    pub(super) fn objective(&self) -> Objective {
        self.loads.tracker().objective()
    }

    pub(super) fn order(&self) -> &[SeatId] {
        &self.order
    }

    pub(super) fn into_tracker(self) -> LoadTracker<'a> {
        self.loads.into_tracker()
    }

    fn refresh(&mut self) {
        self.loads.tracker_mut().clear();
        for position in 0..self.order.len() {
            self.pair(position, 1.0);
        }
        self.loads.settle();
    }

    /// The longer of the ways from and to the seats beside one.
    fn longest_beside(&mut self, focus: SeatId) -> (f64, f64) {
        let (n, p) = (self.order.len(), self.at[focus] as usize);
        let (before, after) = (self.order[(p + n - 1) % n], self.order[(p + 1) % n]);
        let (in_front, behind) = (self.between(before, focus), self.between(focus, after));
        if in_front < behind { behind } else { in_front }
    }

    fn between(&mut self, from: SeatId, to: SeatId) -> (f64, f64) {
        let tracker = self.loads.tracker_mut();
        let (from, to) = (tracker.edge(from), tracker.edge(to));
        distance(tracker, from, to)
    }

    /// Adds or takes away what the seat at a position sends.
    fn pair(&mut self, position: usize, sign: f64) {
        let next = if position + 1 == self.order.len() {
            0
        } else {
            position + 1
        };
        self.loads
            .tracker_mut()
            .add(0, self.order[position], self.order[next], sign * self.bytes);
    }

    fn note(&mut self, from: usize, end: usize) {
        for position in from..end {
            self.at[self.order[position]] = position as u32;
        }
    }

    /// Positions whose pair changes when a move cuts the order before each of `cuts`.
    fn before(&self, cuts: [u32; 3]) -> impl Iterator<Item = usize> + use<> {
        let n = self.order.len() as u32;
        let [a, b, c] = cuts.map(|cut| (cut + n - 1) % n);
        let second = (b != a).then_some(b);
        let third = (c != a && c != b).then_some(c);
        std::iter::once(a)
            .chain(second)
            .chain(third)
            .map(|position| position as usize)
    }

    fn permute(&mut self, step: TourMove) {
        match step {
            TourMove::Rotate { from, left, end } => {
                self.order[from as usize..end as usize].rotate_left(left as usize);
                self.note(from as usize, end as usize);
            }
            TourMove::Reverse { from, end } => {
                self.order[from as usize..end as usize].reverse();
                self.note(from as usize, end as usize);
            }
        }
    }

    /// The moves that bring a seat beside one of so many neighbors.
    fn propose_beside(&self, focus: SeatId, neighbors: usize, moves: &mut Vec<TourMove>) {
        let n = self.order.len() as u32;
        let p = self.at[focus];
        for &near in self.neighbors.of(focus).iter().take(neighbors) {
            let q = self.at[near];
            for length in 1..=LONGEST_PART.min(n - 2) {
                // What begins here follows the neighbor.
                if p + length <= q {
                    moves.push(TourMove::Rotate {
                        from: p,
                        left: length,
                        end: q + 1,
                    });
                } else if q < p && p + length <= n && q + 1 < p {
                    moves.push(TourMove::Rotate {
                        from: q + 1,
                        left: p - q - 1,
                        end: p + length,
                    });
                }
                // What ends here goes before the neighbor.
                if let Some(from) = (p + 1).checked_sub(length) {
                    if q < from {
                        moves.push(TourMove::Rotate {
                            from: q,
                            left: from - q,
                            end: p + 1,
                        });
                    } else if p + 1 < q {
                        moves.push(TourMove::Rotate {
                            from,
                            left: length,
                            end: q,
                        });
                    }
                }
            }
            let (low, high) = (p.min(q), p.max(q));
            if high - low > 1 && high - low <= LONGEST_TURN {
                moves.push(TourMove::Reverse {
                    from: low + 1,
                    end: high + 1,
                });
                moves.push(TourMove::Reverse { from: low, end: high });
            }
        }
    }

    /// The pairs that a move changes, by position, before or after it.
    fn touch(&mut self, step: TourMove, sign: f64, done: bool) {
        match step {
            TourMove::Rotate { from, left, end } => {
                let middle = if done { end - left } else { from + left };
                self.before([from, middle, end])
                    .for_each(|position| self.pair(position, sign));
            }
            TourMove::Reverse { from, end } => {
                let n = self.order.len();
                let first = (from as usize + n - 1) % n;
                let last = end as usize - 1;
                if first != last {
                    self.pair(first, sign);
                }
                (from as usize..=last).for_each(|position| self.pair(position, sign));
            }
        }
    }
}

impl Neighborhood for Tour<'_> {
    type Move = TourMove;
    type Focus = SeatId;
    type Snapshot = Vec<SeatId>;

    fn foci(&self) -> u32 {
        self.order.len() as u32
    }

    fn worst_focus(&self, drawn: u64) -> SeatId {
        // A seat at either end of the worst link, if one is met among a few.
        let tracker = self.loads.tracker();
        let n = self.order.len() as u64;
        let seat = |turn: u64| SeatId((drawn.wrapping_add(turn.wrapping_mul(0x9e37_79b9)) % n) as u32);
        if tracker.objective() == Objective::Bytes {
            return seat(0);
        }
        let (_, bundle) = tracker.worst();
        let crosses = |seat: &SeatId| tracker.touches(*seat, bundle);
        (0..16).map(seat).find(crosses).unwrap_or_else(|| seat(0))
    }

    fn propose(&mut self, focus: SeatId, moves: &mut Vec<TourMove>) {
        self.propose_beside(focus, usize::MAX, moves);
    }

    /// By bytes, a way that a move adds at one of its ends is shorter than one that it replaces there, as with the neighbor
    /// lists of Lin and Kernighan.
    fn propose_better(&mut self, focus: SeatId, moves: &mut Vec<TourMove>) {
        let all = self.neighbors.of(focus).len();
        let shorter = match self.loads.tracker().objective() {
            Objective::Congestion => all,
            Objective::Bytes => {
                let longest = self.longest_beside(focus);
                let mut shorter = 0;
                while shorter < all && self.between(focus, self.neighbors.of(focus)[shorter]) < longest {
                    shorter += 1;
                }
                shorter
            }
        };
        self.propose_beside(focus, shorter, moves);
    }

    fn touched(&self, step: TourMove, foci: &mut Vec<SeatId>) {
        let n = self.order.len() as u32;
        let cuts = match step {
            TourMove::Rotate { from, left, end } => [from, from + left, end],
            TourMove::Reverse { from, end } => [from, end, end],
        };
        for cut in cuts {
            foci.extend([cut + n - 1, cut].map(|position| self.order[(position % n) as usize]));
        }
    }

    fn key(&self) -> Key {
        self.loads.tracker().key()
    }

    fn apply(&mut self, step: TourMove) {
        self.loads.begin_move();
        self.touch(step, -1.0, false);
        self.permute(step);
        self.touch(step, 1.0, true);
    }

    fn take_back(&mut self, step: TourMove) {
        let back = match step {
            TourMove::Rotate { from, left, end } => TourMove::Rotate {
                from,
                left: end - from - left,
                end,
            },
            turn @ TourMove::Reverse { .. } => turn,
        };
        self.permute(back);
        self.loads.take_back();
    }

    fn keep(&mut self) {
        if self.loads.keep() {
            self.refresh();
        }
    }

    fn snapshot(&self) -> Vec<SeatId> {
        self.order.clone()
    }

    fn begin_with(&mut self, order: Vec<SeatId>) {
        self.order = order;
        self.note(0, self.order.len());
        self.refresh();
    }
}
