//! The paths of a pair without the cables at its ends that leave no choice.

use std::collections::HashMap;

use crate::ids::NodeId;
use crate::topology::{Fabric, Path};

/// Where the choice of pairs begins and ends. Pairs with the same ends have the same paths in between under the same
/// indices, so that their flows are one demand.
pub(crate) struct PathEnds<'a> {
    fabric: &'a Fabric,
    /// Ends of the paths to hosts with several cables.
    known: HashMap<(NodeId, NodeId), NodeId>,
}

impl<'a> PathEnds<'a> {
    pub(crate) fn new(fabric: &'a Fabric) -> Self {
        let known = HashMap::new();
        Self { fabric, known }
    }

    /// The first and the last switch of all paths; the host itself where its paths use several cables.
    pub(crate) fn of(&mut self, src: NodeId, dst: NodeId) -> (NodeId, NodeId) {
        let fabric = self.fabric;
        let start = match &*fabric.next_hops(src, dst) {
            [only] => fabric.link(*only).to,
            _ => src,
        };
        let edge = fabric.edge(dst);
        if edge != dst || start == dst {
            return (start, edge);
        }
        let end = *self.known.entry((start, dst)).or_insert_with(|| {
            let mut last = fabric.paths(src, dst).filter_map(|path| path.last().copied());
            let first = last.next();
            match first.filter(|&first| last.all(|other| other == first)) {
                Some(only) => fabric.link(only).from,
                None => dst,
            }
        });
        (start, end)
    }

    /// The links of every path between the ends, by path index.
    pub(crate) fn links(&self, src: NodeId, dst: NodeId, ends: (NodeId, NodeId)) -> impl Iterator<Item = Path> + 'a {
        let (first, last) = (usize::from(ends.0 != src), usize::from(ends.1 != dst));
        let paths = self.fabric.paths(src, dst);
        paths.map(move |path| Path::from_slice(&path[first..path.len() - last]))
    }
}
