//! What is preferred among placements of the same congestion: short paths, and those of a plan before.

use std::collections::HashMap;

use super::flow::{Flow, FlowId, PairId};
use super::options::{OptimalTransport, Prefer};
use crate::ids::{IdVec, NodeId, PathIndex, TaskId};
use crate::input::InputError;
use crate::placement::scheme::{Problem, Scheme};
use crate::placement::subflows::{Placement, Subflow};
use crate::routes::Route;
use crate::topology::Fabric;

/// Costs of paths, between 0 and 1 each.
pub(in crate::placement) struct Preferences {
    short: bool,
    kept: Option<Placement>,
}

impl Preferences {
    /// None at all.
    pub(crate) const NONE: Self = Self {
        short: false,
        kept: None,
    };

    pub(crate) fn new(options: &OptimalTransport, problem: &Problem<'_>) -> Result<Self, InputError> {
        Ok(Self {
            short: options.prefer == Prefer::Short,
            kept: options.keep.as_ref().map(|plan| plan.place(problem)).transpose()?,
        })
    }

    /// The sub-flows that a flow had before.
    pub(crate) fn before(&self, task: TaskId) -> &[Subflow] {
        self.kept.as_ref().map_or(&[], |placement| placement.of(task))
    }

    /// The cost of every path of every pair, if any is better than another: its excess delay relative to the largest, and
    /// the share of the pair's bytes that did not take it before.
    pub(crate) fn costs(
        &self,
        fabric: &Fabric,
        ends: &[(NodeId, NodeId)],
        of_pair: &IdVec<PairId, Vec<FlowId>>,
        flows: &IdVec<FlowId, Flow>,
    ) -> Option<Vec<f64>> {
        if !self.short && self.kept.is_none() {
            return None;
        }
        let mut costs = Vec::new();
        for (&(src, dst), members) in ends.iter().zip(of_pair) {
            let first = costs.len();
            costs.resize(first + fabric.path_count(src, dst) as usize, 0.0);
            let costs = &mut costs[first..];
            if self.short {
                let delays: Vec<f64> = fabric.paths(src, dst).map(|p| fabric.path_delay(&p).0 as f64).collect();
                let least = delays.iter().copied().fold(f64::INFINITY, f64::min);
                let most = delays.iter().copied().fold(0.0, f64::max);
                for (cost, delay) in costs.iter_mut().zip(delays) {
                    *cost += (delay - least) / (most - least).max(1.0);
                }
            }
            if self.kept.is_some() {
                let mut before: HashMap<PathIndex, u64> = HashMap::new();
                let mut total = 0_u64;
                for &flow in members {
                    for subflow in self.before(flows[flow].task) {
                        if let Route::Pinned(path) = subflow.route {
                            *before.entry(path).or_default() += subflow.bytes;
                            total += subflow.bytes;
                        }
                    }
                }
                for (path, cost) in costs.iter_mut().enumerate() {
                    let share = before.get(&PathIndex(path as u32)).copied().unwrap_or(0) as f64 / total.max(1) as f64;
                    *cost += 1.0 - share;
                }
            }
        }
        Some(costs)
    }
}
