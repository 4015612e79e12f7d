//! Two binary trees, each with one half of the data.
//!
//! P. Sanders, J. Speck, J. L. Träff, "Two-tree algorithms for full bandwidth broadcast, reduction
//! and scan", Parallel Computing 35 (2009). A rank with children in one tree is a leaf of the other,
//! so that no rank sends or receives more than twice the data in an all-reduce, once in a broadcast.

use std::ops::Range;

use super::{Effect, Hop, Job, Member, Part};
use crate::ids::TaskId;

/// Up to the roots, where the sums are complete, and down again.
pub(crate) fn all_reduce(job: &mut Job) {
    for half in Half::BOTH {
        let tree = Tree::new(0..job.ranks, half);
        for part in job.parts() {
            let sums = tree.climb(job, part);
            tree.descend(job, part, tree.nodes[0].height, sums);
        }
    }
}

/// From rank 0, which is in neither tree, to the two roots and down.
pub(crate) fn broadcast(job: &mut Job) {
    for half in Half::BOTH {
        let tree = Tree::new(1..job.ranks, half);
        for part in job.parts() {
            let root = tree.nodes[0].rank;
            let way = Way::Down { from: 0, to: root };
            let fed = tree.send(job, part, way, 0, [None; 2]);
            tree.descend(job, part, 1, [fed, None]);
        }
    }
}

/// Which half of the data, and so which of the two trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

impl Half {
    const BOTH: [Self; 2] = [Self::First, Self::Second];
}

/// Over an edge of a tree: every child has one connection each way.
#[derive(Clone, Copy)]
enum Way {
    Up { from: u32, to: u32 },
    Down { from: u32, to: u32 },
}

/// What a rank waits for before it sends: up to two arrivals.
type After = [Option<TaskId>; 2];

/// A binary tree, as balanced as the number of its nodes allows; the root comes first, and every
/// node before its children.
struct Tree {
    half: Half,
    nodes: Vec<Node>,
}

struct Node {
    rank: u32,
    /// Steps from the root.
    depth: u32,
    /// Steps to the farthest leaf below.
    height: u32,
    /// As indices.
    children: [Option<usize>; 2],
}

impl Tree {
    /// Numbers the nodes 1, 2, ... in order: those with an odd number are leaves, and the others have as
    /// many levels below them as their number has trailing zero bits. The two trees are mirror images
    /// of each other; where an odd number of nodes would make the same ranks leaves of both, the second
    /// is shifted by one.
    fn new(ranks: Range<u32>, half: Half) -> Self {
        let last = ranks.end - ranks.start;
        let rank = |number: u32| match half {
            Half::First => ranks.start + number - 1,
            Half::Second if last.is_multiple_of(2) => ranks.end - number,
            Half::Second => ranks.start + number % last,
        };
        let mut numbers = vec![(1_u32 << last.ilog2(), 0)];
        let mut nodes = Vec::with_capacity(last as usize);
        while let Some(&(number, depth)) = numbers.get(nodes.len()) {
            let mut add = |child| {
                numbers.push((child, depth + 1));
                numbers.len() - 1
            };
            let half_width = (1_u32 << number.trailing_zeros()) / 2;
            let left = (half_width > 0).then(|| add(number - half_width));
            let mut halvings = std::iter::successors(Some(half_width), |width| Some(width / 2));
            let right = halvings
                .find(|&width| number + width <= last)
                .filter(|&width| width > 0);
            nodes.push(Node {
                rank: rank(number),
                depth,
                height: number.trailing_zeros(),
                children: [left, right.map(|width| add(number + width))],
            });
        }
        Self { half, nodes }
    }

    /// Adds up towards the root; yields the arrivals there.
    fn climb(&self, job: &mut Job, part: Part) -> After {
        let mut sent = vec![None; self.nodes.len()];
        let from_children = |sent: &[Option<TaskId>], node: &Node| node.children.map(|child| sent[child?]);
        for parent in self.nodes.iter().rev() {
            for child in parent.children.into_iter().flatten() {
                let node = &self.nodes[child];
                let way = Way::Up {
                    from: node.rank,
                    to: parent.rank,
                };
                sent[child] = self.send(job, part, way, node.height, from_children(&sent, node));
            }
        }
        from_children(&sent, &self.nodes[0])
    }

    /// Copies to all nodes what the root has after `ready`, from step `first_step` on.
    fn descend(&self, job: &mut Job, part: Part, first_step: u32, ready: After) {
        let mut held = vec![[None; 2]; self.nodes.len()];
        held[0] = ready;
        for (parent, node) in self.nodes.iter().enumerate() {
            for child in node.children.into_iter().flatten() {
                let way = Way::Down {
                    from: node.rank,
                    to: self.nodes[child].rank,
                };
                let sent = self.send(job, part, way, first_step + node.depth, held[parent]);
                held[child] = [sent, None];
            }
        }
    }

    /// Chunks follow one another through the tree, so that the levels of one step work on different ones.
    fn send(&self, job: &mut Job, part: Part, way: Way, step: u32, after: After) -> Option<TaskId> {
        let (src, dst, effect, child) = match way {
            Way::Up { from, to } => (from, to, Effect::Reduce, from),
            Way::Down { from, to } => (from, to, Effect::Copy, to),
        };
        let kind = 2 * self.half as u32 + u32::from(effect == Effect::Copy);
        let hop = Hop {
            src: Member(src),
            dst: Member(dst),
            step: step + part.chunk,
            lane: Job::lane(part, 4 * job.ranks, kind * job.ranks + child),
            effect,
        };
        let data = job.cut(2).piece(self.half as u32, part);
        job.draft.send(&hop, &data, &after)
    }
}
