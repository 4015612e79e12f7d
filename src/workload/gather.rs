//! One rank ends with the shares of all ranks.

use super::algorithm::{Job, direct};
use super::collective::CollectiveName;
use super::kind::Kind;
use super::schedule_writer::{Extent, ScheduleWriter};
use crate::input::{Files, InputError};
use crate::units::Bytes;

super::ranks::ranked! {
    /// Gather: every rank has one share of a buffer, and rank 0 ends with all of it. All send at once, as NCCL does.
    pub struct Gather {
        /// The buffer of rank 0, all shares together, as nccl-tests counts it.
        pub size: Bytes,
    }
}

impl Gather {
    /// Of so many bytes.
    pub(super) fn with(size: Bytes) -> Self {
        Self {
            size,
            ranks: None,
            rank_map: super::RankMap::default(),
        }
    }
}

impl Kind for Gather {
    fn draw(&self, draft: &mut ScheduleWriter, _files: &dyn Files, _seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let extent = Extent {
            transfers: u128::from(ranks - 1),
            joins: 0,
            edges: 0,
            bytes: self.size.0.into(),
        };
        direct::gather(&mut Job::new(draft, ranks, self.size, [1, 1], &extent)?);
        Ok(())
    }

    fn is_drawn(&self) -> bool {
        false
    }

    fn family(&self) -> &'static str {
        "direct"
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.size)
    }

    fn collective(&self) -> Option<CollectiveName> {
        Some(CollectiveName::Gather)
    }

    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        Some(self.size)
    }

    fn bus_factor(&self, ranks: u32) -> Option<f64> {
        Some(f64::from(ranks - 1) / f64::from(ranks))
    }
}
