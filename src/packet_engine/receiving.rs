//! Hosts as receivers: what has arrived, and what they answer.

use smallvec::SmallVec;

use super::credits::{Credits, Quanta};
use super::events::Effect;
use super::ids::ReceiverId;
use super::network::Network;
use super::packet::{BOUNDED, Kind, MARKED, Packet, RESENT, TRIMMED};
use super::queue::EventQueue;
use super::receiver::Receiver;
use super::recovery::{Arrival, Received};
use super::slab::Slab;
use crate::ids::{HostId, Id, IdVec, PathIndex, SubflowId, TaskId};

/// The receiving side of all hosts.
#[derive(Debug)]
pub(super) struct Receiving {
    pub receivers: Slab<ReceiverId, Receiver>,
    /// What hosts credit, where senders need credits.
    pub credits: Option<Credits>,
    /// Shortest time between two congestion notifications for a queue pair, where receivers send any.
    notification_interval: Option<u64>,
    /// Data packets that were new to their receivers.
    pub news: u64,
    /// Paths that each flow's data has taken, as bits; empty unless flows are observed.
    pub paths_taken: IdVec<TaskId, SmallVec<[u64; 1]>>,
}

impl Receiving {
    /// Senders state targets of credits in `quanta`.
    pub(super) fn new<Q: EventQueue>(net: &Network<'_, Q>, quanta: Option<Quanta>) -> Self {
        let setup = net.setup;
        let tasks = setup.schedule.tasks().len();
        Self {
            receivers: Slab::default(),
            credits: quanta.map(|quanta| Credits::new(setup, net.terms.rtt, quanta)),
            notification_interval: setup.transport.notification_interval().map(|interval| interval.0),
            news: 0,
            paths_taken: IdVec::filled(SmallVec::new(), if setup.observe.flows { tasks } else { 0 }),
        }
    }

    /// Payload, or what trimming left of it, reaches its receiver.
    pub(super) fn data_arrived<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, packet: &Packet) {
        let qp = packet.qp;
        let pair = net.pairs[qp];
        if pair.receiver == ReceiverId::COMPLETE {
            return answer(net, packet, Kind::Ack, pair.packets);
        }
        let slot = match pair.receiver {
            ReceiverId::NONE => self.open_receiver(net, qp),
            slot => slot,
        };
        if packet.has(MARKED) {
            self.notify(net, slot, packet);
        }
        if let Some(credits) = &mut self.credits {
            credits.note_target(net, self.receivers.at(slot), packet);
        }
        if packet.has(TRIMMED) {
            return answer(net, packet, Kind::Nack, 0);
        }
        let received = &mut self.receivers.at(slot).received;
        let before = received.cumulative();
        let arrival = received.accept(packet.seq);
        let (cumulative, count) = (received.cumulative(), received.count());
        self.news += u64::from(arrival == Arrival::New);
        if arrival == Arrival::OutOfOrder {
            if self.receivers.at(slot).received.ask() {
                let missing = Packet {
                    seq: cumulative,
                    ..*packet
                };
                answer(net, &missing, Kind::Nack, 0);
            }
            return;
        }
        let complete = count == pair.packets;
        self.note_path(net, packet, pair.task);
        if net.terms.ack_every == 0 || self.reports(net, slot, packet, arrival, complete, before) {
            answer(net, packet, Kind::Ack, cumulative);
        }
        if count == 1 && arrival == Arrival::New {
            net.events.tell(Effect::Begun { task: pair.task });
        }
        if complete && arrival == Arrival::New {
            self.subflow_delivered(net, qp, slot);
        }
    }

    /// Remembers which path data took, where flows are observed.
    fn note_path<Q: EventQueue>(&mut self, net: &Network<'_, Q>, packet: &Packet, task: TaskId) {
        let Some(bits) = self.paths_taken.get_mut(task) else {
            return;
        };
        let ends = net.pairs[packet.qp].ends;
        let base = if ends.base == PathIndex::NONE { 0 } else { ends.base.0 };
        let paths = net.setup.fabric.path_count(ends.src.node(), ends.dst.node());
        let path = ((base + u32::from(packet.path)) % paths.max(1)) as usize;
        if bits.len() <= path / 64 {
            bits.resize(path / 64 + 1, 0);
        }
        bits[path / 64] |= 1 << (path % 64);
    }

    /// Makes the receiving end of a queue pair.
    fn open_receiver<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, qp: SubflowId) -> ReceiverId {
        let pair = net.pairs[qp];
        let received = Received::new(1 << pair.log_span, net.in_order_only(pair.pinned));
        let slot = self.receivers.insert(Receiver {
            received,
            credited: 0,
            target: 0,
            path: 0,
            notifies_from: 0,
            in_turn: false,
            unreported: (net.terms.ack_every > 0).then(Box::default),
        });
        net.pairs[qp].receiver = slot;
        slot
    }

    /// A marked packet arrived: the receiver may have to tell its sender, and not too often.
    fn notify<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: ReceiverId, data: &Packet) {
        let Some(interval) = self.notification_interval else {
            return;
        };
        let receiver = self.receivers.at(slot);
        if receiver.notifies_from > net.events.now {
            return;
        }
        receiver.notifies_from = net.events.now.saturating_add(interval);
        answer(net, data, Kind::Notification, 0);
    }

    /// Whether the receiver acknowledges this packet now, where it need not acknowledge every packet. What has to be acknowledged
    /// before is, with the cumulative number `before` the packet.
    fn reports<Q: EventQueue>(
        &mut self,
        net: &mut Network<'_, Q>,
        slot: ReceiverId,
        packet: &Packet,
        arrival: Arrival,
        complete: bool,
        before: u32,
    ) -> bool {
        if arrival == Arrival::New {
            net.reports.add(packet.qp, packet.seq);
        }
        let payload = u64::from(packet.size) - net.setup.packet.header.0;
        let Some(unreported) = &mut self.receivers.at(slot).unreported else {
            return true;
        };
        let (now, first) = unreported.note(packet, payload, net.terms.ack_every, arrival, complete);
        if let Some(first) = first {
            answer(net, &first, Kind::Ack, before);
        }
        now
    }

    /// The last packet of a sub-flow has arrived.
    fn subflow_delivered<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, qp: SubflowId, slot: ReceiverId) {
        let pair = &mut net.pairs[qp];
        pair.receiver = ReceiverId::COMPLETE;
        let receiver = self.receivers.remove(slot);
        let (reordered, extent) = receiver.map_or((0, 0), |receiver| receiver.received.reordering());
        net.events.tell(Effect::Delivered {
            task: pair.task,
            reordered,
            extent,
        });
    }

    /// A sender asks for credits, unaware of those or of acknowledgements that were lost.
    pub(super) fn credit_requested<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, packet: &Packet) {
        let pair = net.pairs[packet.qp];
        let slot = match pair.receiver {
            ReceiverId::COMPLETE => return answer(net, packet, Kind::Ack, pair.packets),
            ReceiverId::NONE => self.open_receiver(net, packet.qp),
            slot => slot,
        };
        if let Some(credits) = &mut self.credits {
            credits.note_target(net, self.receivers.at(slot), packet);
        }
    }

    /// A host may send its next credit.
    pub(super) fn send_credit<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, host: HostId) {
        if let Some(credits) = &mut self.credits {
            credits.send(net, &mut self.receivers, host);
        }
    }
}

/// Sends an acknowledgement, a NACK or a notification for a packet back to its sender.
fn answer<Q: EventQueue>(net: &mut Network<'_, Q>, data: &Packet, kind: Kind, cumulative: u32) {
    if !net.terms.acknowledged {
        return;
    }
    let mut packet = Packet {
        kind,
        size: net.setup.packet.ack.0 as u16,
        flags: data.flags & (MARKED | RESENT | BOUNDED) | net.terms.control_flags,
        behind: u16::MAX,
        ..*data
    };
    if kind == Kind::Ack {
        packet.set_cumulative(cumulative);
    }
    net.send_control(packet);
}
