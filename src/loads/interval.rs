//! A figure known from both sides.

/// A figure between two proven limits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Interval {
    /// It is not below this.
    pub lower: f64,
    /// It is not above this: something reaches it, where it is a minimum.
    pub upper: f64,
}

impl Interval {
    /// What is known exactly.
    pub const fn exactly(value: f64) -> Self {
        Self {
            lower: value,
            upper: value,
        }
    }

    /// How far the two limits are apart, relative to the lower.
    pub fn gap(&self) -> f64 {
        if self.upper > self.lower {
            (self.upper - self.lower) / self.lower
        } else {
            0.0
        }
    }

    /// Whether the limits are at most that fraction apart.
    pub fn is_closed(&self, gap: f64) -> bool {
        self.upper <= self.lower * (1.0 + gap)
    }

    /// The figure is not below `limit` either.
    pub(crate) fn raise(&mut self, limit: f64) {
        self.lower = self.lower.max(limit);
    }

    /// The figure is not above `limit` either.
    pub(crate) fn reach(&mut self, limit: f64) {
        self.upper = self.upper.min(limit);
    }

    /// The same in another unit. Rounding can put two equal limits a few units in the last place in the wrong order:
    /// the upper counts.
    #[must_use]
    pub(crate) fn per(self, unit: f64) -> Self {
        Self {
            lower: self.lower.min(self.upper) / unit,
            upper: self.upper / unit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_only_come_closer() {
        let mut known = Interval { lower: 1.0, upper: 4.0 };
        known.raise(0.5);
        known.reach(5.0);
        assert_eq!((known.lower, known.upper, known.gap()), (1.0, 4.0, 3.0));
        known.raise(2.0);
        known.reach(2.1);
        assert!(known.is_closed(0.051) && !known.is_closed(0.049));
        assert_eq!(Interval::exactly(3.0).gap(), 0.0);
        let crossed = Interval { lower: 2e6, upper: 1e6 };
        assert_eq!(crossed.per(1e6), Interval::exactly(1.0));
    }
}
