//! The fullest of some bins into which balls are thrown uniformly and independently.

use crate::math::{exp, ln};

/// Terms of a distribution below this fraction of the largest are left out.
const NEGLIGIBLE: f64 = 1e-30;
/// Chances this close to 0 or 1 count as such.
const CERTAIN: f64 = 1e-15;

/// `cdf[m]` is the chance that no bin holds more than `m` balls; further ones are 1. Exact up to
/// rounding: `n` balls in bins are independent Poisson numbers, given that they add up to `n`, so that the
/// chance is a coefficient of the product of truncated Poisson distributions.
pub(super) fn cdf(balls: usize, bins: usize) -> Vec<f64> {
    let poisson = Poisson::new(balls as f64 / bins as f64, balls);
    let whole = Poisson::new(balls as f64, balls).of(balls);
    let open = cdf_in_doubt(balls, bins, &poisson);
    let mut cdf = vec![0.0; open.start];
    for most in open {
        let bin = Terms::new(0, (0..=most).map(|k| poisson.of(k)).collect());
        cdf.push((bin.coefficient_of_power(bins, balls) / whole).min(1.0));
    }
    cdf
}

/// The `m` for which the chance is neither 0 nor 1. One bin alone holds more than `m` with a binomial chance `q`. All
/// bins together then do with at most `bins * q`; and as full bins leave less to the others, none does with at most
/// `(1 - q)^bins`.
fn cdf_in_doubt(balls: usize, bins: usize, poisson: &Poisson) -> std::ops::Range<usize> {
    let one = 1.0 / bins as f64;
    let logarithm = |factor: f64, times: usize| if times == 0 { 0.0 } else { times as f64 * ln(factor) };
    let exactly = |k: usize| {
        let ways = poisson.factorials[balls] - poisson.factorials[k] - poisson.factorials[balls - k];
        exp(ways + logarithm(one, k) + logarithm(1.0 - one, balls - k))
    };
    let least = balls.div_ceil(bins);
    let (mut open, mut above) = (least..least, 0.0_f64);
    for most in (least..=balls).rev() {
        if exp(bins as f64 * ln((1.0 - above).max(0.0))) < CERTAIN {
            open.start = most + 1;
            break;
        }
        if open.is_empty() && bins as f64 * above >= CERTAIN {
            open.end = most + 1;
        }
        above += exactly(most);
    }
    open
}

/// The expectation of a number from the chances that it is at most `m`, for every `m`.
pub(super) fn mean(cdf: &[f64]) -> f64 {
    cdf.iter().map(|chance| 1.0 - chance).sum()
}

/// Poisson probabilities.
struct Poisson {
    mean: f64,
    /// Logarithms of the factorials.
    factorials: Vec<f64>,
}

impl Poisson {
    fn new(mean: f64, largest: usize) -> Self {
        let logarithms = (1..=largest).scan(0.0, |sum, k| {
            *sum += ln(k as f64);
            Some(*sum)
        });
        Self {
            mean,
            factorials: std::iter::once(0.0).chain(logarithms).collect(),
        }
    }

    fn of(&self, k: usize) -> f64 {
        let power = if k == 0 { 0.0 } else { k as f64 * ln(self.mean) };
        exp(power - self.mean - self.factorials[k])
    }
}

/// A polynomial from its lowest term that counts to its highest.
#[derive(Debug, Clone)]
struct Terms {
    lowest: usize,
    values: Vec<f64>,
}

impl Terms {
    fn new(lowest: usize, values: Vec<f64>) -> Self {
        let least = values.iter().copied().fold(0.0, f64::max) * NEGLIGIBLE;
        let Some(first) = values.iter().position(|&value| value > least) else {
            return Self { lowest, values };
        };
        let last = values.iter().rposition(|&value| value > least).unwrap_or(first);
        Self {
            lowest: lowest + first,
            values: values[first..=last].to_vec(),
        }
    }

    fn at(&self, power: usize) -> f64 {
        let value = power.checked_sub(self.lowest).and_then(|i| self.values.get(i));
        value.copied().unwrap_or(0.0)
    }

    fn times(&self, other: &Self) -> Self {
        let mut values = vec![0.0; self.values.len() + other.values.len() - 1];
        for (i, &factor) in self.values.iter().enumerate() {
            for (value, &term) in values[i..].iter_mut().zip(&other.values) {
                *value += factor * term;
            }
        }
        Self::new(self.lowest + other.lowest, values)
    }

    /// By squaring, except that of the last product only the term asked for is worked out.
    fn coefficient_of_power(&self, exponent: usize, power: usize) -> f64 {
        let half = self.power(exponent / 2);
        let rest = if exponent % 2 == 1 {
            half.times(self)
        } else {
            half.clone()
        };
        let terms = (half.lowest..).zip(&half.values);
        let below = terms.take_while(|&(at, _)| at <= power);
        below.map(|(at, value)| value * rest.at(power - at)).sum()
    }

    fn power(&self, exponent: usize) -> Self {
        if exponent == 0 {
            return Self::new(0, vec![1.0]);
        }
        let half = self.power(exponent / 2);
        let square = half.times(&half);
        if exponent % 2 == 1 { square.times(self) } else { square }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expectations from multinomial dynamic programming made apart from this code, as they are rounded.
    #[test]
    fn expectations_are_the_known_ones() {
        let known = [
            (16, 16, 3.08, 0.005),
            (32, 16, 4.83, 0.005),
            (64, 16, 7.88, 0.005),
            (128, 16, 13.36, 0.005),
            (240, 16, 22.2, 0.05),
            // The mean of 400 000 draws is 267.76, with a standard error of 0.012.
            (3_840, 16, 267.76, 0.036),
            (16, 8, 4.20, 0.005),
            (64, 8, 12.24, 0.005),
        ];
        for (balls, bins, expected, rounding) in known {
            let mean = mean(&cdf(balls, bins));
            assert!((mean - expected).abs() <= rounding, "{balls} in {bins}: {mean}");
        }
    }

    /// All ways of throwing a few balls.
    #[test]
    fn the_distribution_is_that_of_counting() {
        for (balls, bins) in [(1_usize, 1_usize), (1, 3), (4, 2), (5, 3), (3, 5), (6, 4)] {
            let ways = bins.pow(balls as u32);
            let mut at_most = vec![0_u32; balls + 1];
            for way in 0..ways {
                let mut held = vec![0; bins];
                (0..balls).fold(way, |rest, _| {
                    held[rest % bins] += 1;
                    rest / bins
                });
                let fullest = held.into_iter().max().unwrap_or(0);
                at_most[fullest..].iter_mut().for_each(|count| *count += 1);
            }
            let cdf = cdf(balls, bins);
            for (most, &count) in at_most.iter().enumerate() {
                let chance = cdf.get(most).copied().unwrap_or(1.0);
                let counted = f64::from(count) / ways as f64;
                assert!(
                    (chance - counted).abs() < 1e-12,
                    "{balls} in {bins}, {most}: {chance}, counted {counted}"
                );
            }
        }
    }
}
