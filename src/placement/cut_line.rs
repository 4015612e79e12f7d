//! The fewest sub-flows that balance a group exactly: its flows end to end on a line, cut where one
//! path's share ends and the next one's begins.
//!
//! This is the north-west-corner rule, a vertex of the transportation polytope between flows and
//! paths. n equal flows on s equal paths become n + s - gcd(n, s) sub-flows, which is the minimum;
//! flows of any sizes on paths of any weights become at most n + s - 1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::groups::FlowGroup;
use super::{Group, Placement, Problem, Scheme, Subflow};
use crate::ids::TaskId;
use crate::input::InputError;
use crate::routes::Route;
use crate::routes::WeightCache;

/// Options of `cut-line`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CutLine {
    /// Which flows are balanced together. Default `host`.
    pub group: Group,
}

impl Scheme for CutLine {
    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let mut weights = WeightCache::new(problem.fabric);
        let mut placed = Vec::with_capacity(problem.schedule.tasks().len());
        problem.for_each_group(self.group, "cut-line", |group| {
            cut(group, weights.of(group.src, group.dst), &mut placed);
        });
        Ok(Placement::from_scattered(problem.schedule.tasks().len(), &placed))
    }
}

/// Cuts a group in proportion to the weights of its paths, given by path index.
fn cut(group: &FlowGroup<'_>, weights: &[u64], placed: &mut Vec<(TaskId, Subflow)>) {
    let line: u128 = group.flows.iter().map(|flow| u128::from(flow.bytes)).sum();
    let whole: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    let mut passed = 0;
    let mut shares = group.paths.iter().map(|&path| {
        passed += u128::from(weights[path as usize]);
        (path, line * passed / whole)
    });
    let (mut path, mut share_end) = (0, 0);
    let mut at = 0;
    for flow in group.flows {
        let flow_end = at + u128::from(flow.bytes);
        while at < flow_end {
            while share_end <= at {
                // The last share ends where the line does.
                (path, share_end) = shares.next().unwrap_or((path, line));
            }
            let end = flow_end.min(share_end);
            let bytes = (end - at) as u64;
            placed.push((
                flow.task,
                Subflow {
                    route: Route::Pinned(path.into()),
                    bytes,
                },
            ));
            at = end;
        }
    }
}
