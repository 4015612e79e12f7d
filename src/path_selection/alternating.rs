//! A load balancing that chooses packet by packet, as somebody would add it: this file, and one line in each of two
//! tables.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dynamic::{Dynamic, QueuePairPaths};
use super::select::Select;

/// The first path and the second in turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Alternating {}

impl<H: From<AlternatingState>, S> Dynamic<H, S> for Alternating {
    fn selector(&self, _: &QueuePairPaths<'_>) -> Option<H> {
        Some((AlternatingState { next: 0 }).into())
    }
}

#[derive(Debug, Clone)]
pub(crate) struct AlternatingState {
    next: u16,
}

impl Select for AlternatingState {
    fn choose(&mut self, _now: u64) -> u16 {
        self.next = 1 - self.next;
        1 - self.next
    }
}
