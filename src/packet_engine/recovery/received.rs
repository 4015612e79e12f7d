//! The receiver's memory of one queue pair.

use super::bits::Bits;

/// What a data packet was to its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::packet_engine) enum Arrival {
    New,
    /// It had been there already.
    Duplicate,
    /// It came before a missing one, and only packets in order are taken.
    OutOfOrder,
}

/// Which packets have arrived.
#[derive(Debug, Clone)]
pub(in crate::packet_engine) struct Received {
    /// All packets below have arrived.
    cumulative: u32,
    /// Packets that have arrived.
    count: u32,
    /// One more than the highest that has arrived.
    highest: u32,
    /// New packets that came after a later one.
    reordered: u32,
    /// Packets at or above `cumulative` that have arrived.
    beyond: Bits,
    in_order_only: bool,
    /// A go-back-N receiver asks once for each gap.
    asked: bool,
}

impl Received {
    /// Nothing yet. The sender never has more than `span` packets between the first missing one and the last.
    pub fn new(span: u32, in_order_only: bool) -> Self {
        Self {
            cumulative: 0,
            count: 0,
            highest: 0,
            reordered: 0,
            beyond: Bits::new(if in_order_only { 1 } else { span }),
            in_order_only,
            asked: false,
        }
    }

    /// Takes a packet.
    pub fn accept(&mut self, seq: u32) -> Arrival {
        if seq < self.cumulative {
            return Arrival::Duplicate;
        }
        if seq == self.cumulative && self.count == self.cumulative {
            // Nothing beyond: the usual case.
            self.cumulative += 1;
        } else if self.in_order_only {
            return Arrival::OutOfOrder;
        } else if !self.beyond.set(seq) {
            return Arrival::Duplicate;
        } else {
            while self.beyond.clear(self.cumulative) {
                self.cumulative += 1;
            }
        }
        self.count += 1;
        self.asked = false;
        self.reordered += u32::from(seq < self.highest);
        self.highest = self.highest.max(seq + 1);
        Arrival::New
    }

    /// Whether to ask for the first missing packet now; once per gap.
    pub fn ask(&mut self) -> bool {
        !std::mem::replace(&mut self.asked, true)
    }

    pub fn cumulative(&self) -> u32 {
        self.cumulative
    }

    pub fn count(&self) -> u32 {
        self.count
    }

    pub fn reordered(&self) -> u32 {
        self.reordered
    }
}
