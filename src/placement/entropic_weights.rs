//! Weights of paths from an entropic transport plan, in whole entries of the tables that switches have (weighted
//! ECMP).

use super::Problem;
use super::optimal_transport::{OptimalTransport, Preferences, Solver, Step};
use crate::ids::{NodeId, TaskId};
use crate::input::InputError;
use crate::routes::PathEnds;

/// The table of one edge for another: entries by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathWeights {
    /// The edge that the paths start from.
    pub from: NodeId,
    /// The edge that they lead to.
    pub to: NodeId,
    /// By path index; they add up to the entries of the table.
    pub weights: Vec<u32>,
    /// A host behind each, by which paths are asked for.
    pub hosts: (NodeId, NodeId),
}

/// Tables of so many entries for all pairs of edges that send to each other. All transfers of the schedule count as sent
/// together, since tables stay as they are while it runs.
pub(super) fn entropic_weights(
    problem: &Problem<'_>,
    epsilon: f64,
    table: u32,
) -> Result<Vec<PathWeights>, InputError> {
    let options = OptimalTransport {
        epsilon,
        solver: Solver::Sinkhorn,
        ..OptimalTransport::default()
    };
    let failed = |error| InputError::key("epsilon", format!("no plan was found: {error}")).help("raise `epsilon`");
    let preferences = Preferences::new(&options, problem)?;
    let tasks: Vec<TaskId> = problem.schedule.transfers().map(|transfer| transfer.task).collect();
    let step = Step::new(problem.fabric, problem.schedule, &tasks, &preferences).map_err(failed)?;
    let plan = step.solve(&options).map_err(failed)?.congestion.plan;
    let mut ends = PathEnds::new(problem.fabric);
    let pairs = step.of_pair.entries().map(|(pair, flows)| {
        let transfer = problem.transfer(step.flows[flows[0]].task);
        let hosts = (transfer.src.node(), transfer.dst.node());
        let (from, to) = ends.of(hosts.0, hosts.1);
        let weights = entries(&plan[step.cells(pair)], table);
        PathWeights {
            from,
            to,
            weights,
            hosts,
        }
    });
    Ok(pairs.collect())
}

/// Amounts as whole entries that add up to those of a table, by largest remainder.
fn entries(amounts: &[f64], table: u32) -> Vec<u32> {
    let total: f64 = amounts.iter().sum();
    let shares: Vec<f64> = amounts
        .iter()
        .map(|amount| amount.max(0.0) / total * f64::from(table))
        .collect();
    let mut entries: Vec<u32> = shares.iter().map(|share| *share as u32).collect();
    let given: u32 = entries.iter().sum();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|&a, &b| shares[b].fract().total_cmp(&shares[a].fract()).then(a.cmp(&b)));
    let missing = table.saturating_sub(given) as usize;
    order.iter().cycle().take(missing).for_each(|&path| entries[path] += 1);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_add_up_and_are_nearest() {
        assert_eq!(entries(&[1.0, 1.0, 1.0], 16), [6, 5, 5]);
        assert_eq!(entries(&[0.5, 0.25, 0.25], 4), [2, 1, 1]);
        assert_eq!(entries(&[1.0, 1e-9], 16), [16, 0]);
        assert_eq!(entries(&[3.0; 5], 2), [1, 1, 0, 0, 0]);
    }
}
