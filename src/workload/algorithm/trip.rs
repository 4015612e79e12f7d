//! Trips of data around circles of ranks.

use super::cut::ChannelId;
use crate::ids::IdVec;
use crate::workload::scope::Member;

/// Ranks that pass data around; the first follows the last.
pub(super) type Circle = Vec<Member>;

/// Those of each channel.
pub(super) type Circles = IdVec<ChannelId, Vec<Circle>>;

/// Which connections a trip around circles uses, and in which rounds it happens.
#[derive(Clone, Copy)]
pub(crate) struct Trip {
    pub first_round: u32,
    /// Connections of each channel, and the number of that of rank 0.
    pub lanes: [u32; 2],
    /// What comes next needs all that it brings, and not only what came last.
    pub gathers: bool,
}

impl Trip {
    /// A trip of all `ranks`, the only one of its collective or one of two over the same connections.
    pub(crate) fn of_all(ranks: u32, first_round: u32) -> Self {
        Self {
            first_round,
            lanes: [ranks, 0],
            gathers: false,
        }
    }
}
