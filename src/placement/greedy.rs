//! Central and greedy: flows by falling size, each whole on the path that is then least loaded.

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Placement, Problem, Scheme};
use crate::ids::{LinkId, TaskId};
use crate::input::InputError;
use crate::loads::LinkLoads;
use crate::routes::PathTable;
use crate::routes::Route;
use crate::topology::Fabric;
use crate::workload::Transfer;

/// `greedy` has no options. It sees all flows of a step and splits none: longest processing time
/// first, on links instead of machines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Greedy {}

impl Scheme for Greedy {
    fn repeats(&self) -> bool {
        true
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let schedule = problem.schedule;
        let mut order: Vec<(u32, Reverse<u64>, TaskId)> = schedule
            .transfers()
            .map(|Transfer { task, bytes, .. }| (schedule.task(task).step, Reverse(bytes), task))
            .collect();
        order.sort_unstable();
        let mut table = PathTable::new(problem.fabric);
        let mut loads = StepLoads::new(problem.fabric);
        let mut chosen = vec![0; schedule.tasks().len()];
        for step in order.chunk_by(|a, b| a.0 == b.0) {
            loads.bytes.clear();
            for &(_, Reverse(bytes), task) in step {
                let Transfer { src, dst, .. } = problem.transfer(task);
                let index = loads.best(table.choice(src.node(), dst.node()).paths(), bytes as f64);
                loads.bytes.add(src, dst, Route::Pinned(index.into()), bytes as f64);
                chosen[task.index()] = index;
            }
        }
        Ok(Placement::whole(schedule, |Transfer { task, .. }| {
            Route::Pinned(chosen[task.index()].into())
        }))
    }
}

/// What the links carry in a step.
struct StepLoads<'a> {
    bytes: LinkLoads<'a>,
    /// Seconds per bit; without meaning for links that are down, which are on no path.
    cost: Vec<f64>,
}

impl<'a> StepLoads<'a> {
    fn new(fabric: &'a Fabric) -> Self {
        Self {
            bytes: LinkLoads::new(fabric),
            cost: fabric.links().iter().map(|link| 1.0 / link.rate.0 as f64).collect(),
        }
    }

    /// The path whose worst link would be least loaded with these bytes; among equals the one with the
    /// smallest sum over its links, then with the smallest index.
    fn best<'p>(&self, paths: impl Iterator<Item = &'p [LinkId]>, bytes: f64) -> u32 {
        let mut best = (f64::INFINITY, f64::INFINITY);
        let mut chosen = 0;
        for (index, path) in (0..).zip(paths) {
            let (mut worst, mut sum) = (0.0_f64, 0.0);
            for link in path {
                let time = (self.bytes.of(*link) + bytes) * self.cost[link.index()];
                worst = worst.max(time);
                sum += time;
            }
            if (worst, sum) < best {
                best = (worst, sum);
                chosen = index;
            }
        }
        chosen
    }
}
