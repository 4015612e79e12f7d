//! Sinkhorn's iteration in the log domain: potentials instead of scalings, so that any epsilon works.

use super::TransportError;
use super::elementary::{add_scaled, exp, exp_row, ln, max};
use super::matrix::{Entropic, Matrix, Problem};
use super::sinkhorn::{Round, Sinkhorn};

/// Sums within these bounds have lost no terms that matter to overflow or underflow.
const SAFE: std::ops::Range<f64> = 1e-200..1e200;

impl Sinkhorn {
    /// Solves in the log domain. Each iteration is one pass over the costs and takes one exponential
    /// per entry: the row update needs `exp((f_i + g_j - C_ij) / epsilon)`, and scaled by it the same numbers
    /// add up to the column sums.
    ///
    /// # Errors
    /// [`TransportError::ZeroMass`], [`TransportError::EpsilonTooSmall`], bad options, and
    /// [`TransportError::NotConverged`] where the marginals are not met.
    pub fn solve_log(&self, problem: &Problem<'_>) -> Result<Entropic, TransportError> {
        problem.check_entropic(self.epsilon)?;
        let mut state = State::new(problem);
        let mut iterations = 0;
        for round in self.rounds()? {
            iterations += state.run(&round)?;
        }
        let plan = state.plan();
        let error = problem.check_plan(&plan, 2.0 * self.tolerance, iterations)?;
        let in_cost = |potentials: &[f64]| potentials.iter().map(|p| p * self.epsilon).collect();
        Ok(Entropic {
            plan,
            row_potentials: in_cost(&state.f),
            column_potentials: in_cost(&state.g),
            iterations,
            error,
        })
    }
}

struct State<'a> {
    problem: &'a Problem<'a>,
    epsilon: f64,
    /// Costs and potentials in units of epsilon.
    cost: Matrix,
    f: Vec<f64>,
    g: Vec<f64>,
    log_rows: Vec<f64>,
    log_columns: Vec<f64>,
}

impl<'a> State<'a> {
    fn new(problem: &'a Problem<'a>) -> Self {
        let logs = |masses: &[f64]| masses.iter().map(|&m| ln(m)).collect();
        Self {
            problem,
            epsilon: 0.0,
            cost: Matrix::zeros(0, 0),
            f: vec![0.0; problem.rows.len()],
            g: vec![0.0; problem.columns.len()],
            log_rows: logs(problem.rows),
            log_columns: logs(problem.columns),
        }
    }

    /// Potentials keep their value in units of cost.
    fn set_epsilon(&mut self, epsilon: f64) {
        let (cost, ratio) = (self.problem.cost, self.epsilon / epsilon);
        let scaled = cost.data().iter().map(|c| c / epsilon).collect();
        self.cost = Matrix::new(cost.rows(), cost.columns(), scaled).expect("the same shape");
        for potential in self.f.iter_mut().chain(&mut self.g) {
            *potential *= ratio;
        }
        self.epsilon = epsilon;
    }

    fn run(&mut self, round: &Round) -> Result<usize, TransportError> {
        self.set_epsilon(round.epsilon);
        let mass = self.problem.mass();
        let mut error = f64::INFINITY;
        for iteration in 0..round.max_iterations {
            let (f, column_sums, off) = self.update_rows();
            // The first rows meet columns that no update has touched.
            error = if iteration == 0 { f64::INFINITY } else { off / mass };
            if error <= round.tolerance {
                return Ok(iteration);
            }
            self.f = f;
            self.update_columns(&column_sums);
        }
        if round.last {
            let iterations = round.max_iterations;
            return Err(TransportError::NotConverged { iterations, error });
        }
        Ok(round.max_iterations)
    }

    /// The next row potentials, the column sums they give, and the L1 error of the rows before.
    fn update_rows(&self) -> (Vec<f64>, Vec<f64>, f64) {
        let mut terms = vec![0.0; self.g.len()];
        let mut column_sums = vec![0.0; self.g.len()];
        let mut next = Vec::with_capacity(self.f.len());
        let mut off = 0.0;
        for (i, &mass) in self.problem.rows.iter().enumerate() {
            let cost = self.cost.row(i);
            let mut shift = self.f[i];
            let mut row_sum = exp_row(&mut terms, shift, &self.g, cost);
            off += (row_sum - mass).abs();
            if !SAFE.contains(&row_sum) {
                for ((t, g), c) in terms.iter_mut().zip(&self.g).zip(cost) {
                    *t = g - c;
                }
                shift = -max(&terms);
                row_sum = exp_row(&mut terms, shift, &self.g, cost);
            }
            next.push(shift + (self.log_rows[i] - ln(row_sum)));
            add_scaled(&mut column_sums, mass / row_sum, &terms);
        }
        (next, column_sums, off)
    }

    fn update_columns(&mut self, column_sums: &[f64]) {
        for (j, &column_sum) in column_sums.iter().enumerate() {
            self.g[j] = if SAFE.contains(&column_sum) {
                self.g[j] + (self.log_columns[j] - ln(column_sum))
            } else {
                self.log_columns[j] - self.log_sum_of_column(j)
            };
        }
    }

    /// ln sum_i exp(f_i - C_ij), however small its terms are.
    fn log_sum_of_column(&self, j: usize) -> f64 {
        let exponent = |i: usize| self.f[i] - self.cost.at(i, j);
        let largest = (0..self.f.len()).map(exponent).fold(f64::NEG_INFINITY, f64::max);
        largest + ln((0..self.f.len()).map(|i| exp(exponent(i) - largest)).sum())
    }

    fn plan(&self) -> Matrix {
        let mut plan = Matrix::zeros(self.f.len(), self.g.len());
        for (i, &f) in self.f.iter().enumerate() {
            exp_row(plan.row_mut(i), f, &self.g, self.cost.row(i));
        }
        plan
    }
}
