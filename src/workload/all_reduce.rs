//! Every rank ends with the sum over all ranks.

use super::algorithm::{Algorithm, collective, direct, double_binary_tree, hierarchical, pairwise, ring};
use super::kind::Kind;
use super::schedule_writer::ScheduleWriter;
use crate::input::{Files, InputError};
use crate::units::Bytes;

collective! {
    /// All-reduce: every rank has a buffer, and ends with the sum of all of them.
    AllReduce,
    /// The buffer of one rank, as nccl-tests counts it.
    size
}

impl Kind for AllReduce {
    fn draw(&self, draft: &mut ScheduleWriter, _files: &dyn Files, _seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let job = &mut self.job(ranks, draft, 2)?;
        match self.algorithm {
            Algorithm::Ring => {
                let held = ring::sum(job);
                ring::all_gather(job, ranks - 1, held);
            }
            Algorithm::Direct => {
                let held = direct::reduce_scatter(job);
                direct::all_gather(job, 1, held);
            }
            Algorithm::HalvingDoubling => {
                let mut distances = self.order.distances(ranks);
                let held = pairwise::reduce_scatter(job, &distances);
                distances.reverse();
                pairwise::all_gather(job, distances.len() as u32, held, &distances);
            }
            Algorithm::RecursiveDoubling => pairwise::all_reduce(job, &self.order.distances(ranks)),
            Algorithm::DoubleBinaryTree => double_binary_tree::all_reduce(job),
            Algorithm::Hierarchical => hierarchical::all_reduce(job, self.local)?,
            Algorithm::Pat | Algorithm::Bruck => {
                let valid = r#""ring", "halving-doubling", "recursive-doubling", "direct", "double-binary-tree" or "hierarchical""#;
                return Err(self.algorithm.unfit("all-reduce", valid));
            }
        }
        Ok(())
    }

    fn family(&self) -> &'static str {
        self.algorithm.name()
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.size)
    }

    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        Some(self.size)
    }

    fn bus_factor(&self, ranks: u32) -> Option<f64> {
        Some(2.0 * f64::from(ranks - 1) / f64::from(ranks))
    }
}
