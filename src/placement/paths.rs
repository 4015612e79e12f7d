//! The links of all paths between two edges, decoded once.

use std::collections::HashMap;

use crate::ids::{LinkId, NodeId};
use crate::topology::Fabric;

/// Where the paths of a pair of edges lie in the table.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    paths: u32,
    hops: u32,
}

/// The links of the paths between edges: those that a scheme can choose among. The one link of a host
/// with a single cable is on all its paths and left out.
pub(super) struct PathTable<'a> {
    fabric: &'a Fabric,
    known: HashMap<(NodeId, NodeId), Span>,
    links: Vec<LinkId>,
}

impl<'a> PathTable<'a> {
    pub(super) fn new(fabric: &'a Fabric) -> Self {
        Self {
            fabric,
            known: HashMap::new(),
            links: Vec::new(),
        }
    }

    /// The links of every path of a pair, by path index. All paths of a pair are equally long;
    /// within one edge there is one, without links.
    pub(super) fn of(&mut self, src: NodeId, dst: NodeId) -> impl ExactSizeIterator<Item = &[LinkId]> + Clone {
        let edges = (self.fabric.edge(src), self.fabric.edge(dst));
        let span = match self.known.get(&edges) {
            Some(&span) => span,
            None => self.decode(src, dst, edges),
        };
        let hops = span.hops as usize;
        let links = &self.links[span.start..];
        (0..span.paths as usize).map(move |path| &links[path * hops..][..hops])
    }

    fn decode(&mut self, src: NodeId, dst: NodeId, edges: (NodeId, NodeId)) -> Span {
        let start = self.links.len();
        let (first, last) = (usize::from(edges.0 != src), usize::from(edges.1 != dst));
        for path in self.fabric.paths(src, dst) {
            self.links.extend_from_slice(&path[first..path.len() - last]);
        }
        let paths = self.fabric.path_count(src, dst);
        let hops = (self.links.len() - start) as u32 / paths.max(1);
        let span = Span { start, paths, hops };
        self.known.insert(edges, span);
        span
    }
}
