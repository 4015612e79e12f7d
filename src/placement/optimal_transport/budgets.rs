//! From a fractional plan to sub-flows: whole bytes per path, into which flows are laid.

use super::flow::{Flow, FlowId, PairId};
use super::preferences::Preferences;
use super::step::Step;
use super::subflows::{Subflows, change};
use crate::ids::IdVec;
use crate::placement::Subflow;
use crate::routes::Route;

/// Bytes per cell, and which flows are still to be laid into them.
pub(super) struct Budgets<'a> {
    step: &'a Step,
    /// Bytes of every cell that no flow has taken yet.
    pub left: Vec<u64>,
    /// The sub-flows of every flow so far; none of those that wait.
    laid: IdVec<FlowId, Subflows>,
}

impl<'a> Budgets<'a> {
    /// The bytes of a plan for all flows; those that never leave their edge need none.
    pub(super) fn new(step: &'a Step, plan: &[f64]) -> Self {
        let within_an_edge = |flow: &Flow| match flow.pair {
            None => Subflows::from_slice(&[(0, flow.bytes)]),
            Some(_) => Subflows::new(),
        };
        let mut budgets = Self {
            step,
            left: Vec::new(),
            laid: step.flows.iter().map(within_an_edge).collect(),
        };
        budgets.give(plan);
        budgets
    }

    /// Divides what waits anew, by an amount per cell; by largest remainder, so that each pair's bytes add up to what its
    /// waiting flows have.
    pub(super) fn give(&mut self, plan: &[f64]) {
        self.left = plan.iter().map(|&x| x as u64).collect();
        for pair in self.step.of_pair.ids() {
            let cells = self.step.cells(pair);
            let demand: u64 = self.waiting(pair).map(|f| self.step.flows[f].bytes).sum();
            let given: u64 = self.left[cells.clone()].iter().sum();
            let mut order: Vec<usize> = cells.filter(|&c| plan[c] > 0.0).collect();
            order.sort_by(|&a, &b| plan[b].fract().total_cmp(&plan[a].fract()).then(a.cmp(&b)));
            // Large plans are exact to fewer digits than bytes: the widest cell takes what that leaves.
            if let Some(&widest) = order.iter().max_by_key(|&&c| (self.left[c], std::cmp::Reverse(c))) {
                let missing = demand as i128 - i128::from(given);
                if (0..=order.len() as i128).contains(&missing) {
                    order.iter().take(missing as usize).for_each(|&c| self.left[c] += 1);
                } else {
                    self.left[widest] = (i128::from(self.left[widest]) + missing).max(0) as u64;
                }
            }
        }
    }

    /// The flows of a pair that wait.
    fn waiting(&self, pair: PairId) -> impl Iterator<Item = FlowId> {
        let flows = self.step.of_pair[pair].iter().copied();
        flows.filter(|&f| self.laid[f].is_empty())
    }

    /// The flows of a pair that wait, by falling size.
    fn by_size(&self, pair: PairId) -> Vec<FlowId> {
        let mut order: Vec<FlowId> = self.waiting(pair).collect();
        order.sort_by_key(|&f| (std::cmp::Reverse(self.step.flows[f].bytes), f));
        order
    }

    /// Lays what can stay on the paths that it had before, then flows whole where they fit.
    pub(super) fn lay_fitting(&mut self, preferences: &Preferences) {
        for pair in self.step.of_pair.ids() {
            let mut order = self.by_size(pair);
            order.retain(|&f| !self.keep(pair, f, preferences));
            for f in order {
                let budgets = &mut self.left[self.step.cells(pair)];
                let bytes = self.step.flows[f].bytes;
                if let Some(path) = smallest_that_holds(bytes, budgets) {
                    budgets[path] -= bytes;
                    self.laid[f].push((path as u32, bytes));
                }
            }
        }
    }

    /// Lays a flow on the paths that it had before; false where it had none or they have no room.
    fn keep(&mut self, pair: PairId, f: FlowId, preferences: &Preferences) -> bool {
        let budgets = &mut self.left[self.step.cells(pair)];
        let subflows = preferences.before(self.step.flows[f].task);
        let fits = |subflow: &Subflow| matches!(subflow.route, Route::Pinned(path) if budgets.get(path.index()).is_some_and(|b| *b >= subflow.bytes));
        if subflows.is_empty() || !subflows.iter().all(fits) {
            return false;
        }
        for subflow in subflows {
            if let Route::Pinned(path) = subflow.route {
                budgets[path.index()] -= subflow.bytes;
                change(&mut self.laid[f], path.0, subflow.bytes as i64);
            }
        }
        true
    }

    /// Lays all that waits, whole where it fits. Every cut fills a budget, so that a pair has fewer extra sub-flows
    /// than paths in use.
    pub(super) fn lay_all(mut self) -> IdVec<FlowId, Subflows> {
        for pair in self.step.of_pair.ids() {
            for f in self.by_size(pair) {
                let budgets = &mut self.left[self.step.cells(pair)];
                lay(self.step.flows[f].bytes, budgets, &mut self.laid[f]);
            }
        }
        self.laid
    }
}

fn smallest_that_holds(bytes: u64, budgets: &[u64]) -> Option<usize> {
    let fitting = (0..budgets.len()).filter(|&path| budgets[path] >= bytes);
    fitting.min_by_key(|&path| budgets[path])
}

/// Lays one flow whole into the smallest budget that holds it, else in parts into the largest.
fn lay(bytes: u64, budgets: &mut [u64], subflows: &mut Subflows) {
    let mut left = bytes;
    while left > 0 {
        let path = smallest_that_holds(left, budgets)
            .or_else(|| (0..budgets.len()).max_by_key(|&path| (budgets[path], std::cmp::Reverse(path))));
        let Some(path) = path.filter(|&path| budgets[path] > 0) else {
            unreachable!("the budgets of a pair add up to its flows");
        };
        let part = left.min(budgets[path]);
        budgets[path] -= part;
        left -= part;
        subflows.push((path as u32, part));
    }
}
