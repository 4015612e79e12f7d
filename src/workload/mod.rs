//! What must move and in which order: a [`Schedule`] of transfers between ranks, with their
//! dependencies. Collectives, traffic patterns and importers all produce one.

mod algorithm;
mod all_gather;
mod all_reduce;
mod all_to_all;
mod broadcast;
mod connection_matrix;
mod dot;
mod draft;
mod flows;
mod incast;
mod permutation;
mod progress;
mod ranks;
mod reduce_scatter;
mod schedule;
mod shift;
#[cfg(test)]
mod tests;
mod time;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use algorithm::{Algorithm, BroadcastAlgorithm, Order};
pub use all_gather::AllGather;
pub use all_reduce::AllReduce;
pub use all_to_all::{AllToAll, PeerOrder};
pub use broadcast::Broadcast;
pub use connection_matrix::{ConnectionMatrix, TimeUnit};
pub use draft::{MAX_BYTES, MAX_TASKS, Room};
pub use flows::Flows;
pub use incast::Incast;
pub use permutation::Permutation;
pub use progress::{Clock, Due, Progress};
pub use ranks::{RankMap, Ranked};
pub use reduce_scatter::ReduceScatter;
pub use schedule::{Action, Moment, Schedule, ScheduleBuilder, Task, Transfer};
pub use shift::Shift;

use crate::input::{Files, InputError};
use crate::units::Bytes;
use draft::{Draft, Nobody};
use time::parse_time;

/// What every kind of workload answers.
trait Kind: Ranked {
    /// Draws up the transfers between `ranks` ranks (at least 2).
    fn draw(&self, ranks: u32, draft: Draft, files: &dyn Files, seed: u64) -> Result<Schedule, InputError>;

    /// Its size or message, if it has one.
    fn size(&self) -> Option<Bytes> {
        None
    }

    /// The size that its algorithm bandwidth counts, as nccl-tests does.
    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        None
    }

    /// Bus bandwidth over algorithm bandwidth, as in nccl-tests.
    fn bus_factor(&self, _ranks: u32) -> Option<f64> {
        None
    }
}

/// The table of workloads: one line each makes the variant, its name in files and in lists.
macro_rules! workloads {
    ($($kind:ident = $name:literal, $about:literal;)*) => {
        /// A workload as an experiment file describes it: one table, named after its kind.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum Workload {
            $(#[doc = $about] #[serde(rename = $name)] $kind($kind),)*
        }

        impl Workload {
            /// Names and one-line descriptions of all workloads, in the order of `fabricsim list`.
            pub const ALL: &[(&str, &str)] = &[$(($name, $about)),*];

            /// The name of this kind of workload, as in the experiment file.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => $name,)*
                }
            }

            fn kind(&self) -> &dyn Kind {
                match self {
                    $(Self::$kind(spec) => spec,)*
                }
            }
        }
    };
}

workloads! {
    AllToAll = "all-to-all", "every rank sends a message to every other rank";
    AllReduce = "all-reduce", "every rank ends with the sum over all ranks";
    ReduceScatter = "reduce-scatter", "every rank ends with its share of the sum over all ranks";
    AllGather = "all-gather", "every rank ends with the shares of all ranks";
    Broadcast = "broadcast", "every rank ends with the buffer of rank 0";
    Permutation = "permutation", "every rank sends to one other, drawn at random";
    Shift = "shift", "every rank sends to the one a fixed distance further on";
    Incast = "incast", "many ranks send to one";
    ConnectionMatrix = "connection-matrix", "the flows and triggers of a connection matrix of htsim (.cm)";
    Flows = "flows", "the flows of a CSV file";
}

/// Default of the counts that are 1 unless written.
fn one() -> u32 {
    1
}

impl Workload {
    /// The schedule between hosts. Keys in errors are relative to the workload's own table.
    ///
    /// # Errors
    /// Ranks that do not fit the hosts, sizes and counts that cannot be simulated, and rank counts
    /// that the algorithm cannot serve.
    pub fn schedule(&self, hosts: u32, files: &dyn Files, seed: u64) -> Result<Schedule, InputError> {
        self.schedule_within(hosts, files, seed, Room::UNLIMITED)
    }

    /// The same, refused where it would take more memory than there is room.
    pub fn schedule_within(
        &self,
        hosts: u32,
        files: &dyn Files,
        seed: u64,
        room: Room,
    ) -> Result<Schedule, InputError> {
        let (kind, ranks) = (self.kind(), self.ranks(hosts));
        let map = kind.rank_map().hosts(ranks, hosts, seed)?;
        let mut watcher = Nobody;
        let schedule = kind.draw(ranks, Draft::new(&mut watcher, room), files, seed)?;
        Ok(match map {
            Some(map) => schedule.on_hosts(&map),
            None => schedule,
        })
    }

    /// The number of ranks on a fabric of `hosts` hosts.
    pub fn ranks(&self, hosts: u32) -> u32 {
        self.kind().rank_map().count(self.kind().ranks(), hosts)
    }

    /// Its `size` or `message`, whichever it has.
    pub fn size(&self) -> Option<Bytes> {
        self.kind().size()
    }

    /// The size that algorithm bandwidth counts: algbw = size / completion time, as in nccl-tests.
    pub fn algorithm_bytes(&self, ranks: u32) -> Option<Bytes> {
        self.kind().algorithm_bytes(ranks)
    }

    /// Bus bandwidth over algorithm bandwidth, as in nccl-tests.
    pub fn bus_factor(&self, ranks: u32) -> Option<f64> {
        self.kind().bus_factor(ranks)
    }
}
