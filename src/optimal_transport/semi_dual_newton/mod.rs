//! Newton's method on the semi-dual: for many rows and few columns, such as 10^5 flows on 64 spines.

mod ascent;
mod gram;
mod semi_dual;

use super::TransportError;
use super::matrix::{Entropic, Problem, check_positive};
use super::vectors::add_scaled;
use crate::math::ln;
use ascent::Ascent;
use semi_dual::SemiDual;

/// Options of the semi-dual Newton method. It maximizes the concave
/// `F(g) = <b, g> - epsilon * sum_i a_i ln sum_j exp((g_j - C_ij) / epsilon)` over the column potentials
/// alone: rows are met exactly by construction, the gradient is what the columns miss, and the Hessian is m x m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SemiDualNewton {
    /// Strength of the regularisation, in units of cost.
    pub epsilon: f64,
    /// L1 error of the marginals at which to stop, relative to the total mass.
    pub tolerance: f64,
    /// Newton steps per value of epsilon before giving up.
    pub max_iterations: usize,
}

/// Every that many rows make a sample.
const SAMPLES: [usize; 2] = [64, 8];
/// Rows per column below which a sample says little.
const LEAST_SAMPLE: usize = 16;
/// Error at which the solution of a sample or of a larger epsilon is good enough for a start.
const ROUGH: f64 = 5e-2;
/// Newton steps for a start, at most.
const ROUGH_STEPS: usize = 12;
/// The first epsilon, as part of the range of costs.
const WIDE: f64 = 0.25;
/// Factor from one epsilon to the next.
const DECAY: f64 = 0.25;

impl SemiDualNewton {
    /// Tolerance 1e-12, at most 100 steps.
    pub fn new(epsilon: f64) -> Self {
        Self {
            epsilon,
            tolerance: 1e-12,
            max_iterations: 100,
        }
    }

    /// Solves from the potentials of larger values of epsilon and of samples of the rows. Works on a kernel of n x m
    /// numbers, which becomes the plan.
    ///
    /// # Errors
    /// [`TransportError::ZeroMass`], [`TransportError::EpsilonTooSmall`], bad options, and
    /// [`TransportError::NotConverged`] where the marginals are not met.
    pub fn solve(&self, problem: &Problem<'_>) -> Result<Entropic, TransportError> {
        let (top, iterations) = self.climb(problem)?;
        let column_potentials = top.potentials();
        let (plan, row_potentials) = top.into_plan(problem.rows)?;
        let error = problem.check_plan(&plan, 2.0 * self.tolerance + 1e-13, iterations)?;
        Ok(Entropic {
            plan,
            row_potentials,
            column_potentials,
            iterations,
            error,
        })
    }

    /// The column potentials alone (units of cost), with the steps used.
    ///
    /// # Errors
    /// As [`SemiDualNewton::solve`].
    pub fn potentials(&self, problem: &Problem<'_>) -> Result<(Vec<f64>, usize), TransportError> {
        let (top, iterations) = self.climb(problem)?;
        Ok((top.potentials(), iterations))
    }

    /// The maximum over all rows, with the steps that led there.
    fn climb<'a>(&self, problem: &'a Problem<'a>) -> Result<(Ascent<'a>, usize), TransportError> {
        problem.check_entropic(self.epsilon)?;
        check_positive("tolerance", self.tolerance)?;
        let mut memory = Vec::with_capacity(problem.cost.data().len());
        let (mut hessian, mut steps, mut last) = (None, 0, WIDE);
        // With equal costs the potentials are epsilon * ln b: what differs from that changes little with epsilon.
        let shape: Vec<f64> = problem.columns.iter().map(|&b| ln(b)).collect();
        let mut start = vec![0.0; shape.len()];
        let rounds = self.rounds(problem);
        for (round, &(epsilon, stride)) in rounds.iter().enumerate() {
            add_scaled(&mut start, if round == 0 { epsilon } else { epsilon - last }, &shape);
            let semi_dual = SemiDual::new(problem, epsilon, stride, memory);
            // Only the last sample is near enough for its Hessian to serve all rows.
            let mut ascent = Ascent::new(semi_dual, &start, hessian.filter(|_| stride == 1 && epsilon == last));
            if round + 1 == rounds.len() {
                steps += ascent.climb(self.tolerance, self.max_iterations);
                return if ascent.error() <= self.tolerance {
                    Ok((ascent, steps))
                } else {
                    Err(TransportError::NotConverged {
                        iterations: steps,
                        error: ascent.error(),
                    })
                };
            }
            steps += ascent.climb(ROUGH, self.max_iterations.min(ROUGH_STEPS));
            (start, last) = (ascent.potentials(), epsilon);
            (memory, hessian) = ascent.into_parts();
        }
        unreachable!("the last round returns")
    }

    /// Values of epsilon and strides of samples, from coarse to the problem itself. The smaller epsilon is, the fewer rows
    /// matter to a column: the coarsest sample serves the larger ones only.
    fn rounds(&self, problem: &Problem<'_>) -> Vec<(f64, usize)> {
        let enough = |&stride: &usize| problem.rows.len() / stride >= LEAST_SAMPLE * problem.columns.len();
        let samples: Vec<usize> = SAMPLES.into_iter().filter(enough).collect();
        let coarsest = samples.first().copied().unwrap_or(1);
        let (low, high) = problem.range;
        let wide = std::iter::successors(Some(WIDE * (high - low)), |epsilon| Some(DECAY * epsilon));
        let larger = wide.take_while(|&epsilon| epsilon > self.epsilon);
        let finer = samples.iter().copied().skip(1).chain([1]);
        larger
            .map(|epsilon| (epsilon, coarsest))
            .chain(finer.map(|stride| (self.epsilon, stride)))
            .collect()
    }
}
