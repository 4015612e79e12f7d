//! The exact reference: the routing problem as a linear programme for an interior-point solver.

use clarabel::algebra::CscMatrix;
use clarabel::solver::SupportedConeT::{NonnegativeConeT, ZeroConeT};
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver};

use super::network::{ColumnId, Network, Split};
use crate::ids::{Id, IdVec};
use crate::routes::Position;

/// A routing and prices close to the optimum. What they are worth is for [`Network::congestion`]
/// and [`Network::proven_by`] to say: nothing here is taken on trust.
#[derive(Debug)]
pub(super) struct Solution {
    pub split: Split,
    pub prices: IdVec<ColumnId, f64>,
}

/// Variables of the programme: one per hop of every commodity, and the congestion.
pub(super) fn variables(network: &Network) -> usize {
    let hops = network.commodities.iter().map(|c| c.dag.all_hops().len());
    hops.sum::<usize>() + 1
}

/// Solves the programme: minimize theta such that every node passes on what reaches it, and no
/// link carries more than theta times its rate.
pub(super) fn solve(network: &Network) -> Option<Solution> {
    let programme = Programme::new(network);
    let cones = [
        ZeroConeT(programme.equations),
        NonnegativeConeT(programme.rows - programme.equations),
    ];
    let mut costs = vec![0.0; programme.columns.len()];
    *costs.last_mut()? = 1.0;
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .max_iter(100)
        .tol_gap_abs(1e-10)
        .tol_gap_rel(1e-10)
        .tol_feas(1e-10)
        .build()
        .ok()?;
    let quadratic = CscMatrix::zeros((costs.len(), costs.len()));
    let mut solver = DefaultSolver::new(
        &quadratic,
        &costs,
        &programme.matrix(),
        &programme.right,
        &cones,
        settings,
    )
    .ok()?;
    solver.solve();
    let (x, z) = (&solver.solution.x, &solver.solution.z);
    if x.iter().chain(z).any(|value| !value.is_finite()) {
        return None;
    }
    let links = programme.equations..programme.equations + network.rates.len();
    Some(Solution {
        prices: z[links].iter().map(|z| z.max(0.0)).collect(),
        split: split_of(network, x),
    })
}

/// Rows: node balances (equations), then links, then signs.
struct Programme {
    columns: Vec<Vec<(usize, f64)>>,
    right: Vec<f64>,
    equations: usize,
    rows: usize,
}

impl Programme {
    fn new(network: &Network) -> Self {
        let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::MIN_POSITIVE, f64::max);
        let amounts = network
            .commodities
            .iter()
            .flat_map(|c| c.sources.iter().map(|&(_, amount)| amount));
        let unit = largest(&mut { amounts });
        let fastest = largest(&mut network.rates.iter().copied());
        let nodes: usize = network.commodities.iter().map(|c| c.dag.len() - 1).sum();
        let links = network.rates.len();
        let hops = variables(network) - 1;
        let mut programme = Self {
            columns: Vec::with_capacity(hops + 1),
            right: vec![0.0; nodes + links + hops],
            equations: nodes,
            rows: nodes + links + hops,
        };
        let mut first_node = 0;
        for commodity in &network.commodities {
            let dag = &commodity.dag;
            let row = |position: Position| (position != Position::END).then(|| first_node + position.index() - 1);
            for &(source, amount) in &commodity.sources {
                if let Some(row) = row(source) {
                    programme.right[row] += amount / unit;
                }
            }
            for position in dag.rising() {
                for hop in dag.range(position) {
                    let leaves = row(position).map(|r| (r, 1.0));
                    let reaches = row(dag.all_hops()[hop].to).map(|r| (r, -1.0));
                    let column = commodity.columns[hop].index();
                    let loads = (column < links).then_some((nodes + column, 1.0));
                    let sign = Some((nodes + links + programme.columns.len(), -1.0));
                    let entries = [reaches, leaves, loads, sign];
                    programme.columns.push(entries.into_iter().flatten().collect());
                }
            }
            first_node += dag.len() - 1;
        }
        let rates = network.rates.iter().enumerate();
        programme
            .columns
            .push(rates.map(|(l, rate)| (nodes + l, -rate / fastest)).collect());
        programme
    }

    fn matrix(&self) -> CscMatrix<f64> {
        let (mut pointers, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
        for column in &self.columns {
            let mut entries = column.clone();
            entries.sort_unstable_by_key(|&(row, _)| row);
            rows.extend(entries.iter().map(|&(row, _)| row));
            values.extend(entries.iter().map(|&(_, value)| value));
            pointers.push(rows.len());
        }
        CscMatrix::new(self.rows, self.columns.len(), pointers, rows, values)
    }
}

/// Flows as shares of what leaves each node; even where nothing does.
fn split_of(network: &Network, flows: &[f64]) -> Split {
    let mut first = 0;
    let splits = network.commodities.iter().map(|commodity| {
        let dag = &commodity.dag;
        let mut share: Vec<f64> = flows[first..first + dag.all_hops().len()]
            .iter()
            .map(|f| f.max(0.0))
            .collect();
        first += share.len();
        for position in dag.rising() {
            let hops = &mut share[dag.range(position)];
            let total: f64 = hops.iter().sum();
            let even = 1.0 / hops.len() as f64;
            hops.iter_mut()
                .for_each(|s| *s = if total > 1e-12 { *s / total } else { even });
        }
        share
    });
    splits.collect()
}
