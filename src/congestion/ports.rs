//! What transfers of a host with several cables share: the cables with which all their paths begin, or end.
//!
//! A GPU with a network card and a link to the switch of its server sends to other servers by its card alone, however
//! fast the other link is. Transfers are told apart by the set of cables that their paths may take, and whatever takes one
//! set crosses it at its rate.

use std::collections::{BTreeSet, HashMap};

use smallvec::SmallVec;

use crate::ids::{LinkId, NodeId};
use crate::routes::PathDag;
use crate::topology::Fabric;

/// Some cables of one host.
type Links = SmallVec<[LinkId; 8]>;

/// The sets of cables in use, by number, in one direction.
#[derive(Debug, Default)]
pub(super) struct PortSets {
    known: HashMap<Links, u32>,
    /// Bytes per picosecond of all cables of a set together.
    rates: Vec<f64>,
}

impl PortSets {
    /// The number of the cables that the paths from `src`, a host with several, to host `to` begin with.
    pub(super) fn first(&mut self, fabric: &Fabric, src: NodeId, to: NodeId) -> u32 {
        self.number(fabric, fabric.next_hops(src, to).iter().copied().collect())
    }

    /// The number of the cables that lead from some nodes to `dst`, a host with several.
    pub(super) fn last(&mut self, fabric: &Fabric, nodes: &[NodeId], dst: NodeId) -> u32 {
        let leads = |&id: &LinkId| fabric.link(id).to == dst;
        let mut links = Links::new();
        for &node in nodes {
            links.extend(fabric.next_hops(node, dst).iter().copied().filter(leads));
        }
        links.sort_unstable();
        self.number(fabric, links)
    }

    fn number(&mut self, fabric: &Fabric, links: Links) -> u32 {
        let next = self.rates.len() as u32;
        let rate = links.iter().map(|&id| fabric.link(id).rate.bytes_per_ps()).sum();
        let number = *self.known.entry(links).or_insert(next);
        if number == next {
            self.rates.push(rate);
        }
        number
    }

    /// Number of sets.
    pub(super) fn len(&self) -> usize {
        self.rates.len()
    }

    /// Bytes per picosecond of a set.
    pub(super) fn rate(&self, number: u32) -> f64 {
        self.rates[number as usize]
    }
}

/// For each node of a graph of paths, the last nodes before the destination on its paths.
#[derive(Debug)]
pub(super) struct LastNodes {
    /// By position.
    set: Vec<usize>,
    sets: Vec<Vec<NodeId>>,
}

impl LastNodes {
    pub(super) fn new(dag: &PathDag) -> Self {
        let mut known: HashMap<BTreeSet<u32>, usize> = HashMap::from([(BTreeSet::new(), 0)]);
        let mut sets: Vec<BTreeSet<u32>> = vec![BTreeSet::new()];
        let mut set = vec![0; dag.len()];
        for position in 1..dag.len() {
            let mut behind: SmallVec<[usize; 8]> = SmallVec::new();
            let mut last = BTreeSet::new();
            for hop in dag.hops(position) {
                if hop.to == 0 {
                    last.insert(position as u32);
                } else if !behind.contains(&set[hop.to as usize]) {
                    behind.push(set[hop.to as usize]);
                }
            }
            if let (&[only], true) = (behind.as_slice(), last.is_empty()) {
                set[position] = only;
                continue;
            }
            last.extend(behind.iter().flat_map(|&other| &sets[other]));
            set[position] = *known.entry(last).or_insert_with_key(|last| {
                sets.push(last.clone());
                sets.len() - 1
            });
        }
        let node = |&position: &u32| dag.node(position as usize);
        Self {
            set,
            sets: sets.iter().map(|set| set.iter().map(node).collect()).collect(),
        }
    }

    /// Those of the node at a position.
    pub(super) fn of(&self, position: u32) -> &[NodeId] {
        &self.sets[self.set[position as usize]]
    }
}
