//! One seed, many independent random streams, each known by a name.
//!
//! A stream depends on the seed and its name alone, so that drawing more numbers in one place
//! never changes what another place draws.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// The generator of every random stream: small, fast and the same on all machines.
pub type Stream = Pcg64Mcg;

/// The stream called `name` of `seed`; `index` tells apart the streams of many alike (hosts, flows).
pub fn stream(seed: u64, name: &str, index: u64) -> Stream {
    let mut state = mix(seed ^ 0x9e37_79b9_7f4a_7c15);
    for byte in name.bytes() {
        state = mix(state ^ u64::from(byte));
    }
    let low = mix(state ^ mix(index));
    let high = mix(low ^ 0xd1b5_4a32_d192_ed03);
    Pcg64Mcg::from_seed((u128::from(high) << 64 | u128::from(low)).to_le_bytes())
}

/// A 64-bit mix with full avalanche (the finaliser of SplitMix64): a hash of small integers.
pub const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A hash as a uniform index below `n` (`n` > 0), without division.
pub const fn index_below(hash: u64, n: u32) -> u32 {
    (((hash >> 32) * n as u64) >> 32) as u32
}

/// Puts up to 2^32 items in uniformly random order (Fisher-Yates).
pub fn shuffle<T>(stream: &mut Stream, items: &mut [T]) {
    for i in (1..items.len()).rev() {
        items.swap(i, index_below(stream.next_u64(), i as u32 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change here changes every published result.
    #[test]
    fn golden_values() {
        let mut a = stream(1, "ecmp", 0);
        assert_eq!(a.next_u64(), 13_047_096_646_175_675_838);
        assert_eq!(stream(1, "spray", 0).next_u64(), 11_558_746_825_849_185_497);
    }

    #[test]
    fn every_order_is_as_likely() {
        let mut stream = stream(1, "shuffle", 0);
        let mut counts = std::collections::BTreeMap::<_, u32>::new();
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            shuffle(&mut stream, &mut items);
            *counts.entry(items).or_default() += 1;
        }
        assert_eq!(counts.len(), 24);
        assert!(counts.values().all(|c| (850..1_150).contains(c)), "{counts:?}");
    }

    #[test]
    fn names_and_indices_separate_streams() {
        let first = |seed, name, index| stream(seed, name, index).next_u64();
        let draws = [first(1, "a", 0), first(1, "a", 1), first(1, "b", 0), first(2, "a", 0)];
        for (i, x) in draws.iter().enumerate() {
            assert!(draws[i + 1..].iter().all(|y| x != y));
        }
    }

    #[test]
    fn index_below_covers_its_range() {
        let mut counts = [0_u32; 5];
        for i in 0..10_000 {
            counts[index_below(mix(i), 5) as usize] += 1;
        }
        assert!(counts.iter().all(|&c| (1_850..2_150).contains(&c)), "{counts:?}");
    }
}
