//! Prices that balance the links: every node spreads what it passes on over all its dag, the less
//! the dearer they are, and links that carry too much become dearer.
//!
//! With multipliers `m = exp(-price)` on the links, a path gets a share in proportion to the product
//! of its multipliers (logit routing), which a pass over the graph computes without listing paths.
//! Scaling a link's multiplier by (what it may carry) / (what it carries), but not above 1, is an
//! exact step of coordinate ascent on the entropic dual of the routing problem: for links of which
//! no path uses two, all at once (iterative scaling, as Sinkhorn's), for others with the root that
//! keeps the ascent monotone (generalised iterative scaling, Darroch and Ratcliff 1972).
//!
//! Where the limit can be kept, the loads converge to it; where it cannot, the prices grow without
//! end along a direction that proves it.

use super::network::{ColumnId, Commodity, Kind, Network};
use crate::ids::IdVec;
use crate::loads::Interval;
use crate::math::ln;
use crate::routes::Position;

/// The smallest multiplier: a dozen of them can be multiplied without underflow.
const LEAST: f64 = 1e-24;

/// Links that are rescaled together.
struct Block {
    columns: Vec<ColumnId>,
    /// How many square roots to take of a step.
    roots: u32,
}

pub(super) struct Balance<'a> {
    network: &'a Network,
    blocks: Vec<Block>,
    multipliers: IdVec<ColumnId, f64>,
    loads: IdVec<ColumnId, f64>,
    value: IdVec<Position, f64>,
    through: IdVec<Position, f64>,
}

impl<'a> Balance<'a> {
    pub(super) fn new(network: &'a Network) -> Self {
        let widest = network.commodities.iter().map(|c| c.dag.len()).max().unwrap_or(0);
        Self {
            blocks: blocks(network),
            multipliers: IdVec::filled(1.0, network.rates.len()),
            loads: IdVec::filled(0.0, network.rates.len()),
            value: IdVec::filled(0.0, widest),
            through: IdVec::filled(0.0, widest),
            network,
        }
    }

    /// The prices of the links as they stand.
    pub(super) fn prices(&self) -> IdVec<ColumnId, f64> {
        self.multipliers.iter().map(|&m| -ln(m)).collect()
    }

    /// Brings the limits closer until they are `target` apart, at most that many passes.
    pub(super) fn tighten(&mut self, limits: &mut Interval, target: f64, passes: usize) -> usize {
        let mut before = IdVec::filled(0.0, self.multipliers.len());
        let mut done = 0;
        for round in 1_usize.. {
            for block in 0..self.blocks.len() {
                self.carry();
                done += 1;
                limits.reach(self.network.congestion(&self.loads));
                if limits.is_closed(target) || done >= passes {
                    return done;
                }
                self.rescale(block, limits.lower * (1.0 + target / 2.0));
            }
            // What cannot be met shows in the prices, and in how they grow.
            if round % CHECK == 0 {
                let prices = self.prices();
                let growth: IdVec<ColumnId, f64> = prices
                    .iter()
                    .zip(&before)
                    .map(|(now, then)| (now - then).max(0.0))
                    .collect();
                let proven = self.network.proven_by(&prices).max(self.network.proven_by(&growth));
                limits.raise(proven);
                before = prices;
            }
        }
        done
    }

    /// Loads under the present multipliers.
    fn carry(&mut self) {
        self.loads.fill(0.0);
        for commodity in &self.network.commodities {
            let dag = &commodity.dag;
            let hops = dag.all_hops();
            let multiplier = |hop: usize| multiplier(&self.multipliers, commodity.columns[hop]);
            self.value[Position::END] = 1.0;
            for position in dag.rising() {
                let mut sum = 0.0;
                for hop in dag.range(position) {
                    sum += multiplier(hop) * self.value[hops[hop].to];
                }
                self.value[position] = sum;
            }
            self.through
                .iter_mut()
                .take(dag.len())
                .for_each(|through| *through = 0.0);
            for &(source, amount) in &commodity.sources {
                self.through[source] += amount;
            }
            let (value, loads) = (&self.value, &mut self.loads);
            dag.pass_down(
                &mut self.through,
                |position, through| through / value[position],
                |scale, hop| scale * multiplier(hop) * value[hops[hop].to],
                |hop, bytes| {
                    if let Some(load) = loads.get_mut(commodity.columns[hop]) {
                        *load += bytes;
                    }
                },
            );
        }
    }

    fn rescale(&mut self, block: usize, congestion: f64) {
        let Block { columns, roots } = &self.blocks[block];
        for &column in columns {
            let (load, room) = (self.loads[column], congestion * self.network.rates[column]);
            let multiplier = &mut self.multipliers[column];
            if load > 0.0 && (*multiplier < 1.0 || load > room) {
                let step = (0..*roots).fold(room / load, |step, _| step.sqrt());
                *multiplier = (*multiplier * step).clamp(LEAST, 1.0);
            }
        }
    }
}

/// Rounds between two looks at what the prices prove.
const CHECK: usize = 8;

/// Links by what they join: in a fabric of tiers, a path takes one up-link and one down-link of each.
fn blocks(network: &Network) -> Vec<Block> {
    let mut kinds = network.kinds.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    let blocks = kinds.into_iter().map(|kind| {
        let columns = network.kinds.ids().filter(|&c| network.kinds[c] == kind);
        let most = network
            .commodities
            .iter()
            .map(|c| most_on_a_path(network, c, kind))
            .max();
        Block {
            columns: columns.collect(),
            // The next power of two: roots are the same on every machine, powers are not.
            roots: most.unwrap_or(1).next_power_of_two().trailing_zeros(),
        }
    });
    blocks.collect()
}

/// The most links of one kind on a path.
fn most_on_a_path(network: &Network, commodity: &Commodity, kind: Kind) -> u32 {
    let dag = &commodity.dag;
    let mut most = dag.filled(0);
    for position in dag.rising() {
        for hop in dag.range(position) {
            let here = network.kinds.get(commodity.columns[hop]) == Some(&kind);
            most[position] = most[position].max(most[dag.all_hops()[hop].to] + u32::from(here));
        }
    }
    most.into_iter().max().unwrap_or(0)
}

/// The multiplier of a column; 1 of hops that do not count.
fn multiplier(multipliers: &IdVec<ColumnId, f64>, column: ColumnId) -> f64 {
    multipliers.get(column).copied().unwrap_or(1.0)
}
