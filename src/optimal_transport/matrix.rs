//! Dense matrices, and the checks that every problem passes before it is solved.

use super::TransportError;
use super::vectors::{add_scaled, extremes, sum};

/// A dense matrix, row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    data: Vec<f64>,
}

impl Matrix {
    /// From its entries, row after row: `rows * columns` of them.
    pub fn new(rows: usize, columns: usize, data: Vec<f64>) -> Result<Self, TransportError> {
        let expected = rows.saturating_mul(columns);
        if data.len() != expected {
            let found = data.len();
            return Err(TransportError::Shape {
                what: "a matrix",
                expected,
                found,
            });
        }
        Ok(Self { rows, columns, data })
    }

    /// From a function of row and column.
    pub fn from_fn(rows: usize, columns: usize, mut entry: impl FnMut(usize, usize) -> f64) -> Self {
        let mut data = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            data.extend((0..columns).map(|j| entry(i, j)));
        }
        Self { rows, columns, data }
    }

    /// All zero.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        let data = vec![0.0; rows * columns];
        Self { rows, columns, data }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All entries, row after row.
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    /// One row.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }

    /// One row, to be written.
    pub fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.data[i * self.columns..(i + 1) * self.columns]
    }

    /// One entry.
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.data[i * self.columns + j]
    }

    /// Multiplies all entries.
    pub(super) fn scale(&mut self, factor: f64) {
        self.data.iter_mut().for_each(|x| *x *= factor);
    }

    /// Sums of the rows.
    pub fn row_sums(&self) -> Vec<f64> {
        (0..self.rows).map(|i| sum(self.row(i))).collect()
    }

    /// Sums of the columns.
    pub fn column_sums(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.columns];
        for i in 0..self.rows {
            add_scaled(&mut sums, 1.0, self.row(i));
        }
        sums
    }

    /// Sum of the products of entries: the cost of a plan.
    pub fn inner(&self, other: &Self) -> f64 {
        (0..self.rows)
            .map(|i| super::vectors::dot(self.row(i), other.row(i)))
            .sum()
    }

    /// Smallest and largest entry.
    pub fn range(&self) -> (f64, f64) {
        extremes(&self.data)
    }
}

/// A balanced transportation problem: move the masses of the rows to the columns.
#[derive(Debug, Clone)]
pub struct Problem<'a> {
    /// Cost per unit of mass, n x m; any finite numbers.
    pub cost: &'a Matrix,
    /// Mass of each row, n.
    pub rows: &'a [f64],
    /// Mass of each column, m; the same total.
    pub columns: &'a [f64],
    /// The lowest and the highest cost.
    pub(super) range: (f64, f64),
}

/// Relative difference up to which two totals count as equal: the rounding of their sums.
const SAME_TOTAL: f64 = 1e-11;

impl<'a> Problem<'a> {
    /// Checks shapes, costs (finite, and so are their differences), masses (finite, not negative) and totals (equal).
    pub fn new(cost: &'a Matrix, rows: &'a [f64], columns: &'a [f64]) -> Result<Self, TransportError> {
        check_shape("the row masses", cost.rows(), rows.len())?;
        check_shape("the column masses", cost.columns(), columns.len())?;
        check_masses("row mass", rows)?;
        check_masses("column mass", columns)?;
        if rows.is_empty() || columns.is_empty() {
            return Err(TransportError::Nothing("the matrix is empty"));
        }
        if let Some(at) = cost.data().iter().position(|c| !c.is_finite()) {
            return Err(TransportError::Cost {
                row: at / cost.columns(),
                column: at % cost.columns(),
                value: cost.data()[at],
            });
        }
        let (low, high) = cost.range();
        if !(high - low).is_finite() {
            return Err(TransportError::Overflow("the costs"));
        }
        let (total, other) = (sum(rows), sum(columns));
        if !total.is_finite() || !other.is_finite() {
            return Err(TransportError::Overflow("the masses"));
        }
        if total == 0.0 && other == 0.0 {
            return Err(TransportError::Nothing("all masses are 0"));
        }
        if (total - other).abs() > SAME_TOTAL * total.max(other) {
            return Err(TransportError::UnequalTotals {
                rows: total,
                columns: other,
            });
        }
        Ok(Self {
            cost,
            rows,
            columns,
            range: (low, high),
        })
    }

    /// What entropic solvers need besides: positive masses, and an `epsilon` that leaves potentials
    /// their digits.
    pub(super) fn check_entropic(&self, epsilon: f64) -> Result<(), TransportError> {
        for (what, masses) in [("row mass", self.rows), ("column mass", self.columns)] {
            if let Some(index) = masses.iter().position(|&m| m == 0.0) {
                return Err(TransportError::ZeroMass { what, index });
            }
        }
        check_positive("epsilon", epsilon)?;
        let (low, high) = self.range;
        let range = high - low;
        let smallest = 1e-13 * range.max(low.abs()).max(high.abs());
        if epsilon < smallest {
            return Err(TransportError::EpsilonTooSmall {
                epsilon,
                range,
                smallest,
            });
        }
        Ok(())
    }

    /// The sum of all masses.
    pub fn mass(&self) -> f64 {
        sum(self.rows)
    }

    /// L1 distance of a plan's marginals from the masses, relative to the total mass.
    pub fn marginal_error(&self, plan: &Matrix) -> f64 {
        let l1 = |sums: &[f64], masses: &[f64]| sums.iter().zip(masses).map(|(s, m)| (s - m).abs()).sum::<f64>();
        let (mut rows, mut columns) = (Vec::with_capacity(plan.rows()), vec![0.0; plan.columns()]);
        for i in 0..plan.rows() {
            rows.push(sum(plan.row(i)));
            add_scaled(&mut columns, 1.0, plan.row(i));
        }
        (l1(&rows, self.rows) + l1(&columns, self.columns)) / self.mass()
    }

    /// Refuses a plan whose marginals are off by more than `tolerance` (NaN included); gives the error.
    pub(super) fn check_plan(&self, plan: &Matrix, tolerance: f64, iterations: usize) -> Result<f64, TransportError> {
        let error = self.marginal_error(plan);
        if error <= tolerance {
            Ok(error)
        } else {
            Err(TransportError::NotConverged { iterations, error })
        }
    }
}

/// An entropic plan with the potentials that generate it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entropic {
    /// The plan, n x m, in units of mass.
    pub plan: Matrix,
    /// Potentials of the rows, in units of cost.
    pub row_potentials: Vec<f64>,
    /// Potentials of the columns, in units of cost.
    pub column_potentials: Vec<f64>,
    /// Iterations used.
    pub iterations: usize,
    /// L1 error of the marginals, relative to the total mass.
    pub error: f64,
}

pub(super) fn check_shape(what: &'static str, expected: usize, found: usize) -> Result<(), TransportError> {
    if expected == found {
        Ok(())
    } else {
        Err(TransportError::Shape { what, expected, found })
    }
}

pub(super) fn check_masses(what: &'static str, masses: &[f64]) -> Result<(), TransportError> {
    match masses.iter().position(|m| !(m.is_finite() && *m >= 0.0)) {
        Some(index) => Err(TransportError::Mass {
            what,
            index,
            value: masses[index],
        }),
        None => Ok(()),
    }
}

pub(super) fn check_positive(option: &'static str, value: f64) -> Result<(), TransportError> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(TransportError::Option {
            option,
            value,
            valid: "positive and finite",
        })
    }
}
