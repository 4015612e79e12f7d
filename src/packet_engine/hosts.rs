//! What hosts do with flows: open their queue pairs, take packets in, acknowledge, recover, finish.

use std::borrow::Cow;

use super::coalescing::Untold;
use super::engine::Engine;
use super::forwarding::Next;
use super::packet::{BOUNDED, Event, Kind, MARKED, Packet, RESENT, TRIMMED};
use super::path_selection::{AckInfo, Choice, PathSelector};
use super::queue::EventQueue;
use super::queue_pairs::{COMPLETE, NONE, Receiver, Sender};
use super::recovery::{Arrival, Received, Sent, Timeout};
use super::transport::{CongestionControl, Control, Feedback, PathProperties};
use super::unloaded;
use crate::ids::{LinkId, NodeId, TaskId};
use crate::rng::mix;
use crate::routes::path_weights;
use crate::topology::Fabric;
use crate::units::{Rate, Time};
use crate::workload::Milestone;

/// Packets that any queue pair may have between the first missing one and the last.
const LEAST_SPAN: u64 = 64;
/// The same for one with a window, in largest windows.
const SPAN_WINDOWS: u64 = 4;
/// A retransmission timeout is not below so many unloaded round trips.
const LEAST_ROUND_TRIPS: u64 = 3;

/// What the ports of a host send together.
pub(super) fn line_rate(fabric: &Fabric, ports: &[LinkId]) -> Rate {
    let rates = ports.iter().map(|&port| fabric.link(port).rate);
    rates.fold(Rate::ZERO, Rate::saturating_add)
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// A transfer starts: its queue pairs open, after their jitter.
    pub fn start_flow(&mut self, task: TaskId) {
        let first = self.setup.placement.first(task);
        let count = self.setup.placement.of(task).len();
        let flow = &mut self.flows[task.index()];
        flow.started = true;
        flow.start = self.now;
        flow.unsent = count as u32;
        flow.undelivered = count as u32;
        flow.unacked = count as u32;
        let jitter = self.setup.packet.start_jitter.0;
        for qp in first..first + count {
            let qp = qp as u32;
            if jitter == 0 {
                self.open(qp);
                continue;
            }
            let draw = u128::from(mix(mix(self.setup.seed ^ 0x7177) ^ u64::from(qp)));
            let delay = ((draw * u128::from(jitter + 1)) >> 64) as u64;
            self.alarm(self.now.saturating_add(delay), self.keys.start + qp, Kind::Start, qp);
        }
    }

    /// A queue pair may be served, or waits until its host serves fewer.
    pub fn open(&mut self, qp: u32) {
        if self.nics.admit(self.queue_pairs[qp as usize].ends.src, qp) {
            self.activate(qp);
        }
    }

    /// Makes the sending end of a queue pair.
    fn activate(&mut self, qp: u32) {
        self.avoid_bad_path(qp);
        let conditions = self.conditions(qp);
        let ends = self.queue_pairs[qp as usize].ends;
        let pair = self.queue_pairs[qp as usize];
        let control = self.setup.transport.control(&conditions);
        let span = match self.acknowledged {
            true => self.span(&control, pair.packets),
            false => 1,
        };
        let timeout = self.timeout_on(qp, &conditions);
        let spread = self.spread(qp, &conditions);
        let port = match self.forwarding.only_uplink(ends.src) {
            Some(link) => self.nics.port_of(link),
            None => NONE,
        };
        let lanes = self.lanes(qp, &spread);
        let slot = self.senders.insert(Sender {
            qp,
            port,
            lanes,
            sent: Sent::new(pair.packets, span),
            control,
            spread,
            next_at: self.now,
            timeout,
            order: (self.drops && !pair.pinned).then(Box::default),
            deadline: 0,
            rtt: 0,
            timer_seq: 0,
            timeouts: 0,
            patience: 0,
            retransmits: 0,
            untold: (self.ack_every > 0).then(|| Box::new(Untold::new(self.now))),
            ready: false,
            pacing: false,
            timing: false,
        });
        self.queue_pairs[qp as usize].sender = slot;
        self.mark_ready(slot);
    }

    /// How a queue pair chooses its paths. Where switches decide it does not.
    pub fn spread(&self, qp: u32, conditions: &PathProperties) -> PathSelector {
        let ends = self.queue_pairs[qp as usize].ends;
        if ends.base == NONE {
            return PathSelector::Fixed;
        }
        let route = self.setup.placement.subflows()[qp as usize].route;
        let choice = Choice {
            paths: self.fabric().path_count(NodeId(ends.src), NodeId(ends.dst)),
            window: (conditions.bdp / conditions.full) as u32,
            weights: &|| path_weights(self.fabric(), NodeId(ends.src), NodeId(ends.dst)),
            salt: mix(mix(self.setup.seed ^ 0x5917_ead0) ^ u64::from(qp)),
        };
        PathSelector::new(self.setup.load_balancing, route, &choice)
    }

    /// What a queue pair finds on its path, or on the fastest where it has several.
    pub fn conditions(&self, qp: u32) -> PathProperties {
        PathProperties {
            share: self.shares.get(qp as usize).copied(),
            ..self.on_path(qp)
        }
    }

    fn on_path(&self, qp: u32) -> PathProperties {
        let ends = self.queue_pairs[qp as usize].ends;
        let (src, dst) = (NodeId(ends.src), NodeId(ends.dst));
        // A pair that is cut off remembers the paths it once had.
        let fabric = match self.fabric().path_count(src, dst) {
            0 => self.setup.fabric,
            _ => self.fabric(),
        };
        let paths = fabric.path_count(src, dst);
        let base = if ends.base < paths { ends.base } else { 0 };
        let (options, trimming) = (self.setup.packet, self.trimming);
        let path = fabric.path(src, dst, base);
        let pinned = self.queue_pairs[qp as usize].pinned;
        let ports = match path.first().filter(|_| pinned) {
            Some(port) => Cow::Borrowed(std::slice::from_ref(port)),
            None => fabric.next_hops(src, dst),
        };
        let rate = line_rate(fabric, &ports);
        let of = |path: &[LinkId]| unloaded::conditions(fabric, path, rate, options, trimming);
        let own = of(&path);
        if pinned || self.equal_links {
            return own;
        }
        let others = (0..paths.min(super::PATHS_LOOKED_AT)).map(|index| of(&fabric.path(src, dst, index)));
        let best = others.fold(own, |best, other| PathProperties {
            longest_rtt: best.longest_rtt.max(other.longest_rtt),
            ..if other.rtt < best.rtt { other } else { best }
        });
        match ports.len() {
            0 | 1 => best,
            // What the slowest port sends must fit the window, too.
            _ => PathProperties {
                bdp: unloaded::bdp(rate, best.longest_rtt, best.full),
                ..best
            },
        }
    }

    /// How many packets the two ends of a queue pair tell apart: four of the largest windows, or the whole flow, as
    /// where there is no window.
    fn span(&self, control: &Control, packets: u32) -> u32 {
        let windows = (control.largest_window() / self.full).saturating_mul(SPAN_WINDOWS);
        let span = windows.max(LEAST_SPAN).min(u64::from(packets));
        (span as u32).next_power_of_two()
    }

    /// The retransmission timeout of a queue pair under what it finds.
    pub fn timeout_on(&self, qp: u32, conditions: &PathProperties) -> Timeout {
        let rtt = conditions.longest_rtt;
        let least = match self.setup.packet.rto {
            Some(rto) => rto.0,
            None => self.rto.unwrap_or(0).max(LEAST_ROUND_TRIPS.saturating_mul(rtt)),
        };
        Timeout::new(least, rtt, self.chance(qp, 0))
    }

    /// What a queue pair's timeout draws after `tries` timeouts in a row.
    fn chance(&self, qp: u32, tries: u32) -> u64 {
        mix(mix(self.setup.seed ^ 0x7140_11e5) ^ mix(self.now) ^ (u64::from(tries) << 32 | u64::from(qp)))
    }

    /// The link by which a packet leaves a host with several ports, and the number of its path so far.
    pub fn first_link(&mut self, packet: &Packet) -> (u32, u16) {
        let (host, _) = self.ends(packet.qp, packet.kind);
        match self.next_hop(host, packet) {
            Next::Only(link) => (link, packet.path),
            Next::OneOf(cell) => self.choose(host, cell, packet.qp, packet.kind),
            Next::Arrived | Next::Lost => (NONE, packet.path),
        }
    }

    /// Payload, or what trimming left of it, reaches its receiver.
    pub fn data_arrived(&mut self, packet: Packet) {
        let qp = packet.qp;
        let pair = self.queue_pairs[qp as usize];
        if pair.receiver == COMPLETE {
            return self.answer(packet, Kind::Ack, pair.packets);
        }
        let slot = match pair.receiver {
            NONE => self.open_receiver(qp),
            slot => slot,
        };
        if packet.has(MARKED) {
            self.notify(slot, &packet);
        }
        if self.credits.is_some() {
            self.note_target(qp, slot, &packet);
        }
        if packet.has(TRIMMED) {
            return self.answer(packet, Kind::Nack, 0);
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
                    ..packet
                };
                self.answer(missing, Kind::Nack, 0);
            }
            return;
        }
        let complete = count == pair.packets;
        self.note_path(&packet, pair.task);
        if self.ack_every == 0 || self.reports(slot, &packet, arrival, complete, before) {
            self.answer(packet, Kind::Ack, cumulative);
        }
        if count == 1 && arrival == Arrival::New {
            self.begun(pair.task);
        }
        if complete && arrival == Arrival::New {
            self.subflow_delivered(qp, slot);
        }
    }

    /// Remembers which path data took, where flows are observed.
    fn note_path(&mut self, packet: &Packet, task: u32) {
        let Some(bits) = self.paths_taken.get_mut(task as usize) else {
            return;
        };
        let ends = self.queue_pairs[packet.qp as usize].ends;
        let base = if ends.base == NONE { 0 } else { ends.base };
        let paths = self.setup.fabric.path_count(NodeId(ends.src), NodeId(ends.dst));
        let path = ((base + u32::from(packet.path)) % paths.max(1)) as usize;
        if bits.len() <= path / 64 {
            bits.resize(path / 64 + 1, 0);
        }
        bits[path / 64] |= 1 << (path % 64);
    }

    pub fn open_receiver(&mut self, qp: u32) -> u32 {
        let pair = self.queue_pairs[qp as usize];
        // A sender that hears of nothing may be gone already.
        let span = match self.senders.get(pair.sender) {
            Some(sender) if self.acknowledged => sender.sent.span(),
            _ => pair.packets.next_power_of_two(),
        };
        let received = Received::new(span, self.in_order_only(pair.pinned));
        let slot = self.receivers.insert(Receiver {
            received,
            pulled: 0,
            target: 0,
            path: 0,
            notifies_from: 0,
            in_turn: false,
            unreported: (self.ack_every > 0).then(Box::default),
        });
        self.queue_pairs[qp as usize].receiver = slot;
        slot
    }

    /// A marked packet arrived: the receiver may have to tell its sender, and not too often.
    fn notify(&mut self, slot: u32, data: &Packet) {
        let Some(interval) = self.notification_interval else {
            return;
        };
        let receiver = self.receivers.at(slot);
        if receiver.notifies_from > self.now {
            return;
        }
        receiver.notifies_from = self.now.saturating_add(interval);
        self.answer(*data, Kind::Notification, 0);
    }

    /// A congestion notification reaches the sender.
    pub fn notification_arrived(&mut self, packet: Packet) {
        let slot = self.queue_pairs[packet.qp as usize].sender;
        if slot != NONE {
            let now = self.now;
            self.senders.at(slot).control.on_notification(now);
        }
    }

    /// Sends an acknowledgement, a NACK or a notification for a packet back to its sender.
    pub fn answer(&mut self, data: Packet, kind: Kind, cumulative: u32) {
        if !self.acknowledged {
            return;
        }
        let mut packet = Packet {
            kind,
            size: self.setup.packet.ack.0 as u16,
            flags: data.flags & (MARKED | RESENT | BOUNDED) | self.control_flags,
            behind: u16::MAX,
            ..data
        };
        if kind == Kind::Ack {
            packet.set_cumulative(cumulative);
        }
        self.send_control(packet);
    }

    /// Puts a control packet of either end on its way to the other.
    pub fn send_control(&mut self, packet: Packet) {
        let (from, _) = self.ends(packet.qp, packet.kind);
        let (link, path) = match self.forwarding.only_uplink(from) {
            Some(link) => (link, packet.path),
            None => self.first_link(&packet),
        };
        if link != NONE {
            self.transmit(link, NONE, &packet, path);
        }
    }

    /// The first packet of a sub-flow has arrived.
    fn begun(&mut self, task: u32) {
        let flow = &mut self.flows[task as usize];
        if !std::mem::replace(&mut flow.begun, true) && self.setup.schedule.awaits(TaskId(task), Milestone::Begun) {
            self.happened(task, Milestone::Begun);
        }
    }

    /// The last packet of a sub-flow has arrived.
    fn subflow_delivered(&mut self, qp: u32, slot: u32) {
        let task = self.queue_pairs[qp as usize].task;
        self.queue_pairs[qp as usize].receiver = COMPLETE;
        let flow = &mut self.flows[task as usize];
        if let Some(receiver) = self.receivers.remove(slot) {
            let (reordered, extent) = receiver.received.reordering();
            flow.reordered += reordered;
            flow.extent = flow.extent.max(extent);
        }
        flow.undelivered -= 1;
        if flow.undelivered == 0 {
            flow.delivered = self.now;
            self.cct = self.cct.max(self.now);
            self.fcts.push(Time(self.now - flow.start));
            self.happened(task, Milestone::Delivered);
            if !self.acknowledged {
                self.end(task);
            }
        }
    }

    /// An acknowledgement reaches the sender.
    pub fn ack_arrived(&mut self, packet: Packet) {
        let slot = self.queue_pairs[packet.qp as usize].sender;
        if slot == NONE {
            return;
        }
        let pinned = self.queue_pairs[packet.qp as usize].pinned;
        let (now, full) = (self.now, self.full);
        let rtt = self.stamps.since(now, packet.stamp);
        let sender = self.senders.at(slot);
        sender.rtt = rtt;
        let new = sender.acknowledge(&packet, now);
        let next = sender.sent.next();
        if let Some(hops) = self.telemetry.as_mut().and_then(|telemetry| telemetry.take(&packet)) {
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
        if sender.sent.is_done() {
            return self.finish(packet.qp, slot);
        }
        let lost = match pinned {
            true => sender.sent.infer_losses(packet.seq),
            false if sender.order.is_some() => self.judge_order(slot, &packet, rtt),
            false => 0,
        };
        if lost > 0 {
            self.senders.at(slot).hear_of_loss(now, packet.seq, lost, full, false);
            self.request_replacement(slot);
        }
        self.mark_ready(slot);
    }

    /// Finds losses of a sprayed flow by the order of its packets; returns how many.
    fn judge_order(&mut self, slot: u32, ack: &Packet, rtt: u64) -> u32 {
        let (sent_at, resent) = (self.now - rtt.min(self.now), ack.has(RESENT));
        let fixed = self.setup.packet.reordering;
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
    pub fn nack_arrived(&mut self, packet: Packet) {
        let pair = self.queue_pairs[packet.qp as usize];
        if pair.sender == NONE {
            return;
        }
        let in_order_only = self.in_order_only(pair.pinned);
        if self.exhausts_retries(pair.sender) {
            return;
        }
        let (now, full) = (self.now, self.full);
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
            self.request_replacement(pair.sender);
        }
        self.mark_ready(pair.sender);
    }

    /// Whether a sender has given up. One that only hears of lost packets, for as long as a timeout would take to run
    /// out, has used up a try as if it had heard nothing.
    fn exhausts_retries(&mut self, slot: u32) -> bool {
        if self.rto.is_none() {
            return false;
        }
        let now = self.now;
        let sender = self.senders.at(slot);
        if now >= sender.patience {
            sender.timeouts += u32::from(sender.patience > 0);
            sender.patience = now.saturating_add(sender.timeout.wait(sender.timeouts));
        }
        sender.timeouts > self.setup.packet.retries
    }

    /// All data of a queue pair has been acknowledged.
    fn finish(&mut self, qp: u32, slot: u32) {
        self.remove_sender(qp, slot);
        let task = self.queue_pairs[qp as usize].task;
        let flow = &mut self.flows[task as usize];
        flow.unacked -= 1;
        if flow.unacked == 0 {
            self.end(task);
        }
        self.serve_another(qp);
    }

    /// A transfer is over for its sender.
    fn end(&mut self, task: u32) {
        let flow = &mut self.flows[task as usize];
        flow.unacked = 0;
        flow.acked = self.now;
        self.unfinished -= 1;
        if self.unfinished == 0 {
            self.limits.look_at = 0;
        }
        self.happened(task, Milestone::Acked);
    }

    /// The sending end of a queue pair is no longer needed.
    pub fn remove_sender(&mut self, qp: u32, slot: u32) {
        let pair = &mut self.queue_pairs[qp as usize];
        pair.sender = NONE;
        let Some(sender) = self.senders.remove(slot) else {
            return;
        };
        self.flows[pair.task as usize].retransmits += sender.retransmits;
        if sender.ready || sender.ports() > 1 {
            let links = self.setup.fabric.out_links(NodeId(pair.ends.src));
            self.nics.delist(links, slot);
        }
    }

    /// The host of a queue pair that is done serves the next that waits.
    pub fn serve_another(&mut self, qp: u32) {
        if let Some(next) = self.nics.leave(self.queue_pairs[qp as usize].ends.src) {
            self.activate(next);
        }
    }

    /// Makes sure that the retransmission timer of a sender with packets in flight runs.
    pub fn set_timer(&mut self, slot: u32) {
        if self.rto.is_none() {
            return;
        }
        let now = self.now;
        let sender = self.senders.at(slot);
        if !sender.timing {
            sender.timing = true;
            sender.deadline = now.saturating_add(sender.timeout.wait(0));
            sender.timer_seq = sender.sent.next();
            let (time, qp) = (sender.deadline, sender.qp);
            self.await_timeout(time, qp);
        }
    }

    fn await_timeout(&mut self, time: u64, qp: u32) {
        let (key, packet) = (self.keys.timeout + qp, Packet::alarm(Kind::Timeout, qp));
        self.queue.push_timer(Event { time, key, packet });
    }

    /// The retransmission timer: runs on where something was heard, else everything that old is lost.
    pub fn timeout(&mut self, qp: u32) {
        let slot = self.queue_pairs[qp as usize].sender;
        if slot == NONE {
            return;
        }
        let now = self.now;
        let in_order_only = self.in_order_only(self.queue_pairs[qp as usize].pinned);
        let tries = self.senders.at(slot).timeouts + 1;
        let chance = self.chance(qp, tries);
        let sender = self.senders.at(slot);
        let time = sender.deadline;
        if time > now {
            return self.await_timeout(time, qp);
        }
        sender.timing = false;
        let in_flight = sender.sent.in_flight() > 0;
        if !in_flight && !self.waits_for_credit(slot) {
            return self.mark_ready(slot);
        }
        let sender = self.senders.at(slot);
        sender.timeouts = tries;
        if sender.timeouts > self.setup.packet.retries {
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
        self.await_timeout(time, qp);
        if in_flight {
            self.leave_path(qp, slot);
        }
        self.request_credit(slot);
        self.mark_ready(slot);
    }
}
