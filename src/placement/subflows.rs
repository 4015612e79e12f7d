//! The result of placing: sub-flows with their routes.

use std::ops::Range;

use crate::ids::{SubflowId, TaskId};
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
    /// Sub-flows of task `t`: `subflows[offsets[t]..offsets[t + 1]]`; none for tasks that are no transfers.
    offsets: Vec<u32>,
    subflows: Vec<Subflow>,
}

impl Placement {
    /// A placement from the sub-flows of each task, by task id.
    pub fn from_subflows<I: IntoIterator<Item = Subflow>>(tasks: impl IntoIterator<Item = I>) -> Self {
        let mut placement = Self {
            offsets: vec![0],
            subflows: Vec::new(),
        };
        for task in tasks {
            placement.subflows.extend(task);
            placement.offsets.push(offset(placement.subflows.len()));
        }
        placement
    }

    /// A placement of `tasks` tasks from sub-flows in any order; those of one task keep theirs.
    pub fn from_scattered(tasks: usize, scattered: &[(TaskId, Subflow)]) -> Self {
        let mut offsets = vec![0; tasks + 1];
        for (task, _) in scattered {
            offsets[task.index() + 1] += 1;
        }
        for t in 0..tasks {
            offsets[t + 1] += offsets[t];
        }
        offset(scattered.len());
        let mut next = offsets.clone();
        let unset = Subflow {
            route: Route::Dynamic,
            bytes: 0,
        };
        let mut subflows = vec![unset; scattered.len()];
        for &(task, subflow) in scattered {
            let slot = &mut next[task.index()];
            subflows[*slot as usize] = subflow;
            *slot += 1;
        }
        Self { offsets, subflows }
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
        let mut placement = Self {
            offsets: Vec::with_capacity(tasks + 1),
            subflows: Vec::with_capacity(tasks),
        };
        for transfer in schedule.transfers() {
            placement
                .offsets
                .resize(transfer.task.index() + 1, offset(placement.subflows.len()));
            split(transfer, &mut placement.subflows);
        }
        placement.offsets.resize(tasks + 1, offset(placement.subflows.len()));
        placement
    }

    /// The same sub-flows on the same routes, of other sizes.
    #[must_use]
    pub fn resized(mut self, size: impl Fn(u64) -> u64) -> Self {
        for subflow in &mut self.subflows {
            subflow.bytes = size(subflow.bytes);
        }
        self
    }

    /// The sub-flows of a transfer.
    pub fn of(&self, task: TaskId) -> &[Subflow] {
        &self.subflows[self.range(task)]
    }

    /// Positions of a transfer's sub-flows among all.
    pub fn range(&self, task: TaskId) -> Range<usize> {
        self.offsets[task.index()] as usize..self.offsets[task.index() + 1] as usize
    }

    /// Ids of a transfer's sub-flows: their positions among all.
    pub fn ids(&self, task: TaskId) -> impl DoubleEndedIterator<Item = SubflowId> + Clone + use<> {
        (self.offsets[task.index()]..self.offsets[task.index() + 1]).map(SubflowId)
    }

    /// All sub-flows, by task.
    pub fn subflows(&self) -> &[Subflow] {
        &self.subflows
    }
}

fn offset(subflows: usize) -> u32 {
    u32::try_from(subflows).expect("at most 2^32 sub-flows fit in memory")
}

/// `bytes` in `count` parts of equal size, of which the last takes the remainder. Parts may be
/// empty where there are fewer bytes than parts.
pub(super) fn equal_parts(bytes: u64, count: u32) -> impl Iterator<Item = u64> {
    let part = bytes / u64::from(count);
    let last = bytes - part * u64::from(count - 1);
    (1..=count).map(move |k| if k == count { last } else { part })
}
