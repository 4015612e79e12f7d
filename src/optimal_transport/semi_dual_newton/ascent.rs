//! The way up the semi-dual: Newton steps with a Hessian that is corrected along the way and computed anew only when
//! steps gain little.

use super::super::TransportError;
use super::super::linear::Cholesky;
use super::super::matrix::Matrix;
use super::super::vectors::{add_scaled, dot};
use super::semi_dual::{Evaluation, SemiDual};

/// A step that leaves more than this part of the error asks for a new Hessian, which costs as much as several steps.
const SLOW: f64 = 0.1;
/// Rises of the value that are smaller than this part of it are lost in its digits: then the error has to fall.
const VISIBLE: f64 = 1e-10;
/// The longest change of a potential in one step, in units of epsilon * ln 2.
const LONGEST: f64 = 50.0;
/// Lengths of a step that are tried, each half of the one before.
const TRIALS: usize = 6;
/// Curvature along a step, relative to the expected one, below which it is rounding error.
const LEAST_CURVATURE: f64 = 1e-3;

/// A point on the way, and the Hessian in use.
pub(super) struct Ascent<'a> {
    semi_dual: SemiDual<'a>,
    /// Potentials in the units of the semi-dual.
    g: Vec<f64>,
    here: Evaluation,
    hessian: Matrix,
    /// Whether that Hessian is the one of this very point.
    fresh: bool,
    /// Whether the last step gained little.
    slow: bool,
    /// Multiple of the largest diagonal entry that is added to the Hessian: 0 but where steps fail (Levenberg).
    damping: f64,
}

impl<'a> Ascent<'a> {
    /// Starts at column potentials in units of cost, with a Hessian that holds nearby if one is known.
    pub(super) fn new(mut semi_dual: SemiDual<'a>, start: &[f64], hessian: Option<Matrix>) -> Self {
        let g: Vec<f64> = start.iter().map(|p| p * semi_dual.scale()).collect();
        let (here, own) = semi_dual.evaluate(&g, hessian.is_none());
        Self {
            semi_dual,
            g,
            here,
            fresh: own.is_some(),
            hessian: own.or(hessian).expect("one of the two"),
            slow: false,
            damping: 0.0,
        }
    }

    /// L1 error of the marginals, relative to the total mass.
    pub(super) fn error(&self) -> f64 {
        self.here.error
    }

    /// The column potentials in units of cost.
    pub(super) fn potentials(&self) -> Vec<f64> {
        self.g.iter().map(|g| g / self.semi_dual.scale()).collect()
    }

    /// What the next ascent can use: the memory of the kernel, and the Hessian.
    pub(super) fn into_parts(self) -> (Vec<f64>, Option<Matrix>) {
        (self.semi_dual.into_memory(), Some(self.hessian))
    }

    /// The plan in units of mass, its rows exact, and the row potentials in units of cost.
    pub(super) fn into_plan(self, masses: &[f64]) -> Result<(Matrix, Vec<f64>), TransportError> {
        self.semi_dual.into_plan(masses, &self.g)
    }

    /// Steps until the error is at most `tolerance`, nothing helps, or `most` steps are done; their number.
    pub(super) fn climb(&mut self, tolerance: f64, most: usize) -> usize {
        let mut steps = 0;
        while self.here.error > tolerance && steps < most {
            steps += 1;
            if self.advance() {
                continue;
            }
            if !self.fresh {
                let (here, hessian) = self.semi_dual.evaluate(&self.g, true);
                (self.here, self.fresh) = (here, true);
                self.hessian = hessian.expect("asked for");
            } else if self.damping < 1.0 {
                self.damping = (10.0 * self.damping).max(1e-6);
            } else {
                break;
            }
        }
        steps
    }

    /// A Newton step, halved until the value rises as Armijo asks or the error falls; false where none does.
    fn advance(&mut self) -> bool {
        let last = self.g.len() - 1;
        let Some(factor) = Cholesky::with_ridge(&self.hessian, self.damping) else {
            return false;
        };
        // Potentials count up to a constant: the last one stays.
        let mut step = factor.solve(&self.here.gradient[..last]);
        step.push(0.0);
        let slope = dot(&self.here.gradient, &step);
        if !slope.is_finite() {
            return false;
        }
        let longest = step.iter().fold(0.0, |l, s| f64::max(l, s.abs()));
        let mut length = (LONGEST / longest).min(1.0);
        for _ in 0..if self.fresh { TRIALS } else { 1 } {
            let mut next = self.g.clone();
            add_scaled(&mut next, length, &step);
            let (there, hessian) = self.semi_dual.evaluate(&next, self.slow);
            let visible = length * slope > VISIBLE * self.here.value.abs().max(1.0);
            let rises = there.value >= self.here.value + 1e-4 * length * slope;
            if visible && rises || there.error < 0.5 * self.here.error {
                self.damping *= 0.1;
                self.slow = hessian.is_none() && there.error > SLOW * self.here.error;
                self.fresh = hessian.is_some();
                match hessian {
                    Some(hessian) => self.hessian = hessian,
                    None => {
                        let step: Vec<f64> = step[..last].iter().map(|s| s * length).collect();
                        correct(&mut self.hessian, &step, &self.here.gradient, &there.gradient);
                    }
                }
                (self.g, self.here) = (next, there);
                return true;
            }
            length *= 0.5;
        }
        false
    }
}

/// Corrects the lower triangle of a (negated) Hessian by how the gradient changed along a step (Broyden, Fletcher, Goldfarb
/// and Shanno 1970).
fn correct(hessian: &mut Matrix, step: &[f64], before: &[f64], after: &[f64]) {
    let m = step.len();
    let change: Vec<f64> = before[..m].iter().zip(after).map(|(b, a)| b - a).collect();
    let at = |i: usize, j: usize| hessian.at(i.max(j), i.min(j));
    let expected: Vec<f64> = (0..m).map(|i| (0..m).map(|j| at(i, j) * step[j]).sum()).collect();
    let (curvature, foreseen) = (dot(&change, step), dot(&expected, step));
    if !(foreseen > 0.0 && curvature > LEAST_CURVATURE * foreseen) {
        return;
    }
    for i in 0..m {
        let row = &mut hessian.row_mut(i)[..=i];
        add_scaled(row, change[i] / curvature, &change);
        add_scaled(row, -expected[i] / foreseen, &expected);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is corrected along conjugate directions is the Hessian of a quadratic function.
    #[test]
    fn corrections_learn_a_quadratic_function() {
        let true_one = Matrix::from_fn(3, 3, |i, j| if i == j { 2.0 + i as f64 } else { 0.5 });
        let mut learnt = Matrix::from_fn(3, 3, |i, j| f64::from(i == j));
        let times = |x: &[f64]| -> Vec<f64> { (0..3).map(|i| dot(true_one.row(i), x)).collect() };
        let mut directions: Vec<Vec<f64>> = Vec::new();
        for k in 0..3 {
            let mut step: Vec<f64> = (0..3).map(|i| f64::from(i == k)).collect();
            for before in &directions {
                let image = times(before);
                let along = dot(&step, &image) / dot(before, &image);
                add_scaled(&mut step, -along, before);
            }
            let gradient = [0.3, -0.2, 0.1];
            let after: Vec<f64> = gradient.iter().zip(times(&step)).map(|(g, c)| g - c).collect();
            correct(&mut learnt, &step, &gradient, &after);
            directions.push(step);
        }
        for i in 0..3 {
            for j in 0..=i {
                assert!((learnt.at(i, j) - true_one.at(i, j)).abs() < 1e-12, "{learnt:?}");
            }
        }
        let known = learnt.clone();
        correct(&mut learnt, &[1e-9, 0.0, 0.0], &[0.0; 3], &[1.0; 3]);
        assert_eq!(learnt, known, "negative curvature is rounding error");
    }
}
