//! Takes off the sub-flows that complete, and puts the clocks right afterwards: see [`Coincidence`].

use super::coincidence::Coincidence;
use super::held::{Held, Others};
use super::{AWAY, ConstraintId, Sharing};
use crate::ids::SubflowId;

impl Sharing {
    /// When the next sub-flow will have sent its last byte.
    pub(in crate::flow_engine) fn next_completion(&self) -> f64 {
        self.ends.min()
    }

    /// Removes the sub-flows that complete next and returns the time at which they do, at most
    /// `limit`: the mean of their own times by rate, so that no bytes are lost or made. `ended` gets each with its
    /// own time.
    pub(in crate::flow_engine) fn complete(&mut self, limit: f64, ended: &mut Vec<(SubflowId, f64)>) -> f64 {
        let first = self.ends.min();
        let window = self.coincidence.tolerance * self.spans.min();
        let last = first + window.max(self.rounding * self.spans.min()) + 8.0 * f64::EPSILON * first;
        let mut found = Vec::new();
        self.ends.up_to(last, &mut found);
        self.coincidence.window = window;
        if window > 0.0 {
            self.coincidence.before.clone_from(&self.levels);
        }
        let (mut rate, mut mean) = (0.0, 0.0);
        for c in found.into_iter().map(ConstraintId) {
            let (sent, ends) = self.complete_one(c, first, last, ended);
            rate += sent;
            mean += ends;
        }
        mean = (mean / rate).min(limit - first);
        if window > 0.0 {
            for (left, rate) in self.coincidence.left.iter_mut().zip(&mut self.coincidence.rates) {
                *left += mean * std::mem::take(rate);
            }
        }
        first + mean
    }

    /// Removes the sub-flows of one constraint that end up to `last`, and returns the sum of their rates and that of their
    /// ends after `first` by rate.
    fn complete_one(
        &mut self,
        constraint: ConstraintId,
        first: f64,
        last: f64,
        ended: &mut Vec<(SubflowId, f64)>,
    ) -> (f64, f64) {
        let (clock, level) = (self.clocks[constraint], self.levels[constraint]);
        let (slowness, correctable) = (1.0 / level, self.coincidence.window > 0.0);
        let (mut rate, mut ends, before) = (0.0, 0.0, ended.len());
        let end = |held: &Held| clock.at + (held.end - clock.reading) * slowness;
        let mut slots = Vec::new();
        if self.coincidence.is_exact() {
            while let Some(first) = self.first_of(constraint).filter(|first| end(first) <= last) {
                slots.push(self.subflows[first.subflow].slot as usize);
                self.firsts[constraint].pop();
            }
            // A sub-flow that came back may be listed twice.
            slots.sort_unstable();
            slots.dedup();
        } else {
            let subflows = self.held[constraint].subflows.iter();
            slots.extend(
                subflows
                    .enumerate()
                    .filter(|(_, held)| end(held) <= last)
                    .map(|(slot, _)| slot),
            );
        }
        let mut held = std::mem::take(&mut self.held[constraint]);
        for slot in slots {
            let (held, others) = (&held.subflows[slot], held.others[slot]);
            let (end, its_rate) = (end(held), held.weight * level);
            rate += its_rate;
            ends += its_rate * (end - first);
            if correctable {
                self.note_end(constraint, held, others, its_rate, end - first);
            }
            ended.push((held.subflow, end));
            self.remove(constraint, held, others, level);
        }
        if ended.len() - before == held.len() {
            held.clear();
            self.held[constraint] = held;
            self.relax(constraint);
        } else {
            self.held[constraint] = held;
            for &(subflow, _) in &ended[before..] {
                self.detach(subflow);
            }
        }
        for &(subflow, _) in &ended[before..] {
            self.bottlenecks[subflow] = AWAY;
        }
        (rate, ends)
    }

    fn note_end(&mut self, bottleneck: ConstraintId, held: &Held, others: Others, rate: f64, end: f64) {
        for own in self.seeing_all(bottleneck, held, others) {
            self.coincidence.note(own, rate, end);
        }
        for &(c, fraction) in self.limits.of_segment(held.segment) {
            self.coincidence.note(c, fraction * rate, end);
        }
    }

    /// Puts the clocks to where they would be had the rates changed with each of the completions that coincided.
    ///
    /// A constraint gains what ended sub-flows left it before the common end, and loses what sub-flows gain that cross it and
    /// have another bottleneck: one of a lower level, so that one pass in rising order knows all.
    pub(super) fn correct_clocks(&mut self) {
        let mut coincidence = std::mem::take(&mut self.coincidence);
        if coincidence.window > 0.0 {
            coincidence.order.sort_unstable_by(|&a, &b| {
                let level = |c: ConstraintId| self.levels[c];
                level(a).total_cmp(&level(b)).then(a.cmp(&b))
            });
            for i in 0..coincidence.order.len() {
                let c = coincidence.order[i];
                if self.levels[c].is_finite() {
                    self.correct_clock(c, &mut coincidence);
                }
            }
            coincidence.left.fill(0.0);
            coincidence.window = 0.0;
        }
        self.coincidence = coincidence;
    }

    fn correct_clock(&mut self, constraint: ConstraintId, coincidence: &mut Coincidence) {
        let c = constraint;
        let level = self.levels[c];
        let most = coincidence.most(c, level);
        let forward = (coincidence.left[c] / self.constraints[c].held_weight)
            .max(-most)
            .min(most);
        if forward == 0.0 {
            return;
        }
        self.clocks[c].reading += forward;
        self.dues[c].first -= forward / level;
        self.dues[c].span -= forward / level;
        self.mark_changed(constraint);
        let list = &self.held[c];
        for (held, others) in list.subflows.iter().zip(&list.others) {
            let gained = held.weight * forward;
            for &other in others {
                coincidence.left[other] -= gained;
            }
            for &(other, fraction) in self.limits.of_segment(held.segment) {
                coincidence.left[other] -= fraction * gained;
            }
        }
    }
}
