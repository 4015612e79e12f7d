//! A part of the demands, to the least congestion of what is carried.
//!
//! What stays behind takes a virtual cell, one of each demand, at no price but that all of them hold a given amount together (the
//! virtual column of Zhang et al., SP2OT, arXiv 2401.09266, beside capacities that demands share). That amount does not grow with
//! theta as other capacities do. It is taken for one that does, of `amount / theta` with the theta found last: that
//! falls from round to round, so that no more than the amount ever stays, and ends where the two agree.

use super::{CellTable, Congestion, to_vertex};
use crate::optimal_transport::TransportError;

/// Relative change of theta at which rounds end.
const STEADY: f64 = 1e-3;
/// Rounds at most.
const MOST_ROUNDS: usize = 20;

/// A plan of part of the demands.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialCongestion {
    /// The congestion of what is carried.
    pub theta: f64,
    /// The table with the virtual cells, each the last of its demand, and their capacity, which is the last.
    table: CellTable,
    plan: Vec<f64>,
}

impl PartialCongestion {
    /// What stays behind of every demand.
    pub fn left(&self) -> Vec<f64> {
        let stays = |demand| self.table.cells(demand).next_back().map_or(0.0, |cell| self.plan[cell]);
        (0..self.table.demands().len()).map(stays).collect()
    }

    /// The same as a vertex, in which few demands stay behind in part.
    ///
    /// # Errors
    /// As [`to_vertex`].
    pub fn thinned_out(mut self) -> Result<Self, TransportError> {
        self.plan = to_vertex(
            &self.table,
            &self.plan,
            self.table.congestion(&self.table.loads(&self.plan)),
        )?;
        Ok(self)
    }
}

/// Leaves at most `amount` of these demands, one for each of the table's, behind, so that the others cause the least congestion. `solve` finds the least congestion of a
/// table, whose last capacity is what stays behind.
///
/// # Errors
/// As `solve`, and [`TransportError::Option`] for an amount that is not above 0 and below all demands together.
pub fn least_partial_congestion(
    table: &CellTable,
    demands: &[f64],
    amount: f64,
    mut solve: impl FnMut(&CellTable) -> Result<Congestion, TransportError>,
) -> Result<PartialCongestion, TransportError> {
    if !(amount > 0.0 && amount < demands.iter().sum()) {
        return Err(TransportError::Option {
            option: "amount",
            value: amount,
            valid: "above 0 and below all demands together",
        });
    }
    // However the demands are divided, theta is no more than this.
    let even = |demand: usize| {
        table
            .cells(demand)
            .map(move |_| demands[demand] / table.cells(demand).len() as f64)
    };
    let plan: Vec<f64> = (0..demands.len()).flat_map(even).collect();
    let mut theta = table.congestion(&table.loads(&plan));
    let mut rounds = 0;
    loop {
        let with_stay = staying(table, demands, amount / theta)?;
        let found = solve(&with_stay)?;
        rounds += 1;
        if found.theta >= theta * (1.0 - STEADY) || rounds == MOST_ROUNDS {
            return Ok(PartialCongestion {
                theta: found.theta,
                table: with_stay,
                plan: found.plan,
            });
        }
        theta = found.theta;
    }
}

/// The table with other demands, each with one more cell, which counts in one more capacity.
fn staying(table: &CellTable, demands: &[f64], capacity: f64) -> Result<CellTable, TransportError> {
    let virtual_capacity = table.capacities().len() as u32;
    let with_cells = demands.iter().enumerate().map(|(demand, &amount)| {
        let real = table
            .cells(demand)
            .map(|cell| table.members(cell).map(|e| e as u32).collect());
        let cells: Vec<Vec<u32>> = real.chain([vec![virtual_capacity]]).collect();
        (amount, cells)
    });
    let mut capacities = table.capacities().to_vec();
    capacities.push(capacity);
    CellTable::new(with_cells, capacities)
}
