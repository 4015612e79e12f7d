//! Maps with small keys of our own that are asked for once for every node of a trace or every sub-flow of a placement.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::rng::mix;

/// A map whose hash is a few instructions.
pub(crate) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<QuickHasher>>;

/// Eight bytes at a time.
#[derive(Debug, Default)]
pub(crate) struct QuickHasher(u64);

/// An odd number with bits all over: 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for QuickHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for &word in words {
            self.write_u64(u64::from_le_bytes(word));
        }
        if !rest.is_empty() {
            let word = rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
            self.write_u64(word);
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(21) ^ number).wrapping_mul(SPREAD);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        mix(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_alike_are_told_apart() {
        let mut map = QuickMap::default();
        let names: Vec<String> = (0..1_000).map(|number| format!("label_{number}")).collect();
        for (number, name) in names.iter().enumerate() {
            map.insert(name.as_bytes(), number);
        }
        assert!(
            names
                .iter()
                .enumerate()
                .all(|(number, name)| map[name.as_bytes()] == number)
        );
        let hash = |bytes: &[u8]| {
            let mut hasher = QuickHasher::default();
            hasher.write(bytes);
            hasher.finish()
        };
        let hashes: std::collections::BTreeSet<u64> = names.iter().map(|name| hash(name.as_bytes())).collect();
        assert_eq!(hashes.len(), 1_000);
    }
}
