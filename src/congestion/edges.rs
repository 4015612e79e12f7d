//! The edges of a fabric by dense index, and the demand between them.
//!
//! Hosts behind one edge share all paths but for their own links, so that a million flows between
//! a thousand hosts are a thousand numbers between thirty-two leaves.

use crate::ids::{LinkId, NodeId};
use crate::topology::Fabric;

/// The links of a host that has a single cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HostLinks {
    pub up: LinkId,
    pub down: LinkId,
}

/// Every edge (see [`Fabric::edge`]) by dense index, in order of its first host.
#[derive(Debug, Clone)]
pub(super) struct Edges {
    of_host: Vec<u32>,
    links: Vec<Option<HostLinks>>,
    nodes: Vec<NodeId>,
    /// One host behind each edge that can send, and one that can receive, if there are any.
    senders: Vec<NodeId>,
    receivers: Vec<NodeId>,
}

impl Edges {
    pub(super) fn new(fabric: &Fabric) -> Self {
        let mut index = vec![u32::MAX; fabric.nodes().len()];
        let mut edges = Self {
            of_host: Vec::with_capacity(fabric.hosts() as usize),
            links: Vec::with_capacity(fabric.hosts() as usize),
            nodes: Vec::new(),
            senders: Vec::new(),
            receivers: Vec::new(),
        };
        let down = |id: LinkId| fabric.link(id).rate.is_zero();
        for host in (0..fabric.hosts()).map(NodeId) {
            let node = fabric.edge(host);
            let links = (node != host).then(|| {
                let up = fabric.out_links(host)[0];
                let down = fabric.link(up).reverse;
                HostLinks { up, down }
            });
            if index[node.index()] == u32::MAX {
                index[node.index()] = edges.nodes.len() as u32;
                edges.nodes.push(node);
                edges.senders.push(host);
                edges.receivers.push(host);
            }
            let edge = index[node.index()] as usize;
            // A host whose link is down does not stand for the others.
            if edges.links(edges.senders[edge].0).is_some_and(|l| down(l.up)) {
                edges.senders[edge] = host;
            }
            if edges.links(edges.receivers[edge].0).is_some_and(|l| down(l.down)) {
                edges.receivers[edge] = host;
            }
            edges.of_host.push(edge as u32);
            edges.links.push(links);
        }
        edges
    }

    /// Number of edges.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The edge of a host.
    pub(super) fn of(&self, host: u32) -> u32 {
        self.of_host[host as usize]
    }

    /// The links between a host and its edge; none where the host is its own edge.
    pub(super) fn links(&self, host: u32) -> Option<HostLinks> {
        self.links.get(host as usize).copied().flatten()
    }

    /// The node of an edge.
    pub(super) fn node(&self, edge: u32) -> NodeId {
        self.nodes[edge as usize]
    }

    /// A host behind an edge that can send, if there is one.
    pub(super) fn sender(&self, edge: u32) -> NodeId {
        self.senders[edge as usize]
    }

    /// A host behind an edge that can receive, if there is one.
    pub(super) fn receiver(&self, edge: u32) -> NodeId {
        self.receivers[edge as usize]
    }
}

/// An amount from one edge to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PairAmount {
    pub dst: u32,
    pub src: u32,
    pub amount: f64,
}

/// Numbers ordered pairs of edges in the order in which they are first met.
#[derive(Debug, Clone)]
pub(super) struct PairIndex {
    /// By destination, then source; a destination's row is allocated when first used.
    rows: Vec<Vec<u32>>,
    /// Destination and source of each number.
    pairs: Vec<(u32, u32)>,
}

const NONE: u32 = u32::MAX;

impl PairIndex {
    pub(super) fn new(edges: usize) -> Self {
        Self {
            rows: vec![Vec::new(); edges],
            pairs: Vec::new(),
        }
    }

    /// The number of a pair; the next free one where it has none yet.
    pub(super) fn number(&mut self, src: u32, dst: u32) -> usize {
        let edges = self.rows.len();
        let row = &mut self.rows[dst as usize];
        if row.is_empty() {
            row.resize(edges, NONE);
        }
        let number = &mut row[src as usize];
        if *number == NONE {
            *number = self.pairs.len() as u32;
            self.pairs.push((dst, src));
        }
        *number as usize
    }

    /// The number of a pair that has one.
    pub(super) fn of(&self, src: u32, dst: u32) -> usize {
        self.rows[dst as usize][src as usize] as usize
    }

    /// Forgets all numbers, in time proportional to how many there are.
    pub(super) fn clear(&mut self) {
        for (dst, src) in self.pairs.drain(..) {
            self.rows[dst as usize][src as usize] = NONE;
        }
    }
}

/// Sums over ordered pairs of edges.
#[derive(Debug, Clone)]
pub(super) struct PairSums {
    index: PairIndex,
    sums: Vec<f64>,
}

impl PairSums {
    pub(super) fn new(edges: usize) -> Self {
        Self {
            index: PairIndex::new(edges),
            sums: Vec::new(),
        }
    }

    /// Adds an amount.
    pub(super) fn add(&mut self, src: u32, dst: u32, amount: f64) {
        let number = self.index.number(src, dst);
        match self.sums.get_mut(number) {
            Some(sum) => *sum += amount,
            None => self.sums.push(amount),
        }
    }

    /// All sums, in order of destination and source; leaves nothing behind.
    pub(super) fn take(&mut self) -> Vec<PairAmount> {
        let pairs = self.index.pairs.iter().zip(&self.sums);
        let mut taken: Vec<_> = pairs
            .map(|(&(dst, src), &amount)| PairAmount { dst, src, amount })
            .collect();
        taken.sort_unstable_by_key(|pair| (pair.dst, pair.src));
        self.index.clear();
        self.sums.clear();
        taken
    }
}

/// The demands to one destination at a time.
pub(super) fn by_destination(demand: &[PairAmount]) -> impl Iterator<Item = &[PairAmount]> {
    demand.chunk_by(|a, b| a.dst == b.dst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_sorted_and_taken_once() {
        let mut sums = PairSums::new(3);
        for (src, dst, amount) in [(2, 1, 1.0), (0, 1, 2.0), (2, 1, 3.0), (1, 0, 5.0)] {
            sums.add(src, dst, amount);
        }
        let taken: Vec<_> = sums.take().iter().map(|p| (p.dst, p.src, p.amount)).collect();
        assert_eq!(taken, [(0, 1, 5.0), (1, 0, 2.0), (1, 2, 4.0)]);
        assert!(sums.take().is_empty());
    }
}
