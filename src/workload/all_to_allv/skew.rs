//! Messages whose receivers are unequally popular.

use rand::seq::SliceRandom;

use crate::input::InputError;
use crate::rng;
use crate::units::Bytes;

/// How near the Gini coefficient must come.
const NEAR: f64 = 0.005;

/// Messages of the mean `message`, so that what the ranks receive has the Gini coefficient `gini`.
///
/// The rank in place k (from 0, drawn from the seed) gets a share in proportion to 1 / (c + k), with the c that fits: the law of
/// Zipf and Mandelbrot. It takes no more than sums, products and quotients, which are the same on every machine.
pub(super) fn matrix(ranks: u32, message: Bytes, gini: f64, seed: u64) -> Result<Vec<u64>, InputError> {
    let wrong = |message: String| InputError::key("gini", message);
    if !(0.0..1.0).contains(&gini) {
        return Err(wrong(format!("`gini` is {gini}")).help("it must be at least 0 and below 1"));
    }
    let most = f64::from(ranks - 1) / f64::from(ranks);
    if gini > most - NEAR {
        let message = format!("{ranks} ranks cannot receive so unequally that the Gini coefficient is {gini}");
        return Err(wrong(message).help(format!("it is less than {most:.3}, that of a single receiver")));
    }
    let shares = shares(ranks, gini);
    let mut places: Vec<usize> = (0..ranks as usize).collect();
    places.shuffle(&mut rng::stream(seed, "all-to-allv", 0));
    let total = f64::from(ranks) * message.0 as f64;
    let row: Vec<u64> = places
        .iter()
        .map(|&place| (shares[place] * total).round() as u64)
        .collect();
    let reached = self::gini(&row.iter().map(|&bytes| bytes as f64).collect::<Vec<_>>());
    if (reached - gini).abs() > 2.0 * NEAR {
        let message = format!("with messages of {message} the Gini coefficient is {reached:.3} instead of {gini}");
        return Err(InputError::key("message", message).help("take larger messages: they are whole bytes"));
    }
    let rows = (0..ranks).flat_map(|_| row.iter().copied());
    Ok(rows.collect())
}

/// Shares that add up to 1, the largest first, with this Gini coefficient.
pub(super) fn shares(ranks: u32, gini: f64) -> Vec<f64> {
    // 1 / (1 + a k): a = 0 is all the same, and the larger a, the more unequal.
    let of = |a: f64| {
        let weights: Vec<f64> = (0..ranks).map(|place| 1.0 / (1.0 + a * f64::from(place))).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect::<Vec<f64>>()
    };
    if gini == 0.0 {
        return of(0.0);
    }
    let (mut low, mut high) = (0.0, 1.0);
    while self::gini(&of(high)) < gini && high < 1e12 {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if self::gini(&of(middle)) < gini {
            low = middle;
        } else {
            high = middle;
        }
    }
    of(high)
}

/// The Gini coefficient: the mean difference of two of them over twice the mean.
pub(super) fn gini(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (place, value) in sorted.iter().enumerate() {
        sum += value;
        weighted += (2.0 * place as f64 + 1.0 - n) * value;
    }
    if sum > 0.0 { weighted / (n * sum) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By its definition.
    fn mean_difference(values: &[f64]) -> f64 {
        let n = values.len() as f64;
        let sum: f64 = values
            .iter()
            .flat_map(|a| values.iter().map(move |b| (a - b).abs()))
            .sum();
        sum / (2.0 * n * values.iter().sum::<f64>())
    }

    #[test]
    fn the_coefficient_is_reached() {
        for ranks in [2, 3, 8, 64, 257] {
            for wanted in [0.0, 0.1, 0.24, 0.5, 0.8, 0.9] {
                let Ok(matrix) = matrix(ranks, Bytes(1 << 20), wanted, 7) else {
                    assert!(wanted > 1.0 - 1.0 / f64::from(ranks) - NEAR, "{ranks} {wanted}");
                    continue;
                };
                let received: Vec<f64> = (0..ranks as usize)
                    .map(|dst| {
                        let senders = (0..ranks as usize).filter(|&src| src != dst);
                        senders.map(|src| matrix[src * ranks as usize + dst] as f64).sum()
                    })
                    .collect();
                assert!((mean_difference(&received) - wanted).abs() <= 0.01, "{ranks} {wanted}");
                let mean = received.iter().sum::<f64>() / (f64::from(ranks) * f64::from(ranks - 1));
                assert!((mean / (1 << 20) as f64 - 1.0).abs() < 1e-5, "{ranks} {wanted}: {mean}");
            }
        }
    }
}
