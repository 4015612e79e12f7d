//! Lower bounds from cuts: bytes that must cross a set of links over what the set can carry.

use super::network::{ColumnId, Commodity, Network};
use crate::congestion::cuts::{Division, SetId, divisions};
use crate::congestion::max_flow::MaxFlow;
use crate::ids::{Id, IdVec};
use crate::routes::{EdgeSwitches, Position};
use crate::topology::Fabric;
use crate::units::Rate;

/// The largest time that a set of edges (a leaf, a pod) needs to send what leaves it, or to receive
/// what enters it, over all its links in use.
pub(super) fn leaving_and_entering(fabric: &Fabric, edges: &EdgeSwitches, network: &Network) -> f64 {
    let bounds = divisions(fabric, edges).into_iter().map(|division| {
        let mut sides = [(); 2].map(|()| Side::new(fabric.nodes().len(), network.rates.len()));
        for commodity in &network.commodities {
            let crossed = crossings(&division, commodity);
            let target = division.of(commodity.dag.node(Position::END));
            for &(source, amount) in &commodity.sources {
                let sets = [division.of(commodity.dag.node(source)), target];
                for (side, (set, crossed)) in sides.iter_mut().zip(sets.into_iter().zip(crossed[source])) {
                    side.bytes[set] += if crossed { amount } else { 0.0 };
                }
            }
            for (hop, &column) in commodity.dag.all_hops().iter().zip(&commodity.columns) {
                let link = fabric.link(hop.link);
                let (from, to) = (division.of(link.from), division.of(link.to));
                if column != ColumnId::NONE && from != to {
                    sides[0].use_link(from, column, network);
                    if to == target {
                        sides[1].use_link(to, column, network);
                    }
                }
            }
        }
        sides.iter().map(Side::bound).fold(0.0, f64::max)
    });
    bounds.fold(0.0, f64::max)
}

/// One direction across the borders of all sets.
struct Side {
    bytes: IdVec<SetId, f64>,
    rates: IdVec<SetId, f64>,
    used: IdVec<ColumnId, bool>,
}

impl Side {
    fn new(sets: usize, links: usize) -> Self {
        Self {
            bytes: IdVec::filled(0.0, sets),
            rates: IdVec::filled(0.0, sets),
            used: IdVec::filled(false, links),
        }
    }

    fn use_link(&mut self, set: SetId, column: ColumnId, network: &Network) {
        if !std::mem::replace(&mut self.used[column], true) {
            self.rates[set] += network.rates[column];
        }
    }

    fn bound(&self) -> f64 {
        let times = self.bytes.iter().zip(&self.rates).filter(|&(&bytes, _)| bytes > 0.0);
        times.map(|(bytes, rate)| bytes / rate).fold(0.0, f64::max)
    }
}

/// By position: whether all paths leave the node's own set over links that count, and whether all
/// enter the destination's.
fn crossings(division: &Division, commodity: &Commodity) -> IdVec<Position, [bool; 2]> {
    let dag = &commodity.dag;
    let set = |position: Position| division.of(dag.node(position));
    let mut crossed = dag.filled([false; 2]);
    for position in dag.rising() {
        let (mut leaves, mut enters) = (true, set(position) != set(Position::END));
        for hop in dag.range(position) {
            let next = dag.all_hops()[hop].to;
            let counts = commodity.columns[hop] != ColumnId::NONE;
            let crosses = set(next) != set(position);
            leaves &= if crosses { counts } else { crossed[next][0] };
            enters &= if crosses && set(next) == set(Position::END) {
                counts
            } else {
                crossed[next][1]
            };
        }
        crossed[position] = [leaves, enters];
    }
    crossed
}

/// The largest time that one edge needs to send to another over all their paths, where it is above
/// `known`; `known` otherwise.
pub(super) fn between_pairs(fabric: &Fabric, network: &Network, known: f64) -> f64 {
    let mut bound = known;
    for commodity in &network.commodities {
        let flow = MaxFlow::new(&commodity.dag, |link| {
            if fabric.is_fabric_link(link) {
                fabric.link(link).rate
            } else {
                Rate::MAX
            }
        });
        for &(source, amount) in &commodity.sources {
            // A pair that can send faster than this does not raise the bound.
            let enough = Rate((amount / bound * 8e12).ceil() as u64);
            let rate = flow.from(source, enough);
            if rate < enough {
                bound = bound.max(amount / rate.bytes_per_ps());
            }
        }
    }
    bound
}
