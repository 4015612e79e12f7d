//! Permuted spraying: the host walks a random permutation of the paths, a new one after each round.
//!
//! The permutation is computed, not stored: a keyed bijection of the numbers below the next power of two, applied
//! until it lands below the number of paths (cycle walking), so that a queue pair needs 24 bytes
//! however many paths there are.

use super::select::Select;
use crate::rng::mix;

/// The walk of one queue pair.
#[derive(Debug, Clone)]
pub(crate) struct Permuted {
    paths: u32,
    at: u32,
    salt: u64,
    key: u64,
}

impl Permuted {
    pub(crate) fn new(paths: u32, salt: u64) -> Self {
        Self {
            paths,
            at: 0,
            salt,
            key: mix(salt),
        }
    }
}

impl Select for Permuted {
    #[inline]
    fn choose(&mut self, _now: u64) -> u16 {
        if self.at == self.paths {
            self.at = 0;
            self.salt = self.salt.wrapping_add(1);
            self.key = mix(self.salt);
        }
        let path = permute(self.at, self.paths, self.key);
        self.at += 1;
        path as u16
    }
}

/// Image of `x` under the permutation of `0..n` that belongs to `key`; `n` is at least 2.
#[inline]
pub(super) fn permute(x: u32, n: u32, key: u64) -> u32 {
    let bits = 32 - (n - 1).leading_zeros();
    let mask = (1_u32 << bits) - 1;
    let mut y = x;
    loop {
        // Rounds of steps that each can be undone: add, multiply by an odd number, shift in half.
        let mut rest = key;
        for _ in 0..3 {
            y = y.wrapping_add(rest as u32) & mask;
            y = y.wrapping_mul((rest >> 16) as u32 | 1) & mask;
            y ^= y >> bits.div_ceil(2);
            rest = rest.rotate_right(21);
        }
        if y < n {
            return y;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_takes_every_path_once() {
        for paths in [2, 3, 5, 16, 31, 32, 100, 1_000] {
            let mut walk = Permuted::new(paths, 7);
            for _ in 0..10 {
                let mut round: Vec<_> = (0..paths).map(|_| u32::from(walk.choose(0))).collect();
                round.sort_unstable();
                assert!(round.into_iter().eq(0..paths), "{paths}");
            }
        }
    }

    /// Over many keys, each path is equally likely at each place, and each pair of neighbors.
    #[test]
    fn permutations_look_random() {
        let n = 16;
        let mut places = vec![0_u32; 16 * 16];
        let mut neighbors = vec![0_u32; 16 * 16];
        for key in 0..16_000 {
            let round: Vec<_> = (0..n).map(|x| permute(x, n, mix(key)) as usize).collect();
            for (place, &path) in round.iter().enumerate() {
                places[place * 16 + path] += 1;
            }
            for pair in round.windows(2) {
                neighbors[pair[0] * 16 + pair[1]] += 1;
            }
        }
        assert!(places.iter().all(|&c| (850..1_150).contains(&c)), "{places:?}");
        let unequal = (0..16)
            .flat_map(|a| (0..16).map(move |b| (a, b)))
            .filter(|(a, b)| a != b);
        for (a, b) in unequal {
            let count = neighbors[a * 16 + b];
            assert!((600..1_600).contains(&count), "{a} {b} {count}");
        }
    }
}
