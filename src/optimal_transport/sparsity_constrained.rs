//! Transport in which every column draws from at most k rows.

use super::TransportError;
use super::elementary::dot;
use super::lbfgs;
use super::matrix::{Problem, check_positive};

/// Options of sparsity-constrained transport (Liu, Puigcerver and Blondel 2022, arXiv 2209.15466): minimise
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
        let mass = problem.mass();
        let mut dual = SemiDual::new(problem, self);
        let error = |gradient: &[f64]| gradient.iter().map(|g| g.abs()).sum::<f64>() / mass;
        let start = vec![0.0; problem.rows.len()];
        let minimum = lbfgs::minimise(
            |x| dual.value(x),
            start,
            self.max_iterations,
            |g| error(g) <= self.tolerance,
        );
        Ok(SparsePlan {
            columns: (0..problem.columns.len()).map(|j| dual.column(&minimum.x, j)).collect(),
            row_error: error(&minimum.gradient),
            row_potentials: minimum.x,
            iterations: minimum.iterations,
        })
    }
}

/// The negated semi-dual `sum_j max_p (<x_j, p> b_j - gamma b_j^2 / 2 |p|^2) - <a, alpha>` with `x_j = alpha - C_j`.
struct SemiDual<'a> {
    problem: &'a Problem<'a>,
    k: usize,
    gamma: f64,
    /// Costs of one column, with the row each belongs to.
    scratch: Vec<(f64, u32)>,
}

impl<'a> SemiDual<'a> {
    fn new(problem: &'a Problem<'a>, options: &SparsityConstrained) -> Self {
        Self {
            problem,
            k: options.k,
            gamma: options.gamma,
            scratch: Vec::new(),
        }
    }

    /// The value and its gradient `P 1 - a`.
    fn value(&mut self, alpha: &[f64]) -> (f64, Vec<f64>) {
        let mut value = -dot(self.problem.rows, alpha);
        let mut gradient: Vec<f64> = self.problem.rows.iter().map(|a| -a).collect();
        for j in 0..self.problem.columns.len() {
            for (i, mass) in self.column(alpha, j) {
                let i = i as usize;
                value += mass * (alpha[i] - self.problem.cost.at(i, j)) - 0.5 * self.gamma * mass * mass;
                gradient[i] += mass;
            }
        }
        (value, gradient)
    }

    /// Column `j`: the projection of `x_j / (gamma b_j)` onto the simplex points with at most k entries, times b_j:
    /// the k largest (ties by row), then the projection onto the simplex (Duchi et al. 2008).
    fn column(&mut self, alpha: &[f64], j: usize) -> Vec<(u32, f64)> {
        let mass = self.problem.columns[j];
        if mass == 0.0 {
            return Vec::new();
        }
        let scale = 1.0 / (self.gamma * mass);
        let worth = |(i, a): (usize, &f64)| ((a - self.problem.cost.at(i, j)) * scale, i as u32);
        self.scratch.clear();
        self.scratch.extend(alpha.iter().enumerate().map(worth));
        let order = |x: &(f64, u32), y: &(f64, u32)| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1));
        if self.k < self.scratch.len() {
            self.scratch.select_nth_unstable_by(self.k - 1, order);
            self.scratch.truncate(self.k);
        }
        self.scratch.sort_unstable_by(order);
        let (mut total, mut level) = (0.0, 0.0);
        for (count, (x, _)) in self.scratch.iter().enumerate() {
            total += x;
            let candidate = (total - 1.0) / (count + 1) as f64;
            if *x > candidate {
                level = candidate;
            }
        }
        let share = |&(x, i): &(f64, u32)| (i, mass * (x - level));
        let mut column: Vec<(u32, f64)> = self.scratch.iter().map(share).filter(|(_, p)| *p > 0.0).collect();
        // The largest share takes what rounding left over.
        let sum: f64 = column.iter().map(|(_, p)| p).sum();
        column[0].1 += mass - sum;
        column.sort_unstable_by_key(|&(i, _)| i);
        column
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimal_transport::Matrix;
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
