//! What must move and in which order: a [`Schedule`] of transfers between ranks, with their
//! dependencies. Collectives, traffic patterns and importers all produce one.

mod algorithm;
mod all_gather;
mod all_reduce;
mod all_to_all;
mod all_to_allv;
mod broadcast;
mod collective;
mod connection_matrix;
mod dot;
mod equal_steps;
mod export;
mod flows;
mod gather;
mod generations;
mod import;
mod incast;
mod jobs;
mod kind;
#[cfg(test)]
mod one_way;
mod permutation;
mod program;
mod progress;
mod purpose;
mod rank_file;
mod ranks;
mod reduce;
mod reduce_scatter;
mod scatter;
mod schedule;
mod schedule_writer;
mod scope;
mod send_recv;
mod shift;
mod shorten;
mod table;
mod task_list;
#[cfg(test)]
mod tests;
mod time;
mod training;

pub use algorithm::{Algorithm, AllToAllAlgorithm, BroadcastAlgorithm, Order, ReduceAlgorithm};
pub use all_gather::AllGather;
pub use all_reduce::AllReduce;
pub use all_to_all::{AllToAll, PeerOrder};
pub use all_to_allv::{AllToAllv, MatrixFile};
pub use broadcast::Broadcast;
pub use collective::{Collective, CollectiveName};
pub use connection_matrix::{ConnectionMatrix, TimeUnit};
pub use equal_steps::EqualSteps;
pub use export::{ExportFormat, Exported, Inexpressible};
pub use flows::Flows;
pub use gather::Gather;
pub use import::{Algorithms, Chakra, Goal, Inspector, Msccl, Simai};
pub use incast::Incast;
pub use jobs::{Demand, HostRange, Job, JobHosts, Seats};
pub use permutation::Permutation;
pub use program::{Groups, Op, Program};
pub use progress::{Clock, Due, Progress};
pub use purpose::Purpose;
pub use rank_file::{RankFile, RankFileContent};
pub use ranks::{RankMap, Ranked};
pub use reduce::Reduce;
pub use reduce_scatter::ReduceScatter;
pub use scatter::Scatter;
pub use schedule::{JobSpan, Milestone, Schedule, ScheduleBuilder, Span, Transfer};
pub use schedule_writer::{MAX_BYTES, MAX_TASKS, Room};
pub use send_recv::SendRecv;
pub use shift::Shift;
pub use table::{Hosts, Workload};
pub use task_list::{Action, Task};
pub use training::{Flops, Model, PipelineSchedule, Recompute, Sharding, Training};

use kind::Kind;
use time::parse_time;
