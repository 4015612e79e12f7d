//! Central and unsplit: an equitable edge colouring of the flows between leaves, one colour per spine.
//!
//! The flows of a step are the edges of a bipartite multigraph from source leaves to destination
//! leaves. Where every colour is on at most ceil(degree / spines) edges of every leaf, no link
//! carries more than ceil(D / spines) flows, D being the largest number of flows out of or into one leaf:
//! the least that unsplit flows can reach.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bipartite::color_equitably;
use super::paths::PathTable;
use super::{Placement, Problem, Route, Scheme};
use crate::ids::{LinkId, NodeId, TaskId};
use crate::input::InputError;
use crate::rng;
use crate::topology::Fabric;
use crate::units::{Bytes, Rate};

/// `edge-coloring` has no options. It sees all flows of a step and splits none. It needs two tiers with
/// one path per spine between any two leaves, equal links, and equal sizes within a step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeColoring {}

impl Scheme for EdgeColoring {
    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let (schedule, fabric) = (problem.schedule, problem.fabric);
        let mut order: Vec<(u32, TaskId)> = schedule
            .transfers()
            .filter(|&(_, src, dst, _)| fabric.edge(NodeId(src)) != fabric.edge(NodeId(dst)))
            .map(|(task, ..)| (schedule.task(task).step, task))
            .collect();
        order.sort_unstable();
        let spines = Spines::check(problem, &order)?;
        let mut chosen = vec![0; schedule.tasks().len()];
        for step in order.chunk_by(|a, b| a.0 == b.0) {
            check_sizes(problem, step)?;
            let leaves = |&(_, task): &(u32, TaskId)| {
                let (src, dst, _) = problem.transfer(task);
                (fabric.edge(src).0, fabric.edge(dst).0)
            };
            let edges: Vec<_> = step.iter().map(leaves).collect();
            let mut random = rng::stream(problem.seed, "edge-coloring", u64::from(step[0].0));
            for (&(_, task), color) in step.iter().zip(color_equitably(&edges, spines, &mut random)) {
                chosen[task.index()] = color;
            }
        }
        Ok(Placement::whole(schedule, |task, _, _| {
            Route::Pinned(chosen[task.index()])
        }))
    }
}

fn refuse(message: String) -> InputError {
    InputError::key("", message).help("`cut-line`, `greedy` and `optimal-transport` have no such condition")
}

/// Refuses a step with flows of unequal sizes.
fn check_sizes(problem: &Problem<'_>, step: &[(u32, TaskId)]) -> Result<(), InputError> {
    let size = |&(_, task): &(u32, TaskId)| (Bytes(problem.transfer(task).2), task);
    let (first, a) = size(&step[0]);
    match step.iter().map(size).find(|&(bytes, _)| bytes != first) {
        None => Ok(()),
        Some((other, b)) => Err(refuse(format!(
            "edge-coloring needs flows of equal size, but transfer {a} has {first} and transfer {b} of the same step {other}"
        ))),
    }
}

/// The links behind the path indices, as far as they are known.
struct Spines<'a> {
    fabric: &'a Fabric,
    /// The link of a leaf with a path index; true for up-links.
    link: HashMap<(NodeId, u32, bool), LinkId>,
    /// The path index of a link.
    index: HashMap<LinkId, u32>,
}

impl<'a> Spines<'a> {
    /// Number of spines, where path index p takes the same up-link from a leaf and the same down-link
    /// to a leaf whatever the other leaf, and all of these links are equal.
    fn check(problem: &Problem<'a>, flows: &[(u32, TaskId)]) -> Result<u32, InputError> {
        let fabric = problem.fabric;
        let mut table = PathTable::new(fabric);
        let mut spines = Self {
            fabric,
            link: HashMap::new(),
            index: HashMap::new(),
        };
        let mut seen = HashSet::new();
        let mut expected: Option<Pair> = None;
        for &(_, task) in flows {
            let (src, dst, _) = problem.transfer(task);
            let leaves = (fabric.edge(src), fabric.edge(dst));
            if !seen.insert(leaves) {
                continue;
            }
            let mut pair = Pair {
                leaves,
                paths: 0,
                rate: Rate::ZERO,
            };
            for path in table.of(src, dst) {
                let [up, down] = *path else {
                    return Err(spines.not_two_tiers(&pair));
                };
                spines.note(up, leaves.0, pair.paths, true)?;
                spines.note(down, leaves.1, pair.paths, false)?;
                pair.rate = expected.as_ref().map_or(fabric.link(up).rate, |pair| pair.rate);
                spines.compare(pair.rate, [up, down])?;
                pair.paths += 1;
            }
            let expected = expected.get_or_insert_with(|| pair.clone());
            if pair.paths != expected.paths {
                return Err(spines.unlike(expected, &pair));
            }
        }
        Ok(expected.map_or(1, |pair| pair.paths))
    }

    /// Notes that paths with this index take this link at a leaf.
    fn note(&mut self, link: LinkId, leaf: NodeId, index: u32, up: bool) -> Result<(), InputError> {
        let same_link = *self.link.entry((leaf, index, up)).or_insert(link) == link;
        let same_index = *self.index.entry(link).or_insert(index) == index;
        if same_link && same_index {
            return Ok(());
        }
        Err(refuse(format!(
            "edge-coloring needs one path per spine, in one order between all leaves, but {} is on other paths from or to other leaves",
            self.fabric.link_name(link)
        )))
    }

    fn compare(&self, rate: Rate, links: [LinkId; 2]) -> Result<(), InputError> {
        match links.into_iter().find(|&link| self.fabric.link(link).rate != rate) {
            None => Ok(()),
            Some(link) => Err(refuse(format!(
                "edge-coloring needs equal links, but {} has {} and others have {rate}",
                self.fabric.link_name(link),
                self.fabric.link(link).rate
            ))),
        }
    }

    fn not_two_tiers(&self, pair: &Pair) -> InputError {
        refuse(format!(
            "edge-coloring needs two tiers, but {} are not two links apart",
            self.names(pair)
        ))
    }

    fn unlike(&self, a: &Pair, b: &Pair) -> InputError {
        let (first, second) = (self.names(a), self.names(b));
        refuse(format!(
            "edge-coloring needs as many paths between all leaves, but {first} have {} and {second} have {}",
            a.paths, b.paths
        ))
    }

    fn names(&self, pair: &Pair) -> String {
        let name = |node| &self.fabric.node(node).name;
        format!("{} and {}", name(pair.leaves.0), name(pair.leaves.1))
    }
}

/// Two leaves with flows.
#[derive(Clone)]
struct Pair {
    leaves: (NodeId, NodeId),
    paths: u32,
    /// Of the links in between.
    rate: Rate,
}
