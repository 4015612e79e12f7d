//! Ranks on seats under any traffic, and its moves: two ranks change places.

use super::key::{Key, Objective};
use super::load_journal::LoadJournal;
use super::load_tracker::{LoadTracker, SeatId};
use super::neighborhood::Neighborhood;
use super::neighbors::Neighbors;
use super::traffic::Traffic;
use crate::ids::{IdVec, RankId};

/// The seat of every rank.
pub(super) type SeatOf = IdVec<RankId, SeatId>;

/// The seat of every rank, with what that puts on links.
#[derive(Debug)]
pub(super) struct Map<'a> {
    loads: LoadJournal<'a>,
    neighbors: Neighbors,
    links: Partners,
    seat_of: SeatOf,
    rank_on: IdVec<SeatId, RankId>,
}

/// One end of a flow, as the rank at the other end sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partner {
    pub step: u32,
    pub rank: RankId,
    pub bytes: f64,
    /// Whether it receives.
    pub receives: bool,
}

/// With whom every rank has to do, the most bytes first.
#[derive(Debug)]
pub(super) struct Partners(IdVec<RankId, Vec<Partner>>);

impl Partners {
    pub(super) fn new(traffic: &Traffic) -> Self {
        let mut of = IdVec::filled(Vec::new(), traffic.ranks as usize);
        for (step, flows) in (0..).zip(&traffic.steps) {
            for flow in &flows.flows {
                let mut add = |rank: RankId, other: RankId, receives: bool| {
                    of[rank].push(Partner {
                        step,
                        rank: other,
                        bytes: flow.bytes,
                        receives,
                    });
                };
                add(flow.src, flow.dst, true);
                add(flow.dst, flow.src, false);
            }
        }
        for partners in &mut of {
            partners.sort_by(|a, b| b.bytes.total_cmp(&a.bytes));
        }
        Self(of)
    }

    pub(super) fn of(&self, rank: RankId) -> &[Partner] {
        &self.0[rank]
    }
}

/// Two ranks that change places.
pub(super) type Swap = (RankId, RankId);

/// Partners near which a rank may want to be.
const PARTNERS: usize = 6;
/// Ranks up to which any two may change places.
const ALL_PAIRS: usize = 64;

impl<'a> Map<'a> {
    pub(super) fn new(tracker: LoadTracker<'a>, neighbors: Neighbors, traffic: &Traffic, seat_of: SeatOf) -> Self {
        let mut map = Self {
            loads: LoadJournal::new(tracker),
            neighbors,
            links: Partners::new(traffic),
            rank_on: IdVec::filled(RankId(0), seat_of.len()),
            seat_of: IdVec::new(),
        };
        map.begin_with(seat_of);
        map
    }

    pub(super) fn seats(&self) -> &SeatOf {
        &self.seat_of
    }

    pub(super) fn rank_on(&self, seat: SeatId) -> RankId {
        self.rank_on[seat]
    }

    pub(super) fn tracker(&mut self) -> &mut LoadTracker<'a> {
        self.loads.tracker_mut()
    }

    pub(super) fn into_tracker(self) -> LoadTracker<'a> {
        self.loads.into_tracker()
    }

    pub(super) fn partners(&self, rank: RankId) -> &[Partner] {
        self.links.of(rank)
    }

    pub(super) fn neighbors(&self) -> &Neighbors {
        &self.neighbors
    }

    fn refresh(&mut self) {
        self.tracker().clear();
        for rank in self.seat_of.ids() {
            self.flows(rank, 1.0, |partner| partner.receives);
        }
        self.loads.settle();
    }

    /// Adds or takes away the flows of a rank that pass a test.
    fn flows(&mut self, rank: RankId, sign: f64, test: impl Fn(&Partner) -> bool) {
        let own = self.seat_of[rank];
        for partner in self.links.of(rank).iter().filter(|&partner| test(partner)) {
            let other = self.seat_of[partner.rank];
            let (from, to) = if partner.receives { (own, other) } else { (other, own) };
            self.loads
                .tracker_mut()
                .add(partner.step as usize, from, to, sign * partner.bytes);
        }
    }

    fn swap(&mut self, (a, b): Swap) {
        self.seat_of.swap(a.index(), b.index());
        self.rank_on[self.seat_of[a]] = a;
        self.rank_on[self.seat_of[b]] = b;
    }

    /// Moves some ranks, which send each other nothing, to the seats that a map has for them, if that is no worse.
    pub(super) fn move_to(&mut self, seat_of: &SeatOf, ranks: &[RankId]) {
        let (before, mark) = (self.key(), self.tracker().mark());
        let old: Vec<SeatId> = ranks.iter().map(|&rank| self.seat_of[rank]).collect();
        ranks.iter().for_each(|&rank| self.flows(rank, -1.0, |_| true));
        self.seat(ranks, |rank| seat_of[rank]);
        ranks.iter().for_each(|&rank| self.flows(rank, 1.0, |_| true));
        if self.key().beats(&before) {
            self.keep();
            return;
        }
        self.tracker().roll_back(mark);
        let mut old = old.into_iter();
        self.seat(ranks, |rank| old.next().unwrap_or(seat_of[rank]));
    }

    fn seat(&mut self, ranks: &[RankId], mut seat_of: impl FnMut(RankId) -> SeatId) {
        for &rank in ranks {
            let seat = seat_of(rank);
            self.seat_of[rank] = seat;
            self.rank_on[seat] = rank;
        }
    }

    /// What both have to do with each other counts once.
    fn flows_of_both(&mut self, (a, b): Swap, sign: f64) {
        self.flows(a, sign, |_| true);
        self.flows(b, sign, |partner| partner.rank != a);
    }
}

impl Neighborhood for Map<'_> {
    type Move = Swap;
    type Focus = RankId;
    type Snapshot = SeatOf;

    fn foci(&self) -> u32 {
        self.seat_of.len() as u32
    }

    fn worst_focus(&self, drawn: u64) -> RankId {
        let n = self.seat_of.len() as u64;
        let rank = |turn: u64| RankId((drawn.wrapping_add(turn.wrapping_mul(0x9e37_79b9)) % n) as u32);
        if self.loads.tracker().objective() == Objective::Bytes {
            return rank(0);
        }
        let tracker = self.loads.tracker();
        let (_, bundle) = tracker.worst();
        let crosses = |rank: &RankId| tracker.touches(self.seat_of[*rank], bundle);
        (0..16).map(rank).find(crosses).unwrap_or_else(|| rank(0))
    }

    fn propose(&mut self, focus: RankId, moves: &mut Vec<Swap>) {
        if self.seat_of.len() <= ALL_PAIRS {
            moves.extend(
                self.seat_of
                    .ids()
                    .filter(|&other| other != focus)
                    .map(|other| (focus, other)),
            );
            return;
        }
        let first = moves.len();
        for partner in self.links.of(focus).iter().take(PARTNERS) {
            for &seat in self.neighbors.of(self.seat_of[partner.rank]) {
                let other = self.rank_on[seat];
                if other != focus && !moves[first..].contains(&(focus, other)) {
                    moves.push((focus, other));
                }
            }
        }
    }

    fn touched(&self, (a, b): Swap, foci: &mut Vec<RankId>) {
        foci.extend([a, b]);
    }

    fn key(&self) -> Key {
        self.loads.tracker().key()
    }

    fn apply(&mut self, step: Swap) {
        self.loads.begin_move();
        self.flows_of_both(step, -1.0);
        self.swap(step);
        self.flows_of_both(step, 1.0);
    }

    fn take_back(&mut self, step: Swap) {
        self.swap(step);
        self.loads.take_back();
    }

    fn keep(&mut self) {
        if self.loads.keep() {
            self.refresh();
        }
    }

    fn snapshot(&self) -> SeatOf {
        self.seat_of.clone()
    }

    fn begin_with(&mut self, seat_of: SeatOf) {
        self.seat_of = seat_of;
        for (rank, &seat) in self.seat_of.entries() {
            self.rank_on[seat] = rank;
        }
        self.refresh();
    }
}
