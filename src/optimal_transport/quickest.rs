//! Transport over place and time: the earliest end of what paths carry whose capacities change.
//!
//! Time is cut into spans at every change, so that a path in a span is a cell: what it carries loads the rows of its links in
//! that span. All spans but the last are as long as they are, and their rows hold a fixed amount; the last is as long as it
//! must be, which is what is made small. This is a flow on the graph that the fabric and time span together, in which bytes
//! wait at their sources only, and its least end is exact: finer spans would change nothing.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT};

/// What is to be carried, and what can carry it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quickest {
    /// Amounts, each above 0.
    pub demands: Vec<f64>,
    /// Paths in spans: the demand that each serves, and the rows that it loads.
    pub cells: Vec<(usize, Vec<usize>)>,
    /// What each row holds whatever the length of the last span.
    pub fixed: Vec<f64>,
    /// What it holds per unit of that length.
    pub per_time: Vec<f64>,
}

/// The least length of the last span.
#[derive(Debug, Clone, PartialEq)]
pub struct QuickestPlan {
    /// The length.
    pub length: f64,
    /// No length below it will do, by duality.
    pub bound: f64,
    /// The amount of each cell.
    pub amounts: Vec<f64>,
}

impl Quickest {
    /// The least length of the last span and what goes where; `None` where no length will do.
    pub fn solve(&self) -> Option<QuickestPlan> {
        let mut served = vec![false; self.demands.len()];
        self.cells.iter().for_each(|&(demand, _)| served[demand] = true);
        if served.contains(&false) {
            return None;
        }
        let scale = Scale::of(self)?;
        let (n, d, u) = (self.cells.len(), self.demands.len(), self.fixed.len());
        // Rows: demands, loads, signs. Columns: cells, the length.
        let (mut starts, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
        let mut entry = |row: usize, value: f64| {
            rows.push(row);
            values.push(value);
            rows.len()
        };
        for (column, (demand, loaded)) in self.cells.iter().enumerate() {
            entry(*demand, 1.0);
            let mut loaded = loaded.clone();
            loaded.sort_unstable();
            for row in loaded {
                entry(d + row, 1.0);
            }
            starts.push(entry(d + u + column, -1.0));
        }
        for (row, &per_time) in self.per_time.iter().enumerate().filter(|(_, per)| **per > 0.0) {
            entry(d + row, -per_time * scale.time / scale.amount);
        }
        starts.push(entry(d + u + n, -1.0));
        let matrix = CscMatrix::new(d + u + n + 1, n + 1, starts, rows, values);
        let of = |amounts: &[f64]| amounts.iter().map(|amount| amount / scale.amount).collect::<Vec<_>>();
        let right = [of(&self.demands), of(&self.fixed), vec![0.0; n + 1]].concat();
        let mut costs = vec![0.0; n + 1];
        costs[n] = 1.0;
        let settings = DefaultSettingsBuilder::default()
            .verbose(false)
            .max_iter(200)
            .tol_gap_abs(1e-10)
            .tol_gap_rel(1e-10)
            .tol_feas(1e-10)
            .build()
            .ok()?;
        let quadratic = CscMatrix::zeros((n + 1, n + 1));
        let cones = [ZeroConeT(d), NonnegativeConeT(u + n + 1)];
        let mut solver = DefaultSolver::new(&quadratic, &costs, &matrix, &right, &cones, settings).ok()?;
        solver.solve();
        let solution = &solver.solution;
        if !matches!(solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved) {
            return None;
        }
        let amounts = self.met(&solution.x[..n]);
        Some(QuickestPlan {
            length: solution.x[n].max(0.0) * scale.time,
            bound: self.bound(&solution.z[d..d + u]),
            amounts,
        })
    }

    /// Amounts in proportion to these that meet every demand.
    fn met(&self, shares: &[f64]) -> Vec<f64> {
        let mut totals = vec![0.0; self.demands.len()];
        for (&(demand, _), share) in self.cells.iter().zip(shares) {
            totals[demand] += share.max(0.0);
        }
        let cells = self.cells.iter().zip(shares);
        let of = |(&(demand, _), share): (&(usize, Vec<usize>), &f64)| {
            share.max(0.0) * self.demands[demand] / totals[demand].max(f64::MIN_POSITIVE)
        };
        cells.map(of).collect()
    }

    /// What prices of the rows prove: all demand pays at least its cheapest cell, and rows earn at most what they hold.
    fn bound(&self, prices: &[f64]) -> f64 {
        let prices: Vec<f64> = prices.iter().map(|price| price.max(0.0)).collect();
        let mut cheapest = vec![f64::INFINITY; self.demands.len()];
        for (demand, rows) in &self.cells {
            let price = rows.iter().map(|&row| prices[row]).sum::<f64>();
            cheapest[*demand] = cheapest[*demand].min(price);
        }
        let sum = |amounts: &[f64], prices: &[f64]| amounts.iter().zip(prices).map(|(a, p)| a * p).sum::<f64>();
        let per_time = sum(&self.per_time, &prices);
        match per_time > 0.0 {
            true => ((sum(&self.demands, &cheapest) - sum(&self.fixed, &prices)) / per_time).max(0.0),
            false => 0.0,
        }
    }
}

/// Units in which amounts and times are about 1.
struct Scale {
    amount: f64,
    time: f64,
}

impl Scale {
    fn of(problem: &Quickest) -> Option<Self> {
        let most = |values: &[f64]| values.iter().copied().reduce(f64::max);
        let (amount, rate) = (most(&problem.demands)?, most(&problem.per_time).unwrap_or(0.0));
        let time = if rate > 0.0 { amount / rate } else { 1.0 };
        Some(Self { amount, time })
    }
}
