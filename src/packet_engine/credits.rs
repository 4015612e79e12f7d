//! Receivers that grant: every host paces the credits of all its queue pairs, round robin, at the rate
//! at which it can receive.

use std::collections::VecDeque;

use super::engine::Engine;
use super::packet::{Kind, PRIORITY, Packet};
use super::queue::EventQueue;
use super::queue_pairs::{COMPLETE, NONE};

/// The credits of one host.
#[derive(Debug, Clone, Default)]
pub(super) struct Grants {
    /// Queue pairs with credits to send.
    turns: VecDeque<u32>,
    /// The next credit is not sent before.
    next_at: u64,
    /// An alarm for it is pending.
    pending: bool,
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// A packet, whole or trimmed, entitles its sender to one more, as long as there is more to send.
    /// `useful` says whether it brought data that were missing.
    pub fn entitle(&mut self, qp: u32, slot: u32, packet: &Packet, useful: bool) {
        if self.grants.is_empty() {
            return;
        }
        let total = self.queue_pairs[qp as usize].packets;
        let receiver = self.receivers.at(slot);
        receiver.path = packet.path;
        // What was trimmed, or took the turn of another packet, used up a credit for nothing.
        receiver.granted -= u32::from(!useful);
        if receiver.granted >= total {
            return;
        }
        receiver.granted += 1;
        receiver.owed += 1;
        if receiver.owed == 1 {
            let host = self.queue_pairs[qp as usize].ends.dst;
            self.grants[host as usize].turns.push_back(qp);
            self.await_grant(host);
        }
    }

    fn await_grant(&mut self, host: u32) {
        let grants = &mut self.grants[host as usize];
        if !grants.pending && !grants.turns.is_empty() {
            grants.pending = true;
            let time = grants.next_at.max(self.now);
            self.alarm(time, self.keys.pull_pacer + host, Kind::PullPacer, host);
        }
    }

    /// A host may send its next credit.
    pub fn grant(&mut self, host: u32) {
        self.grants[host as usize].pending = false;
        while let Some(qp) = self.grants[host as usize].turns.pop_front() {
            let slot = self.queue_pairs[qp as usize].receiver;
            if slot == COMPLETE || slot == NONE {
                continue;
            }
            let receiver = self.receivers.at(slot);
            receiver.owed -= 1;
            let mut packet = Packet::alarm(Kind::Pull, qp);
            packet.path = receiver.path;
            if receiver.owed > 0 {
                self.grants[host as usize].turns.push_back(qp);
            }
            let options = self.setup.packet;
            packet.size = options.ack.0 as u16;
            packet.flags = if options.ack_priority { PRIORITY } else { 0 };
            // One full packet per turn, as fast as the slowest of the host's links brings them.
            let links = self.setup.fabric.out_links(crate::ids::NodeId(host)).iter();
            let turn = links.map(|&id| self.links.on_wire(self.setup.fabric.link(id).reverse.0, self.full));
            let turn = turn.filter(|&time| time < u64::MAX).max().unwrap_or(1);
            self.grants[host as usize].next_at = self.now.saturating_add(turn);
            self.send_control(packet);
            break;
        }
        self.await_grant(host);
    }

    /// A credit reaches the sender.
    pub fn credit_arrived(&mut self, packet: Packet) {
        use super::transport::CongestionControl;
        let slot = self.queue_pairs[packet.qp as usize].sender;
        if slot != NONE {
            self.senders.at(slot).control.on_credit();
            self.offer(slot);
        }
    }
}
