//! Where a packet is on a path that may be a detour.
//!
//! On a shortest path the next link depends on the node and the destination alone. A detour passes nodes from which the shortest
//! way would lead back, so it depends on how far the packet has come, too: tables have an entry for every [`Place`], a node with a
//! stage. The stage follows from the node and the ends of the path, so that packets need not carry it.

use super::blueprint::Detours;
use crate::ids::NodeId;

/// How far a packet has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) enum Stage {
    /// It goes the shortest way from here on.
    #[default]
    Shortest,
    /// It has taken a link inside the group of its source and leaves the group by the next one.
    Leaving,
    /// It is at the switch of its source.
    Starting,
}

impl Stage {
    /// All stages, by number.
    pub(crate) const ALL: [Self; 3] = [Self::Shortest, Self::Leaving, Self::Starting];
}

/// A node, and how far a packet there has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) node: NodeId,
    pub(crate) stage: Stage,
}

impl From<NodeId> for Place {
    fn from(node: NodeId) -> Self {
        Self {
            node,
            stage: Stage::Shortest,
        }
    }
}

const NONE: u32 = u32::MAX;

/// The groups between which there are detours.
#[derive(Debug, Clone)]
pub(crate) struct Stages {
    /// The group of each node, NONE for hosts.
    group: Vec<u32>,
    crossing: u32,
    pub(super) straight: bool,
}

impl Stages {
    pub(super) fn new(detours: &Detours) -> Self {
        Self {
            group: detours.groups.iter().map(|group| group.unwrap_or(NONE)).collect(),
            crossing: detours.crossing,
            straight: detours.straight,
        }
    }

    /// How many links between groups a shortest way of this length takes.
    pub(super) fn crossings(&self, length: u32) -> u32 {
        length / self.crossing
    }

    pub(super) fn group(&self, node: NodeId) -> u32 {
        self.group[node.index()]
    }

    /// How far a packet between two switches has come when it is at a node.
    #[inline]
    pub(crate) fn at(&self, node: NodeId, from: NodeId, to: NodeId) -> Stage {
        let group = self.group(from);
        if self.group(node) != group || self.group(to) == group {
            Stage::Shortest
        } else if node == from {
            Stage::Starting
        } else {
            Stage::Leaving
        }
    }

    /// Where a packet is when it has gone on to a node.
    pub(crate) fn after(&self, place: Place, node: NodeId) -> Place {
        let stage = match place.stage {
            Stage::Starting | Stage::Leaving if self.group(node) == self.group(place.node) => Stage::Leaving,
            _ => Stage::Shortest,
        };
        Place { node, stage }
    }
}
