//! The knowledge of a source: flows that share their paths, balanced together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Problem;
use crate::ids::{NodeId, TaskId};
use crate::rng::{self, shuffle};
use crate::routes::PathTable;
use crate::workload::Transfer;

/// Which flows are balanced together, each group by its destination leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// The flows of one source host: no coordination between hosts.
    #[default]
    Host,
    /// The flows of all hosts under one leaf.
    Leaf,
}

/// One flow of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    pub(super) task: TaskId,
    pub(super) bytes: u64,
}

/// The flows of one step from one source (a host or a leaf) to one destination leaf. They all have the
/// same paths.
pub(super) struct FlowGroup<'g> {
    /// Hosts of one of the flows.
    pub(super) src: NodeId,
    pub(super) dst: NodeId,
    /// At least one, in random order.
    pub(super) flows: &'g [Flow],
    /// Every path index of the group, in random order.
    pub(super) paths: &'g [u32],
}

impl Problem<'_> {
    /// Visits every group of flows. Flows and paths are shuffled by a stream of the source, as
    /// independent sources must not all begin with the same path.
    pub(super) fn for_each_group(&self, group: Group, stream: &str, mut visit: impl FnMut(&FlowGroup<'_>)) {
        let (mut flows, mut paths) = (Vec::new(), Vec::new());
        let keys = self.group_keys(group);
        for source in keys.chunk_by(|a, b| a.from == b.from) {
            let mut random = rng::stream(self.seed, stream, u64::from(source[0].from.0));
            for members in source.chunk_by(|a, b| (a.step, a.to) == (b.step, b.to)) {
                flows.clear();
                flows.extend(members.iter().map(|key| Flow {
                    task: key.task,
                    bytes: self.transfer(key.task).bytes,
                }));
                let Transfer { src, dst, .. } = self.transfer(members[0].task);
                paths.clear();
                paths.extend(0..self.fabric.path_count(src.node(), dst.node()));
                shuffle(&mut random, &mut flows);
                shuffle(&mut random, &mut paths);
                visit(&FlowGroup {
                    src: src.node(),
                    dst: dst.node(),
                    flows: &flows,
                    paths: &paths,
                });
            }
        }
    }

    /// One key per transfer, sorted.
    fn group_keys(&self, group: Group) -> Vec<Key> {
        let mut table = PathTable::new(self.fabric);
        let mut key = |Transfer { task, src, dst, .. }: Transfer| {
            let src = src.node();
            let (leaf, to) = table.ends(src, dst.node());
            let from = match group {
                Group::Host => src,
                Group::Leaf => leaf,
            };
            let step = self.schedule.task(task).step;
            Key { from, step, to, task }
        };
        let mut keys: Vec<Key> = self.schedule.transfers().map(&mut key).collect();
        keys.sort_unstable();
        keys
    }
}

/// Orders transfers by group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    from: NodeId,
    step: u32,
    to: NodeId,
    task: TaskId,
}
