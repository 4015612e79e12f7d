//! Every rank ends with its share of the sum over all ranks.

use super::algorithm::{Algorithm, collective, direct, hierarchical, pairwise, pat, ring};
use super::collective::CollectiveName;
use super::equal_steps::Steps;
use super::kind::Kind;
use super::schedule_writer::ScheduleWriter;
use crate::input::{Files, InputError};
use crate::units::Bytes;

collective! {
    /// Reduce-scatter: every rank has a buffer, and ends with its own share of the sum of all of them.
    ReduceScatter,
    /// The buffer of one rank, all shares together, as nccl-tests counts it.
    size
}

impl Kind for ReduceScatter {
    fn draw(&self, draft: &mut ScheduleWriter, _files: &dyn Files, _seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let job = &mut self.job(ranks, draft, 1)?;
        match self.algorithm {
            Algorithm::Ring => ring::reduce_scatter(job),
            Algorithm::Direct => drop(direct::reduce_scatter(job)),
            Algorithm::HalvingDoubling => drop(pairwise::reduce_scatter(job, &self.order.distances(ranks))),
            Algorithm::Hierarchical => hierarchical::reduce_scatter(job, self.local)?,
            Algorithm::Pat => drop(pat::reduce_scatter(job)),
            Algorithm::RecursiveDoubling | Algorithm::DoubleBinaryTree | Algorithm::Bruck | Algorithm::InNetwork => {
                let valid = r#""ring", "halving-doubling", "direct", "hierarchical" or "pat""#;
                return Err(self.algorithm.unfit("reduce-scatter", valid));
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
        Some(CollectiveName::ReduceScatter)
    }

    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        Some(self.size)
    }

    fn bus_factor(&self, ranks: u32) -> Option<f64> {
        Some(f64::from(ranks - 1) / f64::from(ranks))
    }
}
