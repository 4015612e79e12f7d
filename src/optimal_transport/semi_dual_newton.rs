//! Newton's method on the semi-dual: for many rows and few columns, such as 10^5 flows on 64 spines.

use super::TransportError;
use super::elementary::{SAFE, add_scaled, dot, exp2_row, exp2_row_shifted, log2_each, sum};
use super::linear::Cholesky;
use super::matrix::{Entropic, Matrix, Problem, check_positive};

/// Options of the semi-dual Newton method. It maximises the concave
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

impl SemiDualNewton {
    /// Tolerance 1e-12, at most 50 steps.
    pub fn new(epsilon: f64) -> Self {
        Self {
            epsilon,
            tolerance: 1e-12,
            max_iterations: 50,
        }
    }

    /// Solves from the potentials of samples of the rows, and where that does not converge (few or identical rows)
    /// through larger values of epsilon.
    ///
    /// # Errors
    /// [`TransportError::ZeroMass`], [`TransportError::EpsilonTooSmall`], bad options, and
    /// [`TransportError::NotConverged`] where the marginals are not met.
    pub fn solve(&self, problem: &Problem<'_>) -> Result<Entropic, TransportError> {
        let (potentials, iterations) = self.potentials(problem)?;
        let semi_dual = SemiDual::new(problem, self.epsilon, 1);
        let g: Vec<f64> = potentials.iter().map(|p| p * semi_dual.scale).collect();
        let (plan, f) = semi_dual.plan(problem.rows, &g);
        let error = problem.check_plan(&plan, 2.0 * self.tolerance + 1e-13, iterations)?;
        Ok(Entropic {
            plan,
            row_potentials: f.iter().map(|f| f / semi_dual.scale).collect(),
            column_potentials: potentials,
            iterations,
            error,
        })
    }

    /// The column potentials alone (units of cost), with the steps used: where n x m numbers of a
    /// plan are not wanted.
    ///
    /// # Errors
    /// As [`SemiDualNewton::solve`].
    pub fn potentials(&self, problem: &Problem<'_>) -> Result<(Vec<f64>, usize), TransportError> {
        problem.check_entropic(self.epsilon)?;
        check_positive("tolerance", self.tolerance)?;
        let columns = problem.columns.len();
        let (mut start, mut sampled) = (Start::zero(columns), 0);
        for stride in SAMPLES {
            if problem.rows.len() / stride < LEAST_SAMPLE * columns {
                continue;
            }
            // A sample is as far from the whole as it is small: it need not be solved to more digits.
            let rough = Self {
                tolerance: ROUGH,
                max_iterations: self.max_iterations.min(SAMPLE_STEPS),
                ..*self
            };
            if let Ok((better, steps)) = rough.ascend(problem, &start, stride) {
                (start, sampled) = (better, sampled + steps);
            }
        }
        let direct = self.ascend(problem, &start, 1);
        let Err(TransportError::NotConverged { .. }) = direct else {
            return direct.map(|(found, steps)| (found.potentials, sampled + steps));
        };
        let (low, high) = problem.cost.range();
        let mut epsilon = (0.25 * (high - low)).max(self.epsilon);
        let (mut start, mut total) = (Start::zero(columns), sampled);
        while epsilon > self.epsilon {
            // A larger epsilon only gives a start; where it stops short the next one goes on from zero.
            let larger = Self {
                epsilon,
                tolerance: 1e-3,
                ..*self
            };
            if let Ok((better, steps)) = larger.ascend(problem, &start, 1) {
                start.potentials = better.potentials;
                total += steps;
            }
            epsilon *= 0.25;
        }
        let (found, steps) = self.ascend(problem, &start, 1)?;
        Ok((found.potentials, total + steps))
    }

    fn ascend(&self, problem: &Problem<'_>, start: &Start, stride: usize) -> Result<(Start, usize), TransportError> {
        let mut semi_dual = SemiDual::new(problem, self.epsilon, stride);
        let mut g: Vec<f64> = start.potentials.iter().map(|p| p * semi_dual.scale).collect();
        let mut here = semi_dual.evaluate(&g, start.hessian.is_none());
        semi_dual.take_hessian(&mut here);
        if let Some(hessian) = &start.hessian {
            semi_dual.hessian.clone_from(hessian);
        }
        let mut iterations = 0;
        while here.error > self.tolerance && iterations < self.max_iterations {
            iterations += 1;
            match semi_dual.advance(&g, &here) {
                Some(next) => (g, here) = next,
                None if !semi_dual.fresh => {
                    here = semi_dual.evaluate(&g, true);
                    semi_dual.take_hessian(&mut here);
                }
                None if semi_dual.damping < 1.0 => semi_dual.damping = (10.0 * semi_dual.damping).max(1e-6),
                None => break,
            }
        }
        let error = here.error;
        if error > self.tolerance {
            return Err(TransportError::NotConverged { iterations, error });
        }
        let found = Start {
            potentials: g.iter().map(|g| g / semi_dual.scale).collect(),
            hessian: Some(semi_dual.hessian),
        };
        Ok((found, iterations))
    }
}

/// Where an ascent starts: column potentials in units of cost, and a Hessian that holds nearby, if one is known.
struct Start {
    potentials: Vec<f64>,
    hessian: Option<Matrix>,
}

impl Start {
    fn zero(columns: usize) -> Self {
        Self {
            potentials: vec![0.0; columns],
            hessian: None,
        }
    }
}

/// Every that many rows make a sample.
const SAMPLES: [usize; 2] = [64, 8];
/// Rows per column below which a sample says little.
const LEAST_SAMPLE: usize = 16;
/// Error at which the solution of a sample is good enough.
const ROUGH: f64 = 1e-2;
/// Newton steps on a sample, at most.
const SAMPLE_STEPS: usize = 12;
/// Below this error steps with the last Hessian gain digits faster than ones with a new Hessian, which cost several times as much...
const KEEP_HESSIAN: f64 = 1e-2;
/// ... as long as each leaves no more than this part of the error.
const SLOW: f64 = 0.2;
/// Rows whose probabilities are multiplied at a time.
const PANEL: usize = 128;
/// Probabilities below this do not count in the Hessian (and would be slow as denormal `f32`).
const NEGLIGIBLE: f64 = 1e-12;
/// Sizes of the blocks of the Hessian kept in registers.
const TILE: (usize, usize) = (4, 8);

/// The semi-dual of every `stride`-th row, with masses relative to their total and potentials in units of epsilon * ln 2: powers
/// of 2 take the place of exponentials.
struct SemiDual<'a> {
    rows: Vec<f64>,
    columns: Vec<f64>,
    cost: &'a Matrix,
    stride: usize,
    /// Those units per unit of cost.
    scale: f64,
    /// Shift of every row under which its terms neither overflow nor vanish.
    shifts: Vec<f64>,
    /// The Hessian in use: this point's, or that of an earlier one.
    hessian: Matrix,
    fresh: bool,
    /// Whether the last step gained little.
    slow: bool,
    /// Multiple of the largest diagonal entry that is added to the Hessian: 0 but where steps fail (Levenberg).
    damping: f64,
}

struct Evaluation {
    value: f64,
    gradient: Vec<f64>,
    /// L1 norm of the gradient.
    error: f64,
    /// The Hessian, negated, without its last row and column (potentials count up to a constant), if
    /// asked for.
    hessian: Option<Matrix>,
}

impl<'a> SemiDual<'a> {
    fn new(problem: &'a Problem<'a>, epsilon: f64, stride: usize) -> Self {
        let relative = |masses: Vec<f64>| -> Vec<f64> {
            let total = sum(&masses);
            masses.iter().map(|m| m / total).collect()
        };
        let rows: Vec<f64> = problem.rows.iter().step_by(stride).copied().collect();
        Self {
            shifts: vec![0.0; rows.len()],
            rows: relative(rows),
            columns: relative(problem.columns.to_vec()),
            cost: problem.cost,
            stride,
            scale: std::f64::consts::LOG2_E / epsilon,
            hessian: Matrix::zeros(0, 0),
            fresh: false,
            slow: false,
            damping: 0.0,
        }
    }

    /// 2^(g_j - scale * C_ij + shift) into `terms`; returns their sum and the shift.
    fn terms(&self, i: usize, g: &[f64], terms: &mut [f64]) -> (f64, f64) {
        let (cost, shift) = (self.cost.row(i * self.stride), self.shifts[i]);
        let total = exp2_row(terms, shift, g, cost, self.scale);
        if SAFE.contains(&total) {
            (total, shift)
        } else {
            exp2_row_shifted(terms, g, cost, self.scale)
        }
    }

    fn evaluate(&mut self, g: &[f64], hessian: bool) -> Evaluation {
        let m = g.len();
        let mut terms = vec![0.0; m];
        let mut sums = vec![0.0; m];
        let mut value = dot(&self.columns, g);
        let mut totals = Vec::with_capacity(self.rows.len());
        let mut gram = hessian.then(|| Gram::new(m));
        let n = self.rows.len() as f64;
        for i in 0..self.rows.len() {
            let mass = self.rows[i];
            let (total, shift) = self.terms(i, g, &mut terms);
            self.shifts[i] = shift;
            totals.push(total);
            value += mass * shift;
            add_scaled(&mut sums, mass / total, &terms);
            if let Some(gram) = &mut gram {
                // Scaled to masses around 1, which suit f32.
                gram.add((mass * n).sqrt(), total, &terms);
            }
        }
        log2_each(&mut totals);
        value -= dot(&self.rows, &totals);
        let hessian = gram.map(|gram| {
            let gram = gram.finish();
            let entry = |i: usize, j: usize| if i == j { sums[i] } else { 0.0 } - gram.at(i, j) / n;
            Matrix::from_fn(m - 1, m - 1, |i, j| std::f64::consts::LN_2 * entry(i, j))
        });
        let gradient: Vec<f64> = self.columns.iter().zip(&sums).map(|(b, s)| b - s).collect();
        Evaluation {
            value,
            error: gradient.iter().map(|d| d.abs()).sum(),
            gradient,
            hessian,
        }
    }

    fn take_hessian(&mut self, point: &mut Evaluation) {
        let hessian = point.hessian.take();
        self.fresh = hessian.is_some();
        self.hessian = hessian.unwrap_or_else(|| std::mem::replace(&mut self.hessian, Matrix::zeros(0, 0)));
    }

    /// A Newton step, halved until the value rises as Armijo asks or, where its digits end, the
    /// error falls.
    fn advance(&mut self, g: &[f64], here: &Evaluation) -> Option<(Vec<f64>, Evaluation)> {
        let m = g.len();
        let mut step = Cholesky::with_ridge(&self.hessian, self.damping)?.solve(&here.gradient[..m - 1]);
        step.push(0.0);
        let slope = dot(&here.gradient, &step);
        if !slope.is_finite() {
            return None;
        }
        let far = here.error > KEEP_HESSIAN || self.slow;
        let trials = if self.fresh { 6 } else { 1 };
        let mut length = 1.0;
        for _ in 0..trials {
            let mut next = g.to_vec();
            add_scaled(&mut next, length, &step);
            let mut there = self.evaluate(&next, far);
            let rises = there.value >= here.value + 1e-4 * length * slope;
            if (far && rises) || there.error < 0.5 * here.error {
                self.damping *= 0.1;
                self.slow = there.error > SLOW * here.error;
                self.take_hessian(&mut there);
                return Some((next, there));
            }
            length *= 0.5;
        }
        None
    }

    /// The plan in units of mass, its rows exact, and the row potentials in the units of `g`.
    fn plan(&self, masses: &[f64], g: &[f64]) -> (Matrix, Vec<f64>) {
        let mut plan = Matrix::zeros(masses.len(), g.len());
        let mut f = Vec::with_capacity(masses.len());
        let mut logs = Vec::with_capacity(masses.len());
        for (i, &mass) in masses.iter().enumerate() {
            let (total, shift) = self.terms(i, g, plan.row_mut(i));
            let factor = mass / total;
            plan.row_mut(i).iter_mut().for_each(|t| *t *= factor);
            f.push(shift);
            logs.push(factor.max(f64::MIN_POSITIVE));
        }
        log2_each(&mut logs);
        add_scaled(&mut f, 1.0, &logs);
        (plan, f)
    }
}

/// Sum of the outer products of vectors with themselves, in `f32`: the Hessian only has to point
/// the way. Vectors are multiplied a panel at a time in tiles that fit registers.
struct Gram {
    size: usize,
    /// `size` rounded up to whole tiles.
    stride: usize,
    panel: Vec<f32>,
    filled: usize,
    totals: Vec<f64>,
}

impl Gram {
    fn new(size: usize) -> Self {
        let stride = size.next_multiple_of(TILE.1);
        Self {
            size,
            stride,
            panel: vec![0.0; PANEL * stride],
            filled: 0,
            totals: vec![0.0; stride * stride],
        }
    }

    /// Adds the outer product of `factor * vector / total`.
    fn add(&mut self, factor: f64, total: f64, vector: &[f64]) {
        let (factor, least) = (factor / total, NEGLIGIBLE * total);
        let row = &mut self.panel[self.filled * self.stride..][..self.size];
        for (out, &v) in row.iter_mut().zip(vector) {
            *out = if v > least { (factor * v) as f32 } else { 0.0 };
        }
        self.filled += 1;
        if self.filled == PANEL {
            self.multiply();
        }
    }

    fn multiply(&mut self) {
        for i in (0..self.stride).step_by(TILE.0) {
            for j in (0..=i).step_by(TILE.1) {
                let tile = self.tile(i, j);
                for (r, sums) in tile.iter().enumerate() {
                    let totals = &mut self.totals[(i + r) * self.stride + j..][..TILE.1];
                    for (total, &sum) in totals.iter_mut().zip(sums) {
                        *total += f64::from(sum);
                    }
                }
            }
        }
        self.filled = 0;
    }

    fn tile(&self, i: usize, j: usize) -> [[f32; TILE.1]; TILE.0] {
        let mut tile = [[0.0_f32; TILE.1]; TILE.0];
        for row in self.panel[..self.filled * self.stride].chunks_exact(self.stride) {
            let (left, right) = (&row[i..i + TILE.0], &row[j..j + TILE.1]);
            for (sums, &l) in tile.iter_mut().zip(left) {
                for (sum, &r) in sums.iter_mut().zip(right) {
                    *sum += l * r;
                }
            }
        }
        tile
    }

    /// The sum; its lower triangle is complete.
    fn finish(mut self) -> Matrix {
        self.multiply();
        Matrix::from_fn(self.size, self.size, |i, j| self.totals[i * self.stride + j])
    }
}
