//! Sinkhorn's iteration on a kernel matrix, with large scalings absorbed into potentials.

use super::TransportError;
use super::matrix::{Entropic, Matrix, Problem};
use super::sinkhorn::{Round, Sinkhorn};
use super::vectors::{add_scaled, dot, exp2_row};
use crate::math::ln;

/// Scalings beyond these bounds are absorbed into the potentials and the kernel is computed anew.
const ABSORB: std::ops::Range<f64> = 1e-60..1e60;

impl Sinkhorn {
    /// Solves on the stabilised kernel `exp((alpha_i + beta_j - C_ij) / epsilon)` (Schmitzer 2019): no
    /// exponentials but where scalings are absorbed, hence the fastest where epsilon is not small. Each iteration
    /// reads the kernel once.
    ///
    /// # Errors
    /// As [`Sinkhorn::solve_log`].
    pub fn solve_stabilized(&self, problem: &Problem<'_>) -> Result<Entropic, TransportError> {
        self.solve(problem, |problem, rounds| {
            let mut state = State::new(problem);
            let iterations = rounds.iter().map(|round| state.run(round)).sum::<Result<usize, _>>()?;
            let plan = state.plan();
            state.absorb();
            Ok(Entropic {
                plan,
                row_potentials: state.alpha,
                column_potentials: state.beta,
                iterations,
                error: f64::NAN,
            })
        })
    }
}

struct State<'a> {
    problem: &'a Problem<'a>,
    epsilon: f64,
    /// Potentials in units of cost; the plan is `u_i K_ij v_j`.
    alpha: Vec<f64>,
    beta: Vec<f64>,
    u: Vec<f64>,
    v: Vec<f64>,
    kernel: Matrix,
}

impl<'a> State<'a> {
    /// Potentials that leave a 1 in every row and column of the first kernel, and nothing above.
    fn new(problem: &'a Problem<'a>) -> Self {
        let cost = problem.cost;
        let smallest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let alpha: Vec<f64> = (0..cost.rows())
            .map(|i| smallest(&mut cost.row(i).iter().copied()))
            .collect();
        let mut beta = vec![f64::INFINITY; cost.columns()];
        for (i, a) in alpha.iter().enumerate() {
            for (b, c) in beta.iter_mut().zip(cost.row(i)) {
                *b = b.min(c - a);
            }
        }
        Self {
            problem,
            epsilon: f64::INFINITY,
            u: vec![1.0; alpha.len()],
            v: vec![1.0; beta.len()],
            alpha,
            beta,
            kernel: Matrix::zeros(cost.rows(), cost.columns()),
        }
    }

    /// Moves the scalings into the potentials.
    fn absorb(&mut self) {
        for (potentials, scalings) in [(&mut self.alpha, &mut self.u), (&mut self.beta, &mut self.v)] {
            for (potential, scaling) in potentials.iter_mut().zip(scalings) {
                if *scaling != 1.0 {
                    *potential += self.epsilon * ln(*scaling);
                    *scaling = 1.0;
                }
            }
        }
    }

    fn compute_kernel(&mut self) {
        let scale = std::f64::consts::LOG2_E / self.epsilon;
        let beta: Vec<f64> = self.beta.iter().map(|b| b * scale).collect();
        for (i, alpha) in self.alpha.iter().enumerate() {
            exp2_row(
                self.kernel.row_mut(i),
                alpha * scale,
                &beta,
                self.problem.cost.row(i),
                scale,
            );
        }
    }

    fn run(&mut self, round: &Round) -> Result<usize, TransportError> {
        self.absorb();
        self.epsilon = round.epsilon;
        self.compute_kernel();
        let mut error = f64::INFINITY;
        for iteration in 0..round.max_iterations {
            let (u, column_sums, off) = self.update_rows();
            error = if iteration == 0 { f64::INFINITY } else { off };
            if error <= round.tolerance {
                return Ok(iteration);
            }
            let v: Vec<f64> = self
                .problem
                .columns
                .iter()
                .zip(&column_sums)
                .map(|(mass, sum)| mass / sum)
                .collect();
            let within = |scalings: &[f64]| scalings.iter().all(|s| ABSORB.contains(s));
            if within(&u) && within(&v) {
                (self.u, self.v) = (u, v);
            } else {
                self.leap();
            }
        }
        if round.last {
            let iterations = round.max_iterations;
            return Err(TransportError::NotConverged { iterations, error });
        }
        Ok(round.max_iterations)
    }

    /// The next row scalings, the column sums they give, and the L1 error of the rows before.
    fn update_rows(&self) -> (Vec<f64>, Vec<f64>, f64) {
        let mut column_sums = vec![0.0; self.v.len()];
        let mut next = Vec::with_capacity(self.u.len());
        let mut off = 0.0;
        for (i, &mass) in self.problem.rows.iter().enumerate() {
            let kernel = self.kernel.row(i);
            let row_sum = dot(kernel, &self.v);
            off += (self.u[i] * row_sum - mass).abs();
            let u = mass / row_sum;
            next.push(u);
            add_scaled(&mut column_sums, u, kernel);
        }
        (next, column_sums, off)
    }

    /// One iteration whose scalings are out of bounds: in the log domain, from the last ones that
    /// were not, with a kernel computed anew.
    fn leap(&mut self) {
        self.absorb();
        let (cost, epsilon) = (self.problem.cost, self.epsilon);
        let n = self.alpha.len();
        for i in 0..n {
            let row = cost.row(i);
            let exponents = row.iter().zip(&self.beta).map(|(c, b)| (b - c) / epsilon);
            self.alpha[i] = epsilon * (ln(self.problem.rows[i]) - log_sum(exponents));
        }
        for j in 0..self.beta.len() {
            let exponents = (0..n).map(|i| (self.alpha[i] - cost.at(i, j)) / epsilon);
            self.beta[j] = epsilon * (ln(self.problem.columns[j]) - log_sum(exponents));
        }
        self.compute_kernel();
    }

    fn plan(&self) -> Matrix {
        let mut plan = self.kernel.clone();
        for (i, &u) in self.u.iter().enumerate() {
            for (entry, v) in plan.row_mut(i).iter_mut().zip(&self.v) {
                *entry *= u * v;
            }
        }
        plan
    }
}

fn log_sum(exponents: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = exponents.clone().fold(f64::NEG_INFINITY, f64::max);
    largest + ln(exponents.map(|e| crate::math::exp(e - largest)).sum())
}
