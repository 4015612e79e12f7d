//! What network cards do: let the next queue pair send, and time its packets.

use super::events::Effect;
use super::ids::{PortId, SenderId};
use super::network::Network;
use super::nic::LISTED;
use super::packet::{ASKING, Kind, Packet, RESENT};
use super::queue::EventQueue;
use super::sending::Sending;
use super::transport::CongestionControl;
use crate::ids::{Id, LinkId, SubflowId};
use crate::path_selection::Select;
use crate::workload::Milestone;

impl Sending {
    /// A port may take its next data packet.
    pub(super) fn nic_free<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, port: PortId) {
        self.nics.ports[port].pending = false;
        if !self.ends_subflow(net, port) {
            self.poll_tx(net, port);
        }
    }

    /// The last data packet of a port has left its list. Whether effects have yet to poll the port.
    pub(super) fn data_left<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, port: PortId) -> bool {
        self.nics.ports[port].free_at = 0;
        let told = self.ends_subflow(net, port);
        if !told {
            self.poll_tx(net, port);
        }
        told
    }

    /// Whether the packet that has left a port may have been what others wait for: these come first, then the port is polled.
    #[inline(always)]
    fn ends_subflow<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, port: PortId) -> bool {
        let Some(task) = self.nics.ports[port].leaving.take() else {
            return false;
        };
        net.events.tell(Effect::Sent { task });
        net.events.tell(Effect::Poll { port });
        true
    }

    /// Lets a port take a packet from the next queue pair, or wakes it when it can.
    pub(super) fn poll_tx<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, index: PortId) {
        let port = &self.nics.ports[index];
        if port.pending {
            return;
        }
        if port.free_at <= net.events.now {
            while let Some(&slot) = self.nics.ports[index].ready.front() {
                if self.senders.at(slot).may_send(net.events.now, net.terms.full)
                    && let Some(path) = self.next_path(net, slot, index)
                {
                    self.send(net, slot, index, path);
                    break;
                }
                self.delist_first(slot, index);
            }
        }
        let port = &mut self.nics.ports[index];
        let awaited = !port.ready.is_empty() || port.leaving.is_some();
        if awaited && !port.pending && port.free_at != LISTED {
            port.pending = true;
            let (time, link) = (port.free_at, port.link);
            net.events
                .alarm(time, net.events.keys.nic_free + link.0, Kind::NicFree, index.0);
        }
    }

    /// Takes the first sender off the list of a port.
    fn delist_first(&mut self, slot: SenderId, port: PortId) {
        self.nics.ports[port].ready.pop_front();
        let sender = self.senders.at(slot);
        sender.ready = false;
        if let Some(lanes) = &mut sender.lanes {
            lanes.delisted(port);
        }
    }

    /// Lists a sender at its port if it may send; sets an alarm if it only has to wait for its pace.
    pub(super) fn mark_ready<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId) {
        if let Some(port) = self.list(net, slot) {
            self.poll_tx(net, port);
        }
    }

    /// [`Sending::mark_ready`] without asking the port, which it tells if the sender is new there.
    #[inline(always)]
    fn list<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId) -> Option<PortId> {
        let sender = self.senders.at(slot);
        if sender.ready {
            return None;
        }
        if !sender.may_send(net.events.now, net.terms.full) {
            self.set_pace(net, slot);
            return None;
        }
        let port = match &sender.lanes {
            None => sender.port,
            Some(_) => self.port_of_next(net, slot),
        };
        if port == PortId::NONE {
            return None;
        }
        self.senders.at(slot).ready = true;
        self.nics.list(port, slot);
        Some(port)
    }

    fn set_pace<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId) {
        let now = net.events.now;
        let sender = self.senders.at(slot);
        if sender.next_at > now && !sender.pacing && sender.sent.has_more() {
            sender.pacing = true;
            let (time, qp) = (sender.next_at, sender.qp);
            net.events.alarm(time, net.events.keys.pace + qp.0, Kind::Pace, qp.0);
        }
    }

    /// A paced queue pair may send again.
    pub(super) fn pace<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, qp: SubflowId) {
        let slot = net.pairs[qp].sender;
        if slot != SenderId::NONE {
            self.senders.at(slot).pacing = false;
            self.mark_ready(net, slot);
        }
    }

    /// The path of a sender's next packet, which leaves by this port; none where no path leads there.
    #[inline(always)]
    fn next_path<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId, port: PortId) -> Option<u16> {
        let sender = self.senders.at(slot);
        match &sender.lanes {
            None => Some(sender.spread.choose(net.events.now)),
            Some(_) => self.path_from(net, slot, port),
        }
    }

    /// Sends the next packet of a sender that may send, on behalf of [`Sending::poll_tx`].
    fn send<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId, port: PortId, path: u16) {
        let now = net.events.now;
        let sender = self.senders.at(slot);
        let qp = &net.pairs[sender.qp];
        let (seq, resent) = sender.sent.take();
        let is_last = seq + 1 == qp.packets;
        let size = if is_last { qp.last } else { net.terms.full as u16 };
        let (task, several_ports) = (qp.task, sender.lanes.is_some());
        let mut packet = Packet {
            qp: sender.qp,
            seq,
            stamp: net.terms.stamps.of(now),
            path,
            behind: 0,
            size,
            kind: Kind::Data,
            flags: if resent { RESENT } else { 0 },
        };
        if let Some(rate) = sender.control.pace() {
            let since = match sender.control.catches_up() {
                true => sender.next_at,
                false => sender
                    .next_at
                    .max(now.saturating_sub(sender.lateness(rate, net.terms.full))),
            };
            sender.next_at = since.saturating_add((f64::from(size) / rate) as u64);
        }
        sender.control.on_send();
        if let Some(quanta) = &self.quanta {
            let (behind, flag) = quanta.state(sender.control.credit_target(sender.sent.backlog()));
            packet.behind = behind;
            packet.flags |= flag;
        }
        if net.terms.ack_every > 0 && sender.asks(now, net.terms.full) {
            packet.flags |= ASKING;
        }
        if let Some(order) = sender.order.as_mut().filter(|_| resent) {
            order.resend(now);
        }
        sender.retransmits += u32::from(resent);
        self.packets += 1;
        self.retransmits += u64::from(resent);
        self.set_timer(net, slot);
        let link = self.nics.ports[port].link;
        let accepted = net.transmit(link, LinkId::NONE, &packet, path);
        self.nics.ports[port].free_at = match accepted {
            // A dead link takes packets in no time; the port still takes one after the other.
            false => now.saturating_add(self.on_dead_link(net, slot, link, size)),
            true if net.ports.is_empty() => net.links.busy_until(link),
            true => LISTED,
        };
        // By several ports the last packet may leave before others.
        if !resent && (is_last || several_ports) && net.setup.schedule.awaits(task, Milestone::Sent) {
            if !is_last {
                net.events.tell(Effect::Leaving { task });
            }
            self.nics.ports[port].leaving = Some(task);
        }
        self.relist(net, slot, port);
    }

    /// How long a packet takes that is lost on a dead link, in ps: where the host has other ports, as long as it took
    /// before, or the dead one would swallow all.
    #[cold]
    fn on_dead_link<Q: EventQueue>(
        &mut self,
        net: &mut Network<'_, Q>,
        slot: SenderId,
        link: LinkId,
        size: u16,
    ) -> u64 {
        let rate = net.setup.fabric.link(link).rate;
        match self.senders.at(slot).ports() {
            0 | 1 => 1,
            _ if rate.is_zero() => 1,
            _ => rate.transmission_time(u64::from(size)).0,
        }
    }

    /// Lets the first sender of a port's list, which may send more, go to the list's end, if it sends from there again.
    #[inline(always)]
    fn stays<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId, port: PortId) -> bool {
        let several = self.senders.at(slot).lanes.is_some();
        if several && self.senders.at(slot).ports() == 0 {
            return false;
        }
        let ready = &mut self.nics.ports[port].ready;
        if ready.len() > 1 {
            ready.rotate_left(1);
        }
        if several {
            self.list_at_all(net, slot);
        }
        true
    }

    /// The first sender of a port's list has sent a packet: it goes to the end of the list of its next one's port.
    fn relist<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId, port: PortId) {
        let sender = self.senders.at(slot);
        if !net.terms.acknowledged {
            sender.sent.let_go();
        }
        if sender.may_send(net.events.now, net.terms.full) && self.stays(net, slot, port) {
            return;
        }
        let sender = self.senders.at(slot);
        let (qp, is_over) = (sender.qp, sender.sent.is_done());
        self.delist_first(slot, port);
        if is_over {
            self.remove_sender(net, qp, slot);
        } else if let Some(next) = self.list(net, slot).filter(|&next| next != port) {
            self.poll_tx(net, next);
        }
    }

    /// Lists a sprayed sender, which may send, at all of its ports, and lets those that are free take its packets.
    fn list_at_all<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId) {
        let sender = self.senders.at(slot);
        let qp = sender.qp;
        let Some(lanes) = sender.lanes.as_mut().filter(|lanes| lanes.count() > 0) else {
            return;
        };
        lanes.list(slot, &mut self.nics);
        for port in lanes.in_turn() {
            // A sender that nobody answers is gone with its last packet.
            if net.pairs[qp].sender != slot {
                return;
            }
            let sender = self.senders.at(slot);
            if sender.lanes.is_some() && sender.may_send(net.events.now, net.terms.full) {
                self.poll_tx(net, port);
            }
        }
    }

    /// The port of the next packet of a sender whose host has several: the path is chosen now. NONE where it waits at all
    /// of them.
    fn port_of_next<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId) -> PortId {
        let now = net.events.now;
        let sender = self.senders.at(slot);
        let Some(lanes) = &sender.lanes else { return sender.port };
        if lanes.count() > 0 {
            self.list_at_all(net, slot);
            return PortId::NONE;
        }
        let mut packet = Packet::of(Kind::Data, sender.qp);
        packet.path = lanes.chosen.unwrap_or_else(|| sender.spread.choose(now));
        let (link, path) = net.first_link(&packet);
        if let Some(lanes) = &mut self.senders.at(slot).lanes {
            lanes.chosen = Some(path);
        }
        if link == LinkId::NONE {
            PortId::NONE
        } else {
            net.card_of(link).unwrap_or(PortId::NONE)
        }
    }

    /// The sending end of a queue pair is no longer needed: all that it has sent is acknowledged, or nothing will be.
    pub(super) fn remove_sender<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, qp: SubflowId, slot: SenderId) {
        let pair = &mut net.pairs[qp];
        pair.sender = SenderId::NONE;
        let Some(sender) = self.senders.remove(slot) else {
            return;
        };
        let host = pair.ends.src;
        net.reports.forget(qp);
        if sender.ready || sender.ports() > 1 {
            self.nics.delist(net.cards_of(host), slot);
        }
        if net.terms.acknowledged {
            let (task, retransmits) = (net.pairs[qp].task, sender.retransmits);
            net.events.tell(Effect::Acknowledged { task, retransmits });
        }
        net.events.tell(Effect::Closed { host });
    }

    /// Makes sure that the retransmission timer of a sender with packets in flight runs.
    fn set_timer<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId) {
        if net.terms.rto.is_none() {
            return;
        }
        let now = net.events.now;
        let sender = self.senders.at(slot);
        if !sender.timing {
            sender.timing = true;
            sender.deadline = now.saturating_add(sender.timeout.wait(0));
            sender.timer_seq = sender.sent.next();
            let (time, qp) = (sender.deadline, sender.qp);
            net.events.await_timeout(time, qp);
        }
    }
}
