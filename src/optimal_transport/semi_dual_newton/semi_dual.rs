//! The semi-dual and its derivatives.

use super::super::TransportError;
use super::super::matrix::{Matrix, Problem};
use super::super::vectors::{add_scaled, add_scaled_rows, dot, exp2_row_shifted, log2_each, sum};
use super::gram::Gram;
use crate::math::exp2;

/// Change of a potential, in units of epsilon * ln 2, up to which the kernel is kept. What vanishes in a kernel
/// (2^-900 of the largest entry of its row) stays negligible under weights up to 2^100.
const REACH: f64 = 100.0;
/// Rows whose contributions are summed at a time.
const BLOCK: usize = 4;

/// The semi-dual of every `stride`-th row, with masses relative to their total and potentials in units of epsilon * ln 2: powers
/// of 2 take the place of exponentials. They are computed once: what changes nearby are weights of the columns.
pub(super) struct SemiDual<'a> {
    rows: Vec<f64>,
    columns: Vec<f64>,
    cost: &'a Matrix,
    stride: usize,
    /// Those units per unit of cost.
    scale: f64,
    /// Potentials for which the kernel was computed.
    base: Vec<f64>,
    /// 2^(base_j - scale * C_ij + shift_i), row after row.
    kernel: Vec<f64>,
    /// Shift of every row under which its largest entry is 1.
    shifts: Vec<f64>,
}

/// The semi-dual at a point.
pub(super) struct Evaluation {
    pub value: f64,
    pub gradient: Vec<f64>,
    /// L1 norm of the gradient.
    pub error: f64,
}

impl<'a> SemiDual<'a> {
    /// `memory` holds the kernel: its contents do not matter.
    pub(super) fn new(problem: &'a Problem<'a>, epsilon: f64, stride: usize, memory: Vec<f64>) -> Self {
        let relative = |masses: Vec<f64>| -> Vec<f64> {
            let total = sum(&masses);
            masses.iter().map(|m| m / total).collect()
        };
        Self {
            rows: relative(problem.rows.iter().step_by(stride).copied().collect()),
            columns: relative(problem.columns.to_vec()),
            cost: problem.cost,
            stride,
            scale: std::f64::consts::LOG2_E / epsilon,
            base: vec![f64::NAN; problem.columns.len()],
            kernel: memory,
            shifts: Vec::new(),
        }
    }

    /// Units of potentials per unit of cost.
    pub(super) fn scale(&self) -> f64 {
        self.scale
    }

    pub(super) fn into_memory(self) -> Vec<f64> {
        self.kernel
    }

    /// Value and gradient at `g`, and if asked for the Hessian, negated, without its last row and column
    /// (potentials count up to a constant); its lower triangle is complete.
    pub(super) fn evaluate(&mut self, g: &[f64], hessian: bool) -> (Evaluation, Option<Matrix>) {
        let (m, n) = (g.len(), self.rows.len());
        let near = g.iter().zip(&self.base).all(|(g, b)| (g - b).abs() <= REACH);
        if !near {
            self.base.copy_from_slice(g);
            self.kernel.clear();
            self.shifts.clear();
        }
        let weights = self.weights(g);
        let mut row = vec![0.0; m];
        let (mut sums, mut totals) = (vec![0.0; m], Vec::with_capacity(n));
        let mut gram = hessian.then(|| Gram::new(m));
        let count = n as f64;
        for first in (0..n).step_by(BLOCK) {
            let block = first..n.min(first + BLOCK);
            let mut factors = [0.0; BLOCK];
            for (factor, i) in factors.iter_mut().zip(block.clone()) {
                let total = if near {
                    dot(&self.kernel[i * m..][..m], &weights)
                } else {
                    let cost = self.cost.row(i * self.stride);
                    let (total, shift) = exp2_row_shifted(&mut row, g, cost, self.scale);
                    self.shifts.push(shift);
                    self.kernel.extend_from_slice(&row);
                    // All weights are 1.
                    total
                };
                let entries = &self.kernel[i * m..][..m];
                *factor = self.rows[i] / total;
                totals.push(total);
                if let Some(gram) = &mut gram {
                    // Scaled to masses around 1, which suit f32.
                    let size = (self.rows[i] * count).sqrt();
                    gram.add(size / total, entries, &weights, size);
                }
            }
            let entries = &self.kernel[first * m..block.end * m];
            add_scaled_rows(&mut sums, &factors, entries);
        }
        sums.iter_mut().zip(&weights).for_each(|(sum, weight)| *sum *= weight);
        log2_each(&mut totals);
        let value = dot(&self.columns, g) + dot(&self.rows, &self.shifts) - dot(&self.rows, &totals);
        let gradient: Vec<f64> = self.columns.iter().zip(&sums).map(|(b, s)| b - s).collect();
        let error = gradient.iter().map(|d| d.abs()).sum();
        let hessian = gram.map(|gram| {
            let gram = gram.finish();
            let entry = |i: usize, j: usize| if i == j { sums[i] } else { 0.0 } - gram.at(i, j) / count;
            Matrix::from_fn(m - 1, m - 1, |i, j| std::f64::consts::LN_2 * entry(i, j))
        });
        (Evaluation { value, gradient, error }, hessian)
    }

    /// Factors of the kernel's columns at `g`.
    fn weights(&self, g: &[f64]) -> Vec<f64> {
        g.iter().zip(&self.base).map(|(g, b)| exp2(g - b)).collect()
    }

    /// The plan at the point evaluated last, in units of mass, its rows exact, and the row potentials in units of cost.
    pub(super) fn into_plan(mut self, masses: &[f64], g: &[f64]) -> Result<(Matrix, Vec<f64>), TransportError> {
        let weights = self.weights(g);
        let mut logs = Vec::with_capacity(masses.len());
        for (entries, &mass) in self.kernel.chunks_exact_mut(g.len()).zip(masses) {
            let factor = mass / dot(entries, &weights);
            entries.iter_mut().zip(&weights).for_each(|(e, w)| *e *= factor * w);
            logs.push(factor.max(f64::MIN_POSITIVE));
        }
        log2_each(&mut logs);
        add_scaled(&mut logs, 1.0, &self.shifts);
        logs.iter_mut().for_each(|f| *f /= self.scale);
        Ok((Matrix::new(masses.len(), g.len(), self.kernel)?, logs))
    }
}
