//! What hosts do with flows: open their queue pairs, take packets in, acknowledge, recover, finish.

use super::engine::Engine;
use super::forwarding::Next;
use super::options::PacketOptions;
use super::packet::{Event, Kind, MARKED, PRIORITY, Packet, TRIMMED, since};
use super::path_selection::{Choice, Heard, Spread};
use super::queue::EventQueue;
use super::queue_pairs::{COMPLETE, NONE, Receiver, Sender};
use super::recovery::{Arrival, Received, Sent};
use super::transport::{Conditions, CongestionControl, Feedback};
use super::unloaded;
use crate::ids::{LinkId, NodeId, TaskId};
use crate::placement::path_weights;
use crate::rng::mix;
use crate::topology::Fabric;
use crate::units::{Rate, Time};
use crate::workload::Moment;

/// Packets that a queue pair without a window may have between the first missing one and the last.
const LEAST_SPAN: u64 = 64;
const MOST_SPAN: u64 = 1 << 14;
/// A timeout is at most doubled so often.
const MOST_BACKOFF: u32 = 6;

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
        let span = match self.acknowledged {
            true => self.span(&conditions, pair.packets),
            false => 1,
        };
        let control = self.setup.transport.control(&conditions);
        let spread = self.spread(qp, &conditions);
        let port = match self.forwarding.only_uplink(ends.src) {
            Some(link) => self.nics.port_of(link),
            None => NONE,
        };
        let slot = self.senders.insert(Sender {
            qp,
            port,
            chosen: None,
            sent: Sent::new(pair.packets, span),
            control,
            spread,
            next_at: self.now,
            deadline: 0,
            timer_seq: 0,
            timeouts: 0,
            retransmits: 0,
            ready: false,
            pacing: false,
            timing: false,
        });
        self.queue_pairs[qp as usize].sender = slot;
        self.offer(slot);
    }

    /// How a queue pair chooses its paths. Where switches decide it does not.
    pub fn spread(&self, qp: u32, conditions: &Conditions) -> Spread {
        let ends = self.queue_pairs[qp as usize].ends;
        if ends.base == NONE {
            return Spread::Fixed;
        }
        let route = self.setup.placement.pieces()[qp as usize].route;
        let choice = Choice {
            paths: self.fabric().path_count(NodeId(ends.src), NodeId(ends.dst)),
            window: (conditions.bdp / conditions.full) as u32,
            weights: &|| path_weights(self.fabric(), NodeId(ends.src), NodeId(ends.dst)),
            salt: mix(mix(self.setup.seed ^ 0x5917_ead0) ^ u64::from(qp)),
        };
        Spread::new(self.setup.load_balancing, route, &choice)
    }

    /// What a queue pair finds on its path, or on the fastest where it has several.
    pub fn conditions(&self, qp: u32) -> Conditions {
        Conditions {
            share: self.shares.get(qp as usize).copied(),
            ..self.on_path(qp)
        }
    }

    fn on_path(&self, qp: u32) -> Conditions {
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
            Some(port) => std::slice::from_ref(port),
            None => fabric.next_hops(src, dst),
        };
        let rate = line_rate(fabric, ports);
        let of = |path: &[LinkId]| unloaded::conditions(fabric, path, rate, options, trimming);
        let own = of(&path);
        if pinned || self.equal_links {
            return own;
        }
        let others = (0..paths.min(super::PATHS_LOOKED_AT)).map(|index| of(&fabric.path(src, dst, index)));
        others.fold(own, |best, other| Conditions {
            longest_rtt: best.longest_rtt.max(other.longest_rtt),
            ..if other.rtt < best.rtt { other } else { best }
        })
    }

    /// How many packets the two ends of a queue pair tell apart: four windows, or the whole flow, as where there
    /// is no window.
    fn span(&self, conditions: &Conditions, packets: u32) -> u32 {
        if !self.acknowledged {
            return packets.next_power_of_two();
        }
        let windows = (4 * conditions.bdp / conditions.full).clamp(LEAST_SPAN, MOST_SPAN) as u32;
        windows.next_power_of_two().min(packets.next_power_of_two())
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
        if packet.has(TRIMMED) {
            self.entitle(qp, slot, &packet, false);
            return self.answer(packet, Kind::Nack, 0);
        }
        let received = &mut self.receivers.at(slot).received;
        let arrival = received.accept(packet.seq);
        let (cumulative, count) = (received.cumulative(), received.count());
        self.entitle(qp, slot, &packet, arrival == Arrival::New);
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
        self.answer(packet, Kind::Ack, cumulative);
        if complete && arrival == Arrival::New {
            self.piece_delivered(qp, slot);
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

    fn open_receiver(&mut self, qp: u32) -> u32 {
        let conditions = self.conditions(qp);
        let pair = self.queue_pairs[qp as usize];
        let span = self.span(&conditions, pair.packets);
        let received = Received::new(span, self.in_order_only(pair.pinned));
        let slot = self.receivers.insert(Receiver {
            received,
            granted: self.setup.transport.credits(&conditions).unwrap_or(0),
            owed: 0,
            path: 0,
            notifies_from: 0,
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

    /// Sends an acknowledgement or a NACK for a data packet back to its sender.
    fn answer(&mut self, data: Packet, kind: Kind, cumulative: u32) {
        if !self.acknowledged {
            return;
        }
        let options: &PacketOptions = self.setup.packet;
        let mut packet = Packet {
            kind,
            size: options.ack.0 as u16,
            flags: data.flags & MARKED | if options.ack_priority { PRIORITY } else { 0 },
            behind: u16::MAX,
            ..data
        };
        if kind == Kind::Ack {
            packet.set_cumulative(cumulative);
        }
        self.send_control(packet);
    }

    /// Puts a control packet of the receiver on its way to the sender.
    pub fn send_control(&mut self, packet: Packet) {
        let ends = self.queue_pairs[packet.qp as usize].ends;
        let (link, path) = match self.forwarding.only_uplink(ends.dst) {
            Some(link) => (link, packet.path),
            None => self.first_link(&packet),
        };
        if link != NONE {
            self.transmit(link, NONE, &packet, path);
        }
    }

    /// The last packet of a piece has arrived.
    fn piece_delivered(&mut self, qp: u32, slot: u32) {
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
            self.happened(task, Moment::Delivered);
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
        let (now, full, rto) = (self.now, self.full, self.rto);
        let sender = self.senders.at(slot);
        let new = sender.sent.acknowledge(packet.seq, packet.cumulative());
        let next = sender.sent.next();
        sender.control.on_ack(&Feedback {
            now,
            rtt: since(now, packet.stamp),
            marked: packet.has(MARKED),
            bytes: u64::from(new) * full,
            in_flight: u64::from(sender.sent.in_flight()) * full,
            seq: packet.seq,
            unacknowledged: sender.sent.cumulative(),
            next,
        });
        sender.spread.on_ack(Heard {
            path: packet.path,
            marked: packet.has(MARKED),
            seq: packet.seq,
            next,
        });
        if new > 0 {
            sender.timeouts = 0;
            sender.deadline = now.saturating_add(rto.unwrap_or(0));
            sender.timer_seq = next;
        }
        if sender.sent.is_done() {
            return self.finish(packet.qp, slot);
        }
        if pinned {
            let lost = sender.sent.infer_losses(packet.seq);
            sender.hear_of_loss(now, packet.seq, lost, full, false);
        }
        self.offer(slot);
    }

    /// A packet was trimmed, or is missing in go-back-N.
    pub fn nack_arrived(&mut self, packet: Packet) {
        let pair = self.queue_pairs[packet.qp as usize];
        if pair.sender == NONE {
            return;
        }
        let in_order_only = self.in_order_only(pair.pinned);
        let (now, full, rto) = (self.now, self.full, self.rto.unwrap_or(0));
        let sender = self.senders.at(pair.sender);
        let lost = if in_order_only {
            sender.sent.acknowledge(0, packet.seq);
            sender.sent.go_back()
        } else {
            sender.spread.on_trimmed(packet.path);
            u32::from(sender.sent.lose(packet.seq))
        };
        if lost > 0 {
            sender.hear_of_loss(now, packet.seq, lost, full, !in_order_only);
            // A receiver that answers is no reason for a timeout.
            sender.deadline = now.saturating_add(rto);
            sender.timer_seq = sender.sent.next();
        }
        self.offer(pair.sender);
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
        self.happened(task, Moment::Acked);
    }

    /// The sending end of a queue pair is no longer needed.
    pub fn remove_sender(&mut self, qp: u32, slot: u32) {
        let pair = &mut self.queue_pairs[qp as usize];
        pair.sender = NONE;
        let Some(sender) = self.senders.remove(slot) else {
            return;
        };
        self.flows[pair.task as usize].retransmits += sender.retransmits;
        if sender.ready {
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
        let Some(rto) = self.rto else { return };
        let now = self.now;
        let sender = self.senders.at(slot);
        if !sender.timing {
            sender.timing = true;
            sender.deadline = now.saturating_add(rto);
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
        let (now, rto) = (self.now, self.rto.unwrap_or(0));
        let sender = self.senders.at(slot);
        if sender.deadline > now {
            let time = sender.deadline;
            return self.await_timeout(time, qp);
        }
        sender.timing = false;
        if sender.sent.in_flight() == 0 {
            // Only a sender whose credits were lost can be idle with work to do.
            if !sender.ready && !sender.pacing {
                sender.control.on_timeout(now);
            }
            return self.offer(slot);
        }
        sender.timeouts += 1;
        if sender.timeouts > self.setup.packet.retries {
            return;
        }
        sender.sent.lose_before(sender.timer_seq);
        sender.control.on_timeout(now);
        sender.spread.on_timeout(now);
        sender.timing = true;
        sender.deadline = now.saturating_add(rto.saturating_mul(1 << sender.timeouts.min(MOST_BACKOFF)));
        sender.timer_seq = sender.sent.next();
        let time = sender.deadline;
        self.await_timeout(time, qp);
        self.leave_path(qp, slot);
        self.offer(slot);
    }
}
