//! Where good values lie: a density of the best candidates over a density of the others, each a product of kernels
//! (the tree-structured Parzen estimator; constants as in HpBandSter, Falkner, Klein and Hutter 2018).

use rand::RngExt;

use super::space::{Config, Dimension, draw};
use crate::math::{exp, ln};
use crate::rng::Stream;

/// Share of the candidates that are good.
const GOOD: f64 = 0.15;
/// Share of candidates that are drawn from the whole space.
const RANDOM: f64 = 1.0 / 3.0;
/// Candidates of which the most promising is taken.
const SAMPLES: usize = 64;
/// Samples are drawn from kernels so much wider.
const WIDER: f64 = 3.0;
/// Narrowest kernel.
const NARROWEST: f64 = 1e-3;

/// Densities of good and other candidates.
#[derive(Debug)]
pub(super) struct Densities<'a> {
    dimensions: &'a [Dimension],
    good: Kernels,
    others: Kernels,
}

/// A candidate for every kernel, and the widths of all by dimension.
#[derive(Debug)]
struct Kernels {
    centers: Vec<Config>,
    widths: Vec<f64>,
}

/// Proposes a candidate, `ranked` being those of one fidelity, the best first.
pub(super) fn propose(dimensions: &[Dimension], ranked: Option<&[Config]>, random: &mut Stream) -> Config {
    let from_space = random.random::<f64>() < RANDOM;
    match ranked.and_then(|ranked| Densities::of(dimensions, ranked)) {
        Some(densities) if !from_space => densities.propose(random),
        _ => draw(dimensions, random),
    }
}

impl<'a> Densities<'a> {
    /// `None` where there are too few candidates.
    fn of(dimensions: &'a [Dimension], ranked: &[Config]) -> Option<Self> {
        let least = dimensions.len() + 1;
        if ranked.len() < least + 2 {
            return None;
        }
        let count = |share: f64| ((share * ranked.len() as f64) as usize).max(least).min(ranked.len());
        let good = &ranked[..count(GOOD)];
        let others = &ranked[ranked.len() - count(1.0 - GOOD)..];
        Some(Self {
            dimensions,
            good: Kernels::around(dimensions, good),
            others: Kernels::around(dimensions, others),
        })
    }

    fn propose(&self, random: &mut Stream) -> Config {
        let mut best: Option<(f64, Config)> = None;
        for _ in 0..SAMPLES {
            let sample = self.good.sample(self.dimensions, random);
            let promise = self.good.density(self.dimensions, &sample) / self.others.density(self.dimensions, &sample);
            if best.as_ref().is_none_or(|(known, _)| promise > *known) {
                best = Some((promise, sample));
            }
        }
        best.map_or_else(|| draw(self.dimensions, random), |(_, sample)| sample)
    }
}

impl Kernels {
    fn around(dimensions: &[Dimension], centers: &[Config]) -> Self {
        let count = centers.len() as f64;
        let shrink = exp(-ln(count) / (4.0 + dimensions.len() as f64));
        let width = |(k, dimension): (usize, &Dimension)| {
            let mean = centers.iter().map(|center| center[k]).sum::<f64>() / count;
            let variance = centers
                .iter()
                .map(|center| (center[k] - mean) * (center[k] - mean))
                .sum::<f64>()
                / count;
            let width = (1.06 * variance.sqrt() * shrink).max(NARROWEST);
            match dimension {
                // Beyond, the chosen value would be less likely than another.
                Dimension::Choice(values) => width.min(1.0 - 1.0 / f64::from(*values)),
                Dimension::Range => width,
            }
        };
        Self {
            centers: centers.to_vec(),
            widths: dimensions.iter().enumerate().map(width).collect(),
        }
    }

    /// A candidate around one of the centers.
    fn sample(&self, dimensions: &[Dimension], random: &mut Stream) -> Config {
        let center = &self.centers[random.random_range(0..self.centers.len())];
        let near = |(k, dimension): (usize, &Dimension)| match dimension {
            Dimension::Choice(values) => {
                if random.random::<f64>() < 1.0 - self.widths[k] {
                    center[k]
                } else {
                    f64::from(random.random_range(0..*values))
                }
            }
            Dimension::Range => loop {
                let value = center[k] + WIDER * self.widths[k] * normal(random);
                if (0.0..=1.0).contains(&value) {
                    break value;
                }
            },
        };
        dimensions.iter().enumerate().map(near).collect()
    }

    /// The density at a candidate, but for a factor that all have.
    fn density(&self, dimensions: &[Dimension], at: &Config) -> f64 {
        let kernel = |center: &Config| {
            let of = |(k, dimension): (usize, &Dimension)| match dimension {
                Dimension::Choice(values) if center[k] == at[k] || *values == 1 => 1.0 - self.widths[k],
                Dimension::Choice(values) => self.widths[k] / f64::from(values - 1),
                Dimension::Range => {
                    let away = (at[k] - center[k]) / self.widths[k];
                    exp((-0.5 * away * away).max(-700.0)) / self.widths[k]
                }
            };
            dimensions.iter().enumerate().map(of).product::<f64>()
        };
        let sum: f64 = self.centers.iter().map(kernel).sum();
        (sum / self.centers.len() as f64).max(1e-32)
    }
}

/// Drawn from the normal distribution (ratio of uniforms, Kinderman and Monahan 1977).
fn normal(random: &mut Stream) -> f64 {
    // 2 sqrt(2 / e), the width of the region.
    const WIDTH: f64 = 1.715_527_769_921_413_5;
    loop {
        let u = 1.0 - random.random::<f64>();
        let value = WIDTH * (random.random::<f64>() - 0.5) / u;
        if value * value <= -4.0 * ln(u) {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::stream;

    #[test]
    fn normal_numbers_have_their_moments() {
        let mut random = stream(1, "normal", 0);
        let drawn: Vec<f64> = (0..100_000).map(|_| normal(&mut random)).collect();
        let moment = |power: i32| drawn.iter().map(|x| x.powi(power)).sum::<f64>() / drawn.len() as f64;
        assert!(moment(1).abs() < 0.02 && (moment(2) - 1.0).abs() < 0.02 && (moment(4) - 3.0).abs() < 0.15);
    }

    /// Hartmann's function of six variables; its least value is -3.322.
    fn hartmann(x: &[f64]) -> f64 {
        const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
        const A: [[f64; 6]; 4] = [
            [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
            [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
            [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
            [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
        ];
        const P: [[f64; 6]; 4] = [
            [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
            [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
            [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
            [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
        ];
        let term = |i: usize| {
            let inner: f64 = (0..6).map(|j| A[i][j] * (x[j] - P[i][j]) * (x[j] - P[i][j])).sum();
            ALPHA[i] * exp(-inner)
        };
        -(0..4).map(term).sum::<f64>()
    }

    /// The best of 100 trials; without densities where `guided` is false.
    fn best_of_100(seed: u64, guided: bool) -> f64 {
        let dimensions = [Dimension::Range; 6];
        let mut random = stream(seed, "hartmann", 0);
        let mut trials: Vec<(f64, Config)> = Vec::new();
        for _ in 0..100 {
            trials.sort_by(|a, b| a.0.total_cmp(&b.0));
            let ranked: Vec<Config> = trials.iter().map(|(_, config)| config.clone()).collect();
            let config = propose(&dimensions, guided.then_some(&ranked), &mut random);
            trials.push((hartmann(&config), config));
        }
        trials.iter().map(|(value, _)| *value).fold(0.0, f64::min)
    }

    #[test]
    fn densities_beat_random_search_on_hartmann_6() {
        let median = |guided: bool| {
            let mut values: Vec<f64> = (1..=11).map(|seed| best_of_100(seed, guided)).collect();
            values.sort_by(f64::total_cmp);
            values[5]
        };
        let (guided, random) = (median(true), median(false));
        assert!(
            guided < -2.7 && guided < random - 0.4,
            "{guided} guided, {random} at random"
        );
    }
}
