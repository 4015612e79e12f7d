//! Sinkhorn's iteration in the log domain: potentials instead of scalings, so that any epsilon works.

use super::TransportError;
use super::matrix::{Entropic, Matrix, Problem};
use super::sinkhorn::{Round, Sinkhorn};
use super::vectors::{SAFE, add_scaled, exp2_row, exp2_row_shifted, log2_each};

impl Sinkhorn {
    /// Solves in the log domain. Each iteration is one pass over the costs and takes one exponential
    /// per entry: the row update needs `exp((f_i + g_j - C_ij) / epsilon)`, and scaled by it the same numbers
    /// add up to the column sums.
    ///
    /// # Errors
    /// [`TransportError::ZeroMass`], [`TransportError::EpsilonTooSmall`], bad options, and
    /// [`TransportError::NotConverged`] where the marginals are not met.
    pub fn solve_log(&self, problem: &Problem<'_>) -> Result<Entropic, TransportError> {
        self.solve(problem, |problem, rounds| {
            let mut state = State::new(problem);
            let iterations = rounds.iter().map(|round| state.run(round)).sum::<Result<usize, _>>()?;
            let in_cost = |potentials: &[f64]| potentials.iter().map(|p| p / state.scale).collect();
            Ok(Entropic {
                plan: state.plan(),
                row_potentials: in_cost(&state.f),
                column_potentials: in_cost(&state.g),
                iterations,
                error: f64::NAN,
            })
        })
    }
}

/// Potentials count in units of epsilon * ln 2, so that powers of 2 take the place of exponentials.
struct State<'a> {
    problem: &'a Problem<'a>,
    /// These units per unit of cost.
    scale: f64,
    f: Vec<f64>,
    g: Vec<f64>,
    log_rows: Vec<f64>,
    log_columns: Vec<f64>,
}

impl<'a> State<'a> {
    fn new(problem: &'a Problem<'a>) -> Self {
        let logs = |masses: &[f64]| {
            let mut logs: Vec<f64> = masses.iter().map(|m| m.max(f64::MIN_POSITIVE)).collect();
            log2_each(&mut logs);
            logs
        };
        Self {
            problem,
            scale: 1.0,
            f: vec![0.0; problem.rows.len()],
            g: vec![0.0; problem.columns.len()],
            log_rows: logs(problem.rows),
            log_columns: logs(problem.columns),
        }
    }

    /// Potentials keep their value in units of cost.
    fn set_epsilon(&mut self, epsilon: f64) {
        let scale = std::f64::consts::LOG2_E / epsilon;
        for potential in self.f.iter_mut().chain(&mut self.g) {
            *potential *= scale / self.scale;
        }
        self.scale = scale;
    }

    fn run(&mut self, round: &Round) -> Result<usize, TransportError> {
        self.set_epsilon(round.epsilon);
        let mut error = f64::INFINITY;
        for iteration in 0..round.max_iterations {
            let (f, column_sums, off) = self.update_rows();
            // The first rows meet columns that no update has touched.
            error = if iteration == 0 { f64::INFINITY } else { off };
            if error <= round.tolerance {
                return Ok(iteration);
            }
            self.f = f;
            self.update_columns(column_sums);
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
        let mut row_sums = Vec::with_capacity(self.f.len());
        let mut next = self.f.clone();
        let mut off = 0.0;
        for (i, &mass) in self.problem.rows.iter().enumerate() {
            let cost = self.problem.cost.row(i);
            let mut row_sum = exp2_row(&mut terms, self.f[i], &self.g, cost, self.scale);
            off += (row_sum - mass).abs();
            if !SAFE.contains(&row_sum) {
                (row_sum, next[i]) = exp2_row_shifted(&mut terms, &self.g, cost, self.scale);
            }
            row_sums.push(row_sum);
            add_scaled(&mut column_sums, mass / row_sum, &terms);
        }
        log2_each(&mut row_sums);
        for ((next, log_mass), log_sum) in next.iter_mut().zip(&self.log_rows).zip(&row_sums) {
            *next += log_mass - log_sum;
        }
        (next, column_sums, off)
    }

    fn update_columns(&mut self, mut column_sums: Vec<f64>) {
        let lost: Vec<usize> = (0..column_sums.len())
            .filter(|&j| !SAFE.contains(&column_sums[j]))
            .collect();
        for &j in &lost {
            (column_sums[j], self.g[j]) = self.sum_of_column(j);
        }
        log2_each(&mut column_sums);
        for ((g, log_mass), log_sum) in self.g.iter_mut().zip(&self.log_columns).zip(&column_sums) {
            *g += log_mass - log_sum;
        }
    }

    /// sum_i 2^(f_i + g_j - C_ij), however small its terms are, with the g_j under which it is.
    fn sum_of_column(&self, j: usize) -> (f64, f64) {
        let column: Vec<f64> = (0..self.f.len()).map(|i| self.problem.cost.at(i, j)).collect();
        let mut terms = vec![0.0; column.len()];
        exp2_row_shifted(&mut terms, &self.f, &column, self.scale)
    }

    fn plan(&self) -> Matrix {
        let mut plan = Matrix::zeros(self.f.len(), self.g.len());
        for (i, &f) in self.f.iter().enumerate() {
            exp2_row(plan.row_mut(i), f, &self.g, self.problem.cost.row(i), self.scale);
        }
        plan
    }
}
