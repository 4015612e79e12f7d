//! Completions that coincide.
//!
//! With a tolerance, sub-flows that end within a short window are taken off all at once, at the mean of their ends by
//! rate, and the rates change only then. What this does to the sub-flows that go on is made good to first
//! order, as long as they keep their bottlenecks: see `Sharing::correct_clocks`.

use crate::flow_engine::constraints::ConstraintId;
use crate::ids::{Id, IdVec};

/// Length of the window as a multiple of the tolerance times the shortest completion time.
const WINDOW: f64 = 2.4;
/// A correction is at most this part of what a constraint's level changes by, over the window: what it is corrected
/// for came somewhere within it.
const OF_CHANGE: f64 = 0.5;
/// And this part of its level: it may have risen and fallen.
const OF_LEVEL: f64 = 0.02;
/// Instead of both, this part of its level where it had none before.
const OF_NEW_LEVEL: f64 = 0.3;

/// The last completions that coincided, until the rates have been settled anew.
#[derive(Debug, Default)]
pub(super) struct Coincidence {
    pub(super) tolerance: f64,
    /// How far apart they are at most; 0 where there is nothing to correct.
    pub(super) window: f64,
    /// By constraint, the bytes that ended sub-flows left to others before their common end; fewer than none where they
    /// ended after it.
    pub(super) left: IdVec<ConstraintId, f64>,
    /// Their rates, by constraint.
    pub(super) rates: IdVec<ConstraintId, f64>,
    /// The constraints, lowest level first.
    pub(super) order: Vec<ConstraintId>,
    /// Their levels up to the common end.
    pub(super) before: IdVec<ConstraintId, f64>,
}

impl Coincidence {
    pub(super) fn new(tolerance: f64, constraints: usize) -> Self {
        Self {
            tolerance: tolerance * WINDOW,
            left: IdVec::filled(0.0, constraints + 1),
            rates: IdVec::filled(0.0, constraints + 1),
            order: (0..constraints).map(ConstraintId::from_index).collect(),
            ..Self::default()
        }
    }

    /// Whether only what differs by rounding coincides.
    pub(super) fn is_exact(&self) -> bool {
        self.tolerance == 0.0
    }

    /// A sub-flow ends at `end` after the first, on a constraint that it crosses.
    pub(super) fn note(&mut self, constraint: ConstraintId, rate: f64, end: f64) {
        self.rates[constraint] += rate;
        self.left[constraint] -= rate * end;
    }

    /// The most that the clock of a constraint with a level is corrected by, either way. Where few sub-flows take what many
    /// leave, their bottleneck can change within the window: then first order is no guide.
    pub(super) fn most(&self, constraint: ConstraintId, level: f64) -> f64 {
        let before = self.before[constraint];
        let part = if before.is_finite() {
            (OF_CHANGE * (level - before).abs() + OF_LEVEL * level).min(level)
        } else {
            OF_NEW_LEVEL * level
        };
        part * self.window
    }
}
