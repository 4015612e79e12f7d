//! The least congestion as a linear programme, solved by an interior-point method.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT};

use super::{CellTable, Congestion};
use crate::optimal_transport::TransportError;

/// Solves `min theta` subject to demands met and loads at most `theta` times the capacities, to about eight digits: for
/// problems of up to some ten thousand cells, and for those whose certificate stays open.
///
/// # Errors
/// [`TransportError::NotConverged`] where the interior-point method fails.
pub fn exact_least_congestion(table: &CellTable) -> Result<Congestion, TransportError> {
    let demands: Vec<usize> = (0..table.demands().len())
        .filter(|&p| table.demands()[p] > 0.0)
        .collect();
    let Some(scale) = demands.iter().map(|&p| table.demands()[p]).reduce(f64::max) else {
        return Ok(empty(table));
    };
    // In units in which demands and capacities are about 1.
    let unit = table.capacities().iter().copied().fold(f64::INFINITY, f64::min);
    let used: Vec<usize> = (0..table.capacities().len())
        .filter(|&e| table.cells_of(e).len() > 0)
        .collect();
    let mut row_of = vec![usize::MAX; table.capacities().len()];
    for (row, &e) in used.iter().enumerate() {
        row_of[e] = row;
    }
    let cells: Vec<(usize, usize)> = demands
        .iter()
        .enumerate()
        .flat_map(|(row, &p)| table.cells(p).map(move |cell| (row, cell)))
        .collect();
    let (n, d, u) = (cells.len(), demands.len(), used.len());
    // Rows: d demands, u loads, n signs. Columns: n cells, theta.
    let mut column_starts = vec![0];
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for (column, &(demand_row, cell)) in cells.iter().enumerate() {
        rows.push(demand_row);
        values.push(1.0);
        let mut loaded: Vec<usize> = table.members(cell).map(|e| d + row_of[e]).collect();
        loaded.sort_unstable();
        for row in loaded {
            rows.push(row);
            values.push(1.0);
        }
        rows.push(d + u + column);
        values.push(-1.0);
        column_starts.push(rows.len());
    }
    for (row, &e) in used.iter().enumerate() {
        rows.push(d + row);
        values.push(-table.capacities()[e] / unit);
    }
    column_starts.push(rows.len());
    let a = CscMatrix::new(d + u + n, n + 1, column_starts, rows, values);
    let mut b = vec![0.0; d + u + n];
    for (row, &p) in demands.iter().enumerate() {
        b[row] = table.demands()[p] / scale;
    }
    let mut q = vec![0.0; n + 1];
    q[n] = 1.0;
    let cones = [ZeroConeT(d), NonnegativeConeT(u + n)];
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .max_iter(200)
        .build()
        .map_err(|_| failed(0))?;
    let quadratic = CscMatrix::zeros((n + 1, n + 1));
    let mut solver = DefaultSolver::new(&quadratic, &q, &a, &b, &cones, settings).map_err(|_| failed(0))?;
    solver.solve();
    let solution = &solver.solution;
    let iterations = solution.iterations as usize;
    if !matches!(solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved) {
        return Err(failed(iterations));
    }
    let mut plan = vec![0.0; table.cell_count()];
    for (&(_, cell), &x) in cells.iter().zip(&solution.x) {
        plan[cell] = x.max(0.0);
    }
    for &p in &demands {
        let range = table.cells(p);
        let total: f64 = plan[range.clone()].iter().sum();
        plan[range].iter_mut().for_each(|x| *x *= table.demands()[p] / total);
    }
    table.check(&plan, 1e-9)?;
    let mut prices = vec![0.0; table.capacities().len()];
    for (row, &e) in used.iter().enumerate() {
        prices[e] = solution.z[d + row].max(0.0);
    }
    Ok(Congestion {
        theta: table.congestion(&table.loads(&plan)),
        bound: table.bound(&prices),
        plan,
        prices,
        iterations,
    })
}

fn empty(table: &CellTable) -> Congestion {
    Congestion {
        plan: vec![0.0; table.cell_count()],
        theta: 0.0,
        bound: 0.0,
        prices: vec![0.0; table.capacities().len()],
        iterations: 0,
    }
}

fn failed(iterations: usize) -> TransportError {
    TransportError::NotConverged {
        iterations,
        error: f64::NAN,
    }
}
