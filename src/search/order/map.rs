//! Ranks on seats under any traffic, and its moves: two ranks change places.

use super::key::{Key, Objective};
use super::load_tracker::{LoadTracker, Mark};
use super::neighborhood::Neighborhood;
use super::neighbors::Neighbors;
use super::traffic::Traffic;

/// The seat of every rank.
#[derive(Debug)]
pub(super) struct Map<'a> {
    tracker: LoadTracker<'a>,
    neighbors: Neighbors,
    links: Partners,
    seat_of: Vec<u32>,
    rank_on: Vec<u32>,
    marks: Vec<Mark>,
    kept: u32,
}

/// One end of a flow, as the rank at the other end sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partner {
    pub step: u32,
    pub rank: u32,
    pub bytes: f64,
    /// Whether it receives.
    pub receives: bool,
}

/// With whom every rank has to do, the most bytes first.
#[derive(Debug)]
pub(super) struct Partners(Vec<Vec<Partner>>);

impl Partners {
    pub(super) fn new(traffic: &Traffic) -> Self {
        let mut of = vec![Vec::new(); traffic.ranks as usize];
        for (step, flows) in (0..).zip(&traffic.steps) {
            for flow in &flows.flows {
                let mut add = |rank: u32, other: u32, receives: bool| {
                    of[rank as usize].push(Partner {
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

    pub(super) fn of(&self, rank: u32) -> &[Partner] {
        &self.0[rank as usize]
    }
}

/// Two ranks that change places.
pub(super) type Swap = (u32, u32);

/// Partners near which a rank may want to be.
const PARTNERS: usize = 6;
/// Moves after which loads are added up anew, as rounding adds up, too.
const REFRESH: u32 = 256;
/// Ranks up to which any two may change places.
const ALL_PAIRS: usize = 64;

impl<'a> Map<'a> {
    pub(super) fn new(tracker: LoadTracker<'a>, neighbors: Neighbors, traffic: &Traffic, seat_of: Vec<u32>) -> Self {
        let mut map = Self {
            tracker,
            neighbors,
            links: Partners::new(traffic),
            rank_on: vec![0; seat_of.len()],
            seat_of: Vec::new(),
            marks: Vec::new(),
            kept: 0,
        };
        map.begin_with(seat_of);
        map
    }

    pub(super) fn seats(&self) -> &[u32] {
        &self.seat_of
    }

    pub(super) fn rank_on(&self, seat: u32) -> u32 {
        self.rank_on[seat as usize]
    }

    pub(super) fn tracker(&mut self) -> &mut LoadTracker<'a> {
        &mut self.tracker
    }

    pub(super) fn into_tracker(self) -> LoadTracker<'a> {
        self.tracker
    }

    pub(super) fn partners(&self, rank: u32) -> &[Partner] {
        self.links.of(rank)
    }

    pub(super) fn neighbors(&self) -> &Neighbors {
        &self.neighbors
    }

    fn refresh(&mut self) {
        self.tracker.clear();
        for rank in 0..self.seat_of.len() as u32 {
            self.flows(rank, 1.0, |partner| partner.receives);
        }
        self.tracker.keep();
        self.marks.clear();
    }

    /// Adds or takes away the flows of a rank that pass a test.
    fn flows(&mut self, rank: u32, sign: f64, test: impl Fn(&Partner) -> bool) {
        let own = self.seat_of[rank as usize];
        for partner in self.links.of(rank).iter().filter(|&partner| test(partner)) {
            let other = self.seat_of[partner.rank as usize];
            let (from, to) = if partner.receives { (own, other) } else { (other, own) };
            self.tracker.add(partner.step as usize, from, to, sign * partner.bytes);
        }
    }

    fn swap(&mut self, (a, b): Swap) {
        self.seat_of.swap(a as usize, b as usize);
        self.rank_on[self.seat_of[a as usize] as usize] = a;
        self.rank_on[self.seat_of[b as usize] as usize] = b;
    }

    /// Moves some ranks, which send each other nothing, to the seats that a map has for them, if that is no worse.
    pub(super) fn move_to(&mut self, seat_of: &[u32], ranks: &[u32]) {
        let (before, mark) = (self.key(), self.tracker.mark());
        let old: Vec<u32> = ranks.iter().map(|&rank| self.seat_of[rank as usize]).collect();
        ranks.iter().for_each(|&rank| self.flows(rank, -1.0, |_| true));
        self.seat(ranks, |rank| seat_of[rank as usize]);
        ranks.iter().for_each(|&rank| self.flows(rank, 1.0, |_| true));
        if self.key().beats(&before) {
            self.keep();
            return;
        }
        self.tracker.roll_back(mark);
        let mut old = old.into_iter();
        self.seat(ranks, |rank| old.next().unwrap_or(rank));
    }

    fn seat(&mut self, ranks: &[u32], mut seat_of: impl FnMut(u32) -> u32) {
        for &rank in ranks {
            let seat = seat_of(rank);
            self.seat_of[rank as usize] = seat;
            self.rank_on[seat as usize] = rank;
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

    fn foci(&self) -> u32 {
        self.seat_of.len() as u32
    }

    fn worst_focus(&self, drawn: u64) -> u32 {
        let n = self.seat_of.len() as u64;
        let rank = |turn: u64| (drawn.wrapping_add(turn.wrapping_mul(0x9e37_79b9)) % n) as u32;
        if self.tracker.objective() == Objective::Bytes {
            return rank(0);
        }
        let (_, bundle) = self.tracker.worst();
        let crosses = |rank: &u32| self.tracker.touches(self.seat_of[*rank as usize], bundle);
        (0..16).map(rank).find(crosses).unwrap_or_else(|| rank(0))
    }

    fn propose(&mut self, focus: u32, moves: &mut Vec<Swap>) {
        if self.seat_of.len() <= ALL_PAIRS {
            moves.extend(
                (0..self.seat_of.len() as u32)
                    .filter(|&other| other != focus)
                    .map(|other| (focus, other)),
            );
            return;
        }
        let first = moves.len();
        for partner in self.links.of(focus).iter().take(PARTNERS) {
            for &seat in self.neighbors.of(self.seat_of[partner.rank as usize]) {
                let other = self.rank_on[seat as usize];
                if other != focus && !moves[first..].contains(&(focus, other)) {
                    moves.push((focus, other));
                }
            }
        }
    }

    fn key(&self) -> Key {
        self.tracker.key()
    }

    fn apply(&mut self, step: Swap) {
        self.marks.push(self.tracker.mark());
        self.flows_of_both(step, -1.0);
        self.swap(step);
        self.flows_of_both(step, 1.0);
    }

    fn take_back(&mut self, step: Swap) {
        self.swap(step);
        if let Some(mark) = self.marks.pop() {
            self.tracker.roll_back(mark);
        }
    }

    fn keep(&mut self) {
        self.tracker.keep();
        self.marks.clear();
        self.kept += 1;
        if self.kept.is_multiple_of(REFRESH) {
            self.refresh();
        }
    }

    fn snapshot(&self) -> Vec<u32> {
        self.seat_of.clone()
    }

    fn begin_with(&mut self, seat_of: Vec<u32>) {
        self.seat_of = seat_of;
        for (rank, &seat) in (0..).zip(&self.seat_of) {
            self.rank_on[seat as usize] = rank;
        }
        self.refresh();
    }
}
