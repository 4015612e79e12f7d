//! From any plan to a vertex with as few cells: cycles in its support are canceled.

use super::CellTable;
use crate::optimal_transport::TransportError;
use crate::optimal_transport::vectors::add_scaled;

/// Pivots smaller than this are taken for rounding error.
const PIVOT: f64 = 1e-7;
/// Amounts below this fraction of the largest demand count as nothing.
const NOTHING: f64 = 1e-11;

/// A vertex of {demands met, loads at most `theta` times the capacities}, reached from `plan` by moves along
/// cycles of its support. A vertex has at most one cell more than demands for every capacity that binds. Costs
/// about (demands + capacities)^2 memory and at most that per cell; small amounts are moved first, so that large ones stay.
///
/// # Errors
/// [`TransportError::Shape`], [`TransportError::Mass`] and [`TransportError::NotConverged`] for a plan that misses its
/// demands, and [`TransportError::Option`] for a `theta` below the plan's congestion.
pub fn to_vertex(table: &CellTable, plan: &[f64], theta: f64) -> Result<Vec<f64>, TransportError> {
    table.check(plan, 1e-6)?;
    let congestion = table.congestion(&table.loads(plan));
    if !(theta >= congestion * (1.0 - 1e-9) && theta.is_finite()) {
        return Err(TransportError::Option {
            option: "theta",
            value: theta,
            valid: "at least the congestion of the plan",
        });
    }
    let mut tableau = Tableau::new(table, plan, theta);
    let mut order: Vec<usize> = (0..plan.len()).filter(|&c| plan[c] > 0.0).collect();
    order.sort_by(|&a, &b| plan[a].total_cmp(&plan[b]).then(a.cmp(&b)));
    for cell in order {
        tableau.push(cell);
    }
    let vertex = tableau.plan();
    table.check(&vertex, 1e-9)?;
    Ok(vertex)
}

/// What is basic in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Basic {
    /// Nothing yet: the row's artificial variable, fixed at 0.
    Artificial,
    /// Unused capacity.
    Slack,
    Cell(usize),
}

/// The basis: rows are demands, then capacities.
struct Tableau<'a> {
    table: &'a CellTable,
    /// Amount of every cell, basic or not.
    amounts: Vec<f64>,
    /// Unused amount of every capacity whose slack is basic or not yet moved.
    basic: Vec<Basic>,
    values: Vec<f64>,
    /// Inverse of the basis, row after row; identity at first.
    inverse: Vec<Vec<f64>>,
    nothing: f64,
}

impl<'a> Tableau<'a> {
    fn new(table: &'a CellTable, plan: &[f64], theta: f64) -> Self {
        let demands = table.demands().len();
        let rows = demands + table.capacities().len();
        let loads = table.loads(plan);
        let mut values = vec![0.0; rows];
        for (e, capacity) in table.capacities().iter().enumerate() {
            values[demands + e] = (theta * capacity - loads[e]).max(0.0);
        }
        let largest = table.demands().iter().copied().fold(0.0, f64::max);
        Self {
            table,
            amounts: plan.to_vec(),
            basic: (0..rows)
                .map(|row| if row < demands { Basic::Artificial } else { Basic::Slack })
                .collect(),
            values,
            inverse: (0..rows)
                .map(|row| (0..rows).map(|c| if c == row { 1.0 } else { 0.0 }).collect())
                .collect(),
            nothing: NOTHING * largest,
        }
    }

    /// How the basic values fall when a cell grows by one.
    fn column(&self, cell: usize, demand: usize) -> Vec<f64> {
        let demands = self.table.demands().len();
        let members = self.table.members(cell);
        let entry = |row: &Vec<f64>| row[demand] + members.clone().map(|e| row[demands + e]).sum::<f64>();
        self.inverse.iter().map(entry).collect()
    }

    /// Brings a cell to 0, or into the basis.
    fn push(&mut self, cell: usize) {
        let column = self.column(cell, self.table.demand_of(cell));
        let largest = column.iter().fold(0.0_f64, |m, y| m.max(y.abs()));
        let artificial = (0..column.len())
            .filter(|&row| self.basic[row] == Basic::Artificial && column[row].abs() > PIVOT * largest)
            .max_by(|&a, &b| column[a].abs().total_cmp(&column[b].abs()));
        if let Some(row) = artificial {
            return self.enter(cell, row, &column, 0.0);
        }
        // Shrinking by t raises basic values by t * column: the negative entries limit it.
        let limit = (0..column.len())
            .filter(|&row| column[row] < -PIVOT)
            .map(|row| (self.values[row] / -column[row], row))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        match limit {
            Some((step, row)) if step < self.amounts[cell] => self.enter(cell, row, &column, -step),
            _ => {
                let step = self.amounts[cell];
                add_scaled(&mut self.values, step, &column);
                self.amounts[cell] = 0.0;
            }
        }
    }

    /// Changes a cell by `step` and makes it basic in place of what is basic in `row`.
    fn enter(&mut self, cell: usize, row: usize, column: &[f64], step: f64) {
        add_scaled(&mut self.values, -step, column);
        if let Basic::Cell(leaving) = self.basic[row] {
            self.amounts[leaving] = 0.0;
        }
        self.basic[row] = Basic::Cell(cell);
        self.values[row] = self.amounts[cell] + step;
        let mut pivot_row = std::mem::take(&mut self.inverse[row]);
        pivot_row.iter_mut().for_each(|v| *v /= column[row]);
        for (other, target) in self.inverse.iter_mut().enumerate() {
            if other != row && column[other] != 0.0 {
                add_scaled(target, -column[other], &pivot_row);
            }
        }
        self.inverse[row] = pivot_row;
    }

    /// The amounts, with demands met to the last digit.
    fn plan(mut self) -> Vec<f64> {
        for (row, basic) in self.basic.iter().enumerate() {
            if let Basic::Cell(cell) = *basic {
                self.amounts[cell] = self.values[row];
            }
        }
        for amount in &mut self.amounts {
            if *amount <= self.nothing {
                *amount = 0.0;
            }
        }
        for (p, demand) in self.table.demands().iter().enumerate() {
            let range = self.table.cells(p);
            let total: f64 = self.amounts[range.clone()].iter().sum();
            if total > 0.0 {
                self.amounts[range].iter_mut().for_each(|x| *x *= demand / total);
            }
        }
        self.amounts
    }
}
