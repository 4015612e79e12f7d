//! The least congestion of the switch-to-switch links over all fractional routings on equal-cost
//! paths, with a certificate.
//!
//! Every figure is proven from both sides: `upper` is the congestion of a routing that was found,
//! `lower` follows from a cut or from prices on the links (linear programming duality).

mod balance;
mod cuts;
mod exact;
mod network;

use network::Network;

use super::edges::{Edges, PairAmount, PairSums};
use crate::topology::Fabric;
use crate::workload::Schedule;

/// A minimum between two proven limits, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Certified {
    /// Nothing is below it.
    pub lower_us: f64,
    /// Something reaches it.
    pub upper_us: f64,
}

impl Certified {
    /// How far the two limits are apart, relative to the lower.
    pub fn gap(&self) -> f64 {
        if self.upper_us > self.lower_us {
            (self.upper_us - self.lower_us) / self.lower_us
        } else {
            0.0
        }
    }

    fn of(lower_ps: f64, upper_ps: f64) -> Self {
        Self {
            // Rounding can put the two a few units in the last place in the wrong order.
            lower_us: lower_ps.min(upper_ps) / 1e6,
            upper_us: upper_ps / 1e6,
        }
    }
}

/// What is known of a minimum, in picoseconds.
#[derive(Debug, Clone, Copy)]
struct Limits {
    lower: f64,
    upper: f64,
}

impl Limits {
    /// Whether they are at most that fraction apart.
    fn closed(&self, gap: f64) -> bool {
        self.upper <= self.lower * (1.0 + gap)
    }
}

/// A gap at which no more work is done.
const TARGET: f64 = 1e-3;
/// A gap that rounding alone explains.
const EXACT: f64 = 1e-9;
/// Programmes of at most that many variables are solved exactly where the certificate stays open.
const EXACT_VARIABLES: usize = 20_000;

/// The certified minimum for all transfers of a schedule together, each of which has a path.
pub fn certified_minimum(fabric: &Fabric, schedule: &Schedule) -> Certified {
    let edges = Edges::new(fabric);
    let mut demand = PairSums::new(edges.len());
    for (_, src, dst, bytes) in schedule.transfers() {
        let (from, to) = (edges.of(src), edges.of(dst));
        if from != to {
            demand.add(from, to, bytes as f64);
        }
    }
    optimal_fabric_congestion(fabric, &demand.take())
}

/// The certified minimum for a demand between edges in payload bytes.
pub(super) fn optimal_fabric_congestion(fabric: &Fabric, demand: &[PairAmount]) -> Certified {
    let edges = Edges::new(fabric);
    let network = Network::new(fabric, &edges, demand, |id| fabric.is_fabric_link(id));
    let limits = certify(fabric, &edges, &network, ROUNDS);
    Certified::of(limits.lower, limits.upper)
}

/// The least congestion in microseconds over all routings of the links between edges, the cables of
/// hosts with several included: nothing is below it.
pub(super) fn least_congestion(fabric: &Fabric, demand: &[PairAmount]) -> f64 {
    let edges = Edges::new(fabric);
    let network = Network::new(fabric, &edges, demand, |_| true);
    let rounds = (WORK / exact::variables(&network)).min(ROUNDS);
    let limits = certify(fabric, &edges, &network, rounds);
    Certified::of(limits.lower, limits.upper).lower_us
}

/// Rounds in which prices and routing are drawn together at most.
const ROUNDS: usize = 400;
/// Hops times rounds at most, where only a lower limit is asked for: some seconds.
const WORK: usize = 40_000_000;

fn certify(fabric: &Fabric, edges: &Edges, network: &Network, rounds: usize) -> Limits {
    let mut limits = Limits {
        lower: cuts::leaving_and_entering(fabric, edges, network),
        upper: network.congestion(&network.loads(&network.even_split())),
    };
    if !limits.closed(EXACT) {
        let by_rates = network.congestion(&network.loads(&network.split_by_rates()));
        limits.upper = limits.upper.min(by_rates);
    }
    if !limits.closed(TARGET) {
        limits.lower = cuts::between_pairs(fabric, network, limits.lower);
    }
    if !limits.closed(TARGET) && rounds > 0 {
        balance::Balance::new(network).tighten(&mut limits, TARGET, rounds);
    }
    if !limits.closed(TARGET)
        && exact::variables(network) <= EXACT_VARIABLES
        && let Some(solution) = exact::solve(network)
    {
        limits.upper = limits.upper.min(network.congestion(&network.loads(&solution.split)));
        limits.lower = limits.lower.max(network.proven_by(&solution.prices));
    }
    limits
}
