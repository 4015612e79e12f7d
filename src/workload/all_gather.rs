//! Every rank ends with the shares of all ranks.

use super::algorithm::{Algorithm, bruck, collective, direct, hierarchical, pairwise, pat, ring};
use super::collective::CollectiveName;
use super::equal_steps::Steps;
use super::kind::Kind;
use super::schedule_writer::ScheduleWriter;
use crate::input::{Files, InputError};
use crate::units::Bytes;

collective! {
    /// All-gather: every rank has one share of a buffer, and ends with all of it.
    AllGather,
    /// The gathered buffer, all shares together, as nccl-tests counts it.
    size
}

impl Kind for AllGather {
    fn draw(&self, draft: &mut ScheduleWriter, _files: &dyn Files, _seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let job = &mut self.job(ranks, draft, 1)?;
        let held = job.held_from_start();
        match self.algorithm {
            Algorithm::Ring => ring::all_gather(job, 0, held),
            Algorithm::Direct => direct::all_gather(job, 0, held),
            // The doubling half of halving-doubling is recursive doubling.
            Algorithm::HalvingDoubling | Algorithm::RecursiveDoubling => {
                pairwise::all_gather(job, 0, held, &self.order.distances(ranks));
            }
            Algorithm::Hierarchical => hierarchical::all_gather(job, self.local)?,
            Algorithm::Pat => pat::all_gather(job, held),
            Algorithm::Bruck => bruck::all_gather(job, held),
            Algorithm::DoubleBinaryTree | Algorithm::InNetwork => {
                let valid =
                    r#""ring", "halving-doubling", "recursive-doubling", "direct", "hierarchical", "pat" or "bruck""#;
                return Err(self.algorithm.unfit("all-gather", valid));
            }
        }
        Ok(())
    }

    fn is_drawn(&self) -> bool {
        false
    }

    fn ring(&self, ranks: u32) -> Option<(Bytes, u32)> {
        let plain = self.algorithm == Algorithm::Ring && self.channels == 1;
        plain.then(|| (Bytes(self.size.0.div_ceil(u64::from(ranks))), ranks - 1))
    }

    fn equal_steps(&self, ranks: u32) -> Option<Steps> {
        self.steps(ranks, 1)
    }

    fn family(&self) -> &'static str {
        self.algorithm.name()
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.size)
    }

    fn collective(&self) -> Option<CollectiveName> {
        Some(CollectiveName::AllGather)
    }

    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        Some(self.size)
    }

    fn bus_factor(&self, ranks: u32) -> Option<f64> {
        Some(f64::from(ranks - 1) / f64::from(ranks))
    }
}
