//! Cuts of a fabric: sets of switches that traffic must leave and enter.
//!
//! The finest sets are the single edges (leaf cuts). In fabrics of more than two tiers, what the
//! top tiers join are sets too: pods. All equal-cost paths between two sets leave the one and enter
//! the other, whatever the load balancing does.

use super::edges::Edges;
use crate::ids::NodeId;
use crate::topology::Fabric;

/// A division of the nodes into sets, by number.
#[derive(Debug, Clone)]
pub(super) struct Division {
    set_of: Vec<u32>,
}

impl Division {
    /// Number of nodes divided; the numbers of sets are below it.
    pub(super) fn nodes(&self) -> usize {
        self.set_of.len()
    }

    /// The set of a node.
    pub(super) fn of(&self, node: NodeId) -> u32 {
        self.set_of[node.index()]
    }
}

/// The divisions of a fabric that tell edges apart, finest first.
pub(super) fn divisions(fabric: &Fabric, edges: &Edges) -> Vec<Division> {
    let single = Division {
        set_of: (0..fabric.nodes().len() as u32).collect(),
    };
    let mut divisions = vec![single];
    let top = fabric.nodes().iter().map(|n| n.tier).max().unwrap_or(0);
    let mut sets_before = edges.len();
    for tier in 1..top {
        let division = joined_up_to(fabric, tier);
        let mut sets: Vec<u32> = (0..edges.len() as u32).map(|e| division.of(edges.node(e))).collect();
        sets.sort_unstable();
        sets.dedup();
        if (2..sets_before).contains(&sets.len()) {
            sets_before = sets.len();
            divisions.push(division);
        }
    }
    divisions
}

/// Nodes joined by links that are up between nodes of at most this tier.
fn joined_up_to(fabric: &Fabric, tier: u8) -> Division {
    let mut set_of: Vec<u32> = vec![u32::MAX; fabric.nodes().len()];
    for start in 0..set_of.len() {
        if set_of[start] != u32::MAX {
            continue;
        }
        set_of[start] = start as u32;
        let mut reached = vec![NodeId::from(start)];
        while let Some(node) = reached.pop() {
            if fabric.node(node).tier > tier {
                continue;
            }
            for &id in fabric.out_links(node) {
                let link = fabric.link(id);
                let up = !link.rate.is_zero() || !fabric.link(link.reverse).rate.is_zero();
                if up && fabric.node(link.to).tier <= tier && set_of[link.to.index()] == u32::MAX {
                    set_of[link.to.index()] = start as u32;
                    reached.push(link.to);
                }
            }
        }
    }
    Division { set_of }
}
