//! All equal-cost ways to one edge as a directed acyclic graph: what path enumeration would say,
//! without enumerating.

use crate::ids::{LinkId, NodeId};
use crate::topology::Fabric;

/// One next link of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hop {
    pub link: LinkId,
    /// Position of its far end, smaller than that of the node.
    pub to: u32,
}

/// The nodes and links on all equal-cost paths from some edges to one edge.
///
/// Nodes are known by position: the destination is 0 and every hop leads to a smaller position, so
/// that a pass by rising position goes from the destination to the sources, and back by falling.
#[derive(Debug, Clone, Default)]
pub(super) struct Ways {
    nodes: Vec<NodeId>,
    offsets: Vec<u32>,
    hops: Vec<Hop>,
    /// Positions of the sources, in the order in which they were given.
    pub sources: Vec<u32>,
}

impl Ways {
    /// Number of nodes.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node at a position.
    pub(super) fn node(&self, position: usize) -> NodeId {
        self.nodes[position]
    }

    /// Next links of the node at a position.
    pub(super) fn hops(&self, position: usize) -> &[Hop] {
        &self.hops[self.offsets[position] as usize..self.offsets[position + 1] as usize]
    }

    /// Next links of all nodes, by position.
    pub(super) fn all_hops(&self) -> &[Hop] {
        &self.hops
    }

    /// Where the next links of the node at a position lie in [`Ways::all_hops`].
    pub(super) fn range(&self, position: usize) -> std::ops::Range<usize> {
        self.offsets[position] as usize..self.offsets[position + 1] as usize
    }

    /// Number of equal-cost paths from every position, exact up to 2^53.
    pub(super) fn path_counts(&self) -> Vec<f64> {
        let mut counts = vec![0.0; self.len()];
        counts[0] = 1.0;
        for position in 1..self.len() {
            counts[position] = self.hops(position).iter().map(|hop| counts[hop.to as usize]).sum();
        }
        counts
    }
}

/// Finds ways; remembers its working memory between calls.
#[derive(Debug)]
pub(super) struct WayFinder<'a> {
    fabric: &'a Fabric,
    /// Position of a node in the ways being built, or NONE.
    position: Vec<u32>,
    stack: Vec<(NodeId, usize)>,
}

const NONE: u32 = u32::MAX;
const OPEN: u32 = u32::MAX - 1;

impl<'a> WayFinder<'a> {
    pub(super) fn new(fabric: &'a Fabric) -> Self {
        Self {
            fabric,
            position: vec![NONE; fabric.nodes().len()],
            stack: Vec::new(),
        }
    }

    /// The ways from `sources` to `target`, the edge of host `dst`.
    pub(super) fn to(&mut self, target: NodeId, dst: NodeId, sources: impl Iterator<Item = NodeId>) -> Ways {
        let mut ways = Ways {
            nodes: vec![target],
            offsets: vec![0, 0],
            ..Ways::default()
        };
        self.position[target.index()] = 0;
        for source in sources {
            self.explore(source, dst, &mut ways);
            ways.sources.push(self.position[source.index()]);
        }
        for node in &ways.nodes {
            self.position[node.index()] = NONE;
        }
        ways
    }

    /// Depth first, so that a node gets its position after all nodes behind it.
    fn explore(&mut self, source: NodeId, dst: NodeId, ways: &mut Ways) {
        if self.position[source.index()] != NONE {
            return;
        }
        self.position[source.index()] = OPEN;
        self.stack.push((source, 0));
        while let Some((node, tried)) = self.stack.last_mut() {
            let node = *node;
            let hops = self.fabric.next_hops(node, dst);
            if let Some(&hop) = hops.get(*tried) {
                *tried += 1;
                let next = self.fabric.link(hop).to;
                if self.position[next.index()] == NONE {
                    self.position[next.index()] = OPEN;
                    self.stack.push((next, 0));
                }
                continue;
            }
            self.stack.pop();
            self.position[node.index()] = ways.nodes.len() as u32;
            ways.nodes.push(node);
            ways.hops.extend(hops.iter().map(|&link| Hop {
                link,
                to: self.position[self.fabric.link(link).to.index()],
            }));
            ways.offsets.push(ways.hops.len() as u32);
        }
    }
}
