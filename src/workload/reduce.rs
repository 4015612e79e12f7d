//! One rank ends with the sum over all ranks.

use super::algorithm::{Job, ReduceAlgorithm, binomial, ring};
use super::collective::CollectiveName;
use super::kind::Kind;
use super::schedule_writer::{Extent, ScheduleWriter};
use crate::input::{Files, InputError};
use crate::units::Bytes;

super::ranks::ranked! {
    /// Reduce: every rank has a buffer, and rank 0 ends with the sum of all of them.
    pub struct Reduce {
        /// The buffer of one rank.
        pub size: Bytes,
        /// How it is carried out.
        #[serde(default)]
        pub algorithm: ReduceAlgorithm,
        /// Parallel copies of the algorithm, each over its share of the data and over connections of its own.
        #[serde(default = "crate::input::one")]
        pub channels: u32,
        /// Pieces that the data of a channel is cut into, which follow one another in a pipeline.
        #[serde(default = "crate::input::one")]
        pub chunks: u32,
        /// Every connection of a "ring" carries one transfer: what arrives is added to and passed on at once.
        #[serde(default)]
        pub pipelined: bool,
    }
}

impl Reduce {
    /// Of so many bytes by an algorithm, all else as it is by default.
    pub(super) fn with(size: Bytes, algorithm: ReduceAlgorithm) -> Self {
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

impl Kind for Reduce {
    fn draw(&self, draft: &mut ScheduleWriter, _files: &dyn Files, _seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let senders = u128::from(ranks - 1);
        let extent = Extent {
            transfers: senders,
            joins: 0,
            edges: 2 * senders,
            bytes: senders * u128::from(self.size.0),
        };
        if self.pipelined && self.algorithm != ReduceAlgorithm::Ring {
            return Err(
                InputError::key("pipelined", "\"binomial\" passes nothing on as it arrives")
                    .help("leave it out, or take \"ring\""),
            );
        }
        let job = Job::new(draft, ranks, self.size, [self.channels, self.chunks], &extent)?;
        let job = &mut job.pipelined(self.pipelined)?;
        match self.algorithm {
            ReduceAlgorithm::Binomial => binomial::reduce(job),
            ReduceAlgorithm::Ring => ring::reduce(job),
        }
        Ok(())
    }

    fn is_drawn(&self) -> bool {
        false
    }

    /// Its chains go the other way than those of a broadcast.
    fn family(&self) -> &'static str {
        match self.algorithm {
            ReduceAlgorithm::Binomial => "binomial reduce",
            ReduceAlgorithm::Ring => "ring reduce",
        }
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.size)
    }

    fn collective(&self) -> Option<CollectiveName> {
        Some(CollectiveName::Reduce)
    }

    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        Some(self.size)
    }

    fn bus_factor(&self, _ranks: u32) -> Option<f64> {
        Some(1.0)
    }
}
