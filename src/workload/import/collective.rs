//! Collectives as files of other tools name them.

use super::algorithms::Algorithms;
use crate::units::Bytes;
use crate::workload::{
    Algorithm, AllGather, AllReduce, AllToAll, Broadcast, CollectiveName, Gather, Kind, Reduce, ReduceScatter, Scatter,
};

/// A collective over `bytes` bytes: the whole buffer of a rank, as nccl-tests counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Collective {
    pub name: CollectiveName,
    pub bytes: u64,
}

impl Collective {
    /// The communication between so many ranks that carries it out.
    pub(super) fn kind(&self, ranks: u32, how: &How) -> Box<dyn Kind> {
        let (size, algorithms, pipelined) = (Bytes(self.bytes.max(1)), &how.algorithm, how.pipelined);
        match self.name {
            CollectiveName::AllReduce => Box::new(AllReduce::with(size, algorithms.of_three(self.name), pipelined)),
            CollectiveName::Barrier => Box::new(AllReduce::with(Bytes(8), Algorithm::default(), true)),
            CollectiveName::ReduceScatter => {
                Box::new(ReduceScatter::with(size, algorithms.of_three(self.name), pipelined))
            }
            CollectiveName::AllGather => Box::new(AllGather::with(size, algorithms.of_three(self.name), pipelined)),
            CollectiveName::AllToAll => Box::new(AllToAll {
                algorithm: algorithms.of_all_to_all(),
                ..AllToAll::new(Bytes((size.0 / u64::from(ranks)).max(1)))
            }),
            CollectiveName::Broadcast => Box::new(Broadcast::with(size, algorithms.of_broadcast())),
            CollectiveName::Reduce => Box::new(Reduce::with(size, algorithms.of_reduce())),
            CollectiveName::Gather => Box::new(Gather::with(size)),
            CollectiveName::Scatter => Box::new(Scatter::with(size)),
        }
    }
}

/// How the collectives of a file are carried out.
#[derive(Debug, Clone, Copy)]
pub(super) struct How<'a> {
    pub algorithm: &'a Algorithms,
    pub pipelined: bool,
}
