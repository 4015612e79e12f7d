//! Rounds over the entropies of a queue pair: each round takes all of them once, in a random order of its own.

use super::permuted::permute;
use crate::input::InputError;
use crate::rng::mix;

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
    pub(super) fn next(&mut self) -> u32 {
        if self.at == self.entropies {
            self.at = 0;
            self.round += 1;
        }
        self.at += 1;
        permute(self.at - 1, self.entropies, mix(self.salt ^ self.round))
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
