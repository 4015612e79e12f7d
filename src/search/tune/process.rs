//! What a candidate may come to: a Gaussian process over the candidates that were looked at, and the improvement that
//! another promises (Jones, Schonlau and Welch 1998).
//!
//! Results enter by their ranks, as timeouts make some a hundred times as long as others. Each dimension has a scale of
//! its own, found by likelihood, so that keys that do not matter drop out.

use super::space::{Config, Dimension, NOT_CHOSEN};
use crate::math::{exp, ln};

/// Scales and noise, kept from one fit to the next.
#[derive(Debug, Clone)]
pub(super) struct Scales {
    /// By dimension, what a squared distance counts.
    of: Vec<f64>,
    /// Variance of what no key explains, over that of what keys explain.
    noise: f64,
}

/// Steps by which a scale is tried.
const STEPS: [f64; 2] = [0.25, 4.0];
/// Smallest and largest scale.
const LIMITS: [f64; 2] = [1.0 / 64.0, 256.0];
/// Noises that are tried. More would explain few results by chance alone.
const NOISES: [f64; 4] = [1e-4, 1e-3, 1e-2, 1e-1];
/// Variance of the logarithm of a scale, before anything is known.
const PRIOR: f64 = 4.0;

impl Scales {
    pub(super) fn new(dimensions: usize) -> Self {
        Self {
            of: vec![1.0; dimensions],
            noise: 1e-2,
        }
    }
}

/// A process given what some candidates came to.
#[derive(Debug)]
pub(super) struct Process<'a> {
    dimensions: &'a [Dimension],
    scales: Scales,
    centers: Vec<Config>,
    factor: Factor,
    /// The factor's solution for what they came to, which has mean 0 and variance 1.
    solved: Vec<f64>,
    variance: f64,
    least: f64,
}

impl<'a> Process<'a> {
    /// Fits scales from those known before; `None` with fewer than two different results. Infinite results are those that are
    /// known to be worse than others.
    pub(super) fn fit(dimensions: &'a [Dimension], seen: &[(Config, f64)], scales: &mut Scales) -> Option<Self> {
        let results = standard(&ranks(seen))?;
        let centers: Vec<Config> = seen.iter().map(|(config, _)| config.clone()).collect();
        let fit = |scales: &Scales| Self::with(dimensions, &centers, &results, scales);
        let mut best = fit(scales)?;
        let mut likelihood = best.likelihood();
        let mut attempt = |changed: Scales, best: &mut Self| {
            if let Some(other) = fit(&changed) {
                let value = other.likelihood();
                if value > likelihood + 1e-9 {
                    (likelihood, *best) = (value, other);
                }
            }
        };
        for k in 0..dimensions.len() {
            for step in STEPS {
                let mut changed = best.scales.clone();
                changed.of[k] = (changed.of[k] * step).clamp(LIMITS[0], LIMITS[1]);
                attempt(changed, &mut best);
            }
        }
        for noise in NOISES {
            let changed = Scales {
                noise,
                ..best.scales.clone()
            };
            attempt(changed, &mut best);
        }
        scales.clone_from(&best.scales);
        Some(best)
    }

    fn with(dimensions: &'a [Dimension], centers: &[Config], results: &[f64], scales: &Scales) -> Option<Self> {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(centers.len());
        for (i, center) in centers.iter().enumerate() {
            let others = centers[..i].iter();
            let mut row: Vec<f64> = others.map(|other| kernel(dimensions, scales, center, other)).collect();
            row.push(1.0 + scales.noise);
            rows.push(row);
        }
        let factor = Factor::of(rows)?;
        let solved = factor.solve(results);
        let count = results.len() as f64;
        Some(Self {
            dimensions,
            scales: scales.clone(),
            centers: centers.to_vec(),
            variance: solved.iter().map(|x| x * x).sum::<f64>() / count,
            solved,
            factor,
            least: results.iter().copied().fold(f64::INFINITY, f64::min),
        })
    }

    /// The logarithm of how likely the results and the scales are, but for a constant.
    fn likelihood(&self) -> f64 {
        let count = self.solved.len() as f64;
        let prior: f64 = self.scales.of.iter().map(|&scale| ln(scale) * ln(scale)).sum();
        -0.5 * count * ln(self.variance.max(1e-12)) - self.factor.half_determinant() - 0.5 * prior / PRIOR
    }

    /// Mean and variance of what a candidate comes to.
    fn at(&self, config: &Config) -> (f64, f64) {
        let to = |center: &Config| kernel(self.dimensions, &self.scales, config, center);
        let near: Vec<f64> = self.centers.iter().map(to).collect();
        let near = self.factor.solve(&near);
        let mean = near.iter().zip(&self.solved).map(|(a, b)| a * b).sum();
        let known: f64 = near.iter().map(|x| x * x).sum();
        (mean, self.variance * (1.0 - known).max(0.0))
    }

    /// By how much a candidate is better than the best, in the mean. What no key explains is as likely to be better.
    pub(super) fn improvement(&self, config: &Config) -> f64 {
        let (mean, variance) = self.at(config);
        let deviation = (variance + NOISE_COUNTS * self.variance * self.scales.noise)
            .max(1e-12)
            .sqrt();
        expected_improvement((self.least - mean) / deviation) * deviation
    }

    /// Takes a candidate whose result is not there yet to come to its mean.
    pub(super) fn believe(&mut self, config: &Config) {
        let (mean, _) = self.at(config);
        let to = |center: &Config| kernel(self.dimensions, &self.scales, config, center);
        let mut row: Vec<f64> = self.centers.iter().map(to).collect();
        row.push(1.0 + self.scales.noise);
        if self.factor.extend(row) {
            self.centers.push(config.clone());
            let last = &self.factor.rows[self.solved.len()];
            let known: f64 = last.iter().zip(&self.solved).map(|(a, b)| a * b).sum();
            self.solved.push((mean - known) / last[last.len() - 1]);
        }
    }
}

/// What noise counts for where an improvement is looked for.
const NOISE_COUNTS: f64 = 0.3;

/// Between 0 and 1 by rank, those that are equal alike.
fn ranks(seen: &[(Config, f64)]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..seen.len()).collect();
    order.sort_by(|&a, &b| seen[a].1.total_cmp(&seen[b].1));
    let mut ranks = vec![0.0; seen.len()];
    let mut first = 0;
    for alike in order.chunk_by(|&a, &b| seen[a].1 == seen[b].1) {
        let middle = first as f64 + 0.5 * alike.len() as f64;
        alike.iter().for_each(|&i| ranks[i] = middle / seen.len() as f64);
        first += alike.len();
    }
    ranks
}

/// With mean 0 and variance 1.
fn standard(values: &[f64]) -> Option<Vec<f64>> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    (variance > 0.0).then(|| values.iter().map(|x| (x - mean) / variance.sqrt()).collect())
}

/// Squared distance of two values without an order.
const OTHER: f64 = 0.5;
/// Squared distance of a key that counts for one candidate only.
const MISSING: f64 = 0.25;

/// Matérn's kernel of smoothness 5/2.
fn kernel(dimensions: &[Dimension], scales: &Scales, a: &Config, b: &Config) -> f64 {
    let mut distance = 0.0;
    for (k, dimension) in dimensions.iter().enumerate() {
        let (x, y) = (a[k], b[k]);
        if x == y {
            continue;
        }
        let squared = match dimension {
            _ if x == NOT_CHOSEN || y == NOT_CHOSEN => MISSING,
            Dimension::Choice(_) => OTHER,
            Dimension::Ordered(count) => (x - y) * (x - y) / f64::from(count * count),
            Dimension::Range => (x - y) * (x - y),
        };
        distance += scales.of[k] * squared;
    }
    let s = (5.0 * distance).sqrt();
    (1.0 + s + s * s / 3.0) * exp(-s)
}

/// A lower triangular matrix whose product with its transpose is a symmetric one (Cholesky).
#[derive(Debug)]
struct Factor {
    rows: Vec<Vec<f64>>,
}

impl Factor {
    /// Of a matrix's rows up to the diagonal; `None` where it is not positive definite.
    fn of(rows: Vec<Vec<f64>>) -> Option<Self> {
        let mut factor = Self {
            rows: Vec::with_capacity(rows.len()),
        };
        rows.into_iter().all(|row| factor.extend(row)).then_some(factor)
    }

    /// Adds a row of the matrix, if it stays positive definite.
    fn extend(&mut self, row: Vec<f64>) -> bool {
        let mut made = self.solve(&row[..self.rows.len()]);
        let left = row[self.rows.len()] - made.iter().map(|x| x * x).sum::<f64>();
        if left.is_nan() || left <= 0.0 {
            return false;
        }
        made.push(left.sqrt());
        self.rows.push(made);
        true
    }

    /// Solves for a right-hand side.
    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solved: Vec<f64> = Vec::with_capacity(right.len() + 1);
        for (row, value) in self.rows.iter().zip(right) {
            let known: f64 = row.iter().zip(&solved).map(|(a, b)| a * b).sum();
            solved.push((value - known) / row[solved.len()]);
        }
        solved
    }

    /// Half the logarithm of the matrix's determinant.
    fn half_determinant(&self) -> f64 {
        self.rows.iter().map(|row| ln(row[row.len() - 1])).sum()
    }
}

/// The mean of what a normal variable is above `-u`, where it is.
fn expected_improvement(u: f64) -> f64 {
    if u < -TAIL {
        // The difference of two nearly equal numbers otherwise.
        let density = normal_density(u);
        return density / (u * u + 3.0);
    }
    u * normal_below(u) + normal_density(u)
}

/// Where the tail of the normal distribution begins.
const TAIL: f64 = 6.0;

fn normal_density(x: f64) -> f64 {
    // 1 / sqrt(2 pi).
    const FACTOR: f64 = 0.398_942_280_401_432_7;
    FACTOR * exp((-0.5 * x * x).max(-700.0))
}

/// Chance that a normal variable is below, for no more than some tails' lengths.
fn normal_below(x: f64) -> f64 {
    if x > TAIL {
        return 1.0;
    }
    // 1/2 + density (x + x^3 / 3 + x^5 / 15 + ...), Abramowitz and Stegun 26.2.11.
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while f64::abs(term) > 1e-17 * f64::abs(sum) {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    0.5 + normal_density(x) * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_has_its_known_values() {
        for (x, below) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_543),
            (-1.96, 0.024_997_895_148_220_4),
            (3.0, 0.998_650_101_968_37),
            (-5.0, 2.866_515_718_791_94e-7),
        ] {
            assert!((normal_below(x) - below).abs() < 1e-13, "{x}");
        }
    }

    /// By adding up over the distribution.
    #[test]
    fn the_expected_improvement_is_an_integral() {
        for u in [-7.0, -6.01, -5.99, -4.0, -1.0, 0.0, 0.7, 3.0, 8.0] {
            let (step, mut sum) = (1e-4, 0.0);
            let mut x = -9.0;
            while x < 12.0 {
                let middle: f64 = x + 0.5 * step;
                sum += (u - middle).max(0.0) * normal_density(middle) * step;
                x += step;
            }
            let value = expected_improvement(u);
            assert!((value / sum - 1.0).abs() < 5e-3, "{u}: {value} {sum}");
        }
    }

    /// Of one center and one place everything is a formula.
    #[test]
    fn a_process_of_two_results_is_a_formula() {
        let dimensions = [Dimension::Range];
        let scales = Scales {
            of: vec![2.0],
            noise: 0.0,
        };
        let centers = [vec![0.2], vec![0.9]];
        let process = Process::with(&dimensions, &centers, &[1.0, -1.0], &scales).unwrap();
        let k = |a: f64, b: f64| {
            let s = (5.0_f64 * 2.0 * (a - b) * (a - b)).sqrt();
            (1.0 + s + s * s / 3.0) * (-s).exp()
        };
        let (c, a, b) = (k(0.2, 0.9), k(0.4, 0.2), k(0.4, 0.9));
        // The inverse of [[1, c], [c, 1]].
        let mean = ((a - c * b) - (b - c * a)) / (1.0 - c * c);
        let known = (a * (a - c * b) + b * (b - c * a)) / (1.0 - c * c);
        // The mean of the squares of what was found, by the same inverse.
        let variance = (2.0 + 2.0 * c) / (1.0 - c * c) / 2.0;
        let found = process.at(&vec![0.4]);
        assert!((found.0 - mean).abs() < 1e-12 && (found.1 - variance * (1.0 - known)).abs() < 1e-12);
        let (mean, left) = process.at(&vec![0.9]);
        assert!((mean + 1.0).abs() < 1e-12 && left.abs() < 1e-12);
    }

    /// What is believed changes no mean, and nothing more can be learned there.
    #[test]
    fn a_believed_result_leaves_the_means() {
        let dimensions = [Dimension::Range, Dimension::Choice(3)];
        let seen: Vec<(Config, f64)> = (0..6)
            .map(|i| (vec![f64::from(i) / 6.0, f64::from(i % 3)], f64::from((i * i) % 5)))
            .collect();
        let mut process = Process::fit(&dimensions, &seen, &mut Scales::new(2)).unwrap();
        let (place, other) = (vec![0.55, 2.0], vec![0.6, 1.0]);
        let before = (process.at(&place), process.at(&other));
        process.believe(&place);
        let after = (process.at(&place), process.at(&other));
        assert!((before.0.0 - after.0.0).abs() < 1e-9 && (before.1.0 - after.1.0).abs() < 1e-9);
        assert!(after.0.1 < before.0.1 && after.1.1 < before.1.1);
    }

    #[test]
    fn a_key_that_does_not_matter_drops_out() {
        let dimensions = [Dimension::Ordered(8), Dimension::Ordered(8)];
        let seen: Vec<(Config, f64)> = (0..32)
            .map(|i| {
                (
                    vec![f64::from(i % 8), f64::from((i * 5) % 7)],
                    (f64::from(i % 8) - 3.0).abs(),
                )
            })
            .collect();
        let mut scales = Scales::new(2);
        for _ in 0..4 {
            Process::fit(&dimensions, &seen, &mut scales).unwrap();
        }
        assert!(scales.of[1] <= 1.0 / 64.0 && scales.of[0] > 1.0, "{scales:?}");
    }

    #[test]
    fn equal_results_have_equal_ranks() {
        let seen: Vec<(Config, f64)> = [3.0, 1.0, 3.0, f64::INFINITY].map(|value| (vec![], value)).into();
        assert_eq!(ranks(&seen), [0.5, 0.125, 0.5, 0.875]);
    }
}
