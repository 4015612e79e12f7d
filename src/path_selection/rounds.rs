//! Rounds over the entropies of a queue pair: each round takes all of them once, in a random order of its own.

use super::permuted::permute;
use crate::ids::id;
use crate::input::InputError;
use crate::rng::mix;

id! {
    /// An entropy of a queue pair.
    pub(super) EntropyId;
}

impl EntropyId {
    /// The one of a packet that is named `entropy * paths + path`.
    pub(super) fn named(name: u16, paths: u32) -> Self {
        Self(u32::from(name) / paths)
    }

    /// The name of a packet of this entropy on a path.
    pub(super) fn name(self, path: u32, paths: u32) -> u16 {
        (self.0 * paths + path) as u16
    }
}

/// The rounds of one queue pair.
#[derive(Debug, Clone)]
pub(super) struct Rounds {
    entropies: u32,
    salt: u64,
    /// Position in this round's order.
    at: u32,
    round: u64,
}

impl Rounds {
    /// Over so many entropies as are wanted and a packet can name with each of `paths` paths; at least 2.
    pub(super) fn new(wanted: u32, paths: u32, salt: u64) -> Self {
        Self {
            entropies: wanted.min((1 << 16) / paths).max(2),
            salt,
            at: 0,
            round: 0,
        }
    }

    /// How many entropies there are.
    pub(super) fn entropies(&self) -> u32 {
        self.entropies
    }

    /// The next entropy.
    pub(super) fn next(&mut self) -> EntropyId {
        if self.at == self.entropies {
            self.at = 0;
            self.round += 1;
        }
        self.at += 1;
        EntropyId(permute(self.at - 1, self.entropies, mix(self.salt ^ self.round)))
    }
}

/// Refuses a number of entropies of which none could be chosen, or that no packet can name.
pub(super) fn check_entropies(entropies: u32) -> Result<(), InputError> {
    if (2..=65_536).contains(&entropies) {
        return Ok(());
    }
    let error = InputError::key("entropies", format!("nothing can be chosen among {entropies}"));
    Err(error.help("`entropies` is from 2 to 65536"))
}
