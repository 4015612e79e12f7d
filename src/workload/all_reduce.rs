//! Every rank ends with the sum over all ranks.

use super::algorithm::{Algorithm, collective, direct, double_binary_tree, hierarchical, in_network, pairwise, ring};
use super::collective::CollectiveName;
use super::equal_steps::Steps;
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
            Algorithm::InNetwork => in_network::all_reduce(job),
            Algorithm::Pat | Algorithm::Bruck => {
                let valid = r#""ring", "halving-doubling", "recursive-doubling", "direct", "double-binary-tree", "hierarchical" or "in-network""#;
                return Err(self.algorithm.unfit("all-reduce", valid));
            }
        }
        Ok(())
    }

    fn is_drawn(&self) -> bool {
        false
    }

    fn ring(&self, ranks: u32) -> Option<(Bytes, u32)> {
        let plain = self.algorithm == Algorithm::Ring && self.channels == 1;
        plain.then(|| (Bytes(self.size.0.div_ceil(u64::from(ranks))), 2 * (ranks - 1)))
    }

    fn equal_steps(&self, ranks: u32) -> Option<Steps> {
        self.steps(ranks, 2)
    }

    fn family(&self) -> &'static str {
        self.algorithm.name()
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.size)
    }

    fn collective(&self) -> Option<CollectiveName> {
        Some(CollectiveName::AllReduce)
    }

    fn in_network(&self) -> bool {
        self.algorithm == Algorithm::InNetwork
    }

    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        Some(self.size)
    }

    fn bus_factor(&self, ranks: u32) -> Option<f64> {
        Some(2.0 * f64::from(ranks - 1) / f64::from(ranks))
    }
}
