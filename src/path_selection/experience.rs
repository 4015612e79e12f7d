//! What senders have seen of their paths in one run: what acknowledgements tell, and nothing of the fabric.

use std::collections::BTreeMap;

use crate::ids::NodeId;

/// Queue pairs that have the same paths: from the edge of a source to that of a destination, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PathGroup {
    /// The edge switch of the source, or the source itself where it has several cables.
    pub from: NodeId,
    /// That of the destination.
    pub to: NodeId,
    /// Paths.
    pub paths: u32,
}

/// What came back of the packets on one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PathTally {
    /// Acknowledged packets, and those of them that came back marked.
    pub acked: u64,
    pub marked: u64,
    /// The sum of their round trips, in ps.
    pub round_trips: u64,
}

/// The tallies of all paths, by group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Experience {
    groups: BTreeMap<PathGroup, Vec<PathTally>>,
}

impl Experience {
    /// An acknowledgement came back for a packet of a group. Paths are numbered from 0, and start over behind the last.
    pub(crate) fn acknowledged(&mut self, group: PathGroup, path: u16, marked: bool, round_trip: u64) {
        let paths = group.paths as usize;
        let tallies = self.groups.entry(group);
        let tallies = tallies.or_insert_with(|| vec![PathTally::default(); paths]);
        let tally = &mut tallies[usize::from(path) % paths];
        tally.acked += 1;
        tally.marked += u64::from(marked);
        tally.round_trips = tally.round_trips.saturating_add(round_trip);
    }

    /// All groups in order.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (PathGroup, &[PathTally])> {
        self.groups.iter().map(|(&group, tallies)| (group, tallies.as_slice()))
    }
}
