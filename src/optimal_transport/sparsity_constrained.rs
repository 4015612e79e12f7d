//! Transport in which every column draws from at most k rows.

use super::TransportError;
use super::lbfgs;
use super::matrix::{Matrix, Problem, check_positive};
use super::vectors::dot;

/// Options of sparsity-constrained transport (Liu, Puigcerver and Blondel 2022, arXiv 2209.15466): minimize
/// `<C, P> + gamma/2 |P|^2` with at most `k` entries per column. Solved in the semi-dual over the row potentials by
/// L-BFGS.
///
/// The relaxation is not exact: columns that see equal costs all choose the same k rows, and the
/// rows are then missed by up to n/k times. [`SparsityConstrained::solve`] calls that an error, and
/// [`SparsityConstrained::relax`] hands out the plan for repair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SparsityConstrained {
    /// Entries per column, at most.
    pub k: usize,
    /// Weight of the quadratic term, in units of cost per mass.
    pub gamma: f64,
    /// L1 error of the rows at which to stop, relative to the total mass.
    pub tolerance: f64,
    /// L-BFGS iterations, at most.
    pub max_iterations: usize,
}

/// A plan with few entries per column.
#[derive(Debug, Clone, PartialEq)]
pub struct SparsePlan {
    /// For each column its rows with their mass, by row. Columns are met exactly.
    pub columns: Vec<Vec<(u32, f64)>>,
    /// Potentials of the rows, in units of cost.
    pub row_potentials: Vec<f64>,
    /// L1 error of the rows, relative to the total mass.
    pub row_error: f64,
    /// L-BFGS iterations used.
    pub iterations: usize,
}

impl SparsityConstrained {
    /// Tolerance 1e-6, at most 500 iterations.
    pub fn new(k: usize, gamma: f64) -> Self {
        Self {
            k,
            gamma,
            tolerance: 1e-6,
            max_iterations: 500,
        }
    }

    /// Solves a problem whose relaxation is exact.
    ///
    /// # Errors
    /// Bad options, and [`TransportError::NotConverged`] where the rows are missed.
    pub fn solve(&self, problem: &Problem<'_>) -> Result<SparsePlan, TransportError> {
        let plan = self.relax(problem)?;
        if plan.row_error <= 2.0 * self.tolerance {
            return Ok(plan);
        }
        Err(TransportError::NotConverged {
            iterations: plan.iterations,
            error: plan.row_error,
        })
    }

    /// The plan at the optimum of the semi-dual, whatever it does to the rows: see
    /// [`SparsePlan::row_error`].
    ///
    /// # Errors
    /// Bad options: `k` must be at least 1 and at most the number of rows.
    pub fn relax(&self, problem: &Problem<'_>) -> Result<SparsePlan, TransportError> {
        check_positive("gamma", self.gamma)?;
        check_positive("tolerance", self.tolerance)?;
        if self.k == 0 || self.k > problem.rows.len() {
            return Err(TransportError::Option {
                option: "k",
                value: self.k as f64,
                valid: "at least 1 and at most the number of rows",
            });
        }
        let mut dual = SemiDual::new(problem, self);
        // Shares are differences of costs over gamma and the column's mass: they must not be large against 1 and their digits.
        let (low, high) = problem.range;
        let masses = dual.columns.iter().copied().filter(|&b| b > 0.0);
        let fits = (high - low) * dual.scale <= LARGEST * masses.fold(1.0, f64::min);
        if !fits {
            return Err(TransportError::Option {
                option: "gamma",
                value: self.gamma,
                valid: "at least 1e-13 of the range of costs per unit of the smallest mass",
            });
        }
        let error = |gradient: &[f64]| gradient.iter().map(|g| g.abs()).sum::<f64>();
        let start = vec![0.0; problem.rows.len()];
        let minimum = lbfgs::minimize(
            |x| dual.value(x),
            start,
            self.max_iterations,
            |g| error(g) <= self.tolerance,
        );
        let column = |j: usize| -> Vec<(u32, f64)> {
            let mass = problem.columns[j];
            let shares = dual.shares(&minimum.x, j).into_iter();
            shares.map(|(i, share)| (i, share * mass)).collect()
        };
        Ok(SparsePlan {
            columns: (0..problem.columns.len()).map(column).collect(),
            row_error: error(&minimum.gradient),
            row_potentials: minimum.x.iter().map(|x| x / dual.scale + dual.least).collect(),
            iterations: minimum.iterations,
        })
    }
}

/// Shares of a column up to which differences of 1 keep their digits.
const LARGEST: f64 = 1e13;

/// The negated semi-dual `sum_j max_p (<x_j, p> b_j - b_j^2 / 2 |p|^2) - <a, alpha>` with `x_j = alpha - C_j`: masses relative to
/// their total, costs and potentials in units of gamma times it.
struct SemiDual<'a> {
    rows: Vec<f64>,
    columns: Vec<f64>,
    cost: &'a Matrix,
    /// The least cost, from which the others count.
    least: f64,
    /// Those units per unit of cost.
    scale: f64,
    k: usize,
    /// Costs of one column, with the row each belongs to.
    scratch: Vec<(f64, u32)>,
}

impl<'a> SemiDual<'a> {
    fn new(problem: &'a Problem<'a>, options: &SparsityConstrained) -> Self {
        let mass = problem.mass();
        let relative = |masses: &[f64]| masses.iter().map(|m| m / mass).collect();
        Self {
            rows: relative(problem.rows),
            columns: relative(problem.columns),
            cost: problem.cost,
            least: problem.range.0,
            scale: 1.0 / options.gamma / mass,
            k: options.k,
            scratch: Vec::new(),
        }
    }

    fn cost(&self, i: usize, j: usize) -> f64 {
        (self.cost.at(i, j) - self.least) * self.scale
    }

    /// The value and its gradient `P 1 - a`.
    fn value(&mut self, alpha: &[f64]) -> (f64, Vec<f64>) {
        let mut value = -dot(&self.rows, alpha);
        let mut gradient: Vec<f64> = self.rows.iter().map(|a| -a).collect();
        for j in 0..self.columns.len() {
            for (i, share) in self.shares(alpha, j) {
                let (i, mass) = (i as usize, share * self.columns[j]);
                value += mass * (alpha[i] - self.cost(i, j)) - 0.5 * mass * mass;
                gradient[i] += mass;
            }
        }
        (value, gradient)
    }

    /// Shares of the rows in column `j`: the projection of `x_j / b_j` onto the simplex points with at most k entries: the k
    /// largest (ties by row), then the projection onto the simplex (Duchi et al. 2008).
    fn shares(&mut self, alpha: &[f64], j: usize) -> Vec<(u32, f64)> {
        let mass = self.columns[j];
        if mass == 0.0 {
            return Vec::new();
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let worth = |(i, a): (usize, &f64)| ((a - self.cost(i, j)) / mass, i as u32);
        scratch.clear();
        scratch.extend(alpha.iter().enumerate().map(worth));
        let order = |x: &(f64, u32), y: &(f64, u32)| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1));
        if self.k < scratch.len() {
            scratch.select_nth_unstable_by(self.k - 1, order);
            scratch.truncate(self.k);
        }
        scratch.sort_unstable_by(order);
        let (mut total, mut level) = (0.0, 0.0);
        for (count, (x, _)) in scratch.iter().enumerate() {
            total += x;
            let candidate = (total - 1.0) / (count + 1) as f64;
            if *x > candidate {
                level = candidate;
            }
        }
        let share = |&(x, i): &(f64, u32)| (i, x - level);
        let mut shares: Vec<(u32, f64)> = scratch.iter().map(share).filter(|(_, p)| *p > 0.0).collect();
        // The largest share takes what rounding left over.
        let sum: f64 = shares.iter().map(|(_, p)| p).sum();
        shares[0].1 += 1.0 - sum;
        shares.sort_unstable_by_key(|&(i, _)| i);
        self.scratch = scratch;
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimal_transport::tests::Instance;

    #[test]
    fn with_room_for_all_rows_it_is_quadratic_transport() {
        let instance = Instance::random(5, 40, 1);
        let problem = instance.problem();
        let plan = SparsityConstrained::new(5, 0.5).solve(&problem).unwrap();
        let mut dense = Matrix::zeros(5, 40);
        for (j, column) in plan.columns.iter().enumerate() {
            column.iter().for_each(|&(i, mass)| dense.row_mut(i as usize)[j] = mass);
        }
        assert!(problem.marginal_error(&dense) < 1e-5);
        // Optimal: on its support an entry is (alpha_i + beta_j - C_ij) / gamma for one beta_j.
        for (j, column) in plan.columns.iter().enumerate() {
            let beta = |&(i, mass): &(u32, f64)| {
                0.5 * mass - plan.row_potentials[i as usize] + instance.cost.at(i as usize, j)
            };
            let first = beta(&column[0]);
            assert!(column.iter().all(|entry| (beta(entry) - first).abs() < 1e-9));
        }
    }

    #[test]
    fn random_costs_are_met_with_few_entries() {
        let instance = Instance::random(6, 400, 2);
        let options = SparsityConstrained {
            tolerance: 2e-3,
            ..SparsityConstrained::new(2, 20.0)
        };
        let plan = options.relax(&instance.problem()).unwrap();
        assert!(plan.columns.iter().all(|column| column.len() <= 2));
        assert!(plan.row_error < 0.05, "{}", plan.row_error);
    }

    /// Columns of equal cost all choose the same k rows: S/k times the optimal load, which is no plan.
    #[test]
    fn equal_costs_crowd_on_k_rows() {
        let (rows, columns) = (5, 40);
        let cost = Matrix::zeros(rows, columns);
        let (a, b) = (vec![8.0; rows], vec![1.0; columns]);
        let problem = Problem::new(&cost, &a, &b).unwrap();
        for k in [1, 2, 4] {
            let options = SparsityConstrained::new(k, 1.0);
            let plan = options.relax(&problem).unwrap();
            let mut loads = vec![0.0; rows];
            plan.columns
                .iter()
                .flatten()
                .for_each(|&(i, mass)| loads[i as usize] += mass);
            let worst = loads.iter().copied().fold(0.0, f64::max) / 8.0;
            assert!((worst - rows as f64 / k as f64).abs() < 1e-9, "k = {k}: {worst}");
            assert!(matches!(
                options.solve(&problem),
                Err(TransportError::NotConverged { .. })
            ));
        }
        assert!(SparsityConstrained::new(rows, 1.0).solve(&problem).is_ok());
    }

    #[test]
    fn bad_k_is_named() {
        let instance = Instance::random(3, 4, 1);
        let error = |k| {
            SparsityConstrained::new(k, 1.0)
                .solve(&instance.problem())
                .unwrap_err()
                .to_string()
        };
        insta::assert_snapshot!(error(0), @"k is 0: it must be at least 1 and at most the number of rows");
        insta::assert_snapshot!(error(4), @"k is 4: it must be at least 1 and at most the number of rows");
    }
}
