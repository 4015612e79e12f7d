//! Where two hosts have a choice of paths: the links between the switches at which the paths divide
//! and meet again, decoded once.

use std::collections::HashMap;

use crate::ids::{LinkId, NodeId};
use crate::topology::Fabric;

/// The part of the paths of a pair that differs. Pairs with the same ends have the same paths in between,
/// under the same indices.
pub(crate) struct Choice<'t> {
    /// Where the paths divide and where they meet again: source and destination leaf.
    pub(crate) ends: (NodeId, NodeId),
    count: usize,
    hops: usize,
    links: &'t [LinkId],
}

impl<'t> Choice<'t> {
    /// The links of every path between the ends, by path index; a single path has none.
    pub(crate) fn paths(&self) -> impl ExactSizeIterator<Item = &'t [LinkId]> + Clone + use<'t> {
        let (hops, links) = (self.hops, self.links);
        (0..self.count).map(move |path| &links[path * hops..][..hops])
    }
}

/// The choices of all pairs that were asked for.
pub(crate) struct PathTable<'a> {
    fabric: &'a Fabric,
    /// By the first switch from the source and the edge of the destination.
    known: HashMap<(NodeId, NodeId), Span>,
    links: Vec<LinkId>,
}

/// Where the paths of a choice lie in the table.
#[derive(Debug, Clone, Copy)]
struct Span {
    ends: (NodeId, NodeId),
    start: usize,
    count: u32,
    hops: u32,
}

impl<'a> PathTable<'a> {
    pub(crate) fn new(fabric: &'a Fabric) -> Self {
        Self {
            fabric,
            known: HashMap::new(),
            links: Vec::new(),
        }
    }

    /// What the paths of a pair, of which there must be one, differ in.
    pub(crate) fn choice(&mut self, src: NodeId, dst: NodeId) -> Choice<'_> {
        let span = self.span(src, dst);
        let (count, hops) = (span.count as usize, span.hops as usize);
        Choice {
            ends: span.ends,
            count,
            hops,
            links: &self.links[span.start..][..count * hops],
        }
    }

    /// The ends of the choice, or two nodes around them that serve as well: the two edges, where
    /// each host has a single cable.
    pub(crate) fn ends(&mut self, src: NodeId, dst: NodeId) -> (NodeId, NodeId) {
        let edges = (self.fabric.edge(src), self.fabric.edge(dst));
        if edges.0 != src && edges.1 != dst {
            edges
        } else {
            self.span(src, dst).ends
        }
    }

    fn span(&mut self, src: NodeId, dst: NodeId) -> Span {
        let fabric = self.fabric;
        // Hosts with several cables often use one of them only towards a destination.
        let first = match &*fabric.next_hops(src, dst) {
            [only] => fabric.link(*only).to,
            _ => src,
        };
        let key = (first, fabric.edge(dst));
        match self.known.get(&key) {
            Some(&span) => span,
            None => {
                let span = self.decode(src, dst);
                self.known.insert(key, span);
                span
            }
        }
    }

    fn decode(&mut self, src: NodeId, dst: NodeId) -> Span {
        let fabric = self.fabric;
        let start = self.links.len();
        let mut paths = fabric.paths(src, dst);
        let first = paths.next().unwrap_or_default();
        let (mut before, mut behind) = (first.len(), first.len());
        for path in paths {
            let same = |(a, b): &(&LinkId, &LinkId)| a == b;
            before = before.min(path.iter().zip(&first).take_while(same).count());
            behind = behind.min(path.iter().rev().zip(first.iter().rev()).take_while(same).count());
        }
        let Some(differing) = first.len().checked_sub(before + behind) else {
            let edge = fabric.edge(dst);
            return Span {
                ends: (edge, edge),
                start,
                count: 1,
                hops: 0,
            };
        };
        for path in fabric.paths(src, dst) {
            self.links.extend_from_slice(&path[before..][..differing]);
        }
        Span {
            ends: (
                fabric.link(first[before]).from,
                fabric.link(first[before + differing - 1]).to,
            ),
            start,
            count: fabric.path_count(src, dst),
            hops: differing as u32,
        }
    }
}
