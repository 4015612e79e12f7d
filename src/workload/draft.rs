//! A schedule while a collective draws it up: its data, its connections, and who watches.

use std::collections::HashMap;
use std::ops::Range;

use super::{Action, Moment, Schedule, ScheduleBuilder, Task};
use crate::ids::TaskId;
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

/// Sees what every transfer carries, so that a test can replay a schedule on symbolic data.
pub(super) trait Witness {
    fn sent(&mut self, _transfer: TaskId, _data: &dyn Data, _effect: Effect) {}
}

/// Looks away.
pub(super) struct Nobody;

impl Witness for Nobody {}

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
    pub fn independent(transfers: u128, message: Bytes) -> Self {
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
    pub src: u32,
    pub dst: u32,
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
pub(super) struct Draft<'w> {
    pub schedule: ScheduleBuilder,
    room: Room,
    /// The last transfer of every lane.
    lanes: Vec<Option<TaskId>>,
    /// The connections of lanes that have changed their receiver, by lane and receiver.
    connections: HashMap<(usize, u32), TaskId>,
    witness: &'w mut dyn Witness,
}

impl<'w> Draft<'w> {
    pub fn new(witness: &'w mut dyn Witness, room: Room) -> Self {
        Self {
            schedule: ScheduleBuilder::default(),
            room,
            lanes: Vec::new(),
            connections: HashMap::new(),
            witness,
        }
    }

    /// Makes room for a schedule over messages of `size`, which the user wrote under `key`.
    ///
    /// # Errors
    /// A size of zero, more bytes than can be added up, more tasks than memory may hold.
    pub fn expect(&mut self, key: &str, size: Bytes, extent: &Extent) -> Result<(), InputError> {
        if size.is_zero() {
            return Err(InputError::key(key, format!("`{key}` is 0")).help("there must be at least 1 byte to send"));
        }
        if extent.bytes > u128::from(MAX_BYTES) {
            let message = format!("with a `{key}` of {size}, all transfers together exceed 2^62 bytes");
            return Err(InputError::key(key, message).help("choose a smaller one"));
        }
        let tasks = extent.transfers.saturating_add(extent.joins);
        if tasks > u128::from(MAX_TASKS) {
            let message = format!("the schedule would have {} transfers", extent.transfers);
            return Err(InputError::key("", message).help(format!(
                "at most {MAX_TASKS} tasks can be simulated: take fewer ranks, channels or chunks"
            )));
        }
        self.room.check(tasks, extent.edges)?;
        self.schedule.reserve(tasks as usize, extent.edges as usize);
        Ok(())
    }

    /// Adds a transfer of this data that starts once everything in `after` has been delivered; `None`
    /// if there is nothing to send.
    pub fn send(&mut self, hop: &Hop, data: &impl Data, after: &[Option<TaskId>]) -> Option<TaskId> {
        let bytes = data.bytes();
        if bytes == 0 {
            return None;
        }
        let transfer = self.schedule.transfer(hop.src, hop.dst, bytes, hop.step);
        self.witness.sent(transfer, data, hop.effect);
        for &before in after.iter().flatten() {
            self.schedule.depend(before, Moment::Delivered, transfer);
        }
        if let Some(lane) = hop.lane {
            self.follow(lane, hop.dst, transfer);
        }
        Some(transfer)
    }

    /// Lets a transfer follow the one before it in its lane, on the connection to its receiver.
    fn follow(&mut self, lane: usize, dst: u32, transfer: TaskId) {
        if lane >= self.lanes.len() {
            self.lanes.resize(lane + 1, None);
        }
        let Some(before) = self.lanes[lane].replace(transfer) else {
            return;
        };
        self.schedule.depend(before, Moment::Sent, transfer);
        let Task { action, connection, .. } = *self.schedule.task(before);
        let first = match action {
            Action::Transfer { dst: same, .. } if same == dst => connection,
            Action::Transfer { dst: other, .. } => {
                self.connections.insert((lane, other), connection);
                self.connections.get(&(lane, dst)).copied().unwrap_or(transfer)
            }
            _ => unreachable!("lanes hold transfers"),
        };
        self.schedule.connect(transfer, first);
    }

    /// What happens once all of these have been delivered.
    pub fn join(&mut self, parts: impl Iterator<Item = Option<TaskId>>) -> Option<TaskId> {
        let mut parts = parts.flatten();
        let first = parts.next()?;
        let Some(second) = parts.next() else {
            return Some(first);
        };
        let join = self.schedule.delay(Time::ZERO);
        for before in [first, second].into_iter().chain(parts) {
            self.schedule.depend(before, Moment::Delivered, join);
        }
        Some(join)
    }

    pub fn build(self) -> Schedule {
        self.schedule.build()
    }
}
