//! Groups of switches: dense inside, few links between. The rule for paths that are not the shortest looks at groups alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::graph::NodeIndex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, Detours};

/// Which paths there are between two groups of switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GroupPaths {
    /// Over as few links between groups as possible, and among these the shortest.
    #[default]
    Minimal,
    /// Through any third group (Valiant): in a dragonfly, whatever the traffic, it takes twice the links between groups and spreads
    /// evenly over them.
    Valiant,
    /// Both. `adaptive` then compares, at the source's switch, queues times the links that are left (UGAL-L).
    All,
}

impl GroupPaths {
    pub(super) fn are_minimal(&self) -> bool {
        *self == Self::Minimal
    }

    /// The ways besides the minimal ones, where there is a third group. `groups` by node, none for hosts; a link between groups
    /// counts as `crossing` links.
    pub(super) fn detours(self, groups: Vec<Option<u32>>, crossing: u8) -> Option<Detours> {
        let different: BTreeSet<u32> = groups.iter().flatten().copied().collect();
        (self != Self::Minimal && different.len() > 2).then_some(Detours {
            groups,
            crossing: u32::from(crossing),
            straight: self == Self::All,
        })
    }
}

/// As how many links one between groups must count so that no path takes one more of them to save links inside groups, where a
/// minimal path crosses at most `crossings` times between groups and takes at most `inside` links in each.
pub(super) const fn crossing_cost(crossings: u32, inside: u32) -> u32 {
    (crossings + 1) * inside + 1
}

/// How far apart switches and groups are.
pub(super) struct Extent {
    /// The most links between two switches of a group on ways inside it.
    pub(super) inside: u32,
    /// The most links between groups on the way from one group to another.
    pub(super) crossings: u32,
}

impl Extent {
    /// Measures a drawing by the group of each node.
    ///
    /// # Errors
    ///
    /// Two switches of one group between which there is no way inside the group.
    pub(super) fn measure(drawing: &Blueprint, groups: &[Option<u32>]) -> Result<Self, [NodeIndex; 2]> {
        let graph = &drawing.graph;
        let mut members: BTreeMap<u32, Vec<NodeIndex>> = BTreeMap::new();
        let mut beside: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for node in graph.node_indices() {
            let Some(group) = groups[node.index()] else { continue };
            members.entry(group).or_default().push(node);
            let others = graph.neighbors(node).filter_map(|other| groups[other.index()]);
            let others = others.filter(|other| *other != group);
            beside.entry(group).or_default().extend(others);
        }
        let mut inside = 0;
        for (&group, switches) in &members {
            let own = |node: NodeIndex| graph.neighbors(node).filter(move |n| groups[n.index()] == Some(group));
            for &from in switches {
                let reached = distances(from, own);
                if let Some(&lost) = switches.iter().find(|switch| !reached.contains_key(switch)) {
                    return Err([from, lost]);
                }
                inside = reached.values().copied().fold(inside, u32::max);
            }
        }
        let mut crossings = 0;
        for &group in members.keys() {
            let reached = distances(group, |group| beside[&group].iter().copied());
            crossings = reached.values().copied().fold(crossings, u32::max);
        }
        Ok(Self { inside, crossings })
    }
}

/// The distance of everything that is reached from a start.
fn distances<T: Copy + Ord, N: Iterator<Item = T>>(start: T, next: impl Fn(T) -> N) -> BTreeMap<T, u32> {
    let mut reached = BTreeMap::from([(start, 0)]);
    let mut open = VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        let distance = reached[&at] + 1;
        for there in next(at) {
            if let std::collections::btree_map::Entry::Vacant(vacant) = reached.entry(there) {
                vacant.insert(distance);
                open.push_back(there);
            }
        }
    }
    reached
}
