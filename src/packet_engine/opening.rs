//! How queue pairs start, and start over where paths have changed.

use super::ids::{PortId, SenderId};
use super::network::Network;
use super::queue::EventQueue;
use super::recovery::Sent;
use super::sender::Sender;
use super::sending::Sending;
use super::transport::{CongestionControl, Control};
use crate::ids::{Id, SubflowId};

/// Packets that any queue pair may have between the first missing one and the last.
const LEAST_SPAN: u64 = 64;
/// The same for one with a window, in largest windows.
const SPAN_WINDOWS: u64 = 4;

impl Sending {
    /// A queue pair may be served, or waits until its host serves fewer.
    pub(super) fn open<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, qp: SubflowId) {
        if self.nics.admit(net.pairs[qp].ends.src, qp) {
            self.activate(net, qp);
        }
    }

    /// Makes the sending end of a queue pair.
    pub(super) fn activate<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, qp: SubflowId) {
        self.avoid_bad_path(net, qp);
        let conditions = self.conditions(net, qp);
        let ends = net.pairs[qp].ends;
        let pair = net.pairs[qp];
        let control = net.setup.transport.control(&conditions);
        let span = match net.terms.acknowledged {
            true => span(&control, net.terms.full, pair.packets),
            false => 1,
        };
        let timeout = Self::timeout_on(net, qp, &conditions);
        let spread = Self::spread(net, qp, &conditions);
        let uplink = net.forwarding.only_uplink(ends.src);
        let port = uplink.and_then(|link| net.card_of(link)).unwrap_or(PortId::NONE);
        let lanes = self.lanes(net, qp, &spread);
        let slot = self.senders.insert(Sender {
            qp,
            port,
            lanes,
            sent: Sent::new(pair.packets, span),
            control,
            spread,
            next_at: net.events.now,
            timeout,
            order: (net.terms.drops && !pair.pinned).then(Box::default),
            deadline: 0,
            rtt: 0,
            timer_seq: 0,
            timeouts: 0,
            patience: 0,
            retransmits: 0,
            heard_at: net.events.now,
            ready: false,
            pacing: false,
            timing: false,
        });
        let pair = &mut net.pairs[qp];
        pair.sender = slot;
        if net.terms.acknowledged {
            pair.log_span = span.trailing_zeros() as u8;
        }
        self.mark_ready(net, slot);
    }

    /// A sender learns that paths have changed.
    pub(super) fn reselect_path<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, qp: SubflowId, slot: SenderId) {
        let conditions = self.conditions(net, qp);
        let spread = Self::spread(net, qp, &conditions);
        let timeout = Self::timeout_on(net, qp, &conditions);
        let pair = net.pairs[qp];
        let pinned = pair.pinned;
        let lanes = self.lanes(net, qp, &spread);
        let sender = self.senders.at(slot);
        if sender.lanes.is_some() {
            self.nics.delist(net.cards_of(pair.ends.src), slot);
            sender.ready = false;
            sender.lanes = lanes;
        }
        sender.timeout = timeout;
        if pinned {
            sender.sent.forget_order();
        }
        if !(sender.spread.is_fixed() && spread.is_fixed()) {
            sender.spread = spread;
        }
        self.mark_ready(net, slot);
    }
}

/// How many packets the two ends of a queue pair tell apart: four of the largest windows, or the whole flow, as
/// where there is no window.
fn span(control: &Control, full: u64, packets: u32) -> u32 {
    let windows = (control.largest_window() / full).saturating_mul(SPAN_WINDOWS);
    let span = windows.max(LEAST_SPAN).min(u64::from(packets));
    (span as u32).next_power_of_two()
}
