//! All equal-cost paths to one edge as a directed acyclic graph: what path enumeration would say,
//! without enumerating.

use crate::ids::{HostId, Id, IdLists, IdVec, LinkId, NodeId, id};
use crate::topology::{Fabric, Place, Stage};

id! {
    /// A node of a graph of paths. The destination is 0, and what lies behind a node is smaller.
    pub(crate) Position;
}

impl Position {
    /// The destination's.
    pub(crate) const END: Self = Self(0);
}

/// One next link of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hop {
    pub link: LinkId,
    /// Position of its far end, smaller than that of the node.
    pub to: Position,
}

/// The nodes and links on all equal-cost paths from some edges to one edge.
///
/// Nodes are known by position: the destination is 0 and every hop leads to a smaller position, so
/// that a pass by rising position goes from the destination to the sources, and back by falling. Where there are detours, a node
/// has a position for each stage at which paths pass it.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathDag {
    nodes: IdVec<Position, NodeId>,
    hops: IdLists<Position, Hop>,
    /// Positions of the sources, in the order in which they were given.
    pub sources: Vec<Position>,
}

impl PathDag {
    /// Number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// All positions but the destination's, by rising number.
    pub(crate) fn rising(&self) -> impl DoubleEndedIterator<Item = Position> + use<> {
        self.nodes.ids().skip(1)
    }

    /// The same value for every position.
    pub(crate) fn filled<T: Clone>(&self, value: T) -> IdVec<Position, T> {
        IdVec::filled(value, self.len())
    }

    /// The node at a position.
    pub(crate) fn node(&self, position: Position) -> NodeId {
        self.nodes[position]
    }

    /// Next links of the node at a position.
    pub(crate) fn hops(&self, position: Position) -> &[Hop] {
        &self.hops[position]
    }

    /// Next links of all nodes, by position.
    pub(crate) fn all_hops(&self) -> &[Hop] {
        self.hops.values()
    }

    /// Where the next links of the node at a position lie in [`PathDag::all_hops`].
    pub(crate) fn range(&self, position: Position) -> std::ops::Range<usize> {
        self.hops.range(position)
    }

    /// Passes amounts on from the sources to the destination. `through` holds what each position gets from outside, and
    /// in the end all that reaches it. Of a position with an amount, `scale` makes (by position and amount) what
    /// `part` turns (with a hop's index) into the hop's part; `carried` hears of every hop's part by index.
    pub(crate) fn pass_down(
        &self,
        through: &mut IdVec<Position, f64>,
        scale: impl Fn(Position, f64) -> f64,
        part: impl Fn(f64, usize) -> f64,
        mut carried: impl FnMut(usize, f64),
    ) {
        for position in self.rising().rev() {
            if through[position] == 0.0 {
                continue;
            }
            let scaled = scale(position, through[position]);
            for index in self.range(position) {
                let amount = part(scaled, index);
                through[self.all_hops()[index].to] += amount;
                carried(index, amount);
            }
        }
    }

    /// Number of equal-cost paths from every position, exact up to 2^53.
    pub(crate) fn path_counts(&self) -> IdVec<Position, f64> {
        let mut counts = self.filled(0.0);
        counts[Position::END] = 1.0;
        for position in self.rising() {
            counts[position] = self.hops(position).iter().map(|hop| counts[hop.to]).sum();
        }
        counts
    }
}

/// Builds graphs of paths; keeps its working memory between calls.
#[derive(Debug)]
pub(crate) struct PathDagBuilder<'a> {
    fabric: &'a Fabric,
    /// Position of a place in the graph being built, or NONE: all nodes for one stage after the other.
    position: Vec<Position>,
    /// Places with a position.
    used: Vec<usize>,
    stack: Vec<(Place, usize)>,
}

/// Being explored.
const OPEN: Position = Position(u32::MAX - 1);

impl<'a> PathDagBuilder<'a> {
    pub(crate) fn new(fabric: &'a Fabric) -> Self {
        let stages = if fabric.stages().is_some() { Stage::ALL.len() } else { 1 };
        Self {
            fabric,
            position: vec![Position::NONE; fabric.nodes().len() * stages],
            used: Vec::new(),
            stack: Vec::new(),
        }
    }

    fn index(&self, place: Place) -> usize {
        place.stage as usize * self.fabric.nodes().len() + place.node.index()
    }

    /// The paths from `sources` to `target`, the edge of host `dst`.
    pub(crate) fn build(&mut self, target: NodeId, dst: HostId, sources: impl Iterator<Item = NodeId>) -> PathDag {
        let mut dag = PathDag {
            nodes: IdVec::from(vec![target]),
            ..PathDag::default()
        };
        dag.hops.push([]);
        self.position[target.index()] = Position::END;
        self.used.push(target.index());
        for source in sources {
            let stage = self.fabric.stages().map(|stages| stages.at(source, source, target));
            let source = Place {
                node: source,
                stage: stage.unwrap_or_default(),
            };
            self.explore(source, dst, &mut dag);
            dag.sources.push(self.position[self.index(source)]);
        }
        for place in self.used.drain(..) {
            self.position[place] = Position::NONE;
        }
        dag
    }

    /// Depth first, so that a place gets its position after all places behind it.
    fn explore(&mut self, source: Place, dst: HostId, dag: &mut PathDag) {
        let start = self.index(source);
        if self.position[start] != Position::NONE {
            return;
        }
        self.position[start] = OPEN;
        self.stack.push((source, 0));
        while let Some((place, tried)) = self.stack.last_mut() {
            let place = *place;
            let hops = self.fabric.hops_from(place, dst.node());
            if let Some(&hop) = hops.get(*tried) {
                *tried += 1;
                let next = self.fabric.after(place, hop);
                let index = self.index(next);
                if self.position[index] == Position::NONE {
                    self.position[index] = OPEN;
                    self.stack.push((next, 0));
                }
                continue;
            }
            self.stack.pop();
            let index = self.index(place);
            self.position[index] = dag.nodes.push(place.node);
            self.used.push(index);
            dag.hops.push(hops.iter().map(|&link| Hop {
                link,
                to: self.position[self.index(self.fabric.after(place, link))],
            }));
        }
    }
}
