//! Means and deviations of some ratios, and the moments of a series.

use crate::results::SeriesRow;

/// Some positive numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Spread(Vec<f64>);

impl FromIterator<f64> for Spread {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        Self(numbers.into_iter().collect())
    }
}

impl Spread {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their geometric mean; 1 of none.
    pub(super) fn geometric_mean(&self) -> f64 {
        let count = self.0.len().max(1) as f64;
        (self.0.iter().map(|number| number.ln()).sum::<f64>() / count).exp()
    }

    /// Whether they are 1 in the digits that people are shown.
    pub(super) fn is_one(&self) -> bool {
        (self.geometric_mean() - 1.0).abs() < 0.005 && self.deviation() < 0.005
    }

    /// Their standard deviation; 0 of fewer than two.
    pub(super) fn deviation(&self) -> f64 {
        let count = self.0.len() as f64;
        if count < 2.0 {
            return 0.0;
        }
        let mean = self.0.iter().sum::<f64>() / count;
        let squares = self.0.iter().map(|number| (number - mean).powi(2));
        (squares.sum::<f64>() / (count - 1.0)).sqrt()
    }
}

/// The intervals of a series, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Intervals {
    pub us: f64,
    pub count: usize,
}

impl Intervals {
    /// `None` of a series without samples.
    pub(super) fn of(samples: &[SeriesRow]) -> Option<Self> {
        let mut times: Vec<f64> = samples.iter().map(|sample| sample.at_us.value()).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        // The last sample is taken when nothing is left to happen, between two intervals.
        let whole = &times[..times.len().saturating_sub(1).max(1).min(times.len())];
        let gaps = whole.windows(2).map(|pair| pair[1] - pair[0]);
        let us = gaps.chain(times.first().copied()).fold(f64::INFINITY, f64::min);
        let mut intervals = Self { us, count: 0 };
        if !us.is_finite() || us <= 0.0 {
            return None;
        }
        intervals.count = intervals.index(*times.last()?) + 1;
        Some(intervals)
    }

    /// The one that ends at a time, or in which it lies.
    pub(super) fn index(self, us: f64) -> usize {
        ((us / self.us - 1e-6).ceil() as usize).saturating_sub(1)
    }
}
