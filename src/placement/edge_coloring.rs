//! Central and unsplit: an equitable edge coloring of the flows between leaves, one color per spine.
//!
//! The flows of a step are the edges of a bipartite multigraph from source leaves to destination
//! leaves. Where every color is on at most ceil(degree / spines) edges of every leaf, no link
//! carries more than ceil(D / spines) flows, D being the largest number of flows out of or into one leaf:
//! the least that unsplit flows can reach.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bipartite::color_equitably;
use super::{Placement, Problem, Scheme};
use crate::ids::{LinkId, NodeId, TaskId};
use crate::input::InputError;
use crate::rng;
use crate::routes::Route;
use crate::routes::{Choice, PathTable};
use crate::topology::Fabric;
use crate::units::{Bytes, Rate};
use crate::workload::Transfer;

/// `edge-coloring` has no options. It sees all flows of a step and splits none. It needs two tiers with
/// one path per spine between any two leaves, equal links, and equal sizes within a step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeColoring {}

impl Scheme for EdgeColoring {
    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let (schedule, fabric) = (problem.schedule, problem.fabric);
        let mut table = PathTable::new(fabric);
        let spines = Spines::check(problem, &mut table)?;
        let mut order: Vec<(u32, TaskId)> = schedule
            .transfers()
            .filter(|&Transfer { src, dst, .. }| fabric.path_count(src.node(), dst.node()) > 1)
            .map(|Transfer { task, .. }| (schedule.task(task).step, task))
            .collect();
        order.sort_unstable();
        let mut chosen = vec![0; schedule.tasks().len()];
        for step in order.chunk_by(|a, b| a.0 == b.0) {
            check_sizes(problem, step)?;
            let mut leaves = |&(_, task): &(u32, TaskId)| {
                let Transfer { src, dst, .. } = problem.transfer(task);
                let ends = table.ends(src.node(), dst.node());
                (ends.0.0, ends.1.0)
            };
            let edges: Vec<_> = step.iter().map(&mut leaves).collect();
            let mut random = rng::stream(problem.seed, "edge-coloring", u64::from(step[0].0));
            for (&(_, task), color) in step.iter().zip(color_equitably(&edges, spines, &mut random)) {
                chosen[task.index()] = color;
            }
        }
        Ok(Placement::whole(schedule, |Transfer { task, .. }| {
            Route::Pinned(chosen[task.index()].into())
        }))
    }
}

fn refuse(message: String) -> InputError {
    InputError::key("", message).help("`cut-line`, `greedy` and `optimal-transport` have no such condition")
}

/// Refuses a step with flows of unequal sizes.
fn check_sizes(problem: &Problem<'_>, step: &[(u32, TaskId)]) -> Result<(), InputError> {
    let size = |&(_, task): &(u32, TaskId)| (Bytes(problem.transfer(task).bytes), task);
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
    fn check(problem: &Problem<'a>, table: &mut PathTable<'a>) -> Result<u32, InputError> {
        let fabric = problem.fabric;
        let mut spines = Self {
            fabric,
            link: HashMap::new(),
            index: HashMap::new(),
        };
        let mut seen = HashSet::new();
        let mut single = Vec::new();
        let mut first: Option<Pair> = None;
        for Transfer { src, dst, .. } in problem.schedule.transfers() {
            let (src, dst) = (src.node(), dst.node());
            if !seen.insert((fabric.edge(src), fabric.edge(dst))) {
                continue;
            }
            let choice = table.choice(src, dst);
            if choice.paths().len() == 1 {
                single.push((src, dst));
                continue;
            }
            let pair = spines.note_all(&choice, first.as_ref())?;
            let first = first.get_or_insert(pair);
            if first.paths != pair.paths {
                return Err(spines.unlike(first, &pair));
            }
        }
        // Within a leaf there is nothing to choose; across, all pairs must have a single path or none.
        let crosses =
            |&&(src, dst): &&(NodeId, NodeId)| fabric.path(src, dst, 0).iter().any(|&id| fabric.is_fabric_link(id));
        if let (Some(first), Some(&(src, dst))) = (&first, single.iter().find(crosses)) {
            let leaves = (fabric.edge(src), fabric.edge(dst));
            let rate = first.rate;
            return Err(spines.unlike(first, &Pair { leaves, paths: 1, rate }));
        }
        Ok(first.map_or(1, |pair| pair.paths))
    }

    /// Notes all paths of a pair, whose links must be like those of the first pair.
    fn note_all(&mut self, choice: &Choice<'_>, first: Option<&Pair>) -> Result<Pair, InputError> {
        let leaves = choice.ends;
        let mut pair = Pair {
            leaves,
            paths: 0,
            rate: Rate::ZERO,
        };
        for path in choice.paths() {
            let [up, down] = *path else {
                return Err(self.not_two_tiers(&pair));
            };
            self.note(up, leaves.0, pair.paths, true)?;
            self.note(down, leaves.1, pair.paths, false)?;
            pair.rate = first.map_or(self.fabric.link(up).rate, |first| first.rate);
            self.compare(pair.rate, [up, down])?;
            pair.paths += 1;
        }
        Ok(pair)
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
#[derive(Clone, Copy)]
struct Pair {
    leaves: (NodeId, NodeId),
    paths: u32,
    /// Of the links in between.
    rate: Rate,
}
