//! The least congestion of the switch-to-switch links over all fractional routings on equal-cost
//! paths, with a certificate.
//!
//! Every figure is proven from both sides: `upper` is the congestion of a routing that was found,
//! `lower` follows from a cut or from prices on the links (linear programming duality).
//!
//! The placement by optimal transport has the same minimum over paths instead of links, with a programme, prices and cuts of
//! its own: it places flows, and paths are what it can give them. Each is the cross-check of the other (a test holds
//! them together).

mod balance;
mod cuts;
mod exact;
mod network;

use std::collections::HashMap;

use network::{ColumnId, Network};

use crate::ids::{IdVec, LinkId};
use crate::loads::{Interval, PairAmount, PairSums};
use crate::routes::{EdgeClasses, EdgeId, EdgeSwitches, PairKey};
use crate::topology::Fabric;
use crate::workload::{Schedule, Transfer};

/// Picoseconds in a microsecond.
const PS_PER_US: f64 = 1e6;

/// A gap at which no more work is done.
const TARGET: f64 = 1e-3;
/// A gap that rounding alone explains.
const EXACT: f64 = 1e-9;
/// Programmes of at most that many variables are solved exactly where the certificate stays open.
const EXACT_VARIABLES: usize = 20_000;

/// The certified minimum in microseconds for all transfers of a schedule together, each of which has a path.
pub fn certified_minimum(fabric: &Fabric, schedule: &Schedule) -> Interval {
    let edges = EdgeSwitches::new(fabric);
    let mut demand = PairSums::new(edges.len());
    for Transfer { src, dst, bytes, .. } in schedule.transfers() {
        let (from, to) = (edges.of(src), edges.of(dst));
        if from != to {
            demand.add(from, to, bytes as f64);
        }
    }
    optimal_fabric_congestion(fabric, &demand.take())
}

/// The certified minimum in microseconds for a demand between edges in payload bytes.
pub(super) fn optimal_fabric_congestion(fabric: &Fabric, demand: &[PairAmount]) -> Interval {
    let edges = EdgeSwitches::new(fabric);
    let demand = folded(fabric, &edges, demand);
    let network = Network::new(fabric, &edges, &demand, |id| fabric.is_fabric_link(id));
    let limits = certify(fabric, &edges, &network, ROUNDS);
    limits.per(PS_PER_US)
}

/// The demand between classes of hosts that are alike, each as one: their own links aside, what one routing of the sum puts
/// on links some routing of the parts does, and the other way round.
fn folded(fabric: &Fabric, edges: &EdgeSwitches, demand: &[PairAmount]) -> Vec<PairAmount> {
    let classes = EdgeClasses::new(fabric, edges);
    if classes.are_single() {
        return demand.to_vec();
    }
    let mut sums = PairSums::new(edges.len());
    // The first of pairs that are alike stands for all.
    let mut first: HashMap<PairKey, (EdgeId, EdgeId)> = HashMap::new();
    for pair in demand {
        // Between hosts on the same switches there are no other links than their own.
        if classes.of(pair.src) != classes.of(pair.dst) {
            let key = classes.key(pair.src, pair.dst);
            let (src, dst) = *first.entry(key).or_insert((pair.src, pair.dst));
            sums.add(src, dst, pair.amount);
        }
    }
    sums.take()
}

/// The least congestion in microseconds over all routings of the links between edges, the cables of
/// hosts with several included: nothing is below it. 0 where there are too many pairs to look at them one by one.
pub(super) fn least_congestion(fabric: &Fabric, demand: &[PairAmount]) -> f64 {
    let edges = EdgeSwitches::new(fabric);
    if demand.len() > MOST_PAIRS && demand.len() as u64 * fabric.table_width() > MOST_CELLS {
        return 0.0;
    }
    let network = Network::new(fabric, &edges, demand, |_| true);
    let rounds = (WORK / exact::variables(&network)).min(ROUNDS);
    let limits = certify(fabric, &edges, &network, rounds);
    limits.per(PS_PER_US).lower
}

/// A least congestion in picoseconds, and by how many picoseconds less it would be for one more byte per picosecond on
/// each link that counts: of the links that it does not name, for none.
#[derive(Debug, Clone, Default)]
pub(super) struct Priced {
    pub time: f64,
    pub worth: Vec<(LinkId, f64)>,
}

/// Programmes of at most that many variables are priced exactly, in some seconds.
const PRICED_VARIABLES: usize = 100_000;

/// The least congestion of all links between edges with the worth of each, by duality: where the optimum is
/// `min theta`, with prices `p` of the links whose sum over `rate * p` is 1, one more byte per picosecond on link `l` takes
/// `p_l * theta` from it. In larger problems, the prices are those that prove the certified limit.
pub(super) fn priced(fabric: &Fabric, demand: &[PairAmount]) -> Priced {
    let edges = EdgeSwitches::new(fabric);
    let network = Network::new(fabric, &edges, demand, |_| true);
    if network.links.is_empty() {
        return Priced::default();
    }
    let exact = (exact::variables(&network) <= PRICED_VARIABLES).then(|| exact::solve(&network));
    let prices = exact
        .flatten()
        .map_or_else(|| balanced_prices(fabric, &edges, &network), |found| found.prices);
    let time = network.proven_by(&prices);
    let earned: f64 = prices
        .iter()
        .zip(&network.rates)
        .map(|(price, rate)| price * rate)
        .sum();
    let worth = network
        .links
        .iter()
        .zip(&prices)
        .map(|(&link, price)| (link, price / earned * time));
    Priced {
        time,
        worth: worth.filter(|(_, worth)| *worth > 0.0).collect(),
    }
}

fn balanced_prices(fabric: &Fabric, edges: &EdgeSwitches, network: &Network) -> IdVec<ColumnId, f64> {
    let mut limits = Interval {
        lower: cuts::leaving_and_entering(fabric, edges, network),
        upper: network.congestion(&network.loads(&network.even_split())),
    };
    let mut balance = balance::Balance::new(network);
    balance.tighten(&mut limits, EXACT, ROUNDS);
    balance.prices()
}

/// Pairs of edges, and pairs times nodes that forward, up to which each is looked at for itself.
const MOST_PAIRS: usize = 1_000;
const MOST_CELLS: u64 = 100_000_000;

/// Rounds in which prices and routing are drawn together at most.
const ROUNDS: usize = 400;
/// Hops times rounds at most, where only a lower limit is asked for: some seconds.
const WORK: usize = 40_000_000;

/// The least congestion in picoseconds.
fn certify(fabric: &Fabric, edges: &EdgeSwitches, network: &Network, rounds: usize) -> Interval {
    let mut limits = Interval {
        lower: cuts::leaving_and_entering(fabric, edges, network),
        upper: network.congestion(&network.loads(&network.even_split())),
    };
    if !limits.is_closed(EXACT) {
        let by_rates = network.congestion(&network.loads(&network.split_by_rates()));
        limits.reach(by_rates);
    }
    if !limits.is_closed(TARGET) {
        limits.lower = cuts::between_pairs(fabric, network, limits.lower);
    }
    if !limits.is_closed(TARGET) && rounds > 0 {
        balance::Balance::new(network).tighten(&mut limits, TARGET, rounds);
    }
    if !limits.is_closed(TARGET)
        && exact::variables(network) <= EXACT_VARIABLES
        && let Some(solution) = exact::solve(network)
    {
        limits.reach(network.congestion(&network.loads(&solution.split)));
        limits.raise(network.proven_by(&solution.prices));
    }
    limits
}
