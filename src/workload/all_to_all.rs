//! Every rank sends to every other rank.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Schedule, ScheduleBuilder};
use crate::input::InputError;
use crate::units::Bytes;

/// All-to-all. Rank `i` sends to `i + 1`, `i + 2`, ... so that no receiver is everyone's first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllToAll {
    /// Bytes to each peer.
    pub message: Bytes,
}

impl AllToAll {
    /// The schedule over `ranks` ranks.
    pub fn schedule(&self, ranks: u32) -> Result<Schedule, InputError> {
        let mut builder = ScheduleBuilder::default();
        for src in 0..ranks {
            for offset in 1..ranks {
                builder.transfer(src, (src + offset) % ranks, self.message.0, 0);
            }
        }
        Ok(builder.build())
    }
}
