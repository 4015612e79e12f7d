//! What transfers of a host with several cables share: the cables with which all their paths begin, or end.
//!
//! A GPU with a network card and a link to the switch of its server sends to other servers by its card alone, however
//! fast the other link is. Transfers are told apart by the set of cables that their paths may take, and whatever takes one
//! set crosses it at its rate.

use std::collections::{BTreeSet, HashMap};

use smallvec::SmallVec;

use crate::ids::{IdVec, LinkId, NodeId, id};
use crate::routes::{PathDag, Position};
use crate::topology::Fabric;

/// Some cables of one host.
type Links = SmallVec<[LinkId; 8]>;

id! {
    /// A set of cables of a host.
    pub(super) PortSetId;
    /// A set of last nodes.
    NodeSetId;
}

/// The sets of cables in use, by number, in one direction.
#[derive(Debug, Default)]
pub(super) struct PortSets {
    known: HashMap<Links, PortSetId>,
    /// Bytes per picosecond of all cables of a set together.
    rates: IdVec<PortSetId, f64>,
}

impl PortSets {
    /// The number of the cables that the paths from `src`, a host with several, to host `to` begin with.
    pub(super) fn first(&mut self, fabric: &Fabric, src: NodeId, to: NodeId) -> PortSetId {
        self.number(fabric, fabric.next_hops(src, to).iter().copied().collect())
    }

    /// The number of the cables that lead from some nodes to `dst`, a host with several.
    pub(super) fn last(&mut self, fabric: &Fabric, nodes: &[NodeId], dst: NodeId) -> PortSetId {
        let leads = |&id: &LinkId| fabric.link(id).to == dst;
        let mut links = Links::new();
        for &node in nodes {
            links.extend(fabric.next_hops(node, dst).iter().copied().filter(leads));
        }
        links.sort_unstable();
        self.number(fabric, links)
    }

    fn number(&mut self, fabric: &Fabric, links: Links) -> PortSetId {
        let rate = links.iter().map(|&id| fabric.link(id).rate.bytes_per_ps()).sum();
        *self.known.entry(links).or_insert_with(|| self.rates.push(rate))
    }

    /// Number of sets.
    pub(super) fn len(&self) -> usize {
        self.rates.len()
    }

    /// Bytes per picosecond of a set.
    pub(super) fn rate(&self, number: PortSetId) -> f64 {
        self.rates[number]
    }
}

/// For each node of a graph of paths, the last nodes before the destination on its paths.
#[derive(Debug)]
pub(super) struct LastNodes {
    /// By position.
    set: IdVec<Position, NodeSetId>,
    sets: IdVec<NodeSetId, Vec<NodeId>>,
}

impl LastNodes {
    pub(super) fn new(dag: &PathDag) -> Self {
        let mut sets: IdVec<NodeSetId, BTreeSet<Position>> = IdVec::new();
        let none = sets.push(BTreeSet::new());
        let mut known: HashMap<BTreeSet<Position>, NodeSetId> = HashMap::from([(BTreeSet::new(), none)]);
        let mut set = dag.filled(none);
        for position in dag.rising() {
            let mut behind: SmallVec<[NodeSetId; 8]> = SmallVec::new();
            let mut last = BTreeSet::new();
            for hop in dag.hops(position) {
                if hop.to == Position::END {
                    last.insert(position);
                } else if !behind.contains(&set[hop.to]) {
                    behind.push(set[hop.to]);
                }
            }
            if let (&[only], true) = (behind.as_slice(), last.is_empty()) {
                set[position] = only;
                continue;
            }
            last.extend(behind.iter().flat_map(|&other| &sets[other]));
            set[position] = *known.entry(last).or_insert_with_key(|last| sets.push(last.clone()));
        }
        let node = |&position: &Position| dag.node(position);
        Self {
            set,
            sets: sets.iter().map(|set| set.iter().map(node).collect()).collect(),
        }
    }

    /// Those of the node at a position.
    pub(super) fn of(&self, position: Position) -> &[NodeId] {
        &self.sets[self.set[position]]
    }
}
