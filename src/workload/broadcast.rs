//! Every rank ends with the buffer of rank 0.

use super::algorithm::{BroadcastAlgorithm, Job, binomial, double_binary_tree, ring};
use super::collective::CollectiveName;
use super::kind::Kind;
use super::schedule_writer::{Extent, ScheduleWriter};
use crate::input::{Files, InputError};
use crate::units::Bytes;

super::ranks::ranked! {
    /// Broadcast: every rank ends with the buffer of rank 0.
    pub struct Broadcast {
        /// The buffer.
        pub size: Bytes,
        /// How it is carried out.
        #[serde(default)]
        pub algorithm: BroadcastAlgorithm,
        /// Parallel copies of the algorithm, each over its share of the data and over connections of
        /// its own.
        #[serde(default = "crate::input::one")]
        pub channels: u32,
        /// Pieces that the data of a channel is cut into, which follow one another in a pipeline.
        #[serde(default = "crate::input::one")]
        pub chunks: u32,
        /// Every connection of a "ring" carries one transfer: what arrives is passed on at once.
        #[serde(default)]
        pub pipelined: bool,
    }
}

impl Broadcast {
    /// Of so many bytes by an algorithm, all else as it is by default.
    pub(super) fn with(size: Bytes, algorithm: BroadcastAlgorithm) -> Self {
        Self {
            size,
            algorithm,
            channels: 1,
            chunks: 1,
            pipelined: false,
            ranks: None,
            rank_map: super::RankMap::default(),
        }
    }
}

impl Kind for Broadcast {
    fn draw(&self, draft: &mut ScheduleWriter, _files: &dyn Files, _seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let receivers = u128::from(ranks - 1);
        let trees = u128::from(1 + u32::from(self.algorithm == BroadcastAlgorithm::DoubleBinaryTree));
        let extent = Extent {
            transfers: trees * receivers,
            joins: 0,
            edges: 2 * trees * receivers,
            bytes: receivers * u128::from(self.size.0),
        };
        if self.pipelined && self.algorithm != BroadcastAlgorithm::Ring {
            let message = format!("\"{}\" passes nothing on as it arrives", self.algorithm.name());
            return Err(InputError::key("pipelined", message).help("leave it out, or take \"ring\""));
        }
        let job = Job::new(draft, ranks, self.size, [self.channels, self.chunks], &extent)?;
        let job = &mut job.pipelined(self.pipelined)?;
        match self.algorithm {
            BroadcastAlgorithm::Binomial => binomial::broadcast(job),
            BroadcastAlgorithm::Ring => ring::broadcast(job),
            BroadcastAlgorithm::DoubleBinaryTree => double_binary_tree::broadcast(job),
        }
        Ok(())
    }

    fn is_drawn(&self) -> bool {
        false
    }

    fn family(&self) -> &'static str {
        self.algorithm.name()
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.size)
    }

    fn collective(&self) -> Option<CollectiveName> {
        Some(CollectiveName::Broadcast)
    }

    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        Some(self.size)
    }

    fn bus_factor(&self, _ranks: u32) -> Option<f64> {
        Some(1.0)
    }
}
