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
    /// Links of every path, where all have as many.
    hops: usize,
    /// Where the links of each path end, where they have not.
    until: &'t [u32],
    links: &'t [LinkId],
}

impl<'t> Choice<'t> {
    /// The links of every path between the ends, by path index; a single path has none.
    pub(crate) fn paths(&self) -> impl ExactSizeIterator<Item = &'t [LinkId]> + Clone + use<'t> {
        let (hops, until, links) = (self.hops, self.until, self.links);
        (0..self.count).map(move |path| match until {
            [] => &links[path * hops..][..hops],
            until => &links[path.checked_sub(1).map_or(0, |before| until[before] as usize)..until[path] as usize],
        })
    }
}

/// The choices of all pairs that were asked for.
pub(crate) struct PathTable<'a> {
    fabric: &'a Fabric,
    /// By the first switch from the source and the edge of the destination.
    known: HashMap<(NodeId, NodeId), Span>,
    links: Vec<LinkId>,
    until: Vec<u32>,
}

/// Where the paths of a choice lie in the table.
#[derive(Debug, Clone, Copy)]
struct Span {
    ends: (NodeId, NodeId),
    start: usize,
    /// Links of all paths together.
    links: usize,
    /// Where the ends of paths of unequal length begin.
    until: Option<usize>,
    count: u32,
    hops: u32,
}

impl<'a> PathTable<'a> {
    pub(crate) fn new(fabric: &'a Fabric) -> Self {
        Self {
            fabric,
            known: HashMap::new(),
            links: Vec::new(),
            until: Vec::new(),
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
            until: span.until.map_or(&[], |first| &self.until[first..][..count]),
            links: &self.links[span.start..][..span.links],
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
        let (mut shortest, mut longest) = (first.len(), first.clone());
        for path in paths {
            let same = |(a, b): &(&LinkId, &LinkId)| a == b;
            before = before.min(path.iter().zip(&first).take_while(same).count());
            behind = behind.min(path.iter().rev().zip(first.iter().rev()).take_while(same).count());
            shortest = shortest.min(path.len());
            if path.len() > longest.len() {
                longest = path;
            }
        }
        // A path whose links all belong to the others' beginnings and ends keeps what it begins with.
        behind = behind.min(shortest - before);
        if longest.len() == before + behind {
            let edge = fabric.edge(dst);
            return Span {
                ends: (edge, edge),
                start,
                links: 0,
                until: None,
                count: 1,
                hops: 0,
            };
        }
        let ends = (
            fabric.link(longest[before]).from,
            fabric.link(longest[longest.len() - behind - 1]).to,
        );
        let first_until = self.until.len();
        for path in fabric.paths(src, dst) {
            self.links.extend_from_slice(&path[before..path.len() - behind]);
            if shortest < longest.len() {
                self.until.push((self.links.len() - start) as u32);
            }
        }
        Span {
            ends,
            start,
            links: self.links.len() - start,
            until: (shortest < longest.len()).then_some(first_until),
            count: fabric.path_count(src, dst),
            hops: (shortest - before - behind) as u32,
        }
    }
}
