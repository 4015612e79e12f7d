//! Transport of a part of the mass, to columns whose masses are exact, limits or wishes.

use super::TransportError;
use super::matrix::{Matrix, Problem, check_positive};
use super::vectors::{exp_row, max};
use crate::math::{exp, ln};

/// How the masses of the columns bind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ColumnMasses {
    /// Each receives its share of what is moved: `fraction` times its mass.
    Exact,
    /// Each receives at most its mass: capacities.
    AtMost,
    /// What each receives may differ from `fraction` times its mass at a price: `gamma` times their
    /// Kullback-Leibler divergence, in units of cost. Capacities that give way.
    Soft {
        /// The price, in units of cost.
        gamma: f64,
    },
}

/// Options of partial and unbalanced entropic transport. What is not moved goes to a virtual column at no cost, which
/// receives exactly `1 - fraction` of the mass (Zhang et al., SP2OT, arXiv 2401.09266): the dearest rows stay behind first. With
/// `fraction` 1 and [`ColumnMasses::Soft`] it is unbalanced transport (Chizat et al. 2018) with exact rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Partial {
    /// Strength of the regularisation, in units of cost.
    pub epsilon: f64,
    /// Share of the mass that is moved, above 0 and at most 1.
    pub fraction: f64,
    /// How the masses of the columns bind.
    pub columns: ColumnMasses,
    /// L1 error of the rows at which to stop, relative to the total mass.
    pub tolerance: f64,
    /// Iterations before giving up.
    pub max_iterations: usize,
}

/// A plan that leaves some mass behind.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialPlan {
    /// What is moved, n x m, in units of mass.
    pub plan: Matrix,
    /// What stays behind of each row.
    pub left: Vec<f64>,
    /// Share of the mass that is moved.
    pub fraction: f64,
    /// Iterations used.
    pub iterations: usize,
}

impl Partial {
    /// Exact columns, tolerance 1e-9, at most 100 000 iterations.
    pub fn new(epsilon: f64, fraction: f64) -> Self {
        Self {
            epsilon,
            fraction,
            columns: ColumnMasses::Exact,
            tolerance: 1e-9,
            max_iterations: 100_000,
        }
    }

    /// Solves a problem. Totals of rows and columns must be equal as for any [`Problem`]: capacities beyond the
    /// demand are a row of their own, at cost 0.
    ///
    /// # Errors
    /// [`TransportError::ZeroMass`], [`TransportError::EpsilonTooSmall`], bad options, and
    /// [`TransportError::NotConverged`] where a marginal is missed.
    pub fn solve(&self, problem: &Problem<'_>) -> Result<PartialPlan, TransportError> {
        let plans = self.progressive(problem, &[self.fraction])?;
        Ok(plans.into_iter().next().expect("one fraction gives one plan"))
    }

    /// Solves for each of several fractions, each from the potentials of the last: rows are
    /// admitted little by little, the cheapest first.
    ///
    /// # Errors
    /// As [`Partial::solve`].
    pub fn progressive(&self, problem: &Problem<'_>, fractions: &[f64]) -> Result<Vec<PartialPlan>, TransportError> {
        problem.check_entropic(self.epsilon)?;
        check_positive("tolerance", self.tolerance)?;
        if let ColumnMasses::Soft { gamma } = self.columns {
            check_positive("gamma", gamma)?;
        }
        let mut state = State::new(problem, self);
        fractions.iter().map(|&fraction| state.solve(self, fraction)).collect()
    }
}

/// Potentials in units of epsilon; masses relative to their total.
struct State {
    cost: Matrix,
    rows: Vec<f64>,
    columns: Vec<f64>,
    mass: f64,
    f: Vec<f64>,
    g: Vec<f64>,
    /// Potential of the virtual column.
    stay: f64,
}

impl State {
    fn new(problem: &Problem<'_>, options: &Partial) -> Self {
        let mass = problem.mass();
        let relative = |masses: &[f64]| masses.iter().map(|m| m / mass).collect();
        let (n, m) = (problem.rows.len(), problem.columns.len());
        Self {
            cost: Matrix::from_fn(n, m, |i, j| problem.cost.at(i, j) / options.epsilon),
            rows: relative(problem.rows),
            columns: relative(problem.columns),
            mass,
            f: vec![0.0; n],
            g: vec![0.0; m],
            stay: 0.0,
        }
    }

    fn solve(&mut self, options: &Partial, fraction: f64) -> Result<PartialPlan, TransportError> {
        if !(fraction > 0.0 && fraction <= 1.0) {
            return Err(TransportError::Option {
                option: "fraction",
                value: fraction,
                valid: "above 0 and at most 1",
            });
        }
        let mut error = f64::INFINITY;
        for iterations in 0..options.max_iterations {
            let off = self.update_rows(fraction);
            error = if iterations == 0 { f64::INFINITY } else { off };
            if error <= options.tolerance {
                return self.finish(options, fraction, iterations);
            }
            self.update_columns(options, fraction);
        }
        let iterations = options.max_iterations;
        Err(TransportError::NotConverged { iterations, error })
    }

    /// Meets the rows; gives how far they were missed before.
    fn update_rows(&mut self, fraction: f64) -> f64 {
        let mut off = 0.0;
        let mut exponents = vec![0.0; self.g.len()];
        for (i, &mass) in self.rows.iter().enumerate() {
            for ((e, g), c) in exponents.iter_mut().zip(&self.g).zip(self.cost.row(i)) {
                *e = g - c;
            }
            let stays = fraction < 1.0;
            let shift = if stays {
                max(&exponents).max(self.stay)
            } else {
                max(&exponents)
            };
            let moved: f64 = exponents.iter().map(|e| exp(e - shift)).sum();
            let total = moved + if stays { exp(self.stay - shift) } else { 0.0 };
            let next = ln(mass) - shift - ln(total);
            // The row held mass * exp(f - next).
            off += mass * (exp(self.f[i] - next) - 1.0).abs();
            self.f[i] = next;
        }
        off
    }

    /// Log of the sum of a column whose exponents `of` gives by row.
    fn log_sum(&self, of: impl Fn(usize) -> f64) -> f64 {
        let exponents: Vec<f64> = (0..self.f.len()).map(of).collect();
        let shift = max(&exponents);
        shift + ln(exponents.iter().map(|e| exp(e - shift)).sum())
    }

    fn update_columns(&mut self, options: &Partial, fraction: f64) {
        for j in 0..self.g.len() {
            let sum = self.log_sum(|i| self.f[i] - self.cost.at(i, j));
            let mass = ln(self.columns[j]);
            self.g[j] = match options.columns {
                ColumnMasses::Exact => mass + ln(fraction) - sum,
                ColumnMasses::AtMost => (mass - sum).min(0.0),
                ColumnMasses::Soft { gamma } => (mass + ln(fraction) - sum) * (gamma / (gamma + options.epsilon)),
            };
        }
        if fraction < 1.0 {
            self.stay = ln(1.0 - fraction) - self.log_sum(|i| self.f[i]);
        }
        if let ColumnMasses::Soft { gamma } = options.columns {
            self.shift(gamma / options.epsilon);
        }
    }

    /// Moves a constant from the rows' potentials to the columns', as far as the dual rises: plain
    /// rounds find it only slowly where `gamma` is large (Sejourne, Vialard and Peyre 2022).
    fn shift(&mut self, gamma: f64) {
        let wished: f64 = self.columns.iter().zip(&self.g).map(|(b, g)| b * exp(-g / gamma)).sum();
        let constant = gamma * ln(wished);
        if constant.is_finite() {
            self.g.iter_mut().for_each(|g| *g += constant);
            self.f.iter_mut().for_each(|f| *f -= constant);
            self.stay += constant;
        }
    }

    fn finish(&self, options: &Partial, fraction: f64, iterations: usize) -> Result<PartialPlan, TransportError> {
        let mut plan = Matrix::zeros(self.f.len(), self.g.len());
        let offset = ln(self.mass);
        for (i, &f) in self.f.iter().enumerate() {
            exp_row(plan.row_mut(i), f + offset, &self.g, self.cost.row(i));
        }
        let stays = |f: &f64| {
            if fraction < 1.0 {
                exp(f + offset + self.stay)
            } else {
                0.0
            }
        };
        let left: Vec<f64> = self.f.iter().map(stays).collect();
        let miss = |sum: f64, want: f64| (sum - want).abs() / self.mass;
        let row_sums = plan.row_sums();
        let rows = (0..left.len()).map(|i| miss(row_sums[i] + left[i], self.rows[i] * self.mass));
        let mut error: f64 = rows.sum();
        error += miss(left.iter().sum(), (1.0 - fraction) * self.mass);
        for (sum, column) in plan.column_sums().into_iter().zip(&self.columns) {
            let mass = column * self.mass;
            error += match options.columns {
                ColumnMasses::Exact => miss(sum, fraction * mass),
                ColumnMasses::AtMost => (sum - mass).max(0.0) / self.mass,
                ColumnMasses::Soft { .. } => 0.0,
            };
        }
        if error > 4.0 * options.tolerance + 1e-13 || error.is_nan() {
            return Err(TransportError::NotConverged { iterations, error });
        }
        Ok(PartialPlan {
            plan,
            left,
            fraction,
            iterations,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimal_transport::tests::Instance;
    use crate::optimal_transport::{Sinkhorn, TransportError};

    fn l1(x: &[f64], y: &[f64]) -> f64 {
        x.iter().zip(y).map(|(a, b)| (a - b).abs()).sum()
    }

    #[test]
    fn the_whole_mass_with_exact_columns_is_balanced_transport() {
        let instance = Instance::random(12, 5, 3);
        let balanced = Sinkhorn::new(0.1).solve_log(&instance.problem()).unwrap();
        let partial = Partial::new(0.1, 1.0).solve(&instance.problem()).unwrap();
        assert!(l1(balanced.plan.data(), partial.plan.data()) < 1e-7);
        // A stiff wish is a command, a weak one leaves every row at its cheapest columns.
        let soft = |gamma| Partial {
            columns: ColumnMasses::Soft { gamma },
            ..Partial::new(0.1, 1.0)
        };
        let stiff = soft(1e4).solve(&instance.problem()).unwrap();
        assert!(l1(balanced.plan.data(), stiff.plan.data()) < 1e-3);
        let weak = soft(1e-9).solve(&instance.problem()).unwrap();
        let mut row: Vec<f64> = instance.cost.row(0).iter().map(|c| exp(-c / 0.1)).collect();
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|w| *w *= instance.rows[0] / total);
        assert!(l1(weak.plan.row(0), &row) < 1e-6);
    }

    #[test]
    fn growing_fractions_admit_the_cheapest_rows_first() {
        // One cheap row, one dear: half of the mass is the cheap row's.
        let cost = Matrix::new(2, 2, vec![0.0, 0.1, 2.0, 2.1]).unwrap();
        let masses = [1.0, 1.0];
        let problem = Problem::new(&cost, &masses, &masses).unwrap();
        let fractions = [0.2, 0.4, 0.75, 1.0];
        let plans = Partial::new(0.1, 1.0).progressive(&problem, &fractions).unwrap();
        let moved: Vec<f64> = plans.iter().map(|p| p.plan.row_sums()[1]).collect();
        assert!(moved[0] < 1e-6 && moved[1] < 1e-3 && (moved[2] - 0.5).abs() < 1e-3 && (moved[3] - 1.0).abs() < 1e-6);
        for (plan, fraction) in plans.iter().zip(fractions) {
            let moved: f64 = plan.plan.data().iter().sum();
            assert!((moved - 2.0 * fraction).abs() < 2e-8, "{moved} of 2 at {fraction}");
            assert!((plan.left.iter().sum::<f64>() - 2.0 * (1.0 - fraction)).abs() < 2e-8);
        }
    }

    #[test]
    fn capacities_are_not_exceeded() {
        let instance = Instance::random(30, 6, 5);
        let problem = instance.problem();
        for fraction in [0.3, 0.8] {
            let options = Partial {
                columns: ColumnMasses::AtMost,
                ..Partial::new(0.05, fraction)
            };
            let plan = options.solve(&problem).unwrap();
            for (sum, capacity) in plan.plan.column_sums().iter().zip(&instance.columns) {
                assert!(*sum <= capacity * (1.0 + 1e-6));
            }
        }
    }

    #[test]
    fn bad_fractions_are_named() {
        let instance = Instance::random(3, 3, 1);
        for fraction in [0.0, -0.5, 1.5, f64::NAN] {
            let answer = Partial::new(0.1, fraction).solve(&instance.problem());
            assert!(matches!(answer, Err(TransportError::Option { option: "fraction", .. })));
        }
    }
}
