//! A schedule while a collective draws it up: its data, its connections, and who watches.

use std::collections::HashMap;
use std::ops::Range;

use super::scope::{Closed, Member, Scope};
use super::{Action, Milestone, Schedule, ScheduleBuilder};
use crate::ids::{HostId, IdVec, RankId, TaskId};
use crate::input::InputError;
use crate::units::{Bytes, Time};

/// Most tasks that a schedule may have, whatever the memory.
pub const MAX_TASKS: u64 = 100_000_000;

/// Most bytes that the transfers of a schedule may add up to, so that no sum over them overflows.
pub const MAX_BYTES: u64 = 1 << 62;

/// What becomes of data that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It takes the place of what the receiver had.
    Copy,
    /// It is added to what the receiver has.
    Reduce,
}

/// The part of a collective's buffer that a transfer carries.
pub(super) trait Data {
    fn bytes(&self) -> u64;

    /// Where in the buffer they lie.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the proofs look inside"))]
    fn ranges(&self) -> Box<dyn Iterator<Item = Range<u64>> + '_>;
}

impl Data for Range<u64> {
    fn bytes(&self) -> u64 {
        self.end - self.start
    }

    fn ranges(&self) -> Box<dyn Iterator<Item = Range<u64>> + '_> {
        Box::new(std::iter::once(self.clone()))
    }
}

impl Data for Vec<Range<u64>> {
    fn bytes(&self) -> u64 {
        self.iter().map(|range| range.end - range.start).sum()
    }

    fn ranges(&self) -> Box<dyn Iterator<Item = Range<u64>> + '_> {
        Box::new(self.iter().cloned())
    }
}

/// Sees what every transfer carries, so that a test can replay a schedule on symbolic data.
pub(super) trait Observer {
    fn sent(&mut self, _transfer: TaskId, _data: &dyn Data, _effect: Effect) {}
}

/// An observer that records nothing.
pub(super) struct NoObserver;

impl Observer for NoObserver {}

/// How large a schedule will be.
pub(super) struct Extent {
    pub transfers: u128,
    /// Upper bound of the tasks that are no transfers.
    pub joins: u128,
    /// Upper bound of the dependencies.
    pub edges: u128,
    /// What the transfers add up to.
    pub bytes: u128,
}

impl Extent {
    /// Of transfers of one size that do not wait for each other.
    pub(super) fn independent(transfers: u128, message: Bytes) -> Self {
        Self {
            transfers,
            joins: 0,
            edges: 0,
            bytes: transfers * u128::from(message.0),
        }
    }
}

/// One transfer between ranks.
pub(super) struct Hop {
    pub src: Member,
    pub dst: Member,
    /// The step of the collective, were all ranks in lockstep.
    pub step: u32,
    /// What sends it, a small number, if that sends one transfer after the other: it starts once the
    /// transfer before it in its lane has been sent. Transfers of a lane to one receiver share a
    /// connection; one without a lane has its own.
    pub lane: Option<usize>,
    pub effect: Effect,
}

/// Memory that a schedule may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes there are.
    pub free: u64,
    /// Bytes that each task and each dependency takes until it has been simulated.
    pub task: u64,
    /// Bytes that a dependency takes.
    pub dependency: u64,
    /// What a task takes in addition while it goes on, as all do at the beginning that wait for nothing.
    pub active: u64,
}

impl Room {
    /// As if memory never ran out.
    pub const UNLIMITED: Self = Self {
        free: u64::MAX,
        task: 0,
        dependency: 0,
        active: 0,
    };

    fn check(&self, tasks: u128, dependencies: u128) -> Result<(), InputError> {
        let static_bytes = tasks * u128::from(self.task) + dependencies * u128::from(self.dependency);
        // Whoever waits has at least one dependency.
        let bytes = static_bytes + tasks.saturating_sub(dependencies) * u128::from(self.active);
        if bytes <= u128::from(self.free) {
            return Ok(());
        }
        let gigabytes = |bytes: f64| bytes / 1e9;
        let message = format!(
            "the schedule would have {tasks} tasks, which take about {:.1} GB of memory, and {:.1} GB are free",
            gigabytes(bytes as f64),
            gigabytes(self.free as f64)
        );
        Err(InputError::key("", message).help("take fewer ranks, channels or chunks; `fabricsim run --force` tries it"))
    }
}

/// A schedule being drawn up.
pub(super) struct ScheduleWriter<'w> {
    pub schedule: ScheduleBuilder<RankId>,
    room: Room,
    /// What the transfers expected so far add up to.
    bytes: u128,
    /// The server of each rank, where ranks live in servers.
    servers: Option<IdVec<RankId, u32>>,
    /// The host of each rank; its own number where nothing is said.
    hosts: Option<IdVec<RankId, HostId>>,
    scope: Scope,
    wires: Wires,
    /// Transfers of a pair that have a wire of their own, so far in this scope, by their ranks.
    used: HashMap<(Member, Member), u32>,
    /// Where data are passed on as they arrive.
    stream: Option<Stream>,
    /// Data wait for whole transfers even so, as those do that prove what arrives where.
    stepwise: bool,
    done: Option<Schedule<RankId>>,
    observer: &'w mut dyn Observer,
}

impl<'w> ScheduleWriter<'w> {
    /// Of a workload of so many ranks.
    pub(super) fn new(ranks: u32, observer: &'w mut dyn Observer, room: Room) -> Self {
        Self {
            schedule: ScheduleBuilder::default(),
            room,
            bytes: 0,
            servers: None,
            hosts: None,
            scope: Scope::whole(ranks),
            wires: Wires::default(),
            used: HashMap::new(),
            stream: None,
            stepwise: false,
            done: None,
            observer,
        }
    }

    /// Says which server each rank lives in.
    pub(super) fn in_servers(&mut self, servers: Option<Vec<u32>>) {
        self.servers = servers.map(IdVec::from);
    }

    /// Says which host each rank lives on.
    pub(super) fn on_hosts(&mut self, hosts: Vec<u32>) {
        self.hosts = Some(hosts.into_iter().map(HostId).collect());
    }

    /// The ranks in the order of their hosts.
    pub(super) fn ranks_by_host(&self) -> Vec<Member> {
        let mut order: Vec<Member> = self.scope.ranks.ids().collect();
        order.sort_by_key(|&member| {
            let rank = self.scope.ranks[member];
            self.hosts.as_ref().map_or(HostId(rank.0), |hosts| hosts[rank])
        });
        order
    }

    /// Number of ranks that take part.
    pub(super) fn ranks(&self) -> u32 {
        self.scope.ranks.len() as u32
    }

    /// The server of a rank, where ranks live in servers.
    pub(super) fn server(&self, rank: Member) -> Option<u32> {
        let servers = self.servers.as_ref()?;
        Some(servers[self.scope.ranks[rank]])
    }

    /// Draws what follows for the ranks of a scope, over these wires; yields those of before.
    pub(super) fn enter(&mut self, scope: Scope, wires: Wires) -> Outer {
        self.used.clear();
        self.stream = None;
        let scope = std::mem::replace(&mut self.scope, scope.opened(&self.schedule));
        Outer {
            scope,
            wires: std::mem::replace(&mut self.wires, wires),
        }
    }

    /// Goes back to the scope before: what came of the inner one, and its wires.
    pub(super) fn leave(&mut self, outer: Outer) -> (Closed, Wires) {
        self.stream = None;
        let scope = std::mem::replace(&mut self.scope, outer.scope);
        let wires = std::mem::replace(&mut self.wires, outer.wires);
        (scope.close(&mut self.schedule), wires)
    }

    /// Makes room for a schedule over messages of `size`, which the user wrote under `key`.
    ///
    /// # Errors
    /// A size of zero, more bytes than can be added up, more tasks than memory may hold.
    pub(super) fn expect(&mut self, key: &str, size: Bytes, extent: &Extent) -> Result<(), InputError> {
        if size.is_zero() {
            return Err(InputError::key(key, format!("`{key}` is 0")).help("there must be at least 1 byte to send"));
        }
        self.bytes = self.bytes.saturating_add(extent.bytes);
        if self.bytes > u128::from(MAX_BYTES) {
            let message = format!("with a `{key}` of {size}, all transfers together exceed 2^62 bytes");
            return Err(InputError::key(key, message).help("choose a smaller one"));
        }
        let transfers = extent.transfers.saturating_add(self.schedule.tasks() as u128);
        let tasks = transfers.saturating_add(extent.joins);
        if tasks > u128::from(MAX_TASKS) {
            let message = format!("the schedule would have {transfers} transfers");
            return Err(InputError::key("", message).help(format!(
                "at most {MAX_TASKS} tasks can be simulated: take fewer ranks, channels or chunks"
            )));
        }
        let edges = extent.edges.saturating_add(self.schedule.edges().len() as u128);
        self.room.check(tasks, edges)?;
        self.schedule
            .reserve((tasks - self.schedule.tasks() as u128) as usize, extent.edges as usize);
        Ok(())
    }

    /// Adds a transfer of this data that starts once everything in `after` has been delivered; `None`
    /// if there is nothing to send.
    pub(super) fn send(&mut self, hop: &Hop, data: &impl Data, after: &[Option<TaskId>]) -> Option<TaskId> {
        let bytes = data.bytes();
        if bytes == 0 {
            return None;
        }
        let streaming = self.stream.as_ref().zip(hop.lane);
        if let Some(&transfer) = streaming.and_then(|(stream, lane)| stream.transfers.get(&lane)) {
            self.schedule.extend(transfer, bytes);
            return Some(transfer);
        }
        let step = streaming.map_or(hop.step, |(stream, _)| stream.step.unwrap_or(hop.step));
        let transfer = self.add(hop.src, hop.dst, bytes, step);
        self.observer.sent(transfer, data, hop.effect);
        for &before in after.iter().flatten() {
            let milestone = match &self.stream {
                Some(stream) if before >= stream.first => Milestone::Begun,
                _ => Milestone::Delivered,
            };
            self.schedule.depend(before, milestone, transfer);
        }
        if let (Some(stream), Some(lane)) = (&mut self.stream, hop.lane) {
            stream.step = Some(step);
            stream.transfers.insert(lane, transfer);
        }
        let follows = match hop.lane {
            Some(lane) => self.follow(lane, transfer),
            None => self.reuse(hop.src, hop.dst, transfer),
        };
        self.admit(hop.src, transfer, follows);
        Some(transfer)
    }

    /// Adds a transfer that waits for nothing in the workload itself.
    pub(super) fn transfer(&mut self, src: Member, dst: Member, bytes: u64, step: u32) -> TaskId {
        let transfer = self.add(src, dst, bytes, step);
        let follows = self.reuse(src, dst, transfer);
        self.admit(src, transfer, follows);
        transfer
    }

    fn add(&mut self, src: Member, dst: Member, bytes: u64, step: u32) -> TaskId {
        let rank = |member: Member| self.scope.ranks[member];
        let step = self.scope.first_step + step;
        self.scope.last_step = self.scope.last_step.max(Some(step));
        self.schedule.transfer(rank(src), rank(dst), bytes, step)
    }

    /// Lets a transfer wait until its sender takes part, unless it follows one that has.
    fn admit(&mut self, src: Member, transfer: TaskId, follows: Option<TaskId>) {
        let admitted = follows.is_some_and(|before| self.scope.holds(before));
        let entry = self.scope.entry.get(src).copied().flatten();
        if let (Some((task, milestone)), false) = (entry, admitted) {
            self.schedule.depend(task, milestone, transfer);
        }
    }

    /// Lets a transfer follow the one before it in its lane, on the connection to its receiver. The one before.
    fn follow(&mut self, lane: usize, transfer: TaskId) -> Option<TaskId> {
        let Wires { lanes, connections, .. } = &mut self.wires;
        if lane >= lanes.len() {
            lanes.resize(lane + 1, None);
        }
        let before = lanes[lane].replace(transfer)?;
        self.schedule.depend(before, Milestone::Sent, transfer);
        let receiver = |task: TaskId| match self.schedule.task(task).action {
            Action::Transfer { dst, .. } => dst,
            _ => unreachable!("lanes hold transfers"),
        };
        let (other, dst) = (receiver(before), receiver(transfer));
        let connection = self.schedule.task(before).connection;
        let first = if other == dst {
            connection
        } else {
            connections.insert((lane, other), connection);
            connections.get(&(lane, dst)).copied().unwrap_or(transfer)
        };
        self.schedule.connect(transfer, first);
        Some(before)
    }

    /// Lets a transfer without a lane use the connection of the one that an earlier operation sent in its place.
    fn reuse(&mut self, src: Member, dst: Member, transfer: TaskId) -> Option<TaskId> {
        let pairs = self.wires.pairs.as_mut()?;
        let nth = self.used.entry((src, dst)).or_default();
        let first = *pairs.entry((src, dst, *nth)).or_insert(transfer);
        *nth += 1;
        self.schedule.connect(transfer, first);
        None
    }

    /// What happens once all of these have been delivered.
    pub(super) fn join(&mut self, parts: impl Iterator<Item = Option<TaskId>>) -> Option<TaskId> {
        let mut parts = parts.flatten();
        let first = parts.next()?;
        let Some(second) = parts.next() else {
            return Some(first);
        };
        let join = self.schedule.delay(Time::ZERO);
        for before in [first, second].into_iter().chain(parts) {
            self.schedule.depend(before, Milestone::Delivered, join);
        }
        Some(join)
    }

    /// From here on, all that goes over one lane is one transfer, which begins when what it passes on has begun to
    /// arrive.
    pub(super) fn begin_stream(&mut self) {
        if !self.stepwise {
            self.stream = Some(Stream {
                first: TaskId::from(self.schedule.tasks()),
                step: None,
                transfers: HashMap::new(),
            });
        }
    }

    /// Whether data are passed on as they arrive.
    pub(super) fn streams(&self) -> bool {
        self.stream.is_some()
    }

    /// What happens once all that streams over some lanes has been delivered. No rank of those is done before.
    pub(super) fn end_stream(&mut self, ranks: &[Member], lanes: impl Iterator<Item = usize>) -> Option<TaskId> {
        let stream = self.stream.as_ref()?;
        let transfers: Vec<_> = lanes.map(|lane| stream.transfers.get(&lane).copied()).collect();
        let all = self.join(transfers.into_iter())?;
        self.scope.end_together(ranks, all);
        Some(all)
    }

    /// Lets data wait for whole transfers, whatever is said of streams.
    #[cfg(test)]
    pub(super) fn prove_step_by_step(&mut self) {
        self.stepwise = true;
    }

    /// The ranks by server, in order of rank: `local` of them in a row, or as the fabric has them.
    ///
    /// # Errors
    /// Servers that are unknown or of different sizes.
    pub(super) fn servers(&self, local: Option<u32>) -> Result<Vec<Vec<Member>>, InputError> {
        let ranks = self.ranks();
        if let Some(local) = local {
            if local == 0 || !ranks.is_multiple_of(local) {
                let message = format!("servers of {local} do not divide {ranks} ranks evenly");
                return Err(InputError::key("local", message).help("it is the number of ranks of a server"));
            }
            let servers = (0..ranks).step_by(local as usize);
            return Ok(servers
                .map(|first| (first..first + local).map(Member).collect())
                .collect());
        }
        let mut servers: Vec<(u32, Vec<Member>)> = Vec::new();
        let mut places = HashMap::new();
        for rank in self.scope.ranks.ids() {
            let Some(server) = self.server(rank) else {
                let message = "which ranks share a server is not known: the fabric has no servers";
                return Err(InputError::key("local", message).help(
                    "write `local`, the number of ranks of a server, or take a fabric with servers, such as `rail`",
                ));
            };
            let place = *places.entry(server).or_insert(servers.len());
            if place == servers.len() {
                servers.push((server, Vec::new()));
            }
            servers[place].1.push(rank);
        }
        let size = servers[0].1.len();
        if let Some((server, members)) = servers.iter().find(|(_, members)| members.len() != size) {
            let message = format!(
                "server {} holds {size} ranks of it and server {server} holds {}",
                servers[0].0,
                members.len()
            );
            return Err(InputError::key("local", message).help("servers must hold as many each; or write `local`"));
        }
        Ok(servers.into_iter().map(|(_, members)| members).collect())
    }

    /// The same where there are several servers of several ranks, each a row of ranks.
    pub(super) fn consecutive_servers(&self) -> Option<Vec<Vec<Member>>> {
        let servers = self.servers(None).ok()?;
        let in_a_row = servers
            .iter()
            .all(|server| server.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1));
        (servers.len() > 1 && servers[0].len() > 1 && in_a_row).then_some(servers)
    }

    /// Takes this for the whole schedule.
    pub(super) fn replace(&mut self, schedule: Schedule<RankId>) {
        self.done = Some(schedule);
    }

    pub(super) fn build(self) -> Schedule<RankId> {
        self.done.unwrap_or_else(|| self.schedule.build())
    }
}

/// Data that are passed on as they arrive.
struct Stream {
    /// Its transfers begin here.
    first: TaskId,
    step: Option<u32>,
    /// The transfer of each lane.
    transfers: HashMap<usize, TaskId>,
}

/// The connections of a communicator: they last from operation to operation.
#[derive(Default)]
pub(super) struct Wires {
    /// The last transfer of every lane.
    lanes: Vec<Option<TaskId>>,
    /// The connections of lanes that have changed their receiver, by lane and receiver.
    connections: HashMap<(usize, RankId), TaskId>,
    /// The first transfer of every connection outside lanes, by sender, receiver and number; none where each
    /// transfer has its own.
    pairs: Option<HashMap<(Member, Member, u32), TaskId>>,
}

impl Wires {
    /// Of a communicator that is used more than once.
    pub(super) fn lasting() -> Self {
        Self {
            pairs: Some(HashMap::new()),
            ..Self::default()
        }
    }
}

/// What was drawn upon before a scope was entered.
pub(super) struct Outer {
    scope: Scope,
    wires: Wires,
}
