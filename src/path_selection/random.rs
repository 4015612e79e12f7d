//! Random spraying: every path is equally likely for every packet.

use super::select::Select;
use crate::rng::{index_below, mix};

/// The draws of one queue pair.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    paths: u32,
    salt: u64,
    drawn: u64,
}

impl Random {
    pub(crate) fn new(paths: u32, salt: u64) -> Self {
        Self { paths, salt, drawn: 0 }
    }
}

impl Select for Random {
    fn choose(&mut self, _now: u64) -> u16 {
        self.drawn += 1;
        index_below(mix(self.salt ^ self.drawn), self.paths) as u16
    }
}
