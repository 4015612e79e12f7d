//! Cuts of a fabric: sets of nodes that traffic must leave and enter.
//!
//! The finest sets are the single edges (leaf cuts). Further ones are what belongs together: pods (what
//! the top tiers join), servers and planes (the hosts around one switch), and what links join that are
//! faster or shorter than the rest. All equal-cost paths between two sets leave the one and enter the
//! other, whatever the load balancing does; which sets are looked at decides only how tight a bound is.

use std::collections::BTreeSet;

use crate::ids::{Id, IdVec, LinkId, NodeId, id};
use crate::routes::EdgeSwitches;
use crate::topology::Fabric;

id! {
    /// A set of a division: the number of one of its nodes.
    pub(super) SetId;
}

/// A division of the nodes into sets, by number.
#[derive(Debug, Clone)]
pub(super) struct Division {
    set_of: IdVec<NodeId, SetId>,
}

impl Division {
    /// Every node for itself.
    fn single(fabric: &Fabric) -> Self {
        let set_of = (0..fabric.nodes().len() as u32).map(SetId).collect();
        Self { set_of }
    }

    /// Number of nodes divided; the numbers of sets are below it.
    pub(super) fn nodes(&self) -> usize {
        self.set_of.len()
    }

    /// The set of a node.
    pub(super) fn of(&self, node: NodeId) -> SetId {
        self.set_of[node]
    }

    /// Whether it tells two edges apart.
    fn divides(&self, edges: &EdgeSwitches) -> bool {
        let mut sets = edges.ids().map(|edge| self.of(edges.node(edge)));
        let first = sets.next();
        sets.any(|set| Some(set) != first)
    }

    /// For every link between edges, whether it crosses from one set to another.
    fn crossed(&self, fabric: &Fabric, links: &[LinkId]) -> Vec<bool> {
        let crosses = |&id: &LinkId| self.of(fabric.link(id).from) != self.of(fabric.link(id).to);
        links.iter().map(crosses).collect()
    }
}

/// Divisions that are looked at at most; those of further rates and delays are left out.
const MOST: usize = 8;

/// The divisions of a fabric that tell edges apart, the single edges first; of those with the same cuts one.
pub(super) fn divisions(fabric: &Fabric, edges: &EdgeSwitches) -> Vec<Division> {
    let own = |host: NodeId| host.0 < fabric.hosts() && fabric.attachment(host).is_some();
    let between_edges = |id: &LinkId| !own(fabric.link(*id).from) && !own(fabric.link(*id).to);
    let links: Vec<LinkId> = fabric.link_ids().filter(between_edges).collect();
    let mut known = BTreeSet::new();
    let mut divisions = Vec::new();
    let candidates = std::iter::once(Division::single(fabric))
        .chain(tiers(fabric))
        .chain(stars(fabric))
        .chain(by_rate(fabric, &links))
        .chain(by_delay(fabric, &links));
    for division in candidates {
        let first = divisions.is_empty();
        if (first || division.divides(edges)) && known.insert(division.crossed(fabric, &links)) {
            divisions.push(division);
        }
        if divisions.len() == MOST {
            break;
        }
    }
    divisions
}

fn is_up(fabric: &Fabric, id: LinkId) -> bool {
    let link = fabric.link(id);
    !link.rate.is_zero() || !fabric.link(link.reverse).rate.is_zero()
}

/// Pods: nodes joined by links between nodes of at most some tier.
fn tiers(fabric: &Fabric) -> impl Iterator<Item = Division> {
    let top = fabric.nodes().iter().map(|n| n.tier).max().unwrap_or(0);
    (1..top).map(|tier| {
        let low = |node: NodeId| fabric.node(node).tier <= tier;
        joined(fabric, |id| low(fabric.link(id).from) && low(fabric.link(id).to))
    })
}

/// Nodes joined by links of at least some rate, but for the lowest: servers, where the links inside
/// are faster than the network.
fn by_rate(fabric: &Fabric, links: &[LinkId]) -> impl Iterator<Item = Division> {
    let rates: BTreeSet<_> = links.iter().map(|&id| fabric.link(id).rate).collect();
    let rates = rates.into_iter().filter(|rate| !rate.is_zero()).skip(1);
    rates.map(|least| joined(fabric, |id| fabric.link(id).rate >= least))
}

/// Nodes joined by links of at most some delay, but for the longest.
fn by_delay(fabric: &Fabric, links: &[LinkId]) -> impl Iterator<Item = Division> {
    let delays: BTreeSet<_> = links.iter().map(|&id| fabric.link(id).delay).collect();
    delays
        .into_iter()
        .rev()
        .skip(1)
        .map(|most| joined(fabric, |id| fabric.link(id).delay <= most))
}

/// Nodes that links join which are up and belong.
fn joined(fabric: &Fabric, belongs: impl Fn(LinkId) -> bool) -> Division {
    let mut set_of: IdVec<NodeId, SetId> = IdVec::filled(SetId::NONE, fabric.nodes().len());
    for start in set_of.ids() {
        if set_of[start] != SetId::NONE {
            continue;
        }
        set_of[start] = SetId(start.0);
        let mut reached = vec![start];
        while let Some(node) = reached.pop() {
            for &id in fabric.out_links(node) {
                let (link, back) = (fabric.link(id), fabric.link(id).reverse);
                if set_of[link.to] == SetId::NONE && is_up(fabric, id) && (belongs(id) || belongs(back)) {
                    set_of[link.to] = SetId(start.0);
                    reached.push(link.to);
                }
            }
        }
    }
    Division { set_of }
}

/// Servers and planes: each switch with the hosts on it that have further cables, where the hosts of
/// two switches are the same set or distinct ones; switches that share some hosts are in different divisions.
fn stars(fabric: &Fabric) -> Vec<Division> {
    let mut divisions: Vec<Division> = Vec::new();
    for switch in (fabric.hosts()..fabric.nodes().len() as u32).map(NodeId) {
        let ends = fabric.out_links(switch).iter();
        let ends = ends.filter(|&&id| is_up(fabric, id)).map(|&id| fabric.link(id).to);
        let hosts: Vec<NodeId> = ends
            .filter(|end| end.0 < fabric.hosts() && fabric.attachment(*end).is_none())
            .collect();
        if hosts.is_empty() {
            continue;
        }
        let free = |division: &Division| hosts.iter().all(|&host| division.of(host) == SetId(host.0));
        let place = divisions.iter().position(free).unwrap_or_else(|| {
            divisions.push(Division::single(fabric));
            divisions.len() - 1
        });
        for host in hosts {
            divisions[place].set_of[host] = SetId(switch.0);
        }
    }
    divisions
}
