//! Acknowledgements for several packets at a time (`packet.ack_every`).
//!
//! An acknowledgement tells of all packets that have arrived, as a bitmap without limits would: the sender keeps the order in
//! which its packets arrived, and learns of those up to the one that an acknowledgement answers when it comes.

use std::collections::VecDeque;

use super::engine::Engine;
use super::packet::{ASKING, Kind, MARKED, Packet};
use super::queue::EventQueue;
use super::queue_pairs::{NONE, Sender};
use super::recovery::Arrival;
use super::transport::CongestionControl;

/// What a sender has not heard of yet.
#[derive(Debug)]
pub(super) struct Untold {
    /// Packets that have arrived, in that order, and that no acknowledgement has told of.
    arrivals: VecDeque<u32>,
    /// When the last acknowledgement came.
    heard_at: u64,
}

impl Untold {
    pub fn new(now: u64) -> Self {
        Self {
            arrivals: VecDeque::new(),
            heard_at: now,
        }
    }
}

/// What a receiver has not acknowledged yet.
#[derive(Debug, Default)]
pub(super) struct Unreported {
    /// Payload bytes since the last acknowledgement, and the packet that brought the last of them.
    bytes: u64,
    last: Option<Packet>,
}

impl Sender {
    /// Notes what an acknowledgement tells of; returns how many packets are news.
    #[inline]
    pub fn acknowledge(&mut self, packet: &Packet, now: u64) -> u32 {
        let told = match &mut self.untold {
            Some(untold) => {
                untold.heard_at = now;
                self.told_of(packet.seq)
            }
            None => 0,
        };
        told + self.sent.acknowledge(packet.seq, packet.cumulative())
    }

    /// All that arrived up to packet `seq`.
    fn told_of(&mut self, seq: u32) -> u32 {
        let Some(untold) = &mut self.untold else { return 0 };
        let mut new = 0;
        if !self.sent.is_acknowledged(seq) {
            while let Some(arrived) = untold.arrivals.pop_front() {
                new += self.sent.acknowledge(arrived, 0);
                if arrived == seq {
                    break;
                }
            }
        }
        new
    }

    /// Whether the packet just sent asks to be acknowledged at once: no other can follow it, or nothing has been heard
    /// of for longer than round trips take.
    #[inline]
    pub fn asks(&self, now: u64, full: u64) -> bool {
        let Some(untold) = &self.untold else { return false };
        let next = (u64::from(self.sent.in_flight()) + 1) * full;
        let is_last = !self.sent.has_more() || next > self.control.window();
        is_last || now - untold.heard_at >= self.timeout.round_trip()
    }
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// Whether the receiver acknowledges this packet now. What came unmarked before a marked one is acknowledged for
    /// itself first, with the cumulative number `before` the packet (RFC 8257, section 3.2).
    pub fn reports(&mut self, slot: u32, packet: &Packet, arrival: Arrival, complete: bool, before: u32) -> bool {
        let sender = self.queue_pairs[packet.qp as usize].sender;
        if sender != NONE
            && arrival == Arrival::New
            && let Some(untold) = &mut self.senders.at(sender).untold
        {
            untold.arrivals.push_back(packet.seq);
        }
        let every = self.ack_every;
        let payload = u64::from(packet.size) - self.setup.packet.header.0;
        let Some(unreported) = &mut self.receivers.at(slot).unreported else {
            return true;
        };
        let last = unreported.last.take();
        unreported.bytes += payload;
        let at_once = complete || arrival == Arrival::Duplicate || packet.has(ASKING | MARKED);
        let now = at_once || unreported.bytes >= every;
        if now {
            unreported.bytes = 0;
        } else {
            unreported.last = Some(*packet);
        }
        if packet.has(MARKED)
            && let Some(last) = last
        {
            self.answer(last, Kind::Ack, before);
        }
        now
    }
}
