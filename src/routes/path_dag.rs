//! All equal-cost paths to one edge as a directed acyclic graph: what path enumeration would say,
//! without enumerating.

use crate::ids::{HostId, LinkId, NodeId};
use crate::topology::{Fabric, Place, Stage};

/// One next link of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hop {
    pub link: LinkId,
    /// Position of its far end, smaller than that of the node.
    pub to: u32,
}

/// The nodes and links on all equal-cost paths from some edges to one edge.
///
/// Nodes are known by position: the destination is 0 and every hop leads to a smaller position, so
/// that a pass by rising position goes from the destination to the sources, and back by falling. Where there are detours, a node
/// has a position for each stage at which paths pass it.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathDag {
    nodes: Vec<NodeId>,
    offsets: Vec<u32>,
    hops: Vec<Hop>,
    /// Positions of the sources, in the order in which they were given.
    pub sources: Vec<u32>,
}

impl PathDag {
    /// Number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node at a position.
    pub(crate) fn node(&self, position: usize) -> NodeId {
        self.nodes[position]
    }

    /// Next links of the node at a position.
    pub(crate) fn hops(&self, position: usize) -> &[Hop] {
        &self.hops[self.offsets[position] as usize..self.offsets[position + 1] as usize]
    }

    /// Next links of all nodes, by position.
    pub(crate) fn all_hops(&self) -> &[Hop] {
        &self.hops
    }

    /// Where the next links of the node at a position lie in [`PathDag::all_hops`].
    pub(crate) fn range(&self, position: usize) -> std::ops::Range<usize> {
        self.offsets[position] as usize..self.offsets[position + 1] as usize
    }

    /// Passes amounts on from the sources to the destination. `through` holds what each position gets from outside, and
    /// in the end all that reaches it. Of a position with an amount, `scale` makes (by position and amount) what
    /// `part` turns (with a hop's index) into the hop's part; `carried` hears of every hop's part by index.
    pub(crate) fn pass_down(
        &self,
        through: &mut [f64],
        scale: impl Fn(usize, f64) -> f64,
        part: impl Fn(f64, usize) -> f64,
        mut carried: impl FnMut(usize, f64),
    ) {
        for position in (1..self.len()).rev() {
            if through[position] == 0.0 {
                continue;
            }
            let scaled = scale(position, through[position]);
            for index in self.range(position) {
                let amount = part(scaled, index);
                through[self.hops[index].to as usize] += amount;
                carried(index, amount);
            }
        }
    }

    /// Number of equal-cost paths from every position, exact up to 2^53.
    pub(crate) fn path_counts(&self) -> Vec<f64> {
        let mut counts = vec![0.0; self.len()];
        counts[0] = 1.0;
        for position in 1..self.len() {
            counts[position] = self.hops(position).iter().map(|hop| counts[hop.to as usize]).sum();
        }
        counts
    }
}

/// Builds graphs of paths; keeps its working memory between calls.
#[derive(Debug)]
pub(crate) struct PathDagBuilder<'a> {
    fabric: &'a Fabric,
    /// Position of a place in the graph being built, or NONE: all nodes for one stage after the other.
    position: Vec<u32>,
    /// Places with a position.
    used: Vec<usize>,
    stack: Vec<(Place, usize)>,
}

const NONE: u32 = u32::MAX;
const OPEN: u32 = u32::MAX - 1;

impl<'a> PathDagBuilder<'a> {
    pub(crate) fn new(fabric: &'a Fabric) -> Self {
        let stages = if fabric.stages().is_some() { Stage::ALL.len() } else { 1 };
        Self {
            fabric,
            position: vec![NONE; fabric.nodes().len() * stages],
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
            nodes: vec![target],
            offsets: vec![0, 0],
            ..PathDag::default()
        };
        self.position[target.index()] = 0;
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
            self.position[place] = NONE;
        }
        dag
    }

    /// Depth first, so that a place gets its position after all places behind it.
    fn explore(&mut self, source: Place, dst: HostId, dag: &mut PathDag) {
        let start = self.index(source);
        if self.position[start] != NONE {
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
                if self.position[index] == NONE {
                    self.position[index] = OPEN;
                    self.stack.push((next, 0));
                }
                continue;
            }
            self.stack.pop();
            let index = self.index(place);
            self.position[index] = dag.nodes.len() as u32;
            self.used.push(index);
            dag.nodes.push(place.node);
            dag.hops.extend(hops.iter().map(|&link| Hop {
                link,
                to: self.position[self.index(self.fabric.after(place, link))],
            }));
            dag.offsets.push(dag.hops.len() as u32);
        }
    }
}
