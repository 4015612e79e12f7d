//! What the choice of switches is asked, one for the whole fabric.

use crate::ids::{LinkId, NodeId, SubflowId};

/// A packet at a node from which several links lead on. `queue` is asked for the bytes that wait for a link; `None` where
/// it is down.
pub(crate) struct Hop<'a, Q: Fn(LinkId) -> Option<u64>> {
    /// The switch, or the host with several ports.
    pub node: NodeId,
    /// Whether that is a switch.
    pub at_switch: bool,
    /// The links, and the position of the first among those of all forwarding tables.
    pub links: &'a [LinkId],
    pub first: u32,
    /// How many links are left by each, where that differs; else empty.
    pub lengths: &'a [u32],
    pub qp: SubflowId,
    /// No data: an acknowledgement, a credit, a request.
    pub control: bool,
    pub now: u64,
    pub queue: Q,
}

/// A row of the table: one choice for the whole fabric.
pub(crate) trait SelectLink {
    /// A position among the links.
    fn choose(&mut self, hop: &Hop<'_, impl Fn(LinkId) -> Option<u64>>) -> u32;

    /// Forwarding tables have changed, and have so many next links now.
    fn restart(&mut self, _hops: usize) {}

    /// Whether packets of a flow take links in any order.
    fn sprays(&self) -> bool {
        true
    }

    /// Whether links are compared by their queues.
    fn sees_queues(&self) -> bool {
        false
    }
}
