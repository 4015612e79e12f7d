//! Acknowledgements for several packets at a time (`packet.ack_every`).
//!
//! An acknowledgement tells of all packets that have arrived, as a bitmap without limits would: beside each queue pair goes
//! the order in which its packets arrived. The receiver adds to its end, and an acknowledgement that reaches the sender takes off all
//! up to the packet that it answers, so that a lost one is made good by the next.

use std::collections::VecDeque;

use super::packet::{ASKING, MARKED, Packet};
use super::recovery::{Arrival, Sent};
use crate::ids::{IdVec, SubflowId};

/// What acknowledgements under way tell of: packets that have arrived, in that order, and that no sender has heard of.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// By queue pair; empty where every packet is acknowledged.
    arrived: IdVec<SubflowId, VecDeque<u32>>,
}

impl Reports {
    pub(super) fn new(queue_pairs: usize) -> Self {
        Self {
            arrived: IdVec::filled(VecDeque::new(), queue_pairs),
        }
    }

    /// A packet has arrived.
    pub(super) fn add(&mut self, qp: SubflowId, seq: u32) {
        self.arrived[qp].push_back(seq);
    }

    /// An acknowledgement of a packet reaches the sender: all that arrived up to it has. Returns how much of that is news.
    pub(super) fn take(&mut self, qp: SubflowId, seq: u32, sent: &mut Sent) -> u32 {
        let Some(arrived) = self.arrived.get_mut(qp) else {
            return 0;
        };
        let mut new = 0;
        if !sent.is_acknowledged(seq) {
            while let Some(next) = arrived.pop_front() {
                new += sent.acknowledge(next, 0);
                if next == seq {
                    break;
                }
            }
        }
        new
    }

    /// A queue pair is over.
    pub(super) fn forget(&mut self, qp: SubflowId) {
        if let Some(arrived) = self.arrived.get_mut(qp) {
            *arrived = VecDeque::new();
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

impl Unreported {
    /// Notes a packet with so many bytes of payload. Says whether it is acknowledged now, as after every `every` bytes, and which one
    /// before it is acknowledged first: what came unmarked before a marked one (RFC 8257, section 3.2).
    pub(super) fn note(
        &mut self,
        packet: &Packet,
        payload: u64,
        every: u64,
        arrival: Arrival,
        complete: bool,
    ) -> (bool, Option<Packet>) {
        let last = self.last.take();
        self.bytes += payload;
        let at_once = complete || arrival == Arrival::Duplicate || packet.has(ASKING | MARKED);
        let now = at_once || self.bytes >= every;
        if now {
            self.bytes = 0;
        } else {
            self.last = Some(*packet);
        }
        (now, last.filter(|_| packet.has(MARKED)))
    }
}
