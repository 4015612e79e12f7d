//! What was done in times that were skipped (`packet.fast_forward`). It is kept apart: to packets, hosts and switches no time
//! has passed.

use std::collections::BTreeMap;

use super::links::LinkTotals;
use crate::ids::{IdVec, LinkId, SubflowId};

/// What one queue pair has done in times that were skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PairTotals {
    /// Packets delivered for the first time.
    pub(super) packets: u64,
    pub(super) retransmits: u64,
    pub(super) reordered: u64,
}

/// What was done in all times that were skipped.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    /// By link; empty where nothing was skipped.
    links: IdVec<LinkId, LinkTotals>,
    pairs: BTreeMap<SubflowId, PairTotals>,
    pub(super) packet_hops: u64,
    pub(super) packets: u64,
    pub(super) retransmits: u64,
    /// Picoseconds by which what was skipped may have taken more or less.
    pub(super) doubt: f64,
}

impl Skipped {
    /// Adds what links have done, by link.
    pub(super) fn add_links(&mut self, done: impl ExactSizeIterator<Item = LinkTotals>) {
        self.links.resize(done.len(), LinkTotals::default());
        for (total, done) in self.links.iter_mut().zip(done) {
            total.wire_bytes += done.wire_bytes;
            total.data_bytes += done.data_bytes;
            total.drops += done.drops;
            total.trims += done.trims;
            total.ecn_marks += done.ecn_marks;
            total.pauses += done.pauses;
            total.paused += done.paused;
        }
    }

    /// Adds what a queue pair has done.
    pub(super) fn add_pair(&mut self, qp: SubflowId, done: &PairTotals) {
        let total = self.pairs.entry(qp).or_default();
        total.packets += done.packets;
        total.retransmits += done.retransmits;
        total.reordered += done.reordered;
        self.packets += done.packets + done.retransmits;
        self.retransmits += done.retransmits;
    }

    /// What a link has done.
    pub(super) fn link(&self, link: LinkId) -> LinkTotals {
        self.links.get(link).copied().unwrap_or_default()
    }

    /// What a queue pair has done.
    pub(super) fn pair(&self, qp: SubflowId) -> PairTotals {
        self.pairs.get(&qp).copied().unwrap_or_default()
    }
}
