//! One constraint's turn: its level, the sub-flows it takes over, and those it passes on.

use std::cmp::Reverse;

use super::held::{Held, HeldList, Others};
use super::{AWAY, ConstraintId, DIRECT, FREE, Members, OVERLOAD, SegmentId, Sharing, TIE, Traffic};
use crate::ids::{Id, SubflowId};

/// Sub-flows of one constraint from which on it pays to count those that are alike; in tests all do, and are checked.
const MANY: usize = if cfg!(test) { 2 } else { 64 };

/// A sub-flow that a constraint may have to take over.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    subflow: SubflowId,
    claim: f64,
    level: f64,
}

/// What comes of a level that a constraint has been given.
#[derive(Debug)]
struct Followed {
    /// Weight and rates of the sub-flows that follow it.
    weight: f64,
    load: f64,
    /// Change of the rates of all sub-flows whose whole rate the constraint sees.
    change: f64,
    /// No sub-flow with another bottleneck is faster.
    fastest: f64,
    /// Positions of the sub-flows that another constraint holds to a lower level, rising.
    passed_on: Vec<usize>,
}

/// A level that a constraint could have.
#[derive(Debug, Clone, Copy)]
struct Fair {
    level: f64,
    /// No sub-flow that keeps another bottleneck is faster.
    fastest: f64,
}

impl Sharing {
    /// Gives a constraint its fair level, if it limits anything.
    pub(super) fn settle_one(&mut self, constraint: ConstraintId, now: f64) {
        self.captured.clear();
        let Some(Fair { level, fastest }) = self.fair_level(constraint) else {
            return;
        };
        let state = &self.constraints[constraint];
        if state.free_weight > 0.0 {
            // Others may give some of the free sub-flows a lower level.
            if self.queue.peek().is_some_and(|next| next.level < level) {
                self.enqueue(constraint, level);
                return;
            }
            self.capture_free(constraint);
        }
        self.traffic[constraint].fastest = fastest;
        self.mark_changed(constraint);
        let old = self.levels[constraint];
        // Without a level it has no sub-flows of its own: what it captured decides.
        if !self.captured.is_empty() || (level - old).abs() > self.slack * old {
            self.take(constraint, level, now);
        }
    }

    /// The level at which a constraint is full, with the sub-flows that it must take over from others
    /// in `captured`; `None` where it has no sub-flows of its own and room for all that cross it.
    fn fair_level(&mut self, constraint: ConstraintId) -> Option<Fair> {
        let state = &self.constraints[constraint];
        let traffic = &self.traffic[constraint];
        let room = state.capacity - traffic.load + state.held_load;
        let weight = state.held_weight + state.free_weight;
        if weight == 0.0 && traffic.load <= state.capacity * (1.0 + OVERLOAD) {
            return None;
        }
        let level = if weight > 0.0 { room / weight } else { 0.0 };
        if traffic.fastest <= level * (1.0 + self.slack.max(TIE)) {
            let fastest = traffic.fastest;
            return Some(Fair { level, fastest });
        }
        Some(self.level_with_captures(constraint, room, weight))
    }

    /// As [`Sharing::fair_level`], where sub-flows with other bottlenecks may be too fast: those above the level are
    /// held to it, which raises it, until none is left below it.
    fn level_with_captures(&mut self, constraint: ConstraintId, room: f64, weight: f64) -> Fair {
        let mut level = if weight > 0.0 { room / weight } else { 0.0 };
        let mut candidates = Vec::new();
        let mut fastest = 0.0_f64;
        self.for_each_member(constraint, |sharing, subflow, bottleneck, fraction| {
            // Neither its own nor one without a bottleneck, or an ended one.
            if bottleneck == constraint || bottleneck >= AWAY {
                return;
            }
            let other = sharing.levels[bottleneck];
            if other > level {
                let claim = sharing.claim_of(subflow, fraction);
                candidates.push(Candidate {
                    subflow,
                    claim,
                    level: other,
                });
            } else {
                fastest = fastest.max(other);
            }
        });
        loop {
            let (mut free, mut claims) = (room, weight);
            for candidate in &candidates {
                free += self.rates.round(candidate.claim * candidate.level);
                claims += candidate.claim;
            }
            if claims > 0.0 {
                level = free / claims;
            }
            let before = candidates.len();
            candidates.retain(|candidate| {
                let taken = candidate.level > level;
                if !taken {
                    fastest = fastest.max(candidate.level);
                }
                taken
            });
            if candidates.len() == before {
                break;
            }
        }
        let taken = candidates.iter().map(|candidate| (candidate.subflow, candidate.level));
        self.captured.extend(taken);
        Fair { level, fastest }
    }

    /// Captures all sub-flows that have no bottleneck yet.
    fn capture_free(&mut self, constraint: ConstraintId) {
        let mut captured = std::mem::take(&mut self.captured);
        let bottlenecks = &self.bottlenecks;
        let mut capture = |members: &mut Members| {
            members.tidy(bottlenecks);
            let fresh = members.fresh();
            let free = fresh.iter().filter(|&&subflow| bottlenecks[subflow] == FREE);
            captured.extend(free.map(|&subflow| (subflow, 0.0)));
        };
        capture(&mut self.members[constraint]);
        for &(segment, _) in self.limits.segments(constraint) {
            capture(&mut self.spread.segments[segment].subflows);
        }
        self.captured = captured;
    }

    /// Visits the sub-flows that cross a constraint, and some that have ended, with the bottleneck of each and the
    /// fraction of its rate that the constraint sees.
    fn for_each_member(
        &mut self,
        constraint: ConstraintId,
        mut visit: impl FnMut(&Self, SubflowId, ConstraintId, f64),
    ) {
        self.members[constraint].tidy(&self.bottlenecks);
        for &(segment, _) in self.limits.segments(constraint) {
            self.spread.segments[segment].subflows.tidy(&self.bottlenecks);
        }
        let sharing = &*self;
        let mut visit_all = |members: &Members, fraction| {
            for &subflow in &members.subflows {
                visit(sharing, subflow, sharing.bottlenecks[subflow], fraction);
            }
        };
        visit_all(&sharing.members[constraint], 1.0);
        for &(segment, fraction) in sharing.limits.segments(constraint) {
            visit_all(&sharing.spread.segments[segment].subflows, fraction);
        }
    }

    /// What a sub-flow claims of a constraint that sees a fraction of its rate.
    fn claim_of(&self, subflow: SubflowId, fraction: f64) -> f64 {
        let claim = fraction * self.subflows[subflow].weight;
        self.weights.round(claim).max(self.weights.quantum())
    }

    /// The fraction of a segment's rate that a constraint sees; 1 for one that it has directly.
    fn fraction(&self, constraint: ConstraintId, segment: SegmentId) -> f64 {
        let across = self.limits.of_segment(segment);
        let found = across.iter().find(|&&(c, _)| c == constraint);
        found.map_or(1.0, |&(_, fraction)| fraction)
    }

    /// Gives a constraint a level, which all its sub-flows and the captured ones follow, except those
    /// that another constraint holds to a lower one: that becomes their bottleneck.
    fn take(&mut self, constraint: ConstraintId, level: f64, now: f64) {
        let c = constraint;
        self.advance(constraint, now);
        let old = self.levels[c];
        let mut captured = std::mem::take(&mut self.captured);
        self.held[c].reserve(captured.len());
        for &(subflow, _) in &captured {
            self.take_over(constraint, subflow, now);
        }
        self.exclude_from_floors(constraint);
        self.traffic[c].queued = true;
        let mut held = std::mem::take(&mut self.held[c]);
        if held.len() >= MANY && captured.len() <= held.len() / MANY.min(8) {
            held.group();
        }
        let followed = self.follow(constraint, level, &held, old, &captured);
        for &i in followed.passed_on.iter().rev() {
            let (subflow, others) = held.swap_remove(i);
            if let Some(moved) = held.subflows.get(i) {
                self.subflows[moved.subflow].slot = i as u32;
            }
            self.pass_on(constraint, subflow, others, now);
        }
        self.traffic[c].load += followed.change;
        self.traffic[c].fastest = followed.fastest;
        self.constraints[c].held_load = followed.load;
        self.constraints[c].held_weight = followed.weight;
        self.dues[c].known = false;
        self.set_level(constraint, if held.is_empty() { f64::INFINITY } else { level });
        self.held[c] = held;
        self.announce(level, Some(constraint));
        self.traffic[c].queued = false;
        if !followed.passed_on.is_empty() {
            self.enqueue(constraint, level);
        }
        captured.clear();
        self.captured = captured;
    }

    /// Has sub-flows follow the level of their constraint: those captured just now, which come last, from the levels that
    /// they had, the others from its old one. One that another constraint holds to a lower level follows that.
    fn follow(
        &mut self,
        constraint: ConstraintId,
        level: f64,
        held: &HeldList,
        old: f64,
        captured: &[(SubflowId, f64)],
    ) -> Followed {
        let mut disturbed = std::mem::take(&mut self.disturbed);
        let most = held.len() * (1 + DIRECT);
        if disturbed.len() < most {
            disturbed.resize(most, (ConstraintId::NONE, 0.0));
        }
        let together = match held.alike() {
            Some(weight) if held.grouped().is_some() && old.is_finite() => {
                self.follow_in_groups(weight, level, held, old, captured, &mut disturbed)
            }
            _ if !captured.is_empty() => None,
            Some(weight) if self.crossed <= 2 => self.follow_together::<1>(weight, level, held, old, &mut disturbed),
            Some(weight) => self.follow_together::<{ 1 + DIRECT }>(weight, level, held, old, &mut disturbed),
            None => None,
        };
        let (count, mut followed) =
            together.unwrap_or_else(|| self.follow_each(level, held, old, captured, &mut disturbed));
        followed.fastest = followed.fastest.max(self.traffic[constraint].fastest);
        for &(other, target) in &disturbed[..count] {
            self.traffic[other].queued = false;
            self.check(other, target);
        }
        self.disturbed = disturbed;
        followed
    }

    /// Where all sub-flows weigh the same, and no other constraint holds any of them to a lower level: what changes is the
    /// same for all. `N` others are looked at.
    fn follow_together<const N: usize>(
        &mut self,
        weight: f64,
        level: f64,
        held: &HeldList,
        old: f64,
        disturbed: &mut [(ConstraintId, f64)],
    ) -> Option<(usize, Followed)> {
        let least = level * (1.0 - self.slack.max(TIE));
        let mut lowest = f64::INFINITY;
        for others in &held.others {
            for &other in &others[..N] {
                let level = self.levels[other];
                lowest = if level < lowest { level } else { lowest };
            }
        }
        if lowest < least {
            return None;
        }
        let change = self.rates.round(weight * level) - self.rates.round(weight * old);
        let mut count = 0;
        for others in &held.others {
            for &other in &others[..N] {
                self.disturb(other, change, level, disturbed, &mut count);
            }
        }
        let subflows = held.len() as f64;
        let followed = Followed {
            weight: subflows * weight,
            load: subflows * self.rates.round(weight * level),
            change: subflows * change,
            fastest: 0.0,
            passed_on: Vec::new(),
        };
        Some((count, followed))
    }

    /// The same for sub-flows whose others are counted, with what is captured.
    fn follow_in_groups(
        &mut self,
        weight: f64,
        level: f64,
        held: &HeldList,
        old: f64,
        captured: &[(SubflowId, f64)],
        disturbed: &mut [(ConstraintId, f64)],
    ) -> Option<(usize, Followed)> {
        let least = level * (1.0 - self.slack.max(TIE));
        let groups = || held.grouped().into_iter().flatten().filter(|group| group.1 > 0);
        let mut levels = groups().flat_map(|(others, _)| others).map(|&c| self.levels[c]);
        if levels.any(|other| other < least) {
            return None;
        }
        let (rates, kept) = (self.rates, held.len() - captured.len());
        let change = rates.round(weight * level) - rates.round(weight * old);
        let mut count = 0;
        for &(others, subflows) in groups() {
            for other in others {
                self.disturb(other, change * f64::from(subflows), level, disturbed, &mut count);
            }
        }
        let mut followed = Followed {
            weight: held.len() as f64 * weight,
            load: held.len() as f64 * rates.round(weight * level),
            change: held.len() as f64 * change,
            fastest: 0.0,
            passed_on: Vec::new(),
        };
        // What is captured has come from other levels than the old one.
        for (&(_, before), others) in captured.iter().zip(&held.others[kept..]) {
            let more = rates.round(weight * old) - rates.round(weight * before);
            for &other in others {
                self.disturb(other, more, level, disturbed, &mut count);
            }
            followed.change += more;
        }
        Some((count, followed))
    }

    fn follow_each(
        &mut self,
        level: f64,
        held: &HeldList,
        old: f64,
        captured: &[(SubflowId, f64)],
        disturbed: &mut [(ConstraintId, f64)],
    ) -> (usize, Followed) {
        let kept = held.len() - captured.len();
        let least = level * (1.0 - self.slack.max(TIE));
        let (rates, nobody) = (self.rates, self.nobody());
        let mut count = 0;
        let mut followed = Followed {
            weight: 0.0,
            load: 0.0,
            change: 0.0,
            fastest: 0.0,
            passed_on: Vec::new(),
        };
        for (i, (subflow, others)) in held.subflows.iter().zip(&held.others).enumerate() {
            let other = self.lowest_other(subflow.segment, others);
            let before = if i < kept { old } else { captured[i - kept].1 };
            let target = if other >= least { level } else { other };
            let change = rates.round(subflow.weight * target) - rates.round(subflow.weight * before);
            for &other in others.iter().take_while(|&&other| other != nobody) {
                self.disturb(other, change, target, disturbed, &mut count);
            }
            followed.change += if subflow.whole { change } else { 0.0 };
            if subflow.segment != SegmentId::NONE {
                self.spread.note(subflow.segment, change, 0.0);
            }
            if other >= least {
                followed.weight += subflow.claim;
                followed.load += rates.round(subflow.claim * level);
            } else {
                followed.fastest = followed.fastest.max(target);
                followed.passed_on.push(i);
            }
        }
        (count, followed)
    }

    /// Tells a constraint what one sub-flow that now runs at `level` changes about its load, and notes that it has to be
    /// checked.
    fn disturb(
        &mut self,
        constraint: ConstraintId,
        load: f64,
        level: f64,
        disturbed: &mut [(ConstraintId, f64)],
        count: &mut usize,
    ) {
        let traffic = &mut self.traffic[constraint];
        traffic.add(load, level);
        // Which of them are queued already nobody can predict: no branch. What is disturbed counts as queued
        // until it has been checked.
        disturbed[*count] = (constraint, level);
        *count += usize::from(!traffic.queued);
        traffic.queued = true;
    }

    /// Moves a constraint's clock to now.
    fn advance(&mut self, constraint: ConstraintId, now: f64) {
        self.clocks[constraint].reading = self.reading(constraint, now);
        self.clocks[constraint].at = now;
    }

    /// What a constraint's clock shows now; it starts at zero with its first sub-flow.
    fn reading(&self, constraint: ConstraintId, now: f64) -> f64 {
        let (clock, level) = (self.clocks[constraint], self.levels[constraint]);
        if level.is_finite() {
            clock.reading + level * (now - clock.at)
        } else {
            0.0
        }
    }

    /// Makes a constraint the bottleneck of a sub-flow that another one held, or none.
    fn take_over(&mut self, constraint: ConstraintId, subflow: SubflowId, now: f64) {
        let state = self.subflows[subflow];
        let bottleneck = self.bottlenecks[subflow];
        let work = if bottleneck == FREE {
            for own in state.own.each() {
                self.constraints[own].free_weight -= state.weight;
            }
            self.spread.note(state.segment, 0.0, -state.weight);
            state.work
        } else {
            let reading = self.reading(bottleneck, now);
            self.detach(subflow).end - reading
        };
        self.hold(constraint, subflow, work, now);
    }

    /// Appends a sub-flow with work left to those of a constraint.
    fn hold(&mut self, constraint: ConstraintId, subflow: SubflowId, work: f64, now: f64) {
        let fraction = self.fraction(constraint, self.subflows[subflow].segment);
        let claim = self.claim_of(subflow, fraction);
        let (end, nobody) = (self.reading(constraint, now) + work, self.nobody());
        self.dues[constraint].known = false;
        let state = &mut self.subflows[subflow];
        self.bottlenecks[subflow] = constraint;
        state.slot = self.held[constraint].len() as u32;
        let (others, whole) = state.own.without(constraint, nobody);
        let held = Held {
            end,
            start: state.start,
            weight: state.weight,
            claim,
            subflow,
            segment: state.segment,
            whole,
        };
        self.held[constraint].push(held, others);
        if self.coincidence.is_exact() {
            self.firsts[constraint].push(Reverse((end.to_bits(), subflow)));
        }
    }

    /// Sets the floors of a constraint's segments to what the other constraints allow.
    fn exclude_from_floors(&mut self, constraint: ConstraintId) {
        self.set_level(constraint, f64::INFINITY);
    }

    /// The lowest level of the constraints that a sub-flow crosses besides its bottleneck, which its segment excludes.
    fn lowest_other(&self, segment: SegmentId, others: &Others) -> f64 {
        let floor = if segment == SegmentId::NONE {
            f64::INFINITY
        } else {
            self.floors[segment]
        };
        let levels = others.iter().map(|&other| self.levels[other]);
        levels.fold(floor, |lowest, level| if level < lowest { level } else { lowest })
    }

    /// Hands a sub-flow to the constraint with the lowest level, which it crosses besides this one.
    fn pass_on(&mut self, constraint: ConstraintId, held: Held, others: Others, now: f64) {
        let across = self.limits.of_segment(held.segment).iter().map(|&(c, _)| c);
        let others = across.filter(|&c| c != constraint).chain(others);
        let level = |c: ConstraintId| self.levels[c];
        let Some(next) = others.min_by(|&a, &b| level(a).total_cmp(&level(b))) else {
            unreachable!("a piece is passed on only to another constraint");
        };
        let level = level(next);
        let work = held.end - self.clocks[constraint].reading;
        self.hold(next, held.subflow, work, now);
        let claim = self.held[next].subflows.last().map_or(0.0, |held| held.claim);
        let state = &mut self.constraints[next];
        state.held_weight += claim;
        state.held_load += self.rates.round(claim * level);
        if !self.traffic[next].queued {
            self.enqueue(next, level);
        }
        self.mark_changed(next);
    }

    /// Takes their bottlenecks from all sub-flows, so that the levels are found from nothing.
    pub(super) fn start_over(&mut self, now: f64) {
        for c in self.constraints.ids() {
            let reading = self.reading(c, now);
            for held in &self.held[c].subflows {
                let subflow = &mut self.subflows[held.subflow];
                subflow.work = held.end - reading;
                self.bottlenecks[held.subflow] = FREE;
            }
            self.held[c].clear();
            let state = &mut self.constraints[c];
            (state.held_load, state.held_weight, state.free_weight) = (0.0, 0.0, 0.0);
            self.traffic[c] = Traffic::default();
            self.levels[c] = f64::INFINITY;
            self.dues[c].known = false;
            self.mark_changed(c);
        }
        self.members.iter_mut().for_each(Members::all_are_fresh);
        for segment in &mut self.spread.segments {
            (segment.rate, segment.free_weight) = (0.0, 0.0);
            segment.announced = None;
            segment.subflows.all_are_fresh();
        }
        self.floors.fill(f64::INFINITY);
        self.spread.unannounced.clear();
        self.queue.clear();
        for id in self.subflows.ids() {
            let subflow = self.subflows[id];
            if self.bottlenecks[id] == FREE {
                self.claim(&subflow);
            }
        }
        self.announce(0.0, None);
        self.enqueue_awaited();
    }
}
