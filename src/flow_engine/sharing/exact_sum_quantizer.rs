//! Numbers whose sums are exact.

/// Rounds to multiples of a power of two.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExactSumQuantizer {
    /// Adding this pushes all finer digits out.
    shift: f64,
}

impl ExactSumQuantizer {
    /// The finest quantum of which sums up to `largest` are exact.
    pub(super) fn below(largest: f64) -> Self {
        let mut power = 1.0;
        while power < largest {
            power *= 2.0;
        }
        while power > 2.0 * largest {
            power /= 2.0;
        }
        // The unit in the last place of 1.5 * 2^52 * quantum is the quantum; 2^53 of it are exact.
        Self { shift: 0.75 * power }
    }

    pub(super) fn round(self, value: f64) -> f64 {
        (value + self.shift) - self.shift
    }

    /// The smallest positive value.
    pub(super) fn quantum(self) -> f64 {
        self.shift * f64::EPSILON / 1.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::mix;

    #[test]
    fn sums_are_exact_in_any_order() {
        let quantizer = ExactSumQuantizer::below(100.0);
        let values: Vec<f64> = (0..1_000)
            .map(|i| quantizer.round(mix(i) as f64 / u64::MAX as f64 / 10.0))
            .collect();
        let forward: f64 = values.iter().sum();
        let backward: f64 = values.iter().rev().sum();
        assert_eq!(forward, backward);
        assert_eq!(values.iter().fold(forward, |rest, value| rest - value), 0.0);
    }

    #[test]
    fn rounding_is_finer_than_any_accuracy_asked_for() {
        for largest in [0.1, 1.0, 1e6] {
            let quantizer = ExactSumQuantizer::below(largest);
            let value = largest / 3_000.0;
            assert!((quantizer.round(value) - value).abs() <= quantizer.quantum() / 2.0);
            assert!(quantizer.quantum() <= largest * 2.0 * f64::EPSILON);
            assert_eq!(quantizer.round(quantizer.quantum()), quantizer.quantum());
        }
    }
}
