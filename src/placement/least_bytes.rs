//! The rule of the paper's first version (arXiv 2407.00550v1): every flow on the up-link to which
//! its host has given the fewest bytes.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Placement, Problem, Scheme};
use crate::ids::{LinkId, NodeId, TaskId};
use crate::input::InputError;
use crate::rng::{self, Stream, index_below};
use crate::routes::PathTable;
use crate::routes::Route;
use crate::workload::Transfer;

/// `least-bytes` has no options. Every host looks at its own flows of a step alone, in their order,
/// and not at where they go: down-links are balanced only by luck. Ties are random.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeastBytes {}

impl Scheme for LeastBytes {
    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let schedule = problem.schedule;
        let mut order: Vec<(NodeId, u32, TaskId)> = schedule
            .transfers()
            .map(|Transfer { task, src, .. }| (src.node(), schedule.task(task).step, task))
            .collect();
        order.sort_unstable();
        let mut chosen = vec![0; schedule.tasks().len()];
        let mut table = PathTable::new(problem.fabric);
        let mut given = Given::new(problem.fabric.links().len());
        for host in order.chunk_by(|a, b| a.0 == b.0) {
            let mut random = rng::stream(problem.seed, "least-bytes", u64::from(host[0].0.0));
            for step in host.chunk_by(|a, b| a.1 == b.1) {
                for &(_, _, task) in step {
                    let Transfer { src, dst, bytes, .. } = problem.transfer(task);
                    let index = given.least(table.choice(src.node(), dst.node()).paths(), &mut random);
                    given.add(&problem.fabric.path(src.node(), dst.node(), index), bytes);
                    chosen[task.index()] = index;
                }
                given.clear();
            }
        }
        Ok(Placement::whole(schedule, |Transfer { task, .. }| {
            Route::Pinned(chosen[task.index()].into())
        }))
    }
}

/// Bytes that one host has given to each link in a step.
struct Given {
    bytes: Vec<u64>,
    /// Links with bytes.
    used: Vec<LinkId>,
    /// The paths with the fewest bytes.
    least: Vec<u32>,
}

impl Given {
    fn new(links: usize) -> Self {
        Self {
            bytes: vec![0; links],
            used: Vec::new(),
            least: Vec::new(),
        }
    }

    /// A random one of the paths whose first link has the fewest bytes.
    fn least<'p>(&mut self, paths: impl Iterator<Item = &'p [LinkId]>, random: &mut Stream) -> u32 {
        let mut fewest = u64::MAX;
        self.least.clear();
        for (index, path) in (0..).zip(paths) {
            let given = path.first().map_or(0, |up| self.bytes[up.index()]);
            if given < fewest {
                fewest = given;
                self.least.clear();
            }
            if given == fewest {
                self.least.push(index);
            }
        }
        self.least[index_below(random.next_u64(), self.least.len() as u32) as usize]
    }

    fn add(&mut self, path: &[LinkId], bytes: u64) {
        for link in path {
            let given = &mut self.bytes[link.index()];
            *given = given.saturating_add(bytes);
            self.used.push(*link);
        }
    }

    fn clear(&mut self) {
        for link in self.used.drain(..) {
            self.bytes[link.index()] = 0;
        }
    }
}
