//! Starts for flows of one size: whole, or in equal parts, by equitable edge coloring, tier by tier.
//!
//! Between two tiers the parts are the edges of a bipartite multigraph from source leaves to destination leaves, and each spine is a
//! color: no link carries more than ceil(D / spines) parts, D being the most of one leaf. Where paths climb higher, what is colored
//! first is the groups of switches that only lead to each other (aggregation switches with their cores, or planes), and
//! within each group the tier above, and so on. Where links are dead some parts find no path of their color; they
//! are laid last, where it is least busy.

use std::collections::{BTreeMap, HashMap, HashSet};

use smallvec::SmallVec;

use super::flow::FlowId;
use super::step::Step;
use super::subflows::{Subflows, change};
use crate::ids::{IdVec, NodeId};
use crate::placement::bipartite::color_equitably;
use crate::rng::Stream;

/// All flows that leave their edge in `parts` equal parts each, on paths by coloring; `None` where flows differ in size or
/// are smaller than that.
pub(super) fn colored(step: &Step, parts: u32, random: &mut Stream) -> Option<IdVec<FlowId, Subflows>> {
    let mut sizes = step
        .flows
        .iter()
        .filter(|flow| flow.pair.is_some())
        .map(|flow| flow.bytes);
    let size = sizes.next()?;
    if sizes.any(|other| other != size) || size < u64::from(parts) {
        return None;
    }
    let mut all: Vec<Part> = Vec::new();
    for (id, flow) in step.flows.entries() {
        if let Some(pair) = flow.pair {
            let cells = step.cells(pair).map(|cell| cell as u32);
            let part = Part {
                flow: id,
                cells: cells.collect(),
            };
            all.extend(std::iter::repeat_n(part, parts as usize));
        }
    }
    let mut coloring = Coloring {
        step,
        random,
        matched: Vec::new(),
        unmatched: Vec::new(),
    };
    coloring.divide(all, 0);
    let Coloring { matched, unmatched, .. } = coloring;
    Some(lay(step, matched.into_iter().chain(unmatched), parts))
}

/// A part of a flow, with the cells that it may still take.
#[derive(Clone)]
struct Part {
    flow: FlowId,
    cells: Vec<u32>,
}

struct Coloring<'a> {
    step: &'a Step,
    random: &'a mut Stream,
    /// Parts that have found a path of every color that they got.
    matched: Vec<Part>,
    unmatched: Vec<Part>,
}

impl Coloring<'_> {
    /// Divides parts among the groups of switches that their paths cross next, so many links from either end, and each
    /// group's parts further on.
    fn divide(&mut self, parts: Vec<Part>, depth: usize) {
        let (choosing, done): (Vec<Part>, Vec<Part>) = parts
            .into_iter()
            .partition(|part| self.inner(part.cells[0], depth).is_some());
        self.matched.extend(done);
        if choosing.is_empty() {
            return;
        }
        let groups = Groups::of(self, &choosing, depth);
        let mut by_color: Vec<Vec<Part>> = vec![Vec::new(); groups.count as usize];
        for (mut part, color) in choosing.into_iter().zip(self.colors(&groups)) {
            let ways = part.cells.iter().copied().filter(|&cell| {
                self.inner(cell, depth)
                    .is_some_and(|(node, _)| groups.color_of(node) == Some(color))
            });
            match ways.collect::<Vec<u32>>() {
                ways if ways.is_empty() => self.unmatched.push(part),
                ways => {
                    part.cells = ways;
                    by_color[color as usize].push(part);
                }
            }
        }
        for parts in by_color {
            self.divide(parts, depth + 1);
        }
    }

    /// A color for each part.
    fn colors(&mut self, groups: &Groups) -> Vec<u32> {
        match groups.count {
            1 => vec![0; groups.ends.len()],
            count => color_equitably(&groups.ends, count, self.random),
        }
    }

    /// The nodes of a cell's path so many links and one more from its ends; `None` where the ends are closer to each other.
    fn inner(&self, cell: u32, depth: usize) -> Option<(NodeId, NodeId)> {
        let mut links = self.step.table.members(cell as usize);
        if links.len() < 2 * (depth + 1) {
            return None;
        }
        let last = links.clone().nth(links.len() - 1 - depth)?;
        Some((self.step.ends[links.nth(depth)?].1, self.step.ends[last].0))
    }

    /// The nodes between which a cell's path is still to be chosen.
    fn outer(&self, cell: u32, depth: usize) -> (NodeId, NodeId) {
        let links: SmallVec<[usize; 8]> = self.step.table.members(cell as usize).collect();
        let (first, last) = (links[depth], links[links.len() - 1 - depth]);
        (self.step.ends[first].0, self.step.ends[last].1)
    }
}

/// Switches that paths cross at one depth, in groups that only lead to each other: one color each.
struct Groups {
    color: BTreeMap<NodeId, u32>,
    count: u32,
    /// Between what each part chooses, by dense numbers: an edge of the multigraph.
    ends: Vec<(u32, u32)>,
}

impl Groups {
    fn of(coloring: &Coloring<'_>, parts: &[Part], depth: usize) -> Self {
        let mut parent: BTreeMap<NodeId, NodeId> = BTreeMap::new();
        let mut pairs: HashSet<&[u32]> = HashSet::new();
        let (mut sources, mut destinations) = (Numbers::default(), Numbers::default());
        let mut ends = Vec::with_capacity(parts.len());
        for part in parts {
            let (from, to) = coloring.outer(part.cells[0], depth);
            ends.push((sources.of(from), destinations.of(to)));
            // Parts of one pair have the same cells.
            if pairs.insert(&part.cells) {
                let inner = part.cells.iter().filter_map(|&cell| coloring.inner(cell, depth));
                inner.for_each(|(a, b)| join(&mut parent, a, b));
            }
        }
        let nodes: Vec<NodeId> = parent.keys().copied().collect();
        let mut colors = Numbers::default();
        let color = nodes.into_iter().map(|node| (node, colors.of(root(&parent, node))));
        Self {
            color: color.collect(),
            count: colors.0.len() as u32,
            ends,
        }
    }

    fn color_of(&self, node: NodeId) -> Option<u32> {
        self.color.get(&node).copied()
    }
}

/// Dense numbers for nodes, in the order in which they are asked for.
#[derive(Default)]
struct Numbers(HashMap<NodeId, u32>);

impl Numbers {
    fn of(&mut self, node: NodeId) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(node).or_insert(next)
    }
}

fn root(parent: &BTreeMap<NodeId, NodeId>, mut node: NodeId) -> NodeId {
    while let Some(&above) = parent.get(&node).filter(|&&above| above != node) {
        node = above;
    }
    node
}

/// The smaller root is that of both.
fn join(parent: &mut BTreeMap<NodeId, NodeId>, a: NodeId, b: NodeId) {
    for node in [a, b] {
        parent.entry(node).or_insert(node);
    }
    let (a, b) = (root(parent, a), root(parent, b));
    parent.insert(a.max(b), a.min(b));
}

/// Lays each part onto the one of its cells that is then least busy. Of a flow's bytes the first parts take what does not divide.
fn lay(step: &Step, parts: impl Iterator<Item = Part>, count: u32) -> IdVec<FlowId, Subflows> {
    let within_an_edge = |bytes: u64| Subflows::from_slice(&[(0, bytes)]);
    let mut laid: IdVec<FlowId, Subflows> = (step.flows.iter())
        .map(|flow| {
            flow.pair
                .map_or_else(|| within_an_edge(flow.bytes), |_| Subflows::new())
        })
        .collect();
    let mut given: IdVec<FlowId, u64> = IdVec::filled(0, step.flows.len());
    let mut loads = vec![0.0; step.links.len()];
    for part in parts {
        let flow = step.flows[part.flow];
        let Some(pair) = flow.pair else { continue };
        let number = &mut given[part.flow];
        let bytes = flow.bytes / u64::from(count) + u64::from(*number < flow.bytes % u64::from(count));
        *number += 1;
        let cells = part.cells.iter().map(|&cell| cell as usize);
        let Some(cell) = step.lay_least_busy(cells, bytes, &mut loads) else {
            continue;
        };
        let path = (cell - step.cells(pair).start) as u32;
        change(&mut laid[part.flow], path, bytes as i64);
    }
    laid
}
