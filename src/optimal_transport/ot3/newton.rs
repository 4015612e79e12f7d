//! Newton's method on the active duals, for problems in which plain rounds are slow.

use super::dual::Dual;
use crate::optimal_transport::vectors::{add_scaled, dot};

/// Conjugate gradient steps for one direction, at most.
const CG_STEPS: usize = 300;

impl Dual<'_> {
    /// One projected Newton step (Bertsekas 1982) for the dual at `theta`: prices that are 0 and want to
    /// fall stay, the others move along the Newton direction until the value rises as Armijo asks. Returns
    /// whether it rose.
    pub(super) fn newton_step(&mut self, theta: f64) -> bool {
        let loads = self.table.loads(&self.plan);
        let room = self.table.capacities().iter().map(|c| theta * c);
        let gradient: Vec<f64> = loads.iter().zip(room).map(|(load, room)| load - room).collect();
        let held = |price: f64, slope: f64| (price <= 0.0 && slope <= 0.0) || (price >= self.dearest && slope >= 0.0);
        let free: Vec<bool> = self.prices.iter().zip(&gradient).map(|(&y, &s)| !held(y, s)).collect();
        let direction = self.direction(&gradient, &free);
        let (before, start) = (self.value(theta), self.prices.clone());
        let mut length = 1.0;
        for _ in 0..40 {
            let mut trial = start.clone();
            add_scaled(&mut trial, length, &direction);
            self.set_prices(&trial);
            let moved: f64 = (self.prices.iter().zip(&start).zip(&gradient))
                .map(|((new, old), slope)| (new - old) * slope)
                .sum();
            if moved > 0.0 && self.value(theta) >= before + 1e-4 * moved {
                return true;
            }
            length *= 0.5;
        }
        self.set_prices(&start);
        false
    }

    /// Solves `H d = gradient` on the free prices by conjugate gradients, H the covariance of loads.
    fn direction(&self, gradient: &[f64], free: &[bool]) -> Vec<f64> {
        let diagonal = self.curvature();
        let scale = diagonal.iter().copied().fold(0.0, f64::max);
        let ridge = 1e-10 * scale + f64::MIN_POSITIVE;
        let masked = |v: &[f64]| -> Vec<f64> { v.iter().zip(free).map(|(&v, &f)| if f { v } else { 0.0 }).collect() };
        let precondition = |r: &[f64]| -> Vec<f64> { r.iter().zip(&diagonal).map(|(r, d)| r / (d + ridge)).collect() };
        let mut x = vec![0.0; gradient.len()];
        let mut residual = masked(gradient);
        let mut z = precondition(&residual);
        let mut search = z.clone();
        let mut rho = dot(&residual, &z);
        let enough = 1e-6 * rho;
        for _ in 0..CG_STEPS {
            if rho <= enough {
                break;
            }
            let mut image = self.hessian_times(&search);
            add_scaled(&mut image, ridge, &search);
            let image = masked(&image);
            let step = rho / dot(&search, &image);
            if !step.is_finite() || step <= 0.0 {
                break;
            }
            add_scaled(&mut x, step, &search);
            add_scaled(&mut residual, -step, &image);
            z = precondition(&residual);
            let next = dot(&residual, &z);
            let beta = next / rho;
            for (s, z) in search.iter_mut().zip(&z) {
                *s = z + beta * *s;
            }
            rho = next;
        }
        x
    }

    /// Diagonal of the Hessian (negated).
    fn curvature(&self) -> Vec<f64> {
        let table = self.table;
        let mut diagonal = vec![0.0; table.capacities().len()];
        for (p, &demand) in table.demands().iter().enumerate().filter(|(_, d)| **d > 0.0) {
            for cell in table.cells(p) {
                let amount = self.plan[cell];
                for e in table.members(cell) {
                    diagonal[e] += amount * (1.0 - amount / demand);
                }
            }
        }
        diagonal.iter_mut().for_each(|d| *d = d.max(0.0));
        diagonal
    }

    /// The Hessian (negated) times a vector of price changes: how loads fall.
    fn hessian_times(&self, change: &[f64]) -> Vec<f64> {
        let table = self.table;
        let mut image = vec![0.0; change.len()];
        for (p, &demand) in table.demands().iter().enumerate().filter(|(_, d)| **d > 0.0) {
            let dearer = |cell: usize| table.members(cell).map(|e| change[e]).sum::<f64>();
            let mean = table.cells(p).map(|c| self.plan[c] * dearer(c)).sum::<f64>() / demand;
            for cell in table.cells(p) {
                let flow = self.plan[cell] * (dearer(cell) - mean);
                for e in table.members(cell) {
                    image[e] += flow;
                }
            }
        }
        image
    }
}
