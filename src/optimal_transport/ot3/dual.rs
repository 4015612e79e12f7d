//! Prices on the capacities, and the plan they give.
//!
//! Projecting the kernel `K_c = exp(-cost_c / epsilon)` in the sense of Kullback-Leibler onto
//! {demands met, loads at most theta * capacity} has the concave dual
//! `G(y) = -sum_p D_p ln sum_c K_c exp(-sum of y over c) - theta <capacity, y>` over prices `y >= 0`.

use super::CellTable;
use crate::math::{exp, ln};

/// Largest price of a whole cell: its exponential is still far from underflow.
const DEAREST: f64 = 600.0;
/// Preferences count up to here, where a cell gets 1e-13 of its demand unless prices push it there: with larger ones
/// the shares that prices have to move would vanish.
const MOST_PREFERRED: f64 = 30.0;

/// Prices with the plan that they give: demands are met exactly.
#[derive(Debug, Clone)]
pub(super) struct Dual<'a> {
    pub table: &'a CellTable,
    /// Preference of each cell in units of epsilon, from 0 for the best of its demand up to [`MOST_PREFERRED`].
    costs: Vec<f64>,
    /// exp(-costs).
    kernel: Vec<f64>,
    /// Largest price of one capacity.
    pub dearest: f64,
    pub prices: Vec<f64>,
    /// exp(-prices).
    factors: Vec<f64>,
    pub plan: Vec<f64>,
}

impl<'a> Dual<'a> {
    pub(super) fn new(table: &'a CellTable, epsilon: f64) -> Self {
        let cells = table.cell_count();
        let mut costs: Vec<f64> = (0..cells).map(|c| table.cost(c) / epsilon).collect();
        for p in 0..table.demands().len() {
            let costs = &mut costs[table.cells(p)];
            let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
            costs.iter_mut().for_each(|c| *c = (*c - least).min(MOST_PREFERRED));
        }
        let longest = (0..cells).map(|c| table.members(c).len()).max().unwrap_or(1).max(1);
        let capacities = table.capacities().len();
        let mut dual = Self {
            table,
            kernel: costs.iter().map(|&c| exp(-c)).collect(),
            costs,
            dearest: DEAREST / longest as f64,
            prices: vec![0.0; capacities],
            factors: vec![1.0; capacities],
            plan: vec![0.0; cells],
        };
        dual.meet_demands();
        dual
    }

    /// Sets the prices (held within bounds) and the plan.
    pub(super) fn set_prices(&mut self, prices: &[f64]) {
        for (e, &price) in prices.iter().enumerate() {
            self.prices[e] = price.clamp(0.0, self.dearest);
            self.factors[e] = exp(-self.prices[e]);
        }
        self.meet_demands();
    }

    /// The alpha step: every demand divides over its cells as kernel and prices say.
    fn meet_demands(&mut self) {
        let table = self.table;
        for (cell, amount) in self.plan.iter_mut().enumerate() {
            *amount = table.members(cell).fold(self.kernel[cell], |w, e| w * self.factors[e]);
        }
        for (p, demand) in table.demands().iter().enumerate() {
            let range = table.cells(p);
            let total: f64 = self.plan[range.clone()].iter().sum();
            if total < 1e-280 && !range.is_empty() {
                self.divide_dear(p);
                continue;
            }
            let factor = demand / total;
            self.plan[range].iter_mut().for_each(|amount| *amount *= factor);
        }
    }

    /// The same where all cells of a demand are so dear that their weights underflow.
    fn divide_dear(&mut self, p: usize) {
        let table = self.table;
        let price =
            |cell: usize| -> f64 { self.costs[cell] + table.members(cell).map(|e| self.prices[e]).sum::<f64>() };
        let range = table.cells(p);
        let cheapest = range.clone().map(price).fold(f64::INFINITY, f64::min);
        let weights: Vec<f64> = range.clone().map(|cell| exp(cheapest - price(cell))).collect();
        let total: f64 = weights.iter().sum();
        for (amount, weight) in self.plan[range].iter_mut().zip(weights) {
            *amount = table.demands()[p] * weight / total;
        }
    }

    /// One round of the clipped Sinkhorn iteration: every capacity in turn is given the price at which
    /// its load is at most `theta` times its capacity (0 where it is anyway), then demands are met again.
    pub(super) fn round(&mut self, theta: f64) {
        let table = self.table;
        for (e, capacity) in table.capacities().iter().enumerate() {
            let cells = table.cells_of(e);
            let load: f64 = cells.clone().map(|c| self.plan[c]).sum();
            let old = self.factors[e];
            let room = theta * capacity;
            if old == 1.0 && load <= room {
                continue;
            }
            let new = (old * (room / load)).clamp(exp(-self.dearest), 1.0);
            let ratio = new / old;
            for c in cells {
                self.plan[c] *= ratio;
            }
            self.factors[e] = new;
        }
        for (price, &factor) in self.prices.iter_mut().zip(&self.factors) {
            *price = if factor == 1.0 { 0.0 } else { -ln(factor) };
        }
        self.meet_demands();
    }

    /// The value of the dual at the present prices, up to a constant.
    pub(super) fn value(&self, theta: f64) -> f64 {
        let table = self.table;
        let mut value = 0.0;
        for (p, &demand) in table.demands().iter().enumerate().filter(|(_, d)| **d > 0.0) {
            // ln of the partition sum, from any cell with mass: its weight over its share.
            let range = table.cells(p);
            let largest = range.clone().fold(
                range.start,
                |best, c| {
                    if self.plan[c] > self.plan[best] { c } else { best }
                },
            );
            let price = self.costs[largest] + table.members(largest).map(|e| self.prices[e]).sum::<f64>();
            value += demand * (price + ln(self.plan[largest] / demand));
        }
        let paid: f64 = self.prices.iter().zip(table.capacities()).map(|(y, c)| y * c).sum();
        value - theta * paid
    }
}
