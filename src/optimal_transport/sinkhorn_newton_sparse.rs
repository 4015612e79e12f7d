//! Sinkhorn-Newton-Sparse: for small epsilon and high precision, where plain rounds need tens of thousands.

use super::TransportError;
use super::matrix::{Entropic, Matrix, Problem, check_positive};
use super::vectors::{SAFE, add_scaled, dot, exp_row, max, sum};
use crate::math::{exp, ln};

/// Options of Sinkhorn-Newton-Sparse (Tang et al. 2024, arXiv 2401.12253): Sinkhorn sweeps until the marginals are roughly met, then
/// Newton steps on both potentials with a Hessian of which only the large entries are kept. A plan at small
/// epsilon has few, so that a step costs little more than a sweep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SinkhornNewtonSparse {
    /// Strength of the regularisation, in units of cost: 1/eta.
    pub epsilon: f64,
    /// L1 error of the marginals at which to stop, relative to the total mass.
    pub tolerance: f64,
    /// Error at which Newton steps take over from sweeps. Where they do not help, sweeps go on to a tenth of it.
    pub switch: f64,
    /// Entries of the plan that the Hessian keeps at least, per row. More are kept where the rest
    /// holds more than a tenth of the present error.
    pub entries_per_row: f64,
    /// Sweeps and Newton steps before giving up.
    pub max_iterations: usize,
}

impl SinkhornNewtonSparse {
    /// Tolerance 1e-12, switch at 1e-2, five entries per row, at most 10 000 iterations.
    pub fn new(epsilon: f64) -> Self {
        Self {
            epsilon,
            tolerance: 1e-12,
            switch: 1e-2,
            entries_per_row: 5.0,
            max_iterations: 10_000,
        }
    }

    /// Solves a problem.
    ///
    /// # Errors
    /// [`TransportError::ZeroMass`], [`TransportError::EpsilonTooSmall`], bad options, and
    /// [`TransportError::NotConverged`] where the marginals are not met.
    pub fn solve(&self, problem: &Problem<'_>) -> Result<Entropic, TransportError> {
        problem.check_entropic(self.epsilon)?;
        check_positive("tolerance", self.tolerance)?;
        check_positive("switch", self.switch)?;
        check_positive("entries_per_row", self.entries_per_row)?;
        let mut state = State::new(problem, self.epsilon);
        let mut switch = self.switch;
        let mut iterations = 0;
        let mut point = state.start();
        while point.error > self.tolerance && iterations < self.max_iterations {
            iterations += 1;
            let better = if point.error > switch {
                None
            } else {
                let kept = (self.entries_per_row * state.rows.len() as f64) as usize;
                let step = state.newton_step(&point, kept);
                if step.is_none() {
                    switch = 0.1 * point.error;
                }
                step
            };
            point = match better {
                Some(better) => better,
                None => state.sweep(point),
            };
        }
        let mass = problem.mass();
        let scaled = state.plan.data().iter().map(|p| p * mass).collect();
        let plan = Matrix::new(state.plan.rows(), state.plan.columns(), scaled)?;
        let error = problem.check_plan(&plan, 2.0 * self.tolerance + 1e-14, iterations)?;
        let offset = self.epsilon * ln(mass);
        Ok(Entropic {
            plan,
            row_potentials: point.x.iter().map(|x| x * self.epsilon + offset).collect(),
            column_potentials: point.y.iter().map(|y| y * self.epsilon).collect(),
            iterations,
            error,
        })
    }
}

/// Masses relative to their total; costs in units of epsilon.
struct State {
    rows: Vec<f64>,
    columns: Vec<f64>,
    cost: Matrix,
    /// The plan at the point last evaluated.
    plan: Matrix,
}

/// Potentials in units of epsilon, and the marginals they give.
struct Point {
    x: Vec<f64>,
    y: Vec<f64>,
    row_sums: Vec<f64>,
    column_sums: Vec<f64>,
    /// L1 distance of both from the masses.
    error: f64,
    /// `<r, x> + <c, y> - sum P`, which the solution maximizes.
    value: f64,
}

impl State {
    fn new(problem: &Problem<'_>, epsilon: f64) -> Self {
        let relative = |masses: &[f64]| -> Vec<f64> {
            let total = sum(masses);
            masses.iter().map(|m| m / total).collect()
        };
        let (n, m) = (problem.rows.len(), problem.columns.len());
        Self {
            rows: relative(problem.rows),
            columns: relative(problem.columns),
            cost: Matrix::from_fn(n, m, |i, j| problem.cost.at(i, j) / epsilon),
            plan: Matrix::zeros(n, m),
        }
    }

    /// Potentials that meet the rows, however small epsilon is.
    fn start(&mut self) -> Point {
        let y = vec![0.0; self.columns.len()];
        let x = (0..self.rows.len()).map(|i| self.row_potential(i, &y)).collect();
        self.evaluate(x, y)
    }

    fn evaluate(&mut self, x: Vec<f64>, y: Vec<f64>) -> Point {
        let mut column_sums = vec![0.0; y.len()];
        let mut row_sums = Vec::with_capacity(x.len());
        for (i, &x) in x.iter().enumerate() {
            row_sums.push(exp_row(self.plan.row_mut(i), x, &y, self.cost.row(i)));
            add_scaled(&mut column_sums, 1.0, self.plan.row(i));
        }
        let l1 = |sums: &[f64], masses: &[f64]| sums.iter().zip(masses).map(|(s, m)| (s - m).abs()).sum::<f64>();
        Point {
            error: l1(&row_sums, &self.rows) + l1(&column_sums, &self.columns),
            value: dot(&self.rows, &x) + dot(&self.columns, &y) - sum(&row_sums),
            x,
            y,
            row_sums,
            column_sums,
        }
    }

    /// The potential at which row `i` is met.
    fn row_potential(&self, i: usize, y: &[f64]) -> f64 {
        let exponents: Vec<f64> = y.iter().zip(self.cost.row(i)).map(|(y, c)| y - c).collect();
        let shift = max(&exponents);
        ln(self.rows[i]) - shift - ln(exponents.iter().map(|e| exp(e - shift)).sum())
    }

    /// The potential at which column `j` is met.
    fn column_potential(&self, j: usize, x: &[f64]) -> f64 {
        let exponents: Vec<f64> = x.iter().enumerate().map(|(i, x)| x - self.cost.at(i, j)).collect();
        let shift = max(&exponents);
        ln(self.columns[j]) - shift - ln(exponents.iter().map(|e| exp(e - shift)).sum())
    }

    /// Meets the rows, then the columns, in the log domain.
    fn sweep(&mut self, mut point: Point) -> Point {
        let mut column_sums = vec![0.0; point.y.len()];
        for i in 0..point.x.len() {
            let row_sum = point.row_sums[i];
            if SAFE.contains(&row_sum) {
                point.x[i] += ln(self.rows[i]) - ln(row_sum);
                add_scaled(&mut column_sums, self.rows[i] / row_sum, self.plan.row(i));
            } else {
                point.x[i] = self.row_potential(i, &point.y);
                exp_row(self.plan.row_mut(i), point.x[i], &point.y, self.cost.row(i));
                add_scaled(&mut column_sums, 1.0, self.plan.row(i));
            }
        }
        for (j, &column_sum) in column_sums.iter().enumerate() {
            point.y[j] = if SAFE.contains(&column_sum) {
                point.y[j] + ln(self.columns[j]) - ln(column_sum)
            } else {
                self.column_potential(j, &point.x)
            };
        }
        self.evaluate(point.x, point.y)
    }

    /// A Newton step with backtracking; `None` where it does not help.
    fn newton_step(&mut self, here: &Point, kept: usize) -> Option<Point> {
        let kept = Sparse::largest(&self.plan, kept, 0.1 * here.error);
        let (dx, dy, slope) = kept.newton_direction(here, &self.rows, &self.columns)?;
        let mut length = 1.0;
        for _ in 0..8 {
            let moved =
                |from: &[f64], by: &[f64]| -> Vec<f64> { from.iter().zip(by).map(|(a, d)| a + length * d).collect() };
            let there = self.evaluate(moved(&here.x, &dx), moved(&here.y, &dy));
            // Where the value has no more digits, the error decides.
            let rises = there.value >= here.value + 1e-4 * length * slope && there.error < 10.0 * here.error;
            if there.error < 0.5 * here.error || (rises && here.error > 1e-6) {
                return Some(there);
            }
            length *= 0.5;
        }
        self.evaluate(here.x.clone(), here.y.clone());
        None
    }
}

/// The large entries of a plan, row after row.
struct Sparse {
    starts: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

impl Sparse {
    /// At least the `count` largest entries, and so many that the others hold at most `dropped` of mass. The
    /// cut lies at a power of two.
    fn largest(plan: &Matrix, count: usize, dropped: f64) -> Self {
        let exponent = |p: &f64| (p.to_bits() >> 52) as usize & 2047;
        let (mut counts, mut masses) = ([0_usize; 2048], [0.0; 2048]);
        for p in plan.data() {
            counts[exponent(p)] += 1;
            masses[exponent(p)] += p;
        }
        let (mut cut, mut left, mut lost) = (1, plan.data().len() - counts[0], masses[0]);
        while cut < 2047 && left - counts[cut] >= count && lost + masses[cut] <= dropped {
            left -= counts[cut];
            lost += masses[cut];
            cut += 1;
        }
        let threshold = f64::from_bits((cut as u64) << 52);
        let mut sparse = Self {
            starts: vec![0],
            columns: Vec::with_capacity(left),
            values: Vec::with_capacity(left),
        };
        for i in 0..plan.rows() {
            for (j, &p) in plan.row(i).iter().enumerate() {
                if p >= threshold {
                    sparse.columns.push(j as u32);
                    sparse.values.push(p);
                }
            }
            sparse.starts.push(sparse.values.len() as u32);
        }
        sparse
    }

    /// Columns and values of every row.
    fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = (usize, f64)> + Clone> {
        self.starts.windows(2).map(|w| {
            let range = w[0] as usize..w[1] as usize;
            let columns = self.columns[range.clone()].iter().map(|&j| j as usize);
            columns.zip(self.values[range].iter().copied())
        })
    }

    /// Solves `[[diag(P1), P], [P^T, diag(P^T 1)]] (dx, dy) = gradient` by eliminating dx: conjugate
    /// gradients on the Schur complement, up to the constant that may move from x to y.
    fn newton_direction(&self, here: &Point, rows: &[f64], columns: &[f64]) -> Option<(Vec<f64>, Vec<f64>, f64)> {
        let missing =
            |masses: &[f64], sums: &[f64]| -> Vec<f64> { masses.iter().zip(sums).map(|(m, s)| m - s).collect() };
        let (gx, gy) = (missing(rows, &here.row_sums), missing(columns, &here.column_sums));
        let mut right = gy.clone();
        let mut diagonal = here.column_sums.clone();
        for (i, row) in self.rows().enumerate() {
            let weight = gx[i] / here.row_sums[i];
            for (j, p) in row {
                right[j] -= weight * p;
                diagonal[j] -= p * p / here.row_sums[i];
            }
        }
        let ridge = 1e-14;
        for (d, sum) in diagonal.iter_mut().zip(&here.column_sums) {
            *d = d.max(1e-12 * sum) + ridge;
        }
        let precision = here.error.clamp(1e-9, 1e-2);
        let dy = self.conjugate_gradients(here, &right, &diagonal, ridge, precision);
        let dx: Vec<f64> = self
            .rows()
            .enumerate()
            .map(|(i, row)| {
                let moved: f64 = row.map(|(j, p)| p * dy[j]).sum();
                (gx[i] - moved) / here.row_sums[i]
            })
            .collect();
        let slope = dot(&gx, &dx) + dot(&gy, &dy);
        (slope > 0.0 && slope.is_finite()).then_some((dx, dy, slope))
    }

    fn conjugate_gradients(
        &self,
        here: &Point,
        right: &[f64],
        diagonal: &[f64],
        ridge: f64,
        precision: f64,
    ) -> Vec<f64> {
        let m = right.len();
        let mut x = vec![0.0; m];
        let mut residual = right.to_vec();
        let mut z: Vec<f64> = residual.iter().zip(diagonal).map(|(r, d)| r / d).collect();
        let mut search = z.clone();
        let mut rho = dot(&residual, &z);
        let enough = precision * precision * rho;
        let mut image = vec![0.0; m];
        for _ in 0..2 * m + 20 {
            if rho <= enough {
                break;
            }
            self.schur_times(here, &search, ridge, &mut image);
            let step = rho / dot(&search, &image);
            if !step.is_finite() || step <= 0.0 {
                break;
            }
            add_scaled(&mut x, step, &search);
            add_scaled(&mut residual, -step, &image);
            for ((z, r), d) in z.iter_mut().zip(&residual).zip(diagonal) {
                *z = r / d;
            }
            let next = dot(&residual, &z);
            let beta = next / rho;
            for (s, z) in search.iter_mut().zip(&z) {
                *s = z + beta * *s;
            }
            rho = next;
        }
        x
    }

    /// (diag(P^T 1) - P^T diag(1/(P 1)) P + ridge) v.
    fn schur_times(&self, here: &Point, v: &[f64], ridge: f64, image: &mut [f64]) {
        for ((out, v), sum) in image.iter_mut().zip(v).zip(&here.column_sums) {
            *out = (sum + ridge) * v;
        }
        for (i, row) in self.rows().enumerate() {
            let along: f64 = row.clone().map(|(j, p)| p * v[j]).sum();
            let weight = along / here.row_sums[i];
            for (j, p) in row {
                image[j] -= weight * p;
            }
        }
    }
}
