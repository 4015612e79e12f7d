//! The routing problem: demands to each edge over its equal-cost dag, and links with rates.

use crate::ids::{Id, IdVec, LinkId, id};
use crate::loads::{PairAmount, by_destination};
use crate::routes::{EdgeSwitches, PathDag, PathDagBuilder, Position};
use crate::topology::Fabric;

id! {
    /// A link that counts and that some way uses: a column of the problem.
    pub(super) ColumnId;
}

/// All demand to one edge: a flow without capacity of its own that may take any of its dag.
#[derive(Debug)]
pub(super) struct Commodity {
    pub dag: PathDag,
    /// Position and bytes of each source.
    pub sources: Vec<(Position, f64)>,
    /// The link of each hop as a column of the problem; NONE where it does not count.
    pub columns: Vec<ColumnId>,
}

/// What a link joins: the tiers of its two ends.
pub(super) type Kind = (u8, u8);

/// Demands and the links that count. Loads, prices and rates are by column.
#[derive(Debug)]
pub(super) struct Network {
    pub commodities: Vec<Commodity>,
    /// The links that count and that some way uses.
    pub links: IdVec<ColumnId, LinkId>,
    /// Bytes per picosecond of each.
    pub rates: IdVec<ColumnId, f64>,
    pub kinds: IdVec<ColumnId, Kind>,
}

/// A share of what arrives at each node for each of its hops: by commodity, then by hop.
pub(super) type Split = Vec<Vec<f64>>;

impl Network {
    /// With the links between edges that count.
    pub(super) fn new(
        fabric: &Fabric,
        edges: &EdgeSwitches,
        demand: &[PairAmount],
        counts: impl Fn(LinkId) -> bool,
    ) -> Self {
        let mut builder = PathDagBuilder::new(fabric);
        let mut column_of = IdVec::filled(ColumnId::NONE, fabric.links().len());
        let mut network = Self {
            commodities: Vec::new(),
            links: IdVec::new(),
            rates: IdVec::new(),
            kinds: IdVec::new(),
        };
        for demand in by_destination(demand) {
            let dst = demand[0].dst;
            let nodes = demand.iter().map(|d| edges.node(d.src));
            let dag = builder.build(edges.node(dst), edges.receiver(dst), nodes);
            let sources = dag.sources.iter().zip(demand).map(|(&s, d)| (s, d.amount)).collect();
            let columns = dag.all_hops().iter().map(|hop| {
                let column = &mut column_of[hop.link];
                if *column == ColumnId::NONE && counts(hop.link) {
                    *column = network.links.push(hop.link);
                    let link = fabric.link(hop.link);
                    network.rates.push(link.rate.bytes_per_ps());
                    network
                        .kinds
                        .push((fabric.node(link.from).tier, fabric.node(link.to).tier));
                }
                *column
            });
            let columns = columns.collect();
            network.commodities.push(Commodity { dag, sources, columns });
        }
        network
    }

    /// The share of each hop when a node passes on in proportion to `weight(commodity, values
    /// behind, hop)`, where the value of a node is the sum of its hops' weights and the
    /// destination's is `at_end`.
    pub(super) fn split_by(&self, at_end: f64, weight: impl Fn(ColumnId, f64) -> f64) -> Split {
        let splits = self.commodities.iter().map(|commodity| {
            let dag = &commodity.dag;
            let mut value = dag.filled(at_end);
            let mut share = vec![0.0; dag.all_hops().len()];
            for position in dag.rising() {
                let range = dag.range(position);
                for hop in range.clone() {
                    let behind = value[dag.all_hops()[hop].to];
                    share[hop] = weight(commodity.columns[hop], behind);
                }
                let total: f64 = share[range.clone()].iter().sum();
                value[position] = total;
                share[range].iter_mut().for_each(|s| *s /= total);
            }
            share
        });
        splits.collect()
    }

    /// All paths of a pair alike.
    pub(super) fn even_split(&self) -> Split {
        self.split_by(1.0, |_, behind| behind)
    }

    /// Every next link in proportion to what it and the links behind it can carry.
    pub(super) fn split_by_rates(&self) -> Split {
        self.split_by(f64::INFINITY, |column, behind| {
            // Behind free hops everything fits; a finite figure keeps shares defined.
            let rate = self.rates.get(column).copied().unwrap_or(f64::MAX.sqrt());
            rate.min(behind)
        })
    }

    /// Bytes on every link.
    pub(super) fn loads(&self, split: &Split) -> IdVec<ColumnId, f64> {
        let mut loads = IdVec::filled(0.0, self.rates.len());
        for (commodity, share) in self.commodities.iter().zip(split) {
            let dag = &commodity.dag;
            let mut through = dag.filled(0.0);
            for &(source, amount) in &commodity.sources {
                through[source] += amount;
            }
            dag.pass_down(
                &mut through,
                |_, amount| amount,
                |amount, hop| amount * share[hop],
                |hop, bytes| {
                    if let Some(load) = loads.get_mut(commodity.columns[hop]) {
                        *load += bytes;
                    }
                },
            );
        }
        loads
    }

    /// The largest load over rate, in picoseconds.
    pub(super) fn congestion(&self, loads: &IdVec<ColumnId, f64>) -> f64 {
        let times = loads.iter().zip(&self.rates).map(|(load, rate)| load / rate);
        times.fold(0.0, f64::max)
    }

    /// What prices per byte on the links prove: all bytes pay at least the cheapest way, and a link
    /// earns at most its rate times price per unit of time. Valid for any prices that are not negative.
    pub(super) fn proven_by(&self, prices: &IdVec<ColumnId, f64>) -> f64 {
        let mut paid = 0.0;
        for commodity in &self.commodities {
            let dag = &commodity.dag;
            let mut cheapest = dag.filled(0.0_f64);
            for position in dag.rising() {
                let hops = dag.range(position).map(|hop| {
                    let price = prices.get(commodity.columns[hop]).copied().unwrap_or(0.0);
                    price + cheapest[dag.all_hops()[hop].to]
                });
                cheapest[position] = hops.fold(f64::INFINITY, f64::min);
            }
            let bills = commodity
                .sources
                .iter()
                .map(|&(source, amount)| amount * cheapest[source]);
            paid += bills.sum::<f64>();
        }
        let earned: f64 = prices.iter().zip(&self.rates).map(|(price, rate)| price * rate).sum();
        if earned > 0.0 { paid / earned } else { 0.0 }
    }
}
