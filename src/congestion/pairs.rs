//! What lies between two edges: latencies to, across and behind every cut, and rates.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::cuts::{Division, SetId, divisions};
use super::framing::Framing;
use super::max_flow::MaxFlow;
use super::ports::{LastNodes, PortSetId, PortSets};
use crate::ids::{Id, IdVec, LinkId, NodeId};
use crate::loads::{PairAmount, PairId, PairIndex, by_destination};
use crate::routes::{EdgeClasses, EdgeId, EdgeSwitches, PathDag, PathDagBuilder, Position};
use crate::topology::Fabric;
use crate::units::{PS_PER_SECOND, Rate};

/// Least latencies around the crossing of a cut, in picoseconds. Infinite where the pair does not cross it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Crossing {
    /// From the source edge to the links of the cut.
    pub head: f64,
    /// From the end of the transmission on the cut to the destination edge.
    pub tail: f64,
}

impl Crossing {
    const NEVER: Self = Self {
        head: f64::INFINITY,
        tail: f64::INFINITY,
    };

    fn or(self, other: Self) -> Self {
        Self {
            head: self.head.min(other.head),
            tail: self.tail.min(other.tail),
        }
    }

    pub(super) fn happens(self) -> bool {
        self.head < f64::INFINITY
    }
}

/// How one pair crosses one division: out of the source's set, into the destination's set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Crossings {
    pub out: Crossing,
    pub into: Crossing,
}

/// An ordered pair of edges with demand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    /// Least latency of the smallest packet from edge to edge, transmissions included.
    pub through: f64,
    /// The same without the longest single transmission.
    pub through_but_one: f64,
    /// The largest rate in bytes per picosecond at which all paths together can carry data;
    /// infinite where that is more than what was asked for as enough.
    pub rate: f64,
    /// Least propagation delay of an acknowledgement.
    pub back: f64,
    /// Number of the cables that all paths begin with, where the source has several and they are known.
    pub first: Option<PortSetId>,
    /// Number of the cables that all paths end with, where the destination has several and they are known.
    pub last: Option<PortSetId>,
}

/// The bytes per picosecond out of and into every set of one division, over links that are in use.
#[derive(Debug, Clone)]
pub(super) struct CutRates {
    pub out: IdVec<SetId, f64>,
    pub into: IdVec<SetId, f64>,
}

/// All pairs of edges with demand.
#[derive(Debug)]
pub(super) struct Pairs {
    index: PairIndex,
    pairs: IdVec<PairId, Pair>,
    crossings: Vec<Crossings>,
    pub(super) divisions: Vec<Division>,
    pub(super) rates: Vec<CutRates>,
    /// The cables of hosts with several, out of them and into them.
    pub(super) out_of_hosts: PortSets,
    pub(super) into_hosts: PortSets,
}

/// Which routes a bound must allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteSet {
    /// The equal-cost paths of the fabric.
    EqualCost,
    /// Whatever way over links with a rate: where faults that come and go open other routes than
    /// those of the whole fabric, packets of one may meet those of another on the way.
    Any,
}

/// What all destinations are looked at with.
struct Survey<'a> {
    fabric: &'a Fabric,
    edges: &'a EdgeSwitches,
    costs: Vec<Cost>,
    /// By division and link: whether it counts as one out of a set, and into one.
    used: Vec<[bool; 2]>,
    builder: PathDagBuilder<'a>,
    /// Acknowledgements come back along the paths of the data.
    symmetric: bool,
}

/// One link as the passes see it.
#[derive(Clone, Copy)]
struct Cost {
    delay: f64,
    transmission: f64,
}

impl Pairs {
    /// The pairs in `demand` (sorted by destination). `enough` is the rate in bytes per picosecond
    /// beyond which a pair's own does not matter.
    pub(super) fn new(
        fabric: &Fabric,
        edges: &EdgeSwitches,
        framing: Framing,
        demand: &[PairAmount],
        enough: impl Fn(&PairAmount) -> f64,
    ) -> Self {
        let mut pairs = Self::none(fabric, edges, demand);
        let mut survey = Survey {
            fabric,
            edges,
            costs: costs(fabric, framing),
            used: vec![[false; 2]; fabric.links().len() * pairs.divisions.len()],
            builder: PathDagBuilder::new(fabric),
            symmetric: is_symmetric(fabric),
        };
        let classes = EdgeClasses::new(fabric, edges);
        let mut sorted = demand.to_vec();
        let key = |pair: &PairAmount| classes.key(pair.src, pair.dst);
        sorted.sort_by_key(key);
        let target = |pair: &PairAmount| (key(pair).0, key(pair).1);
        for to_alike in sorted.chunk_by(|a, b| target(a) == target(b)) {
            // One destination stands for those that are alike, one source for those that are.
            let dst = to_alike[0].dst;
            let shared = classes.share_a_server(to_alike[0].src, dst);
            let (mut fitting, mut apart) = (Vec::new(), Vec::new());
            for alike in to_alike.chunk_by(|a, b| key(a) == key(b)) {
                let stands = |pair: &&PairAmount| classes.share_a_server(pair.src, dst) == shared;
                let found = alike.iter().find(stands).map(|pair| match pair.src == dst {
                    // On the same switches as its own destination.
                    true => pair.dst,
                    false => pair.src,
                });
                match found {
                    Some(source) => fitting.push((source, alike)),
                    // All share a server with that destination, and none with their own.
                    None => apart.push(alike),
                }
            }
            pairs.survey(&mut survey, dst, &fitting, &enough);
            for alike in apart {
                pairs.survey(&mut survey, alike[0].dst, &[(alike[0].src, alike)], &enough);
            }
        }
        pairs
    }

    /// Adds pairs with one destination that stands for all: alike ones, with a source that stands for theirs.
    fn survey(
        &mut self,
        survey: &mut Survey<'_>,
        dst: EdgeId,
        fitting: &[(EdgeId, &[PairAmount])],
        enough: &impl Fn(&PairAmount) -> f64,
    ) {
        if fitting.is_empty() {
            return;
        }
        let (fabric, edges) = (survey.fabric, survey.edges);
        let sources = fitting.iter().map(|&(source, _)| edges.node(source));
        let dag = survey.builder.build(edges.node(dst), edges.receiver(dst), sources);
        self.add_cut_rates(fabric, &dag, &mut survey.used);
        for (_, alike) in fitting {
            self.add_own_rates(fabric, edges, &dag, alike, &mut survey.used);
        }
        let (through, through_but_one) = latencies(&dag, &survey.costs);
        let back = match survey.symmetric {
            true => delays_back(fabric, &dag),
            false => dag.filled(0.0),
        };
        let crossings: Vec<_> = (0..self.divisions.len())
            .map(|d| self.crossings_of(d, &dag, &survey.costs, &through))
            .collect();
        let flow = MaxFlow::new(&dag, |link| fabric.link(link).rate);
        let own = |edge: EdgeId| edges.node(edge).0 < fabric.hosts();
        let last_nodes = own(dst).then(|| LastNodes::new(&dag));
        for (&(_, alike), &source) in fitting.iter().zip(&dag.sources) {
            let pair = Pair {
                through: through[source],
                through_but_one: through_but_one[source],
                rate: rate_of(&flow, source, alike.iter().map(enough).fold(0.0, f64::max)),
                back: back[source],
                first: None,
                last: None,
            };
            for demand in alike {
                let (src, dst) = (edges.node(demand.src), edges.node(demand.dst));
                let to = edges.receiver(demand.dst).node();
                let first = own(demand.src).then(|| self.out_of_hosts.first(fabric, src, to));
                let nodes = last_nodes.as_ref().map(|nodes| nodes.of(source));
                let last = nodes.map(|nodes| self.into_hosts.last(fabric, nodes, dst));
                self.index.number(demand.src, demand.dst);
                self.pairs.push(Pair { first, last, ..pair });
                self.crossings.extend(crossings.iter().map(|c| c[source]));
            }
        }
    }

    /// The same where packets may take any way: what lies between two edges is the least over all
    /// dag, and a cut has all links with a rate.
    pub(super) fn of_any_route(fabric: &Fabric, edges: &EdgeSwitches, framing: Framing, demand: &[PairAmount]) -> Self {
        let mut pairs = Self::none(fabric, edges, demand);
        for (division, rates) in pairs.divisions.iter().zip(&mut pairs.rates) {
            for link in fabric.links() {
                let (from, to) = (division.of(link.from), division.of(link.to));
                if from != to {
                    rates.out[from] += link.rate.bytes_per_ps();
                    rates.into[to] += link.rate.bytes_per_ps();
                }
            }
        }
        let costs = costs(fabric, framing);
        for demand in by_destination(demand) {
            let dst = edges.node(demand[0].dst);
            let through = least_to(fabric, dst, |id| {
                costs[id.index()].delay + costs[id.index()].transmission
            });
            let delay = least_to(fabric, dst, |id| costs[id.index()].delay);
            for demand in demand {
                let src = edges.node(demand.src);
                pairs.index.number(demand.src, demand.dst);
                pairs.pairs.push(Pair {
                    through: through[src.index()],
                    through_but_one: delay[src.index()],
                    rate: f64::INFINITY,
                    back: 0.0,
                    first: None,
                    last: None,
                });
                let crossings = pairs.divisions.iter().map(|division| {
                    let crosses = division.of(src) != division.of(dst);
                    let at_once = Crossing { head: 0.0, tail: 0.0 };
                    let crossing = if crosses { at_once } else { Crossing::NEVER };
                    Crossings {
                        out: crossing,
                        into: crossing,
                    }
                });
                pairs.crossings.extend(crossings);
            }
        }
        pairs
    }

    fn none(fabric: &Fabric, edges: &EdgeSwitches, demand: &[PairAmount]) -> Self {
        let divisions = divisions(fabric, edges);
        let nodes = fabric.nodes().len();
        let no_rate = CutRates {
            out: IdVec::filled(0.0, nodes),
            into: IdVec::filled(0.0, nodes),
        };
        Self {
            index: PairIndex::new(edges.len()),
            pairs: IdVec::with_capacity(demand.len()),
            crossings: Vec::with_capacity(demand.len() * divisions.len()),
            rates: vec![no_rate; divisions.len()],
            divisions,
            out_of_hosts: PortSets::default(),
            into_hosts: PortSets::default(),
        }
    }

    /// Number of pairs.
    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Number of a pair that has demand.
    pub(super) fn index(&self, src: EdgeId, dst: EdgeId) -> PairId {
        self.index.of(src, dst)
    }

    pub(super) fn pair(&self, index: PairId) -> &Pair {
        &self.pairs[index]
    }

    /// How a pair crosses each division.
    pub(super) fn crossings(&self, index: PairId) -> &[Crossings] {
        let divisions = self.divisions.len();
        &self.crossings[index.index() * divisions..][..divisions]
    }

    fn add_cut_rates(&mut self, fabric: &Fabric, dag: &PathDag, used: &mut [[bool; 2]]) {
        for hop in dag.all_hops() {
            self.add_link_rate(fabric, hop.link, dag.node(Position::END), used);
        }
    }

    /// The links of hosts for which others stand.
    fn add_own_rates(
        &mut self,
        fabric: &Fabric,
        edges: &EdgeSwitches,
        dag: &PathDag,
        demand: &[PairAmount],
        used: &mut [[bool; 2]],
    ) {
        if !demand
            .iter()
            .any(|pair| edges.node(pair.src).0 < fabric.hosts() || edges.node(pair.dst).0 < fabric.hosts())
        {
            return;
        }
        let is_last = |&position: &Position| dag.hops(position).iter().any(|hop| hop.to == Position::END);
        let last: Vec<NodeId> = dag
            .rising()
            .filter(is_last)
            .map(|position| dag.node(position))
            .collect();
        let mut seen = BTreeSet::new();
        for pair in demand {
            let (src, dst) = (edges.node(pair.src), edges.node(pair.dst));
            let to = edges.receiver(pair.dst).node();
            if fabric.has_ports(src) {
                for &up in fabric.next_hops(src, to).iter() {
                    self.add_link_rate(fabric, up, dst, used);
                }
            }
            if fabric.has_ports(dst) && seen.insert(dst) {
                for &node in &last {
                    for &down in fabric.next_hops(node, to).iter() {
                        self.add_link_rate(fabric, down, dst, used);
                    }
                }
            }
        }
    }

    /// Counts a link on the way to a node, once in each direction across a border.
    fn add_link_rate(&mut self, fabric: &Fabric, link: LinkId, target: NodeId, used: &mut [[bool; 2]]) {
        let links = fabric.links().len();
        let (id, link) = (link, fabric.link(link));
        for (d, division) in self.divisions.iter().enumerate() {
            let rates = &mut self.rates[d];
            let (from, to, end) = (division.of(link.from), division.of(link.to), division.of(target));
            let used = &mut used[d * links + id.index()];
            if from != to && from != end && !used[0] {
                used[0] = true;
                rates.out[from] += link.rate.bytes_per_ps();
            }
            if from != to && to == end && !used[1] {
                used[1] = true;
                rates.into[to] += link.rate.bytes_per_ps();
            }
        }
    }

    /// By position: how a source there would cross one division.
    fn crossings_of(
        &self,
        d: usize,
        dag: &PathDag,
        costs: &[Cost],
        through: &IdVec<Position, f64>,
    ) -> IdVec<Position, Crossings> {
        let division = &self.divisions[d];
        let set = |position: Position| division.of(dag.node(position));
        let never = Crossings {
            out: Crossing::NEVER,
            into: Crossing::NEVER,
        };
        let mut crossings = dag.filled(never);
        for position in dag.rising() {
            let mut best = never;
            for hop in dag.hops(position) {
                let (next, cost) = (hop.to, costs[hop.link.index()]);
                let here = Crossing {
                    head: 0.0,
                    tail: cost.delay + through[next],
                };
                let later = |c: Crossing| Crossing {
                    head: c.head + cost.delay + cost.transmission,
                    tail: c.tail,
                };
                let leaves = set(next) != set(position);
                let enters = leaves && set(next) == set(Position::END);
                // Between nodes of one set, some paths may cross and others not.
                if set(position) != set(Position::END) {
                    best.out = best.out.or(if leaves { here } else { later(crossings[next].out) });
                    best.into = best.into.or(if enters { here } else { later(crossings[next].into) });
                }
            }
            crossings[position] = best;
        }
        crossings
    }
}

/// The least cost of any way over links with a rate to a node, by node (Dijkstra).
fn least_to(fabric: &Fabric, target: NodeId, cost: impl Fn(LinkId) -> f64) -> Vec<f64> {
    let mut least = vec![f64::INFINITY; fabric.nodes().len()];
    least[target.index()] = 0.0;
    // Costs are not negative: as bit patterns, they are in order.
    let mut open = BinaryHeap::from([(Reverse(0_u64), target)]);
    while let Some((Reverse(bits), node)) = open.pop() {
        if f64::from_bits(bits) > least[node.index()] {
            continue;
        }
        for &out in fabric.out_links(node) {
            let id = fabric.link(out).reverse;
            let link = fabric.link(id);
            let reached = least[node.index()] + cost(id);
            if !link.rate.is_zero() && reached < least[link.from.index()] {
                least[link.from.index()] = reached;
                open.push((Reverse(reached.to_bits()), link.from));
            }
        }
    }
    least
}

fn costs(fabric: &Fabric, framing: Framing) -> Vec<Cost> {
    let packet = framing.smallest_packet();
    let links = fabric.links().iter().map(|link| Cost {
        delay: link.delay.0 as f64,
        transmission: if link.rate.is_zero() {
            0.0
        } else {
            packet / link.rate.bytes_per_ps()
        },
    });
    links.collect()
}

/// Least latency to the destination by position, with all transmissions and without the longest.
fn latencies(dag: &PathDag, costs: &[Cost]) -> (IdVec<Position, f64>, IdVec<Position, f64>) {
    let (mut all, mut but_one) = (dag.filled(0.0), dag.filled(0.0));
    for position in dag.rising() {
        let (mut least, mut least_but_one) = (f64::INFINITY, f64::INFINITY);
        for hop in dag.hops(position) {
            let (next, cost) = (hop.to, costs[hop.link.index()]);
            least = least.min(cost.delay + cost.transmission + all[next]);
            let without = cost.delay + all[next];
            least_but_one = least_but_one.min(without.min(cost.delay + cost.transmission + but_one[next]));
        }
        all[position] = least;
        but_one[position] = least_but_one;
    }
    (all, but_one)
}

/// In bytes per picosecond; infinite where it is enough.
fn rate_of(flow: &MaxFlow<'_>, source: Position, enough: f64) -> f64 {
    let enough = Rate((enough * 8.0 * PS_PER_SECOND as f64).ceil() as u64);
    let rate = flow.from(source, enough);
    if rate < enough {
        rate.bytes_per_ps()
    } else {
        f64::INFINITY
    }
}

/// Least propagation delay from the destination back to each position, along the same cables.
fn delays_back(fabric: &Fabric, dag: &PathDag) -> IdVec<Position, f64> {
    let mut back = dag.filled(0.0);
    for position in dag.rising() {
        let hops = dag.hops(position).iter().map(|hop| {
            let reverse = fabric.link(hop.link).reverse;
            fabric.link(reverse).delay.0 as f64 + back[hop.to]
        });
        back[position] = hops.fold(f64::INFINITY, f64::min);
    }
    back
}

/// Whether every cable is up in both directions or down in both, so that acknowledgements can come
/// back along the paths of the data and have no shorter ones.
fn is_symmetric(fabric: &Fabric) -> bool {
    fabric
        .links()
        .iter()
        .all(|link| link.rate.is_zero() == fabric.link(link.reverse).rate.is_zero())
}
