//! Means and deviations of some ratios.

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
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their geometric mean; 1 of none.
    pub fn geometric_mean(&self) -> f64 {
        let count = self.0.len().max(1) as f64;
        (self.0.iter().map(|number| number.ln()).sum::<f64>() / count).exp()
    }

    /// Whether they are 1 in the digits that people are shown.
    pub fn is_one(&self) -> bool {
        (self.geometric_mean() - 1.0).abs() < 0.005 && self.deviation() < 0.005
    }

    /// Their standard deviation; 0 of fewer than two.
    pub fn deviation(&self) -> f64 {
        let count = self.0.len() as f64;
        if count < 2.0 {
            return 0.0;
        }
        let mean = self.0.iter().sum::<f64>() / count;
        let squares = self.0.iter().map(|number| (number - mean).powi(2));
        (squares.sum::<f64>() / (count - 1.0)).sqrt()
    }
}
