//! Weighted max-min sharing, kept up to date as sub-flows come and go.
//!
//! Every sub-flow sends at its weight times the *level* of its bottleneck: the constraint, among those
//! it crosses, with the lowest level. A constraint that is nobody's bottleneck has no level. The
//! levels are right when each constraint with a level is full and no sub-flow crosses one with a
//! lower level than its bottleneck's; they are then the max-min fair ones, and the only ones.
//!
//! When sub-flows come or go, only constraints whose load has changed are looked at, lowest level
//! first. [`Sharing::settle_one`] gives one the level at which it is full, taking over the sub-flows that
//! others let run faster, and passes on the sub-flows that others slow down more; this changes the
//! load of further constraints. Once a constraint's lower neighbors rest, so does it, and the work
//! ends. From nothing, where no sub-flow has a bottleneck yet, the same procedure is the textbook's progressive
//! filling.
//!
//! A sub-flow's progress is kept in virtual time: a constraint's clock advances by its level, so a
//! sub-flow with its bottleneck there ends when the clock reads a value that never changes.
//!
//! All rates are multiples of one quantum, far finer than the accuracy asked for, so that loads are
//! exact sums: they do not depend on the order of additions, and do not drift.

#[cfg(test)]
mod audit;
mod coincidence;
mod completions;
mod exact_sum_quantizer;
mod held;
mod settle;

use crate::ids::{Id, IdVec, SubflowId};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use coincidence::Coincidence;
use exact_sum_quantizer::ExactSumQuantizer;
use held::{Held, HeldList, Others};

use super::constraints::{ConstraintId, Constraints, DIRECT};
use super::min_segment_tree::MinSegmentTree;
use super::options::{FlowOptions, Weights};
use super::routes::{Routes, SegmentId};
use crate::placement::Placement;
use crate::workload::{Schedule, Transfer};

/// What [`rounding`] may come to: the last bits of any sum, and what would be seen in a result.
const LEAST_ROUNDING: f64 = 1e-12;
const MOST_ROUNDING: f64 = 1e-9;
/// Levels this close, relatively, are the same.
const TIE: f64 = 1e-12;
/// A constraint without level is full when its load exceeds its capacity by this fraction.
const OVERLOAD: f64 = 1e-11;
/// Part of the tolerance that levels and loads may be off by. This adds up: with 0.15 the worst of 65 280 completion
/// times was off by more than twice the tolerance.
const SLACK: f64 = 0.05;

/// The bottleneck of a sub-flow that has started but has none yet.
const FREE: ConstraintId = ConstraintId::NONE;
/// The bottleneck of a sub-flow that has not started or has ended.
const AWAY: ConstraintId = ConstraintId(u32::MAX - 1);

/// The constraints that see all of a sub-flow's rate: the links of its source and its destination, and
/// the fabric links of a single path. NONE fills up the end.
#[derive(Debug, Clone, Copy)]
struct Own([ConstraintId; 2 + DIRECT]);

impl Own {
    /// From constraints, some of which may be none.
    fn new(constraints: impl IntoIterator<Item = ConstraintId>) -> Self {
        let mut own = [ConstraintId::NONE; 2 + DIRECT];
        let there = constraints.into_iter().filter(|&c| c != ConstraintId::NONE);
        own.iter_mut().zip(there).for_each(|(own, c)| *own = c);
        Self(own)
    }

    fn each(self) -> impl Iterator<Item = ConstraintId> {
        self.0.into_iter().take_while(|&c| c != ConstraintId::NONE)
    }

    /// Those besides one, filled up with `nobody`, and whether it was among them. They fit: where it is not, the sub-flow
    /// has a segment, whose constraints are in lists, and only the two host links here.
    fn without(self, constraint: ConstraintId, nobody: ConstraintId) -> (Others, bool) {
        let mut others = [nobody; 1 + DIRECT];
        let there = self.each().filter(|&c| c != constraint);
        others.iter_mut().zip(there).for_each(|(other, c)| *other = c);
        (others, self.0.contains(&constraint))
    }
}

/// A sub-flow.
#[derive(Debug, Clone, Copy)]
struct Subflow {
    weight: f64,
    /// Bytes left to send over weight, while the sub-flow has no bottleneck.
    work: f64,
    start: f64,
    own: Own,
    /// NONE where nothing on its way can limit but what is in `own`.
    segment: SegmentId,
    /// Position among the sub-flows of its bottleneck.
    slot: u32,
}

#[derive(Debug, Clone, Copy)]
struct Constraint {
    capacity: f64,
    /// Of its load, the rates of the sub-flows whose bottleneck it is.
    held_load: f64,
    /// Weight of these sub-flows.
    held_weight: f64,
    /// Weight of the sub-flows on it without a bottleneck.
    free_weight: f64,
    changed: bool,
    /// It has new free sub-flows and is not queued yet.
    awaited: bool,
}

/// What changes about a constraint with every sub-flow on it.
#[derive(Debug, Clone, Copy, Default)]
struct Traffic {
    /// Rates of all sub-flows on it.
    load: f64,
    /// No sub-flow on it with another bottleneck has a higher level.
    fastest: f64,
    /// Its turn will come.
    queued: bool,
}

impl Traffic {
    /// Sub-flows that now run at `level` change the load.
    fn add(&mut self, load: f64, level: f64) {
        self.load += load;
        self.fastest = if level > self.fastest { level } else { self.fastest };
    }
}

/// Sub-flows that cross something, and some that have ended.
#[derive(Debug, Clone, Default)]
struct Members {
    subflows: Vec<SubflowId>,
    ended: usize,
    /// How many of them, the first ones, have had a bottleneck already.
    seen: usize,
}

impl Members {
    /// Forgets those that have ended once they are many.
    fn tidy(&mut self, bottlenecks: &IdVec<SubflowId, ConstraintId>) {
        if 4 * self.ended > self.subflows.len() {
            let goes_on = |subflow: &SubflowId| bottlenecks[*subflow] != AWAY;
            self.seen = self.subflows[..self.seen]
                .iter()
                .filter(|subflow| goes_on(subflow))
                .count();
            self.subflows.retain(goes_on);
            self.ended = 0;
        }
    }

    /// Those that may have no bottleneck yet, but now get one.
    fn fresh(&mut self) -> &[SubflowId] {
        let seen = std::mem::replace(&mut self.seen, self.subflows.len());
        &self.subflows[seen..]
    }

    /// All of them have lost their bottlenecks.
    fn all_are_fresh(&mut self) {
        self.seen = 0;
    }
}

/// Virtual time of a constraint.
#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    reading: f64,
    /// When it was read.
    at: f64,
}

/// When the first sub-flow of a constraint ends, and the shortest completion time among its sub-flows.
#[derive(Debug, Clone, Copy)]
struct Due {
    first: f64,
    span: f64,
    /// Neither has to be found out anew.
    known: bool,
}

impl Due {
    const NONE: Self = Self {
        first: f64::INFINITY,
        span: f64::INFINITY,
        known: true,
    };

    fn add(&mut self, end: f64, start: f64) {
        let span = end - start;
        self.first = if end < self.first { end } else { self.first };
        self.span = if span < self.span { span } else { self.span };
    }
}

/// What the sub-flows of one segment have in common.
#[derive(Debug, Clone, Default)]
struct Segment {
    rate: f64,
    free_weight: f64,
    subflows: Members,
    /// Rate and free weight that its constraints know of, while they are about to learn new ones.
    announced: Option<(f64, f64)>,
}

/// What the segments carry that some constraint sees a part of.
#[derive(Debug)]
struct Spread {
    segments: IdVec<SegmentId, Segment>,
    /// Segments whose constraints do not know their rate yet.
    unannounced: Vec<SegmentId>,
}

impl Spread {
    /// Notes changes of a segment's rate and free weight for [`Sharing::announce`].
    fn note(&mut self, segment: SegmentId, rate: f64, free_weight: f64) {
        if segment == SegmentId::NONE {
            return;
        }
        let state = &mut self.segments[segment];
        if state.announced.is_none() {
            state.announced = Some((state.rate, state.free_weight));
            self.unannounced.push(segment);
        }
        state.rate += rate;
        state.free_weight += free_weight;
    }
}

/// A queued constraint; the greatest is settled first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Turn {
    level: f64,
    constraint: ConstraintId,
}

impl Eq for Turn {}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |turn: &Self| Reverse(turn.constraint);
        other
            .level
            .total_cmp(&self.level)
            .then_with(|| key(self).cmp(&key(other)))
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The sub-flows that are being sent and their rates.
#[derive(Debug)]
pub(super) struct Sharing {
    limits: Constraints,
    subflows: IdVec<SubflowId, Subflow>,
    /// The most constraints that see all of one sub-flow.
    crossed: usize,
    /// The bottleneck of each sub-flow, [`FREE`] or [`AWAY`]. Bottlenecks, floors and levels are read at
    /// random more often than all else: apart, they stay in the near caches.
    bottlenecks: IdVec<SubflowId, ConstraintId>,
    spread: Spread,
    /// Lowest level of the fabric constraints that each segment crosses.
    floors: IdVec<SegmentId, f64>,
    constraints: IdVec<ConstraintId, Constraint>,
    /// At [`Sharing::nobody`], for a constraint that nothing ever comes of.
    traffic: IdVec<ConstraintId, Traffic>,
    /// Rate per weight of the sub-flows whose bottleneck each constraint is; infinite without any, as at [`Sharing::nobody`].
    levels: IdVec<ConstraintId, f64>,
    clocks: IdVec<ConstraintId, Clock>,
    dues: IdVec<ConstraintId, Due>,
    /// The sub-flows whose bottleneck each constraint is.
    held: IdVec<ConstraintId, HeldList>,
    /// The ends of these, as bits, and of sub-flows that it does not hold any more; without tolerance.
    firsts: IdVec<ConstraintId, BinaryHeap<Reverse<(u64, SubflowId)>>>,
    /// The sub-flows that each constraint sees all of, and some that have ended.
    members: IdVec<ConstraintId, Members>,
    queue: BinaryHeap<Turn>,
    coincidence: Coincidence,
    /// Constraints whose sub-flows or level have changed.
    changed: Vec<ConstraintId>,
    /// Constraints with new free sub-flows, not queued yet.
    awaited: Vec<ConstraintId>,
    /// Constraints whose load has just changed, with the level of the sub-flows that did it.
    disturbed: Vec<(ConstraintId, f64)>,
    /// Sub-flows that the constraint whose turn it is takes over, with the level that they had.
    captured: Vec<(SubflowId, f64)>,
    /// When the first sub-flow of each constraint ends, and the shortest completion time among them.
    ends: MinSegmentTree,
    spans: MinSegmentTree,
    rates: ExactSumQuantizer,
    weights: ExactSumQuantizer,
    /// Completions this close, relatively, to the shortest completion time differ by rounding alone: they coincide.
    rounding: f64,
    /// Levels and loads this close, relatively, to the fair ones are left as they are.
    slack: f64,
    /// Turns after which a settlement starts over from nothing.
    patience: usize,
}

impl Sharing {
    /// Of sub-flows that stand for so many `in_all`.
    pub(super) fn new(
        limits: Constraints,
        schedule: &Schedule,
        placement: &Placement,
        routes: &Routes,
        options: &FlowOptions,
        in_all: usize,
    ) -> Self {
        let count = limits.capacity.len();
        let fastest = limits
            .capacity
            .iter()
            .copied()
            .fold(limits.largest_edge / 8.0, f64::max);
        let empty = |&capacity: &f64| Constraint {
            capacity,
            held_load: 0.0,
            held_weight: 0.0,
            free_weight: 0.0,
            changed: false,
            awaited: false,
        };
        let weights = ExactSumQuantizer::below(in_all as f64 + 8.0);
        let subflows = subflows(&limits, schedule, placement, routes, options.weights, weights);
        let rates = ExactSumQuantizer::below(8.0 * fastest);
        let rounding = rounding(&limits, &subflows, rates.quantum());
        let mut traffic = IdVec::filled(Traffic::default(), count);
        let nobody = traffic.push(Traffic::default());
        traffic[nobody].queued = true;
        Self {
            bottlenecks: IdVec::filled(AWAY, placement.subflows().len()),
            crossed: subflows
                .iter()
                .map(|subflow| subflow.own.each().count())
                .max()
                .unwrap_or(0),
            spread: Spread {
                segments: IdVec::filled(Segment::default(), routes.segments.len()),
                unannounced: Vec::new(),
            },
            floors: IdVec::filled(f64::INFINITY, routes.segments.len()),
            constraints: limits.capacity.iter().map(empty).collect(),
            traffic,
            levels: IdVec::filled(f64::INFINITY, count + 1),
            clocks: IdVec::filled(Clock::default(), count),
            dues: IdVec::filled(Due::NONE, count),
            held: IdVec::filled(HeldList::default(), count),
            firsts: IdVec::filled(BinaryHeap::new(), count),
            members: members(&subflows, count),
            subflows,
            queue: BinaryHeap::new(),
            coincidence: Coincidence::new(options.tolerance, count),
            changed: Vec::new(),
            awaited: Vec::new(),
            disturbed: Vec::new(),
            captured: Vec::new(),
            ends: MinSegmentTree::new(count),
            spans: MinSegmentTree::new(count),
            rates,
            weights,
            rounding,
            slack: options.tolerance * SLACK,
            patience: 100 + 16 * count,
            limits,
        }
    }

    /// The constraint that stands where a sub-flow crosses none.
    fn nobody(&self) -> ConstraintId {
        ConstraintId::from_index(self.constraints.len())
    }

    /// Adds a sub-flow that starts now.
    pub(super) fn start(&mut self, id: SubflowId, now: f64) {
        let subflow = &mut self.subflows[id];
        subflow.start = now;
        let subflow = *subflow;
        self.bottlenecks[id] = FREE;
        for own in subflow.own.each() {
            self.members[own].subflows.push(id);
        }
        if subflow.segment != SegmentId::NONE {
            self.spread.segments[subflow.segment].subflows.subflows.push(id);
        }
        self.claim(&subflow);
    }

    /// Adds the weight of a free sub-flow to its constraints.
    fn claim(&mut self, subflow: &Subflow) {
        for own in subflow.own.each() {
            self.constraints[own].free_weight += subflow.weight;
            self.await_turn(own);
        }
        self.spread.note(subflow.segment, 0.0, subflow.weight);
    }

    /// A constraint has new free sub-flows.
    fn await_turn(&mut self, constraint: ConstraintId) {
        if !std::mem::replace(&mut self.constraints[constraint].awaited, true) {
            self.awaited.push(constraint);
        }
    }

    /// Takes a sub-flow that has ended off its bottleneck and the other constraints.
    fn remove(&mut self, bottleneck: ConstraintId, held: &Held, others: Others, level: f64) {
        let rate = self.rates.round(held.weight * level);
        for own in self.seeing_all(bottleneck, held, others) {
            self.members[own].ended += 1;
            self.add_load(own, -rate, 0.0);
        }
        if held.segment != SegmentId::NONE {
            self.spread.segments[held.segment].subflows.ended += 1;
            self.spread.note(held.segment, -rate, 0.0);
        }
    }

    /// The constraints that see all of a sub-flow's rate.
    fn seeing_all(
        &self,
        bottleneck: ConstraintId,
        held: &Held,
        others: Others,
    ) -> impl Iterator<Item = ConstraintId> + use<> {
        let (own, nobody) = (held.whole.then_some(bottleneck), self.nobody());
        let others = others.into_iter().take_while(move |&other| other != nobody);
        own.into_iter().chain(others)
    }

    /// Queues the constraints with new free sub-flows, each with a level that it will not go below.
    fn enqueue_awaited(&mut self) {
        let mut awaited = std::mem::take(&mut self.awaited);
        for c in awaited.drain(..) {
            let state = &mut self.constraints[c];
            state.awaited = false;
            let room = state.capacity - self.traffic[c].load + state.held_load;
            let level = room / (state.held_weight + state.free_weight);
            self.enqueue(c, level);
        }
        self.awaited = awaited;
    }

    /// Tells the fabric constraints what has changed on their segments, in sub-flows that now run at
    /// `level`; `own`, whose sub-flows they are, knows already.
    fn announce(&mut self, level: f64, own: Option<ConstraintId>) {
        let mut unannounced = std::mem::take(&mut self.spread.unannounced);
        for id in unannounced.drain(..) {
            let segment = &mut self.spread.segments[id];
            let (rate, free) = (segment.rate, segment.free_weight);
            let Some((old_rate, old_free)) = segment.announced.take() else {
                continue;
            };
            for i in 0..self.limits.of_segment(id).len() {
                let (c, fraction) = self.limits.of_segment(id)[i];
                let load = self.rates.round(fraction * rate) - self.rates.round(fraction * old_rate);
                let weight = self.weights.round(fraction * free) - self.weights.round(fraction * old_free);
                self.constraints[c].free_weight += weight;
                if weight > 0.0 {
                    self.await_turn(c);
                }
                if own == Some(c) {
                    self.traffic[c].load += load;
                } else {
                    self.add_load(c, load, level);
                }
            }
        }
        self.spread.unannounced = unannounced;
    }

    /// Changes the load that sub-flows with other bottlenecks put on a constraint, by sub-flows that now run at `level`.
    fn add_load(&mut self, constraint: ConstraintId, load: f64, level: f64) {
        let traffic = &mut self.traffic[constraint];
        traffic.add(load, level);
        if load != 0.0 && !traffic.queued {
            self.check(constraint, level);
        }
    }

    /// Queues a constraint that is not full any more, too full, or slower than it has to be, after sub-flows that now run
    /// at `level` changed its load.
    fn check(&mut self, constraint: ConstraintId, level: f64) {
        let traffic = self.traffic[constraint];
        if traffic.queued {
            return;
        }
        let (state, own) = (&self.constraints[constraint], self.levels[constraint]);
        if own.is_finite() {
            let full = (state.capacity - traffic.load).abs() <= self.slack * state.held_load;
            if !full || traffic.fastest > own * (1.0 + self.slack) {
                self.enqueue(constraint, own);
            }
        } else if traffic.load > state.capacity * (1.0 + OVERLOAD) {
            self.enqueue(constraint, level);
        }
    }

    fn enqueue(&mut self, constraint: ConstraintId, level: f64) {
        self.traffic[constraint].queued = true;
        self.queue.push(Turn { level, constraint });
    }

    /// Takes a sub-flow from its bottleneck and returns it as that knew it.
    fn detach(&mut self, subflow: SubflowId) -> Held {
        let (bottleneck, slot) = (self.bottlenecks[subflow], self.subflows[subflow].slot);
        let list = &mut self.held[bottleneck];
        let (held, _) = list.swap_remove(slot as usize);
        if let Some(moved) = list.subflows.get(slot as usize) {
            self.subflows[moved.subflow].slot = slot;
        }
        if list.is_empty() {
            self.relax(bottleneck);
        } else {
            self.mark_changed(bottleneck);
            self.dues[bottleneck].known = false;
            let level = self.levels[bottleneck];
            let state = &mut self.constraints[bottleneck];
            state.held_weight -= held.claim;
            state.held_load -= self.rates.round(held.claim * level);
            if !self.traffic[bottleneck].queued {
                self.enqueue(bottleneck, level);
            }
        }
        held
    }

    /// Takes its level from a constraint that holds no sub-flow any more.
    fn relax(&mut self, constraint: ConstraintId) {
        self.mark_changed(constraint);
        self.dues[constraint].known = false;
        let state = &mut self.constraints[constraint];
        state.held_weight = 0.0;
        state.held_load = 0.0;
        self.set_level(constraint, f64::INFINITY);
    }

    fn mark_changed(&mut self, constraint: ConstraintId) {
        if !std::mem::replace(&mut self.constraints[constraint].changed, true) {
            self.changed.push(constraint);
        }
    }

    /// Gives a constraint a level and tells its segments.
    fn set_level(&mut self, constraint: ConstraintId, level: f64) {
        self.levels[constraint] = level;
        for &(segment, _) in self.limits.segments(constraint) {
            let across = self.limits.of_segment(segment).iter();
            let levels = across.map(|&(c, _)| self.levels[c]);
            self.floors[segment] = levels.fold(f64::INFINITY, f64::min);
        }
    }

    /// Enters when the first sub-flow of a constraint ends.
    fn reschedule(&mut self, constraint: ConstraintId) {
        self.constraints[constraint].changed = false;
        if !self.dues[constraint].known {
            let (clock, slowness) = (self.clocks[constraint], 1.0 / self.levels[constraint]);
            let mut due = Due::NONE;
            let mut add = |held: &Held| due.add(clock.at + (held.end - clock.reading) * slowness, held.start);
            if self.coincidence.is_exact() {
                // That one's completion time stands for the shortest: it only says what rounding may be.
                self.first_of(constraint).iter().for_each(&mut add);
            } else {
                self.held[constraint].subflows.iter().for_each(&mut add);
            }
            self.dues[constraint] = due;
        }
        self.ends.set(constraint.index(), self.dues[constraint].first);
        self.spans.set(constraint.index(), self.dues[constraint].span);
    }

    /// The sub-flow of a constraint that ends first.
    fn first_of(&mut self, constraint: ConstraintId) -> Option<Held> {
        let list = &self.held[constraint].subflows;
        let firsts = &mut self.firsts[constraint];
        if firsts.len() > 64 + 4 * list.len() {
            *firsts = list
                .iter()
                .map(|held| Reverse((held.end.to_bits(), held.subflow)))
                .collect();
        }
        while let Some(&Reverse((end, subflow))) = firsts.peek() {
            let holds = self.bottlenecks[subflow] == constraint;
            let held = holds.then(|| list[self.subflows[subflow].slot as usize]);
            if let Some(held) = held.filter(|held| held.end.to_bits() == end) {
                return Some(held);
            }
            firsts.pop();
        }
        None
    }

    /// Shares the capacities anew if anything has changed, and tells whether it has.
    pub(super) fn settle(&mut self, now: f64) -> bool {
        self.announce(0.0, None);
        self.enqueue_awaited();
        let mut turns = 0;
        while let Some(turn) = self.queue.pop() {
            if std::mem::take(&mut self.traffic[turn.constraint].queued) {
                turns += 1;
                if turns == self.patience {
                    self.start_over(now);
                } else {
                    self.settle_one(turn.constraint, now);
                }
            }
        }
        self.correct_clocks();
        let mut changed = std::mem::take(&mut self.changed);
        let any = !changed.is_empty();
        for c in changed.drain(..) {
            self.reschedule(c);
        }
        self.changed = changed;
        #[cfg(test)]
        self.audit();
        any
    }
}

/// How far apart, relatively, completions can be that would coincide if all rates were exact: every rate on a constraint, and every
/// segment's part of it, is off by half a quantum, and its level makes that up.
fn rounding(limits: &Constraints, subflows: &IdVec<SubflowId, Subflow>, quantum: f64) -> f64 {
    let mut rounded = IdVec::filled(0.0, limits.capacity.len());
    let mut of_segment = std::collections::BTreeMap::<SegmentId, f64>::new();
    for subflow in subflows {
        subflow.own.each().for_each(|own| rounded[own] += 1.0);
        if subflow.segment != SegmentId::NONE {
            *of_segment.entry(subflow.segment).or_default() += 1.0;
        }
    }
    for (segment, subflows) in of_segment {
        for &(constraint, fraction) in limits.of_segment(segment) {
            rounded[constraint] += 1.0 + fraction * subflows;
        }
    }
    let off = rounded
        .iter()
        .zip(&limits.capacity)
        .map(|(&rates, &capacity)| rates * quantum / capacity);
    // Both completions are off, each in either direction.
    (2.0 * off.fold(0.0, f64::max)).clamp(LEAST_ROUNDING, MOST_ROUNDING)
}

/// Members of each constraint, none yet: with room for all, so that no list has to grow.
fn members(subflows: &IdVec<SubflowId, Subflow>, constraints: usize) -> IdVec<ConstraintId, Members> {
    let mut counts = IdVec::filled(0, constraints);
    for own in subflows.iter().flat_map(|subflow| subflow.own.each()) {
        counts[own] += 1;
    }
    let members = |count| Members {
        subflows: Vec::with_capacity(count),
        ended: 0,
        seen: 0,
    };
    counts.into_iter().map(members).collect()
}

fn subflows(
    limits: &Constraints,
    schedule: &Schedule,
    placement: &Placement,
    routes: &Routes,
    weights: Weights,
    quantizer: ExactSumQuantizer,
) -> IdVec<SubflowId, Subflow> {
    let mut subflows = IdVec::with_capacity(placement.subflows().len());
    for Transfer { task, src, dst, bytes } in schedule.transfers() {
        for subflow in placement.of(task) {
            let (weight, work) = match weights {
                Weights::Size => (subflow.bytes as f64 / bytes as f64, bytes as f64),
                Weights::Equal => (1.0, subflow.bytes as f64),
            };
            let route = routes.of_subflow[subflows.len()];
            let (up, down) = (limits.ports[src.index()].0, limits.ports[dst.index()].1);
            // A sub-flow without a route never starts.
            let direct = limits.direct.get(route).copied();
            subflows.push(Subflow {
                weight: quantizer.round(weight).max(quantizer.quantum()),
                work,
                start: 0.0,
                own: Own::new([up, down].into_iter().chain(direct.into_iter().flatten())),
                segment: if limits.is_spread(route) {
                    route
                } else {
                    SegmentId::NONE
                },
                slot: 0,
            });
        }
    }
    subflows
}
