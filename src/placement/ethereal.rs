//! The paper's splitting rule (arXiv 2407.00550): whole flows round robin, left-over flows split.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Piece, Placement, Route};
use crate::ids::{NodeId, TaskId};
use crate::topology::Fabric;
use crate::workload::Schedule;

/// Which flows are balanced together, each group by its destination edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// The flows of one source host: no coordination between hosts.
    #[default]
    Host,
    /// The flows of all hosts under one leaf.
    Leaf,
}

/// Options of `ethereal`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ethereal {
    /// Which flows are balanced together.
    #[serde(default)]
    pub group: Group,
}

impl Ethereal {
    pub(super) fn place(&self, fabric: &Fabric, schedule: &Schedule, _seed: u64) -> Placement {
        let mut groups: BTreeMap<(u32, NodeId, NodeId), Vec<(TaskId, u64)>> = BTreeMap::new();
        for (task, src, dst, bytes) in schedule.transfers() {
            let (src, dst) = (NodeId(src), NodeId(dst));
            let from = match self.group {
                Group::Host => src,
                Group::Leaf => fabric.edge(src),
            };
            let key = (schedule.task(task).step, from, fabric.edge(dst));
            groups.entry(key).or_default().push((task, bytes));
        }
        let mut pieces = vec![Vec::new(); schedule.tasks().len()];
        for flows in groups.into_values() {
            let endpoints = |task: TaskId| match schedule.task(task).action {
                crate::workload::Action::Transfer { src, dst, .. } => (NodeId(src), NodeId(dst)),
                _ => unreachable!("only transfers are grouped"),
            };
            let (src, dst) = endpoints(flows[0].0);
            for (task, split) in flows.iter().zip(split_evenly(&flows, fabric.path_count(src, dst))) {
                pieces[task.0.index()] = split;
            }
        }
        Placement::from_pieces(pieces)
    }
}

/// Balances flows over `s` paths: `n - n mod s` of them whole, each of the others in `s / gcd` parts.
fn split_evenly(flows: &[(TaskId, u64)], s: u32) -> Vec<Vec<Piece>> {
    let n = flows.len() as u32;
    let left_over = n % s;
    let parts = s / gcd(left_over, s);
    let mut next = 0;
    let mut turn = || {
        let path = next % s;
        next += 1;
        Route::Pinned(path)
    };
    let mut split = |i: usize, bytes: u64| {
        if (i as u32) < n - left_over || bytes < u64::from(parts) {
            return vec![Piece { route: turn(), bytes }];
        }
        let part = bytes / u64::from(parts);
        let last = bytes - part * u64::from(parts - 1);
        let sizes = (0..parts).map(|p| if p + 1 == parts { last } else { part });
        sizes.map(|bytes| Piece { route: turn(), bytes }).collect()
    };
    flows
        .iter()
        .enumerate()
        .map(|(i, &(_, bytes))| split(i, bytes))
        .collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if a == 0 { b } else { gcd(b % a, a) }
}
