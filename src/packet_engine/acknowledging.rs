//! What senders do with the answers of their receivers, and without them.

use super::ids::SenderId;
use super::network::Network;
use super::packet::{BOUNDED, Kind, MARKED, Packet, RESENT};
use super::paths::{chance, group, named_paths};
use super::queue::EventQueue;
use super::sending::Sending;
use super::transport::{CongestionControl, Feedback};
use crate::ids::{Id, SubflowId};
use crate::path_selection::{AckInfo, Select};

impl Sending {
    /// An acknowledgement reaches the sender.
    pub(super) fn ack_arrived<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, packet: &Packet) {
        let slot = net.pairs[packet.qp].sender;
        if slot == SenderId::NONE {
            return;
        }
        let pinned = net.pairs[packet.qp].pinned;
        let (now, full) = (net.events.now, net.terms.full);
        let rtt = net.terms.stamps.since(now, packet.stamp);
        let sender = self.senders.at(slot);
        sender.rtt = rtt;
        let mut new = 0;
        if net.terms.ack_every > 0 {
            sender.heard_at = now;
            new = net.reports.take(packet.qp, packet.seq, &mut sender.sent);
        }
        new += sender.sent.acknowledge(packet.seq, packet.cumulative());
        let next = sender.sent.next();
        if let Some(hops) = net.telemetry.as_mut().and_then(|telemetry| telemetry.take(packet)) {
            sender.control.on_telemetry(&hops);
        }
        sender.control.on_ack(&Feedback {
            now,
            rtt,
            marked: packet.has(MARKED),
            bytes: u64::from(new) * full,
            in_flight: u64::from(sender.sent.in_flight()) * full,
            seq: packet.seq,
            unacknowledged: sender.sent.cumulative(),
            next,
        });
        sender.spread.on_ack(AckInfo {
            rtt,
            path: packet.path,
            marked: packet.has(MARKED),
            seq: packet.seq,
            next,
        });
        if new > 0 {
            sender.progress(now, rtt);
        }
        if let Some(experience) = &mut self.experience {
            let (ends, fabric) = (net.pairs[packet.qp].ends, net.fabric());
            let (src, dst) = (ends.src.node(), ends.dst.node());
            let paths = named_paths(fabric, src, dst);
            if paths > 1 {
                experience.acknowledged(group(fabric, src, dst, paths), packet.path, packet.has(MARKED), rtt);
            }
        }
        if sender.sent.is_done() {
            return self.remove_sender(net, packet.qp, slot);
        }
        let lost = match pinned {
            true => sender.sent.infer_losses(packet.seq),
            false if sender.order.is_some() => self.judge_order(net, slot, packet, rtt),
            false => 0,
        };
        if lost > 0 {
            self.senders.at(slot).hear_of_loss(now, packet.seq, lost, full, false);
            self.request_replacement(net, slot);
        }
        self.mark_ready(net, slot);
    }

    /// Finds losses of a sprayed flow by the order of its packets; returns how many.
    fn judge_order<Q: EventQueue>(&mut self, net: &Network<'_, Q>, slot: SenderId, ack: &Packet, rtt: u64) -> u32 {
        let (sent_at, resent) = (net.events.now - rtt.min(net.events.now), ack.has(RESENT));
        let fixed = net.setup.packet.reordering;
        let sender = self.senders.at(slot);
        let window = fixed.map_or(sender.timeout.round_trip(), |time| time.0);
        let Some(order) = &mut sender.order else { return 0 };
        let verdict = order.heard(ack.seq, sent_at, resent, window);
        match verdict.first > 0 || verdict.again {
            true => sender.sent.judge(verdict.first, verdict.again),
            false => 0,
        }
    }

    /// A packet was trimmed, or is missing in go-back-N.
    pub(super) fn nack_arrived<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, packet: &Packet) {
        let pair = net.pairs[packet.qp];
        if pair.sender == SenderId::NONE {
            return;
        }
        let in_order_only = net.in_order_only(pair.pinned);
        if self.exhausts_retries(net, pair.sender) {
            return;
        }
        let (now, full) = (net.events.now, net.terms.full);
        let sender = self.senders.at(pair.sender);
        let lost = if in_order_only {
            // All before the one that it asks for has arrived.
            if sender.sent.acknowledge_below(packet.seq) > 0 {
                (sender.timeouts, sender.patience) = (0, 0);
            }
            sender.sent.go_back()
        } else {
            sender.spread.on_trimmed(packet.path, now);
            if !packet.has(BOUNDED) {
                sender.control.on_extra_credit();
            }
            u32::from(sender.sent.lose(packet.seq))
        };
        if lost > 0 {
            sender.hear_of_loss(now, packet.seq, lost, full, !in_order_only);
            // A receiver that answers is no reason to take all that is in flight for lost.
            sender.deadline = now.saturating_add(sender.timeout.wait(0));
            sender.timer_seq = sender.sent.next();
            self.request_replacement(net, pair.sender);
        }
        self.mark_ready(net, pair.sender);
    }

    /// Whether a sender has given up. One that only hears of lost packets, for as long as a timeout would take to run
    /// out, has used up a try as if it had heard nothing.
    fn exhausts_retries<Q: EventQueue>(&mut self, net: &Network<'_, Q>, slot: SenderId) -> bool {
        if net.terms.rto.is_none() {
            return false;
        }
        let now = net.events.now;
        let sender = self.senders.at(slot);
        if now >= sender.patience {
            sender.timeouts += u32::from(sender.patience > 0);
            sender.patience = now.saturating_add(sender.timeout.wait(sender.timeouts));
        }
        sender.timeouts > net.setup.packet.retries
    }

    /// The retransmission timer: runs on where something was heard, else everything that old is lost.
    pub(super) fn timeout<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, qp: SubflowId) {
        let slot = net.pairs[qp].sender;
        if slot == SenderId::NONE {
            return;
        }
        let now = net.events.now;
        let in_order_only = net.in_order_only(net.pairs[qp].pinned);
        let tries = self.senders.at(slot).timeouts + 1;
        let chance = chance(net, qp, tries);
        let sender = self.senders.at(slot);
        let time = sender.deadline;
        if time > now {
            return net.events.await_timeout(time, qp);
        }
        sender.timing = false;
        let in_flight = sender.sent.in_flight() > 0;
        if !in_flight && !self.waits_for_credit(slot) {
            return self.mark_ready(net, slot);
        }
        let sender = self.senders.at(slot);
        sender.timeouts = tries;
        if sender.timeouts > net.setup.packet.retries {
            return;
        }
        if in_flight {
            if in_order_only {
                sender.sent.go_back();
            } else {
                sender.sent.lose_before(sender.timer_seq);
            }
            sender.control.on_timeout(now);
            sender.spread.on_timeout(now);
        }
        sender.timing = true;
        sender.timeout.redraw(chance);
        sender.deadline = now.saturating_add(sender.timeout.wait(sender.timeouts));
        sender.timer_seq = sender.sent.next();
        let time = sender.deadline;
        net.events.await_timeout(time, qp);
        if in_flight {
            self.leave_path(net, qp, slot);
        }
        self.request_credit(net, slot);
        self.mark_ready(net, slot);
    }

    /// A congestion notification reaches the sender.
    pub(super) fn notification_arrived<Q: EventQueue>(&mut self, net: &Network<'_, Q>, packet: &Packet) {
        let slot = net.pairs[packet.qp].sender;
        if slot != SenderId::NONE {
            let now = net.events.now;
            self.senders.at(slot).control.on_notification(now);
        }
    }

    /// A credit reaches the sender.
    pub(super) fn credit_arrived<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, packet: &Packet) {
        let slot = net.pairs[packet.qp].sender;
        if slot != SenderId::NONE {
            self.senders.at(slot).control.on_credit(packet.seq);
            self.mark_ready(net, slot);
        }
    }

    /// Whether a sender has packets to send, but no credits.
    fn waits_for_credit(&mut self, slot: SenderId) -> bool {
        let sender = self.senders.at(slot);
        self.quanta.is_some() && sender.sent.has_more() && sender.control.lacks_credit()
    }

    /// A sender that has heard of losses asks for credits, where neither a credit that it expects nor a packet that it may still send
    /// would make its need known.
    fn request_replacement<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId) {
        if self.waits_for_credit(slot) && !self.senders.at(slot).control.expects_credit() {
            self.request_credit(net, slot);
        }
    }

    /// Asks for the credits that a sender lacks: it has heard nothing for a timeout, or of losses.
    fn request_credit<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId) {
        if !self.waits_for_credit(slot) {
            return;
        }
        let now = net.events.now;
        let sender = self.senders.at(slot);
        let (qp, path) = (sender.qp, sender.spread.choose(now));
        let target = sender.control.credit_target(sender.sent.backlog());
        let Some(quanta) = &self.quanta else { return };
        let (behind, _) = quanta.state(target);
        let packet = Packet {
            behind,
            path,
            ..net.control_packet(Kind::Request, qp)
        };
        net.send_control(packet);
    }
}
