//! What both Sinkhorn solvers share: options and epsilon-scaling.

use super::TransportError;
use super::matrix::{Entropic, Problem, check_positive};
use crate::math::ln;

/// Options of the Sinkhorn solvers: minimize `<C, P> + epsilon * KL(P | a b^T)` over plans `P`
/// (Cuturi 2013).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sinkhorn {
    /// Strength of the regularisation, in units of cost. Small is close to the exact plan, and slow.
    pub epsilon: f64,
    /// L1 error of the marginals at which to stop, relative to the total mass.
    pub tolerance: f64,
    /// Iterations (one update of all rows and all columns each) before giving up.
    pub max_iterations: usize,
    /// Approach a small epsilon through larger ones.
    pub scaling: Option<EpsilonScaling>,
}

/// Epsilon in round t is `max(start * decay^t, 1)` times the target (Schmitzer 2019).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpsilonScaling {
    /// First epsilon as a multiple of the target, at least 1.
    pub start: f64,
    /// Factor from round to round, between 0 and 1.
    pub decay: f64,
}

impl Default for EpsilonScaling {
    fn default() -> Self {
        Self {
            start: 64.0,
            decay: 0.25,
        }
    }
}

/// Error at which a round with a larger epsilon ends: its potentials are only a start.
const ROUGH: f64 = 1e-2;
/// Iterations of a round with a larger epsilon, at most.
const ROUGH_ITERATIONS: usize = 100;

/// One round: an epsilon, and when to leave it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Round {
    pub epsilon: f64,
    pub tolerance: f64,
    pub max_iterations: usize,
    pub last: bool,
}

impl Sinkhorn {
    /// Tolerance 1e-9, at most 100 000 iterations, no scaling.
    pub fn new(epsilon: f64) -> Self {
        Self {
            epsilon,
            tolerance: 1e-9,
            max_iterations: 100_000,
            scaling: None,
        }
    }

    /// Checks the problem and the options, has `run` go through the rounds with masses relative to their total, and
    /// checks what it gives.
    pub(super) fn solve(
        &self,
        problem: &Problem<'_>,
        run: impl FnOnce(&Problem<'_>, &[Round]) -> Result<Entropic, TransportError>,
    ) -> Result<Entropic, TransportError> {
        problem.check_entropic(self.epsilon)?;
        let rounds = self.rounds()?;
        let mass = problem.mass();
        let relative = |masses: &[f64]| -> Vec<f64> { masses.iter().map(|m| m / mass).collect() };
        let (rows, columns) = (relative(problem.rows), relative(problem.columns));
        let (rows, columns) = (&rows, &columns);
        let mut found = run(
            &Problem {
                rows,
                columns,
                ..*problem
            },
            &rounds,
        )?;
        found.plan.scale(mass);
        let offset = self.epsilon * ln(mass);
        found.row_potentials.iter_mut().for_each(|f| *f += offset);
        found.error = problem.check_plan(&found.plan, 2.0 * self.tolerance, found.iterations)?;
        Ok(found)
    }

    /// The rounds, ending with the target, after a check of the options.
    fn rounds(&self) -> Result<Vec<Round>, TransportError> {
        check_positive("epsilon", self.epsilon)?;
        check_positive("tolerance", self.tolerance)?;
        let mut rounds = Vec::new();
        if let Some(EpsilonScaling { start, decay }) = self.scaling {
            check_positive("start", start)?;
            if !(decay > 0.0 && decay < 1.0) {
                return Err(TransportError::Option {
                    option: "decay",
                    value: decay,
                    valid: "between 0 and 1",
                });
            }
            let mut factor = start;
            while factor > 1.0 {
                rounds.push(Round {
                    epsilon: factor * self.epsilon,
                    tolerance: ROUGH,
                    max_iterations: ROUGH_ITERATIONS.min(self.max_iterations),
                    last: false,
                });
                factor *= decay;
            }
        }
        rounds.push(Round {
            epsilon: self.epsilon,
            tolerance: self.tolerance,
            max_iterations: self.max_iterations,
            last: true,
        });
        Ok(rounds)
    }
}
