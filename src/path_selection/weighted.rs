//! Weighted spraying: every path gets packets in proportion to its weight.

use super::select::Select;
use crate::rng::{index_below, mix};

/// The draws of one queue pair.
#[derive(Debug, Clone)]
pub(crate) struct Weighted {
    salt: u64,
    drawn: u64,
    /// For each path, the share of it and all before it, of 2^32.
    bounds: Box<[u32]>,
}

impl Weighted {
    /// From the weights of the paths, at least one of them above 0.
    pub(crate) fn new(weights: &[u64], salt: u64) -> Self {
        let total: u128 = weights.iter().map(|&weight| u128::from(weight)).sum::<u128>().max(1);
        let mut sum = 0_u128;
        let bounds = weights.iter().map(|&weight| {
            sum += u128::from(weight);
            (sum * u128::from(u32::MAX) / total) as u32
        });
        Self {
            salt,
            drawn: 0,
            bounds: bounds.collect(),
        }
    }
}

impl Select for Weighted {
    fn choose(&mut self, _now: u64) -> u16 {
        self.drawn += 1;
        let draw = index_below(mix(self.salt ^ self.drawn), u32::MAX);
        self.bounds.partition_point(|&bound| bound <= draw) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_the_weights() {
        let mut weighted = Weighted::new(&[4, 0, 1, 3], 5);
        let mut counts = [0_u32; 4];
        (0..80_000).for_each(|_| counts[usize::from(weighted.choose(0))] += 1);
        for (count, expected) in counts.into_iter().zip([40_000, 0, 10_000, 30_000]) {
            assert!(count.abs_diff(expected) < 600, "{counts:?}");
        }
    }
}
