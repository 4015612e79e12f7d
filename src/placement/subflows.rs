//! The result of placing: sub-flows with their routes.

use std::ops::Range;

use crate::ids::{IdLists, SubflowId, TaskId};
use crate::routes::Route;
use crate::workload::{Schedule, Transfer};

/// A sub-flow: bytes that are sent as a flow of their own, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subflow {
    /// How its bytes find their way.
    pub route: Route,
    /// Its size.
    pub bytes: u64,
}

/// Bytes divided in proportion to weights that are not all 0: each part is within a byte of its share.
pub(super) fn in_proportion(bytes: u64, weights: &[u32]) -> Vec<u64> {
    let whole: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    let mut before = 0;
    let mut sum = 0_u128;
    let part = |&weight: &u32| {
        sum += u128::from(weight);
        let until = (u128::from(bytes) * sum / whole.max(1)) as u64;
        until - std::mem::replace(&mut before, until)
    };
    weights.iter().map(part).collect()
}

/// The sub-flows of every transfer of a schedule. Their bytes add up to the transfer's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placement {
    /// None for tasks that are no transfers.
    subflows: IdLists<TaskId, Subflow>,
}

impl Placement {
    /// A placement from the sub-flows of each task, by task id.
    pub fn from_subflows<I: IntoIterator<Item = Subflow>>(tasks: impl IntoIterator<Item = I>) -> Self {
        let mut placement = Self::default();
        for task in tasks {
            placement.subflows.push(task);
        }
        placement
    }

    /// A placement of `tasks` tasks from sub-flows in any order; those of one task keep theirs.
    pub fn from_scattered(tasks: usize, scattered: &[(TaskId, Subflow)]) -> Self {
        Self {
            subflows: IdLists::grouped(tasks, scattered.iter().copied()),
        }
    }

    /// One sub-flow per transfer, on the route that `route` gives it.
    pub fn whole(schedule: &Schedule, mut route: impl FnMut(Transfer) -> Route) -> Self {
        Self::split(schedule, |transfer, subflows| {
            subflows.push(Subflow {
                route: route(transfer),
                bytes: transfer.bytes,
            });
        })
    }

    /// The sub-flows that `split` appends for every transfer.
    pub fn split(schedule: &Schedule, mut split: impl FnMut(Transfer, &mut Vec<Subflow>)) -> Self {
        let tasks = schedule.tasks().len();
        let mut subflows = IdLists::with_capacity(tasks, tasks);
        for transfer in schedule.transfers() {
            while subflows.len() < transfer.task.index() {
                subflows.push([]);
            }
            subflows.push_with(|all| split(transfer, all));
        }
        while subflows.len() < tasks {
            subflows.push([]);
        }
        Self { subflows }
    }

    /// The same sub-flows on the same routes, of other sizes.
    #[must_use]
    pub fn resized(mut self, size: impl Fn(u64) -> u64) -> Self {
        for subflow in self.subflows.values_mut() {
            subflow.bytes = size(subflow.bytes);
        }
        self
    }

    /// The sub-flows of a transfer.
    #[inline]
    pub fn of(&self, task: TaskId) -> &[Subflow] {
        &self.subflows[task]
    }

    /// Positions of a transfer's sub-flows among all.
    #[inline]
    pub fn range(&self, task: TaskId) -> Range<usize> {
        self.subflows.range(task)
    }

    /// Ids of a transfer's sub-flows: their positions among all.
    #[inline]
    pub fn ids(&self, task: TaskId) -> impl DoubleEndedIterator<Item = SubflowId> + Clone + use<> {
        let range = self.range(task);
        (range.start as u32..range.end as u32).map(SubflowId)
    }

    /// All sub-flows, by task.
    pub fn subflows(&self) -> &[Subflow] {
        self.subflows.values()
    }
}

/// `bytes` in `count` parts of equal size, of which the last takes the remainder. Parts may be
/// empty where there are fewer bytes than parts.
pub(super) fn equal_parts(bytes: u64, count: u32) -> impl Iterator<Item = u64> {
    let part = bytes / u64::from(count);
    let last = bytes - part * u64::from(count - 1);
    (1..=count).map(move |k| if k == count { last } else { part })
}
