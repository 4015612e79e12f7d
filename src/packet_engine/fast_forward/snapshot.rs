//! What a run has done by a moment, as far as it matters to what it does next.

use crate::ids::SubflowId;
use crate::packet_engine::faults::Faults;
use crate::packet_engine::flows::Flows;
use crate::packet_engine::links::LinkTotals;
use crate::packet_engine::network::Network;
use crate::packet_engine::queue::EventQueue;
use crate::packet_engine::receiving::Receiving;
use crate::packet_engine::sending::Sending;

/// What a flow that starts or ends, or a link that changes, makes different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Membership {
    started: u64,
    unfinished: usize,
    link_changes: usize,
}

/// One queue pair at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AtWork {
    pub(super) qp: SubflowId,
    /// Packets that have been answered, or that nobody will answer.
    pub(super) delivered: u64,
    pub(super) in_flight: u64,
    pub(super) retransmits: u64,
    pub(super) reordered: u64,
}

impl AtWork {
    /// Packets that have been sent, each counted once.
    pub(super) fn sent(&self) -> u64 {
        self.delivered + self.in_flight
    }
}

/// All counters at a moment.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    /// In ps, without what was skipped.
    pub(super) now: u64,
    membership: Membership,
    /// By slot of the sender.
    pub(super) pairs: Vec<AtWork>,
    /// By link.
    pub(super) links: Vec<LinkTotals>,
    pub(super) packet_hops: u64,
}

impl Snapshot {
    /// Of everything, as it is now.
    pub(super) fn take<Q: EventQueue>(
        net: &Network<'_, Q>,
        (sending, receiving): (&Sending, &Receiving),
        flows: &Flows,
        faults: &Faults,
    ) -> Self {
        let at_work = sending.senders.iter().map(|sender| {
            let receiver = net.pairs[sender.qp].receiver;
            let receiver = receiving.receivers.get(receiver);
            AtWork {
                qp: sender.qp,
                delivered: sender.sent.answered(),
                in_flight: u64::from(sender.sent.in_flight()),
                retransmits: u64::from(sender.retransmits),
                reordered: receiver.map_or(0, |receiver| u64::from(receiver.received.reordering().0)),
            }
        });
        let pairs: Vec<_> = at_work.collect();
        Self {
            now: net.events.now,
            membership: Membership {
                started: flows.started,
                unfinished: flows.unfinished,
                link_changes: faults.changes(),
            },
            pairs,
            links: net.links.totals(net.events.now).collect(),
            packet_hops: net.packet_hops,
        }
    }

    /// Whether the same queue pairs are at work, and links are as they were.
    pub(super) fn is_of_the_same(&self, other: &Self) -> bool {
        let pairs = |snapshot: &Self| snapshot.pairs.iter().map(|pair| pair.qp).collect::<Vec<_>>();
        self.membership == other.membership && pairs(self) == pairs(other)
    }

    /// Packets in flight, and bytes in all queues.
    pub(super) fn held(&self) -> (u64, u64) {
        let in_flight = self.pairs.iter().map(|pair| pair.in_flight).sum();
        (in_flight, self.links.iter().map(|link| link.queue).sum())
    }
}
