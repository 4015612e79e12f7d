//! Edges that are alike: hosts with the same kind of cables to the same switches.
//!
//! Between two classes all paths are the same but for the hosts' own links. What is true of one pair is true of all, so that
//! a hundred thousand hosts with a port in each of eight planes are some hundred classes.

use std::collections::HashMap;

use super::edge_switches::EdgeSwitches;
use crate::ids::NodeId;
use crate::topology::Fabric;

/// The class of every edge, by dense index.
#[derive(Debug, Clone)]
pub(crate) struct EdgeClasses {
    of: Vec<u32>,
    /// The first edge of each class.
    first: Vec<u32>,
}

/// A cable of a host: the switch, then rate and delay of both directions.
type Cable = (NodeId, [u64; 4]);

impl EdgeClasses {
    pub(crate) fn new(fabric: &Fabric, edges: &EdgeSwitches) -> Self {
        let mut known: HashMap<Vec<Cable>, u32> = HashMap::new();
        let mut classes = Self {
            of: Vec::with_capacity(edges.len()),
            first: Vec::new(),
        };
        for edge in 0..edges.len() as u32 {
            let node = edges.node(edge);
            let next = classes.first.len() as u32;
            let class = match fabric.has_ports(node) {
                true => *known.entry(cables(fabric, node)).or_insert(next),
                false => next,
            };
            if class == next {
                classes.first.push(edge);
            }
            classes.of.push(class);
        }
        classes
    }

    /// Whether every edge is a class of its own.
    pub(crate) fn are_single(&self) -> bool {
        self.first.len() == self.of.len()
    }

    /// The class of an edge.
    pub(crate) fn of(&self, edge: u32) -> u32 {
        self.of[edge as usize]
    }

    /// The first edge of the class of an edge, which stands for all.
    pub(crate) fn stands_for(&self, edge: u32) -> u32 {
        self.first[self.of(edge) as usize]
    }
}

fn cables(fabric: &Fabric, host: NodeId) -> Vec<Cable> {
    let cable = |&up: &crate::ids::LinkId| {
        let out = fabric.link(up);
        let into = fabric.link(out.reverse);
        (out.to, [out.rate.0, out.delay.0, into.rate.0, into.delay.0])
    };
    fabric.out_links(host).iter().map(cable).collect()
}
