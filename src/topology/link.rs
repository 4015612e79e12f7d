//! Directed links, and the paths that they make.

use smallvec::SmallVec;

use crate::ids::{LinkId, NodeId};
use crate::units::{Bytes, Rate, Time};

/// The links a packet crosses, first to last.
pub type Path = SmallVec<[LinkId; 8]>;

/// A directed link with the output queue in front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The node that sends.
    pub from: NodeId,
    /// The node that receives.
    pub to: NodeId,
    /// Zero where the link is down.
    pub rate: Rate,
    /// Propagation delay and the latency of the switch at the far end.
    pub delay: Time,
    /// Limit of the output queue, where the topology sets one.
    pub queue: Option<Bytes>,
    /// The other direction of the same cable.
    pub reverse: LinkId,
    /// What it adds to the length of a path, where routing takes the shortest.
    pub cost: u8,
}

/// A change of a link's rate; zero takes it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkChange {
    /// The link.
    pub link: LinkId,
    /// Its rate from then on.
    pub rate: Rate,
}
