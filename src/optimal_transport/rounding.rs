//! From an approximate plan to an exactly feasible one.

use super::TransportError;
use super::matrix::{Matrix, Problem, check_shape};
use super::vectors::add_scaled;

/// The closest thing to `plan` whose marginals are the problem's to rounding error: rows scaled by
/// `min(1, a/r)`, columns by `min(1, b/c)`, and what is missing added as a matrix of rank one (Altschuler, Weed and
/// Rigollet 2017, algorithm 2). The plan moves by at most twice its marginal error.
///
/// # Errors
/// [`TransportError::Shape`], and [`TransportError::Mass`] where an entry is NaN, infinite or negative.
pub fn round_to_marginals(problem: &Problem<'_>, mut plan: Matrix) -> Result<Matrix, TransportError> {
    check_shape("the plan", problem.cost.data().len(), plan.data().len())?;
    check_shape("the plan's rows", problem.rows.len(), plan.rows())?;
    super::matrix::check_masses("plan entry", plan.data())?;
    for (i, &mass) in problem.rows.iter().enumerate() {
        let row = plan.row_mut(i);
        let factor = at_most_one(mass, row.iter().sum());
        row.iter_mut().for_each(|entry| *entry *= factor);
    }
    let sums = plan.column_sums();
    let factors: Vec<f64> = problem
        .columns
        .iter()
        .zip(&sums)
        .map(|(&b, &c)| at_most_one(b, c))
        .collect();
    for i in 0..plan.rows() {
        for (entry, factor) in plan.row_mut(i).iter_mut().zip(&factors) {
            *entry *= factor;
        }
    }
    let missing = |masses: &[f64], sums: Vec<f64>| -> Vec<f64> {
        masses.iter().zip(sums).map(|(m, s)| (m - s).max(0.0)).collect()
    };
    let rows = missing(problem.rows, plan.row_sums());
    let columns = missing(problem.columns, plan.column_sums());
    let total: f64 = columns.iter().sum();
    if total > 0.0 {
        for (i, row) in rows.iter().enumerate() {
            add_scaled(plan.row_mut(i), row / total, &columns);
        }
    }
    problem.check_plan(&plan, 1e-10, 0)?;
    Ok(plan)
}

fn at_most_one(mass: f64, sum: f64) -> f64 {
    if sum > mass { mass / sum } else { 1.0 }
}
