//! One constraint's turn: its level, the pieces it takes over, and those it passes on.

use super::{AWAY, Due, FREE, Held, OVERLOAD, Sharing, TIE, Traffic};

/// A piece that a constraint may have to take over.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    piece: u32,
    share: f64,
    level: f64,
}

/// A level that a constraint could have.
#[derive(Debug, Clone, Copy)]
struct Fair {
    level: f64,
    /// No piece that keeps another bottleneck is faster.
    fastest: f64,
}

impl Sharing {
    /// Gives a constraint its fair level, if it limits anything.
    pub(super) fn settle_one(&mut self, constraint: u32, now: f64) {
        self.captured.clear();
        let Some(Fair { level, fastest }) = self.fair_level(constraint) else {
            return;
        };
        let state = &self.constraints[constraint as usize];
        if state.free_weight > 0.0 {
            // Others may give some of the free pieces a lower level.
            if self.queue.peek().is_some_and(|next| next.level < level) {
                self.enqueue(constraint, level);
                return;
            }
            self.capture_free(constraint);
        }
        self.traffic[constraint as usize].fastest = fastest;
        self.mark_changed(constraint);
        let old = self.levels[constraint as usize];
        // Without a level it has no pieces of its own: what it captured decides.
        if !self.captured.is_empty() || (level - old).abs() > self.slack * old {
            self.take(constraint, level, now);
        }
    }

    /// The level at which a constraint is full, with the pieces that it must take over from others
    /// in `captured`; `None` where it has no pieces of its own and room for all that cross it.
    fn fair_level(&mut self, constraint: u32) -> Option<Fair> {
        let state = &self.constraints[constraint as usize];
        let traffic = &self.traffic[constraint as usize];
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

    /// As [`Sharing::fair_level`], where pieces with other bottlenecks may be too fast: those above the level are
    /// held to it, which raises it, until none is left below it.
    fn level_with_captures(&mut self, constraint: u32, room: f64, weight: f64) -> Fair {
        let mut level = if weight > 0.0 { room / weight } else { 0.0 };
        let mut candidates = Vec::new();
        let mut fastest = 0.0_f64;
        self.for_each_member(constraint, |sharing, piece, bottleneck, fraction| {
            if bottleneck == constraint || bottleneck == FREE {
                return;
            }
            let other = sharing.levels[bottleneck as usize];
            if other > level {
                let share = sharing.share(piece, fraction);
                candidates.push(Candidate {
                    piece,
                    share,
                    level: other,
                });
            } else {
                fastest = fastest.max(other);
            }
        });
        loop {
            let (mut free, mut claims) = (room, weight);
            for candidate in &candidates {
                free += self.rates.round(candidate.share * candidate.level);
                claims += candidate.share;
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
        let taken = candidates.iter().map(|candidate| (candidate.piece, candidate.level));
        self.captured.extend(taken);
        Fair { level, fastest }
    }

    /// Captures all pieces that have no bottleneck yet.
    fn capture_free(&mut self, constraint: u32) {
        let mut captured = std::mem::take(&mut self.captured);
        self.for_each_member(constraint, |_, piece, bottleneck, _| {
            if bottleneck == FREE {
                captured.push((piece, 0.0));
            }
        });
        self.captured = captured;
    }

    /// Visits the pieces that cross a constraint, with the bottleneck of each and the fraction of its rate
    /// that the constraint sees, and forgets those that have ended.
    fn for_each_member(&mut self, constraint: u32, mut visit: impl FnMut(&Self, u32, u32, f64)) {
        let mut visit_all = |sharing: &Self, members: &mut Vec<u32>, fraction| {
            members.retain(|&piece| {
                let bottleneck = sharing.bottlenecks[piece as usize];
                if bottleneck != AWAY {
                    visit(sharing, piece, bottleneck, fraction);
                }
                bottleneck != AWAY
            });
        };
        let mut members = std::mem::take(&mut self.members[constraint as usize]);
        visit_all(self, &mut members, 1.0);
        self.members[constraint as usize] = members;
        for i in 0..self.limits.segments(constraint).len() {
            let (segment, fraction) = self.limits.segments(constraint)[i];
            let mut members = std::mem::take(&mut self.segments[segment as usize].pieces);
            visit_all(self, &mut members, fraction);
            self.segments[segment as usize].pieces = members;
        }
    }

    /// What a piece claims of a constraint that sees a fraction of its rate.
    fn share(&self, piece: u32, fraction: f64) -> f64 {
        let share = fraction * self.pieces[piece as usize].weight;
        self.weights.round(share).max(self.weights.quantum())
    }

    /// The fraction of a segment's rate that a constraint sees; 1 for one that it has directly.
    fn fraction(&self, constraint: u32, segment: u32) -> f64 {
        let across = self.limits.of_segment(segment);
        let found = across.iter().find(|&&(c, _)| c == constraint);
        found.map_or(1.0, |&(_, fraction)| fraction)
    }

    /// Gives a constraint a level, which all its pieces and the captured ones follow, except those
    /// that another constraint holds to a lower one: that becomes their bottleneck.
    fn take(&mut self, constraint: u32, level: f64, now: f64) {
        let c = constraint as usize;
        self.advance(constraint, now);
        let old = self.levels[c];
        let kept = self.held[c].len();
        let mut captured = std::mem::take(&mut self.captured);
        for &(piece, _) in &captured {
            self.take_over(constraint, piece, now);
        }
        self.exclude_from_floors(constraint);
        self.traffic[c].queued = true;
        let mut held = std::mem::take(&mut self.held[c]);
        let (mut weight, mut load, mut own_load) = (0.0, 0.0, 0.0);
        let mut fastest = self.traffic[c].fastest;
        let (reading, slowness) = (self.clocks[c].reading, 1.0 / level);
        let (mut due, mut passed_on) = (Due::NONE, Vec::new());
        for (i, piece) in held.iter().enumerate() {
            let before = if i < kept { old } else { captured[i - kept].1 };
            let other = self.lowest_other(piece, constraint);
            let stays = other >= level * (1.0 - self.slack.max(TIE));
            let target = if stays { level } else { other };
            let change = self.rates.round(piece.weight * target) - self.rates.round(piece.weight * before);
            for own in piece.own.each() {
                if own == constraint {
                    own_load += change;
                } else {
                    self.add_load(own, change, target);
                }
            }
            self.note(piece.segment, change, 0.0);
            if stays {
                weight += piece.share;
                load += self.rates.round(piece.share * level);
                due.add(now + (piece.end - reading) * slowness, piece.start);
            } else {
                fastest = fastest.max(target);
                passed_on.push(i);
            }
        }
        for &i in passed_on.iter().rev() {
            let piece = held.swap_remove(i);
            if let Some(moved) = held.get(i) {
                self.pieces[moved.piece as usize].slot = i as u32;
            }
            self.pass_on(constraint, piece, now);
        }
        self.traffic[c].load += own_load;
        self.traffic[c].fastest = fastest;
        self.constraints[c].held_load = load;
        self.constraints[c].held_weight = weight;
        self.dues[c] = due;
        self.set_level(constraint, if held.is_empty() { f64::INFINITY } else { level });
        self.held[c] = held;
        self.announce(level, Some(constraint));
        self.traffic[c].queued = false;
        if !passed_on.is_empty() {
            self.enqueue(constraint, level);
        }
        captured.clear();
        self.captured = captured;
    }

    /// Moves a constraint's clock to now.
    fn advance(&mut self, constraint: u32, now: f64) {
        self.clocks[constraint as usize].reading = self.reading(constraint, now);
        self.clocks[constraint as usize].at = now;
    }

    /// What a constraint's clock shows now; it starts at zero with its first piece.
    fn reading(&self, constraint: u32, now: f64) -> f64 {
        let (clock, level) = (self.clocks[constraint as usize], self.levels[constraint as usize]);
        if level.is_finite() {
            clock.reading + level * (now - clock.at)
        } else {
            0.0
        }
    }

    /// Makes a constraint the bottleneck of a piece that another one held, or none.
    fn take_over(&mut self, constraint: u32, piece: u32, now: f64) {
        let state = self.pieces[piece as usize];
        let bottleneck = self.bottlenecks[piece as usize];
        let work = if bottleneck == FREE {
            for own in state.own.each() {
                self.constraints[own as usize].free_weight -= state.weight;
            }
            self.note(state.segment, 0.0, -state.weight);
            state.work
        } else {
            let reading = self.reading(bottleneck, now);
            self.detach(piece).end - reading
        };
        self.hold(constraint, piece, work, now);
    }

    /// Appends a piece with work left to those of a constraint.
    fn hold(&mut self, constraint: u32, piece: u32, work: f64, now: f64) {
        let fraction = self.fraction(constraint, self.pieces[piece as usize].segment);
        let share = self.share(piece, fraction);
        let end = self.reading(constraint, now) + work;
        self.dues[constraint as usize].add(
            now + work / self.levels[constraint as usize],
            self.pieces[piece as usize].start,
        );
        let state = &mut self.pieces[piece as usize];
        self.bottlenecks[piece as usize] = constraint;
        state.slot = self.held[constraint as usize].len() as u32;
        self.held[constraint as usize].push(Held {
            end,
            start: state.start,
            weight: state.weight,
            share,
            piece,
            own: state.own,
            segment: state.segment,
        });
    }

    /// Sets the floors of a constraint's segments to what the other constraints allow.
    fn exclude_from_floors(&mut self, constraint: u32) {
        self.set_level(constraint, f64::INFINITY);
    }

    /// The lowest level of the constraints that a piece crosses besides one whose segments exclude it.
    fn lowest_other(&self, piece: &Held, constraint: u32) -> f64 {
        let mut lowest = self.floors[piece.segment as usize];
        for own in piece.own.each() {
            if own != constraint {
                let level = self.levels[own as usize];
                if level < lowest {
                    lowest = level;
                }
            }
        }
        lowest
    }

    /// Hands a piece to the constraint with the lowest level, which it crosses besides this one.
    fn pass_on(&mut self, constraint: u32, held: Held, now: f64) {
        let across = self.limits.of_segment(held.segment).iter().map(|&(c, _)| c);
        let others = across.chain(held.own.each()).filter(|&c| c != constraint);
        let level = |c: u32| self.levels[c as usize];
        let Some(next) = others.min_by(|&a, &b| level(a).total_cmp(&level(b))) else {
            unreachable!("a piece is passed on only to another constraint");
        };
        let level = level(next);
        let work = held.end - self.clocks[constraint as usize].reading;
        self.hold(next, held.piece, work, now);
        let share = self.held[next as usize].last().map_or(0.0, |held| held.share);
        let state = &mut self.constraints[next as usize];
        state.held_weight += share;
        state.held_load += self.rates.round(share * level);
        if !self.traffic[next as usize].queued {
            self.enqueue(next, level);
        }
        self.mark_changed(next);
    }

    /// Takes their bottlenecks from all pieces, so that the levels are found from nothing.
    pub(super) fn start_over(&mut self, now: f64) {
        for c in 0..self.constraints.len() {
            let reading = self.reading(c as u32, now);
            for held in self.held[c].drain(..) {
                let piece = &mut self.pieces[held.piece as usize];
                piece.work = held.end - reading;
                self.bottlenecks[held.piece as usize] = FREE;
            }
            let state = &mut self.constraints[c];
            (state.held_load, state.held_weight, state.free_weight) = (0.0, 0.0, 0.0);
            self.traffic[c] = Traffic::default();
            self.levels[c] = f64::INFINITY;
            self.dues[c].known = false;
            self.mark_changed(c as u32);
        }
        for segment in &mut self.segments {
            (segment.rate, segment.free_weight) = (0.0, 0.0);
            segment.announced = None;
        }
        self.floors.fill(f64::INFINITY);
        self.unannounced.clear();
        self.queue.clear();
        for id in 0..self.pieces.len() {
            let piece = self.pieces[id];
            if self.bottlenecks[id] == FREE {
                self.claim(&piece);
            }
        }
        self.announce(0.0, None);
        self.enqueue_awaited();
    }
}
