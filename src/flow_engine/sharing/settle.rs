//! One constraint's turn: its level, the pieces it takes over, and those it passes on.

use super::{AWAY, FREE, Held, NONE, OVERLOAD, Sharing, TIE};

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
        self.constraints[constraint as usize].fastest = fastest;
        self.mark_changed(constraint);
        if !self.captured.is_empty() || level != self.constraints[constraint as usize].level {
            self.take(constraint, level, now);
        }
    }

    /// The level at which a constraint is full, with the pieces that it must take over from others
    /// in `captured`; `None` where it has no pieces of its own and room for all that cross it.
    fn fair_level(&mut self, constraint: u32) -> Option<Fair> {
        let state = &self.constraints[constraint as usize];
        let room = state.capacity - state.load + state.held_load;
        let weight = state.held_weight + state.free_weight;
        if weight == 0.0 && state.load <= state.capacity * (1.0 + OVERLOAD) {
            return None;
        }
        let level = if weight > 0.0 { room / weight } else { 0.0 };
        if state.fastest <= level * (1.0 + TIE) {
            let fastest = state.fastest;
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
        self.for_each_member(constraint, |sharing, piece, share| {
            let bottleneck = sharing.pieces[piece as usize].bottleneck;
            if bottleneck == constraint || bottleneck == FREE {
                return;
            }
            let other = sharing.constraints[bottleneck as usize].level;
            if other > level {
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
        self.for_each_member(constraint, |sharing, piece, _| {
            if sharing.pieces[piece as usize].bottleneck == FREE {
                captured.push((piece, 0.0));
            }
        });
        self.captured = captured;
    }

    /// Visits the pieces that cross a constraint, with weight times fraction, and forgets those that have ended.
    fn for_each_member(&mut self, constraint: u32, mut visit: impl FnMut(&Self, u32, f64)) {
        let segments = self.limits.segments(constraint).len();
        if segments == 0 {
            let mut members = std::mem::take(&mut self.members[constraint as usize]);
            members.retain(|&piece| self.pieces[piece as usize].bottleneck != AWAY);
            for &piece in &members {
                visit(self, piece, self.pieces[piece as usize].weight);
            }
            self.members[constraint as usize] = members;
        }
        for i in 0..segments {
            let (segment, fraction) = self.limits.segments(constraint)[i];
            let mut members = std::mem::take(&mut self.segments[segment as usize].pieces);
            members.retain(|&piece| self.pieces[piece as usize].bottleneck != AWAY);
            for &piece in &members {
                visit(self, piece, self.share(piece, fraction));
            }
            self.segments[segment as usize].pieces = members;
        }
    }

    /// What a piece claims of a constraint that sees a fraction of its rate.
    fn share(&self, piece: u32, fraction: f64) -> f64 {
        let share = fraction * self.pieces[piece as usize].weight;
        self.weights.round(share).max(self.weights.quantum())
    }

    /// The fraction of a segment's rate that a constraint sees; 1 for a host's own link.
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
        let old = self.constraints[c].level;
        let kept = self.held[c].len();
        let mut captured = std::mem::take(&mut self.captured);
        for &(piece, _) in &captured {
            self.take_over(constraint, piece, now);
        }
        self.exclude_from_floors(constraint);
        self.constraints[c].queued = true;
        let mut held = std::mem::take(&mut self.held[c]);
        let (mut weight, mut load, mut own_load) = (0.0, 0.0, 0.0);
        let mut fastest = self.constraints[c].fastest;
        let mut passed_on = Vec::new();
        for (i, piece) in held.iter().enumerate() {
            let before = if i < kept { old } else { captured[i - kept].1 };
            let other = self.lowest_other(piece, constraint);
            let stays = other >= level * (1.0 - TIE);
            let target = if stays { level } else { other };
            let change = self.rates.round(piece.weight * target) - self.rates.round(piece.weight * before);
            for own in [piece.up, piece.down] {
                if own == constraint {
                    own_load += change;
                } else if own != NONE {
                    self.add_load(own, change, target);
                }
            }
            self.note(piece.segment, change, 0.0);
            if stays {
                weight += piece.share;
                load += self.rates.round(piece.share * level);
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
        let state = &mut self.constraints[c];
        state.load += own_load;
        state.held_load = load;
        state.held_weight = weight;
        state.fastest = fastest;
        self.set_level(constraint, if held.is_empty() { f64::INFINITY } else { level });
        self.held[c] = held;
        self.announce(level, Some(constraint));
        self.constraints[c].queued = false;
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
        let (clock, level) = (
            self.clocks[constraint as usize],
            self.constraints[constraint as usize].level,
        );
        if level.is_finite() {
            clock.reading + level * (now - clock.at)
        } else {
            0.0
        }
    }

    /// Makes a constraint the bottleneck of a piece that another one held, or none.
    fn take_over(&mut self, constraint: u32, piece: u32, now: f64) {
        let state = self.pieces[piece as usize];
        let work = if state.bottleneck == FREE {
            for own in [state.up, state.down] {
                if own != NONE {
                    self.constraints[own as usize].free_weight -= state.weight;
                }
            }
            self.note(state.segment, 0.0, -state.weight);
            state.work
        } else {
            let reading = self.reading(state.bottleneck, now);
            self.detach(piece).end - reading
        };
        self.hold(constraint, piece, work, now);
    }

    /// Appends a piece with work left to those of a constraint.
    fn hold(&mut self, constraint: u32, piece: u32, work: f64, now: f64) {
        let fraction = self.fraction(constraint, self.pieces[piece as usize].segment);
        let share = self.share(piece, fraction);
        let end = self.reading(constraint, now) + work;
        let state = &mut self.pieces[piece as usize];
        state.bottleneck = constraint;
        state.slot = self.held[constraint as usize].len() as u32;
        self.held[constraint as usize].push(Held {
            end,
            start: state.start,
            weight: state.weight,
            share,
            piece,
            up: state.up,
            down: state.down,
            segment: state.segment,
        });
    }

    /// Sets the floors of a constraint's segments to what the other constraints allow.
    fn exclude_from_floors(&mut self, constraint: u32) {
        self.set_level(constraint, f64::INFINITY);
    }

    /// The lowest level of the constraints that a piece crosses besides one whose segments exclude it.
    fn lowest_other(&self, piece: &Held, constraint: u32) -> f64 {
        let mut lowest = self.segments[piece.segment as usize].floor;
        for own in [piece.up, piece.down] {
            if own != NONE && own != constraint {
                lowest = lowest.min(self.constraints[own as usize].level);
            }
        }
        lowest
    }

    /// Hands a piece to the constraint with the lowest level, which it crosses besides this one.
    fn pass_on(&mut self, constraint: u32, held: Held, now: f64) {
        let across = self.limits.of_segment(held.segment).iter().map(|&(c, _)| c);
        let others = across
            .chain([held.up, held.down])
            .filter(|&c| c != NONE && c != constraint);
        let level = |c: u32| self.constraints[c as usize].level;
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
        if !state.queued {
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
                piece.bottleneck = FREE;
            }
            let state = &mut self.constraints[c];
            (state.load, state.held_load, state.held_weight) = (0.0, 0.0, 0.0);
            (state.free_weight, state.fastest, state.level) = (0.0, 0.0, f64::INFINITY);
            state.queued = false;
            self.mark_changed(c as u32);
        }
        for segment in &mut self.segments {
            (segment.rate, segment.free_weight, segment.floor) = (0.0, 0.0, f64::INFINITY);
            segment.announced = None;
        }
        self.unannounced.clear();
        self.queue.clear();
        for id in 0..self.pieces.len() {
            let piece = self.pieces[id];
            if piece.bottleneck == FREE {
                self.claim(&piece);
            }
        }
        self.announce(0.0, None);
        self.enqueue_awaited();
    }
}
