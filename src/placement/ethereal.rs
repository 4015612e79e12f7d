//! The paper's splitting rule (arXiv 2407.00550): whole flows round robin, left-over flows split.
//!
//! With n flows of a group and s paths, n - n mod s flows go whole and each of the n mod s others in
//! s / gcd(n mod s, s) equal parts, round robin over all paths. Every path carries the same number
//! of bytes, as with ideal spraying, where the sizes in a group are equal and the links are too.
//! Unequal sizes are counted as if they were equal, and links of any rate get the same share: that is
//! the paper's rule. [`CutLine`](super::CutLine) looks at bytes and capacities.
//!
//! As in the authors' simulator the order of flows and of paths is shuffled by every source, the
//! turn begins anew for every destination edge, and the last part of a flow takes the remainder. The
//! order of the destinations, which they shuffle too, has no bearing on the paths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::groups::FlowGroup;
use super::subflows::equal_parts;
use super::{Group, Placement, Problem, Scheme, Subflow};
use crate::ids::TaskId;
use crate::input::InputError;
use crate::routes::Route;
use crate::routes::gcd;

/// Options of `ethereal`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ethereal {
    /// Which flows are balanced together. Default `host`.
    pub group: Group,
}

impl Scheme for Ethereal {
    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let mut placed = Vec::with_capacity(problem.schedule.tasks().len());
        problem.for_each_group(self.group, "ethereal", |group| deal(group, &mut placed));
        Ok(Placement::from_scattered(problem.schedule.tasks().len(), &placed))
    }
}

fn deal(group: &FlowGroup<'_>, placed: &mut Vec<(TaskId, Subflow)>) {
    let (n, s) = (group.flows.len(), group.paths.len());
    let left_over = n % s;
    let parts = (s as u128 / gcd(left_over as u128, s as u128)) as u32;
    let mut turns = group.paths.iter().cycle();
    for (i, flow) in group.flows.iter().enumerate() {
        let count = if i < n - left_over { 1 } else { parts };
        for (bytes, &path) in equal_parts(flow.bytes, count).zip(&mut turns) {
            if bytes > 0 {
                let route = Route::Pinned(path.into());
                placed.push((flow.task, Subflow { route, bytes }));
            }
        }
    }
}
