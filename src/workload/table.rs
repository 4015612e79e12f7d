//! The table of workloads.

use super::all_gather::AllGather;
use super::all_reduce::AllReduce;
use super::all_to_all::AllToAll;
use super::all_to_allv::AllToAllv;
use super::broadcast::Broadcast;
use super::collective::Collective;
use super::connection_matrix::ConnectionMatrix;
use super::equal_steps::EqualSteps;
use super::flows::Flows;
use super::gather::Gather;
use super::import::{Chakra, Goal, Inspector, Msccl, Simai};
use super::incast::Incast;
use super::kind::Kind;
use super::permutation::Permutation;
use super::program::Program;
use super::ranks::RankMap;
use super::reduce::Reduce;
use super::reduce_scatter::ReduceScatter;
use super::scatter::Scatter;
use super::schedule::Schedule;
use super::schedule_writer::{MAX_BYTES, NoObserver, Room, ScheduleWriter};
use super::send_recv::SendRecv;
use super::shift::Shift;
use super::training::Training;
use crate::ids::HostId;
use crate::input::{Files, InputError};
use crate::kinds::kinds;
use crate::units::Bytes;

/// What all workloads have and no trait object can give away.
macro_rules! with_rank_maps {
    ($($(#[$attribute:meta])* $kind:ident($options:ty);)*) => {
        impl Workload {
            /// Puts its ranks elsewhere.
            pub fn set_rank_map(&mut self, map: RankMap) {
                match self {
                    $($(#[$attribute])* Self::$kind(options) => options.rank_map = map,)*
                }
            }
        }
    };
}

kinds! {
    /// A workload as an experiment file describes it: one table, named after its kind.
    pub enum Workload: Kind and with_rank_maps {
        AllToAll(AllToAll) = "all-to-all", "every rank sends a message to every other rank";
        AllReduce(AllReduce) = "all-reduce", "every rank ends with the sum over all ranks";
        ReduceScatter(ReduceScatter) = "reduce-scatter", "every rank ends with its share of the sum over all ranks";
        AllGather(AllGather) = "all-gather", "every rank ends with the shares of all ranks";
        Broadcast(Broadcast) = "broadcast", "every rank ends with the buffer of rank 0";
        Reduce(Reduce) = "reduce", "rank 0 ends with the sum over all ranks";
        Gather(Gather) = "gather", "rank 0 ends with the shares of all ranks";
        Scatter(Scatter) = "scatter", "every rank ends with its share of the buffer of rank 0";
        AllToAllv(AllToAllv) = "all-to-allv", "every rank sends every other rank a message of its own size, by a matrix or a skew";
        SendRecv(SendRecv) = "send-recv", "every rank sends to the next one, or one rank to another";
        Permutation(Permutation) = "permutation", "every rank sends to one other, drawn at random";
        Shift(Shift) = "shift", "every rank sends to the one a fixed distance further on";
        Incast(Incast) = "incast", "many ranks send to one";
        ConnectionMatrix(ConnectionMatrix) = "connection-matrix", "the flows and triggers of a connection matrix of htsim (.cm)";
        Flows(Flows) = "flows", "the flows of a CSV file";
        Chakra(Chakra) = "chakra", "what every rank of a Chakra execution trace (.et) computes, sends and takes part in";
        Goal(Goal) = "goal", "what every rank of a GOAL program sends, receives and computes, as text or binary";
        Msccl(Msccl) = "msccl", "a collective as an algorithm of MSCCL (.xml) carries it out";
        Simai(Simai) = "simai", "the layers of a workload file of SimAI or AICB (.txt)";
        Inspector(Inspector) = "inspector", "the collectives that the NCCL Inspector has recorded (.json)";
        Training(Training) = "training", "steps of training a transformer, as a program of its layers' computation and communication";
        Program(Program) = "program", "operations on groups of ranks, computation among them, one after the other or side by side";
        #[cfg(test)]
        OneWay(super::one_way::OneWay) = "one-way", "the first rank sends to the last one";
    }
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
    pub(super) fn schedule_on(
        &self,
        hosts: &[u32],
        per_server: Option<u32>,
        files: &dyn Files,
        seed: u64,
        room: Room,
    ) -> Result<Schedule, InputError> {
        let kind = self.kind();
        kind.check_alone()?;
        let seats = self.seats(hosts, files, seed)?;
        let mut watcher = NoObserver;
        let mut draft = ScheduleWriter::new(seats.len() as u32, &mut watcher, room);
        draft.in_servers(per_server.map(|size| seats.iter().map(|host| host / size).collect()));
        draft.on_hosts(seats.clone());
        kind.draw(&mut draft, files, seed)?;
        let schedule = draft.build();
        let seats: Vec<HostId> = seats.into_iter().map(HostId).collect();
        Ok(schedule.on_hosts(&seats))
    }

    /// The same without writing it down, where its steps are equal and its transfers would be more than `few`. Keys in
    /// errors are relative to the workload's own table.
    ///
    /// # Errors
    /// Ranks that do not fit the hosts.
    pub fn equal_steps(
        &self,
        hosts: impl Into<Hosts>,
        files: &dyn Files,
        seed: u64,
        few: u64,
    ) -> Result<Option<EqualSteps>, InputError> {
        let count = hosts.into().count;
        let kind = self.kind();
        kind.check_alone()?;
        let ranks = self.ranks(count, files)?;
        let Some(steps) = (ranks >= 2).then(|| kind.equal_steps(ranks)).flatten() else {
            return Ok(None);
        };
        let transfers = u64::from(ranks) * u64::from(steps.steps);
        if transfers <= few || u128::from(transfers) * u128::from(steps.bytes.0) > u128::from(MAX_BYTES) {
            return Ok(None);
        }
        let all: Vec<u32> = (0..count).collect();
        let seats = self.seats(&all, files, seed)?;
        Ok(Some(EqualSteps::new(seats.into_iter().map(HostId).collect(), steps)))
    }

    /// Whether its schedule depends on the seed.
    pub(super) fn is_drawn(&self) -> bool {
        let kind = self.kind();
        kind.is_drawn() || *kind.rank_map() == RankMap::Random
    }

    /// What it must bring about on a fabric of `hosts` hosts, where it is a collective that can be drawn there.
    pub fn collective(&self, hosts: u32, files: &dyn Files, seed: u64) -> Option<Collective> {
        let all: Vec<u32> = (0..hosts).collect();
        let hosts = self.seats(&all, files, seed).ok()?;
        let kind = self.kind();
        let (name, bytes) = kind.collective().zip(kind.algorithm_bytes(hosts.len() as u32))?;
        Some(Collective {
            name,
            bytes: bytes.0,
            hosts,
            in_network: kind.in_network(),
        })
    }

    /// The number of ranks on a fabric of `hosts` hosts.
    ///
    /// # Errors
    /// A file with the rank map that cannot be read.
    pub fn ranks(&self, hosts: u32, files: &dyn Files) -> Result<u32, InputError> {
        self.kind().rank_map().count(self.kind().ranks(), hosts, files)
    }

    /// The host of each rank, out of `hosts`.
    pub(super) fn seats(&self, hosts: &[u32], files: &dyn Files, seed: u64) -> Result<Vec<u32>, InputError> {
        let count = hosts.len() as u32;
        let ranks = self.ranks(count, files)?;
        let map = self.kind().rank_map().hosts(ranks, count, files, seed)?;
        let host = |rank: u32| hosts[map.as_ref().map_or(rank, |map| map[rank as usize]) as usize];
        Ok((0..ranks).map(host).collect())
    }

    /// The bytes that each of `ranks` ranks sends to the next one in every step, and the number of steps, where that is
    /// all that happens: what is said of one step holds for all, and no schedule has to be drawn for it.
    pub fn ring(&self, ranks: u32) -> Option<(Bytes, u32)> {
        self.kind().ring(ranks)
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
