//! What every rank of a trace does, one node after the other, and what each waits for.

use std::fmt;

use super::collective::Collective;
use super::hint::Hint;
use super::notes::Notes;
use crate::ids::{IdVec, id};
use crate::input::InputError;
use crate::units::Time;
use crate::workload::MAX_TASKS;

id! {
    /// What one rank does at one time: a node of the trace, rank by rank in the order of the files.
    pub(super) OpId;
    /// A communicator of the trace.
    pub(super) CommunicatorId;
}

/// A tag or a sender that matches all.
pub(super) const ANY: u32 = u32::MAX;

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Send {
        to: u32,
        tag: u32,
        bytes: u64,
    },
    /// `from` and `tag` may be [`ANY`].
    Receive {
        from: u32,
        tag: u32,
        bytes: u64,
    },
    /// Keeps one unit of the rank busy.
    Compute {
        time: Time,
        unit: u8,
    },
    /// Takes part in a collective of a communicator.
    Collective {
        collective: Collective,
        communicator: CommunicatorId,
    },
    /// Takes no time: a join of what it waits for.
    Nothing,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { to, .. } => write!(f, "send to {to}"),
            Self::Receive { from: ANY, .. } => f.write_str("receive from anyone"),
            Self::Receive { from, .. } => write!(f, "receive from {from}"),
            Self::Compute { .. } => f.write_str("computation"),
            Self::Collective { collective, .. } => f.write_str(collective.name.text()),
            Self::Nothing => f.write_str("operation without effect"),
        }
    }
}

/// One node of a rank.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub what: What,
    /// Of the nodes that may be drawn, the one with the smallest number comes first: that of its label or its id.
    pub order: u64,
    /// Where it is, for errors: its line, or its number in the file.
    pub place: u32,
    /// Its name in [`Trace::names`].
    pub name: u32,
}

/// The ranks of a communicator, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Communicator {
    /// As the file calls it.
    pub name: String,
    pub ranks: Vec<u32>,
}

/// How errors call a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Places {
    /// By its line in the one file.
    Lines,
    /// By its id in its rank's file.
    Ids,
}

/// A trace of all ranks.
#[derive(Debug)]
pub(super) struct Trace {
    /// The file, or what the names of all of its files begin with.
    pub file: String,
    pub places: Places,
    nodes: IdVec<OpId, Node>,
    /// The nodes of rank r: `first[r]..first[r + 1]`.
    first: Vec<u32>,
    /// What waits for what: before, after, and whether the start of the former counts.
    pub dependencies: Vec<(OpId, OpId, bool)>,
    pub names: Vec<String>,
    pub communicators: IdVec<CommunicatorId, Communicator>,
    /// By node, where this program wrote the file; empty otherwise.
    pub hints: IdVec<OpId, Hint>,
    /// Whether a send and its receive must agree about the number of bytes to belong together.
    pub sizes_match: bool,
    /// Messages of each tag have connections of their own.
    pub tags_are_connections: bool,
    pub notes: Notes,
}

impl Trace {
    pub(super) fn new(file: &str, places: Places) -> Self {
        Self {
            file: file.to_owned(),
            places,
            nodes: IdVec::new(),
            first: vec![0],
            dependencies: Vec::new(),
            names: Vec::new(),
            communicators: IdVec::new(),
            hints: IdVec::new(),
            sizes_match: false,
            tags_are_connections: false,
            notes: Notes::default(),
        }
    }

    /// Adds a node to the rank that is being read.
    ///
    /// # Errors
    /// More nodes than a schedule may have tasks.
    pub(super) fn add(&mut self, node: Node) -> Result<OpId, InputError> {
        if self.nodes.len() as u64 >= MAX_TASKS {
            let message = format!("it has more than {MAX_TASKS} operations");
            return Err(InputError::file(&self.file, message).help("take a shorter trace"));
        }
        Ok(self.nodes.push(node))
    }

    /// What comes next belongs to the next rank.
    pub(super) fn end_rank(&mut self) {
        self.first.push(self.nodes.len() as u32);
    }

    /// Ranks that have been read.
    pub(super) fn ranks(&self) -> u32 {
        self.first.len() as u32 - 1
    }

    /// The first node of the rank that is being read.
    pub(super) fn rank_start(&self) -> OpId {
        OpId(self.first[self.first.len() - 1])
    }

    /// How many nodes the rank that is being read has so far.
    pub(super) fn of_this_rank(&self) -> u32 {
        self.nodes.len() as u32 - self.rank_start().0
    }

    pub(super) fn nodes(&self) -> &IdVec<OpId, Node> {
        &self.nodes
    }

    pub(super) fn node_mut(&mut self, node: OpId) -> &mut Node {
        &mut self.nodes[node]
    }

    /// The nodes of a rank.
    pub(super) fn of_rank(&self, rank: u32) -> impl Iterator<Item = OpId> + use<> {
        (self.first[rank as usize]..self.first[rank as usize + 1]).map(OpId)
    }

    /// The rank of a node.
    pub(super) fn rank_of(&self, node: OpId) -> u32 {
        self.first.partition_point(|&first| first <= node.0) as u32 - 1
    }

    /// An error about a node: names its rank, what it does, and its line or its number in its file.
    pub(super) fn error(&self, node: OpId, message: &str) -> InputError {
        let rank = self.rank_of(node);
        let Node { what, place, .. } = self.nodes[node];
        let message = |place: &str| format!("rank {rank}, {what}{place}: {message}");
        match self.places {
            Places::Lines => InputError::line(&self.file, place as usize, message("")),
            Places::Ids => InputError::file(&self.file, message(&format!(" (node {place})"))),
        }
    }

    /// How another node is called in an error about one.
    pub(super) fn mention(&self, node: OpId) -> String {
        let (rank, place) = (self.rank_of(node), self.nodes[node].place);
        match self.places {
            Places::Lines => format!("line {place}"),
            Places::Ids => format!("node {place} of rank {rank}"),
        }
    }
}
