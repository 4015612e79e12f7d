//! Central placement by optimal transport: the least congestion that paths allow, in few sub-flows.
//!
//! Each step of the schedule is one problem. Its flows are added up by pair of edges; transport with three marginals
//! ([`ot3`](crate::optimal_transport::ot3)) divides every pair's bytes over its paths to the least possible congestion; the
//! flows of a pair are laid, whole where they fit, into its share of every path; what does not fit is thinned out to a vertex, so
//! that few flows are divided at all. With a limit on sub-flows per flow a local search takes over from several starts.

mod admission;
#[cfg(test)]
mod admission_tests;
mod budgets;
mod coloring;
mod flow;
mod local_search;
mod options;
mod preferences;
mod repair;
mod starts;
mod step;
mod subflows;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub(super) use flow::PairId;
pub use options::{OptimalTransport, Prefer, Scope, Solver};
pub(super) use preferences::Preferences;
pub(super) use step::Step;

use super::scheme::{Problem, Scheme};
use super::subflows::{Placement, Subflow};
use crate::ids::{HostId, IdVec, TaskId};
use crate::input::InputError;
use crate::optimal_transport::TransportError;
use crate::routes::Route;
use budgets::Budgets;
use flow::FlowId;
use subflows::Subflows;

impl Scheme for OptimalTransport {
    fn check(&self) -> Result<(), InputError> {
        if self.max_pieces == Some(0) {
            return Err(InputError::key("max_pieces", "`max_pieces` is 0")
                .help("a flow has at least 1 piece; leave it out to have no limit"));
        }
        if self.starts == 0 {
            return Err(InputError::key("starts", "`starts` is 0").help("it must be at least 1"));
        }
        if let Some(admit) = self.admit
            && !(admit > 0.0 && admit <= 1.0)
        {
            return Err(InputError::key("admit", format!("`admit` is {admit:?}"))
                .help("it is the share of the bytes that are placed first, above 0 and at most 1"));
        }
        for (key, value, least) in [("epsilon", self.epsilon, 1e-3), ("tolerance", self.tolerance, 1e-9)] {
            if !(value >= least && value <= 1.0) {
                return Err(InputError::key(key, format!("`{key}` is {value:?}"))
                    .help(format!("it must be between {least:e} and 1")));
            }
        }
        Ok(())
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let preferences = Preferences::new(self, problem)?;
        let mut placed: Vec<(TaskId, Subflow)> = Vec::new();
        let mut solved: HashMap<Vec<Sent>, IdVec<FlowId, Subflows>> = HashMap::new();
        for tasks in self.batches(problem) {
            let key: Vec<Sent> = tasks
                .iter()
                .map(|&task| problem.transfer(task))
                .map(|transfer| (transfer.src, transfer.dst, transfer.bytes))
                .collect();
            // Steps of a collective are often alike; what a plan keeps differs from flow to flow.
            let again = self.keep.is_none().then(|| solved.get(&key)).flatten();
            let subflows = match again {
                Some(subflows) => subflows.clone(),
                None => self.place_step(problem, &tasks, &preferences).map_err(failed)?,
            };
            for (&task, subflows) in tasks.iter().zip(&subflows) {
                placed.extend(subflows.iter().map(|&(path, bytes)| {
                    let route = Route::Pinned(path.into());
                    (task, Subflow { route, bytes })
                }));
            }
            solved.insert(key, subflows);
        }
        Ok(Placement::from_scattered(problem.schedule.tasks().len(), &placed))
    }
}

/// A transfer's hosts and bytes.
type Sent = (HostId, HostId, u64);

impl OptimalTransport {
    /// The transfers that are balanced together, by task.
    fn batches(&self, problem: &Problem<'_>) -> Vec<Vec<TaskId>> {
        match self.scope {
            Scope::Step => problem.schedule.transfers_by_step(),
            Scope::Schedule => vec![problem.schedule.transfers().map(|transfer| transfer.task).collect()],
        }
    }

    /// The sub-flows of every transfer of a batch.
    fn place_step(
        &self,
        problem: &Problem<'_>,
        tasks: &[TaskId],
        preferences: &Preferences,
    ) -> Result<IdVec<FlowId, Subflows>, TransportError> {
        let step = Step::new(problem.fabric, problem.schedule, tasks, preferences)?;
        if let Some(share) = self.admit.filter(|share| *share < 1.0) {
            let admission = admission::Admission::new(&step, self, share)?;
            let first: Vec<TaskId> = admission.admitted().map(|f| step.flows[f].task).collect();
            let alone = Self {
                admit: None,
                ..self.clone()
            };
            let laid = alone.place_step(problem, &first, preferences)?;
            return Ok(admission.lay_rest(laid));
        }
        let fractional = step.solve(self)?;
        if let Some(kept) = starts::from_before(&step, &fractional, preferences, self.max_pieces) {
            return Ok(kept);
        }
        let lay = || -> Result<IdVec<FlowId, Subflows>, TransportError> {
            let mut budgets = Budgets::new(&step, &fractional.congestion.plan);
            budgets.lay_fitting(preferences);
            budgets.give(&step.thin_out(&fractional, &budgets.left)?);
            Ok(budgets.lay_all())
        };
        match self.max_pieces {
            None => lay(),
            Some(k) => starts::best_of_several(&step, &fractional, lay, k, self.starts, problem.seed),
        }
    }
}

fn failed(error: TransportError) -> InputError {
    InputError::key("", format!("no plan was found: {error}")).help("try `solver = \"exact\"`")
}
