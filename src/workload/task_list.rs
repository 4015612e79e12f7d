//! What tasks are, and tasks in as few bytes as they take: most are transfers that start when they can, in the only step, on connections of their
//! own.

use std::ops::Range;

use crate::ids::{Endpoint, HostId, TaskId};
use crate::units::Time;

/// What a task does once it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<E = HostId> {
    /// Moves `bytes` (at least 1) from one endpoint to another: a flow.
    Transfer {
        /// Who sends.
        src: E,
        /// Who receives.
        dst: E,
        /// Payload.
        bytes: u64,
    },
    /// Waits; of zero length it is a join of its predecessors.
    Delay(Time),
    /// Passes on: the first predecessor that happens releases the first successor, the second the
    /// second, and so on; more predecessors than successors have no effect. It has no milestone of its
    /// own. Windows and the multishot triggers of htsim are such.
    Trigger,
}

impl<E: Endpoint> Action<E> {
    /// A transfer of `bytes`.
    #[inline]
    pub fn transfer(src: impl Into<E>, dst: impl Into<E>, bytes: u64) -> Self {
        let (src, dst) = (src.into(), dst.into());
        Self::Transfer { src, dst, bytes }
    }
}

/// A node of the schedule. It starts when all its predecessors have happened; without any, at the
/// beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task<E = HostId> {
    /// What it does.
    pub action: Action<E>,
    /// It does not start before this time.
    pub earliest: Time,
    /// Step of the collective, from 0: transfers of one step are placed as one batch.
    pub step: u32,
    /// The first transfer on the connection (queue pair) that a transfer uses; itself where no other
    /// came before.
    pub connection: TaskId,
}

/// Who sends and who receives where a task is no transfer. There is no such rank or host.
const NOBODY: u32 = u32::MAX;
/// Beside [`NOBODY`], what it does instead.
const WAITS: u32 = 0;
const PASSES_ON: u32 = 1;

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Packed {
    src: u32,
    dst: u32,
    /// Bytes, or picoseconds.
    amount: u64,
}

impl Packed {
    fn new<E: Endpoint>(action: Action<E>) -> Self {
        let (src, dst, amount) = match action {
            Action::Transfer { src, dst, bytes } => (src.into(), dst.into(), bytes),
            Action::Delay(time) => (NOBODY, WAITS, time.0),
            Action::Trigger => (NOBODY, PASSES_ON, 0),
        };
        Self { src, dst, amount }
    }

    #[inline]
    fn action<E: Endpoint>(self) -> Action<E> {
        match self {
            Self {
                src: NOBODY,
                dst: WAITS,
                amount,
            } => Action::Delay(Time(amount)),
            Self { src: NOBODY, .. } => Action::Trigger,
            Self { src, dst, amount } => Action::transfer(src, dst, amount),
        }
    }
}

/// A number for each task, where some are not what they are by default.
#[derive(Debug, Clone)]
struct Sparse<T>(Vec<T>);

impl<T: Copy + PartialEq> Sparse<T> {
    const fn new() -> Self {
        Self(Vec::new())
    }

    #[inline]
    fn get(&self, index: usize, default: T) -> T {
        self.0.get(index).copied().unwrap_or(default)
    }

    #[inline]
    fn set(&mut self, index: usize, value: T, default: impl Fn(usize) -> T) {
        if index >= self.0.len() {
            if value == default(index) {
                return;
            }
            self.0.extend((self.0.len()..=index).map(default));
        }
        self.0[index] = value;
    }
}

/// Tasks by id.
#[derive(Debug, Clone)]
pub(super) struct TaskList<E> {
    packed: Vec<Packed>,
    steps: Sparse<u32>,
    earliest: Sparse<Time>,
    connections: Sparse<TaskId>,
    of: std::marker::PhantomData<fn(E)>,
}

impl<E> Default for TaskList<E> {
    fn default() -> Self {
        Self {
            packed: Vec::new(),
            steps: Sparse::new(),
            earliest: Sparse::new(),
            connections: Sparse::new(),
            of: std::marker::PhantomData,
        }
    }
}

impl<E: Endpoint> PartialEq for TaskList<E> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter(0..self.len()).eq(other.iter(0..other.len()))
    }
}

impl<E: Endpoint> Eq for TaskList<E> {}

impl<E: Endpoint> TaskList<E> {
    pub(super) fn reserve_exact(&mut self, tasks: usize) {
        self.packed.reserve_exact(tasks);
    }

    pub(super) fn reserve(&mut self, tasks: usize) {
        self.packed.reserve(tasks);
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.packed.len()
    }

    #[inline]
    pub(super) fn push(&mut self, task: Task<E>) {
        let index = self.packed.len();
        self.packed.push(Packed::new(task.action));
        self.steps.set(index, task.step, |_| 0);
        self.earliest.set(index, task.earliest, |_| Time::ZERO);
        self.connections.set(index, task.connection, TaskId::from);
    }

    #[inline]
    pub(super) fn action(&self, id: TaskId) -> Action<E> {
        self.packed[id.index()].action()
    }

    #[inline]
    pub(super) fn get(&self, id: TaskId) -> Task<E> {
        let index = id.index();
        Task {
            action: self.packed[index].action(),
            earliest: self.earliest.get(index, Time::ZERO),
            step: self.steps.get(index, 0),
            connection: self.connections.get(index, id),
        }
    }

    #[inline]
    pub(super) fn iter(
        &self,
        ids: Range<usize>,
    ) -> impl ExactSizeIterator<Item = Task<E>> + DoubleEndedIterator + Clone + '_ {
        ids.map(|index| self.get(TaskId::from(index)))
    }

    pub(super) fn set_action(&mut self, id: TaskId, action: Action<E>) {
        self.packed[id.index()] = Packed::new(action);
    }

    pub(super) fn set_earliest(&mut self, id: TaskId, earliest: Time) {
        self.earliest.set(id.index(), earliest, |_| Time::ZERO);
    }

    pub(super) fn set_step(&mut self, id: TaskId, step: u32) {
        self.steps.set(id.index(), step, |_| 0);
    }

    pub(super) fn set_connection(&mut self, id: TaskId, first: TaskId) {
        self.connections.set(id.index(), first, TaskId::from);
    }

    /// Lets a transfer carry more.
    pub(super) fn extend(&mut self, id: TaskId, more: u64) {
        let packed = &mut self.packed[id.index()];
        if packed.src != NOBODY {
            packed.amount += more;
        }
    }

    /// The same between other ends.
    pub(super) fn between<F: Endpoint>(self, place: impl Fn(E) -> F) -> TaskList<F> {
        let moved = |packed: Packed| match packed.src {
            NOBODY => packed,
            src => Packed {
                src: place(E::from(src)).into(),
                dst: place(E::from(packed.dst)).into(),
                ..packed
            },
        };
        TaskList {
            packed: self.packed.into_iter().map(moved).collect(),
            steps: self.steps,
            earliest: self.earliest,
            connections: self.connections,
            of: std::marker::PhantomData,
        }
    }
}
