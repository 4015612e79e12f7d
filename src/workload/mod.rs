//! What must move and in which order: a [`Schedule`] of transfers between ranks, with their
//! dependencies. Collectives, traffic patterns and importers all produce one.

mod algorithm;
mod all_gather;
mod all_reduce;
mod all_to_all;
mod all_to_allv;
mod broadcast;
mod connection_matrix;
mod dot;
mod flows;
mod gather;
mod incast;
mod jobs;
mod permutation;
mod program;
mod progress;
mod purpose;
mod ranks;
mod reduce;
mod reduce_scatter;
mod scatter;
mod schedule;
mod schedule_writer;
mod scope;
mod send_recv;
mod shift;
#[cfg(test)]
mod tests;
mod time;
mod training;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use algorithm::{Algorithm, AllToAllAlgorithm, BroadcastAlgorithm, Order, ReduceAlgorithm};
pub use all_gather::AllGather;
pub use all_reduce::AllReduce;
pub use all_to_all::{AllToAll, PeerOrder};
pub use all_to_allv::{AllToAllv, MatrixFile};
pub use broadcast::Broadcast;
pub use connection_matrix::{ConnectionMatrix, TimeUnit};
pub use flows::Flows;
pub use gather::Gather;
pub use incast::Incast;
pub use jobs::{Demand, HostRange, Job, JobHosts};
pub use permutation::Permutation;
pub use program::{Groups, Op, Program};
pub use progress::{Clock, Due, Progress};
pub use purpose::Purpose;
pub use ranks::{RankMap, Ranked};
pub use reduce::Reduce;
pub use reduce_scatter::ReduceScatter;
pub use scatter::Scatter;
pub use schedule::{Action, JobSpan, Milestone, Schedule, ScheduleBuilder, Span, Task, Transfer};
pub use schedule_writer::{MAX_BYTES, MAX_TASKS, Room};
pub use send_recv::SendRecv;
pub use shift::Shift;
pub use training::{Flops, Model, PipelineSchedule, Recompute, Sharding, Training};

use crate::input::{Files, InputError};
use crate::units::Bytes;
use schedule_writer::{NoObserver, ScheduleWriter};
use time::parse_time;

/// What every kind of workload answers.
trait Kind: Ranked {
    /// Draws up the transfers between the ranks of the draft (at least 2).
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, seed: u64) -> Result<(), InputError>;

    /// Names the lanes that it can share with others between the same ranks.
    fn family(&self) -> &'static str {
        ""
    }

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

    /// Whether it waits on each rank for what the rank did before in the same group.
    fn ordered(&self) -> bool {
        true
    }

    /// Refuses what is wrong on any fabric, before its ranks are counted.
    fn check_alone(&self) -> Result<(), InputError> {
        Ok(())
    }

    /// How long its computation takes at least, in microseconds, where its ranks do nothing else.
    fn least_time_us(&self) -> Option<f64> {
        None
    }
}

/// The table of workloads: one line each makes the variant, its name in files and in lists.
macro_rules! workloads {
    ($($kind:ident = $name:literal, $about:literal;)*) => {
        /// A workload as an experiment file describes it: one table, named after its kind.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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

        $(impl From<$kind> for Workload {
            fn from(spec: $kind) -> Self {
                Self::$kind(spec)
            }
        })*
    };
}

workloads! {
    AllToAll = "all-to-all", "every rank sends a message to every other rank";
    AllReduce = "all-reduce", "every rank ends with the sum over all ranks";
    ReduceScatter = "reduce-scatter", "every rank ends with its share of the sum over all ranks";
    AllGather = "all-gather", "every rank ends with the shares of all ranks";
    Broadcast = "broadcast", "every rank ends with the buffer of rank 0";
    Reduce = "reduce", "rank 0 ends with the sum over all ranks";
    Gather = "gather", "rank 0 ends with the shares of all ranks";
    Scatter = "scatter", "every rank ends with its share of the buffer of rank 0";
    AllToAllv = "all-to-allv", "every rank sends every other rank a message of its own size, by a matrix or a skew";
    SendRecv = "send-recv", "every rank sends to the next one, or one rank to another";
    Permutation = "permutation", "every rank sends to one other, drawn at random";
    Shift = "shift", "every rank sends to the one a fixed distance further on";
    Incast = "incast", "many ranks send to one";
    ConnectionMatrix = "connection-matrix", "the flows and triggers of a connection matrix of htsim (.cm)";
    Flows = "flows", "the flows of a CSV file";
    Training = "training", "steps of training a transformer, as a program of its layers' computation and communication";
    Program = "program", "operations on groups of ranks, computation among them, one after the other or side by side";
}

/// Default of the counts that are 1 unless written.
fn one() -> u32 {
    1
}

/// The hosts of a fabric, as workloads see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hosts {
    /// How many there are.
    pub count: u32,
    /// How many share a server, numbered one after the other; none where servers are not known.
    pub per_server: Option<u32>,
}

impl From<u32> for Hosts {
    fn from(count: u32) -> Self {
        Self {
            count,
            per_server: None,
        }
    }
}

impl Workload {
    /// The schedule between hosts. Keys in errors are relative to the workload's own table.
    ///
    /// # Errors
    /// Ranks that do not fit the hosts, sizes and counts that cannot be simulated, and rank counts
    /// that the algorithm cannot serve.
    pub fn schedule(&self, hosts: impl Into<Hosts>, files: &dyn Files, seed: u64) -> Result<Schedule, InputError> {
        self.schedule_within(hosts, files, seed, Room::UNLIMITED)
    }

    /// The same, refused where it would take more memory than there is room.
    pub fn schedule_within(
        &self,
        hosts: impl Into<Hosts>,
        files: &dyn Files,
        seed: u64,
        room: Room,
    ) -> Result<Schedule, InputError> {
        let Hosts { count, per_server } = hosts.into();
        let all: Vec<u32> = (0..count).collect();
        self.schedule_on(&all, per_server, files, seed, room)
    }

    /// The same on some hosts, its rank r on the r-th of them where no `rank_map` says otherwise. Of all hosts,
    /// `per_server` share a server.
    fn schedule_on(
        &self,
        hosts: &[u32],
        per_server: Option<u32>,
        files: &dyn Files,
        seed: u64,
        room: Room,
    ) -> Result<Schedule, InputError> {
        let count = hosts.len() as u32;
        let (kind, ranks) = (self.kind(), self.ranks(count));
        kind.check_alone()?;
        let map = kind.rank_map().hosts(ranks, count, seed)?;
        let mut watcher = NoObserver;
        let mut draft = ScheduleWriter::new(ranks, &mut watcher, room);
        let host = |rank: u32| hosts[map.as_ref().map_or(rank, |map| map[rank as usize]) as usize];
        draft.in_servers(per_server.map(|size| (0..ranks).map(|rank| host(rank) / size).collect()));
        kind.draw(&mut draft, files, seed)?;
        let schedule = draft.build();
        let in_order = (0..ranks).all(|rank| host(rank) == rank);
        Ok(if in_order {
            schedule
        } else {
            schedule.on_hosts(&(0..ranks).map(host).collect::<Vec<_>>())
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

    /// How long its computation takes at least, in microseconds, where its ranks do nothing else: of training.
    pub fn least_time_us(&self) -> Option<f64> {
        self.kind().least_time_us()
    }

    /// Bus bandwidth over algorithm bandwidth, as in nccl-tests.
    pub fn bus_factor(&self, ranks: u32) -> Option<f64> {
        self.kind().bus_factor(ranks)
    }
}
