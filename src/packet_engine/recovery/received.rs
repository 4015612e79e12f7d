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
    /// The most numbers by which one of them lay behind the highest.
    extent: u32,
    /// Packets at or above `cumulative` that have arrived.
    beyond: Bits,
    in_order_only: bool,
    /// A go-back-N receiver asks once for each gap.
    asked: bool,
}

impl Received {
    /// Nothing yet. The sender never has more than `span` packets between the first missing one and the last.
    pub(crate) fn new(span: u32, in_order_only: bool) -> Self {
        Self {
            cumulative: 0,
            count: 0,
            highest: 0,
            reordered: 0,
            extent: 0,
            beyond: Bits::new(if in_order_only { 1 } else { span }),
            in_order_only,
            asked: false,
        }
    }

    /// Asks for what the arrival of `seq` will touch.
    #[inline]
    pub(crate) fn fetch(&self, seq: u32) {
        self.beyond.fetch(seq);
    }

    /// Takes a packet.
    #[inline]
    pub(crate) fn accept(&mut self, seq: u32) -> Arrival {
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
        if seq < self.highest {
            self.reordered += 1;
            self.extent = self.extent.max(self.highest - 1 - seq);
        } else {
            self.highest = seq + 1;
        }
        Arrival::New
    }

    /// Whether to ask for the first missing packet now; once per gap.
    pub(crate) fn ask(&mut self) -> bool {
        !std::mem::replace(&mut self.asked, true)
    }

    #[inline]
    pub(crate) fn cumulative(&self) -> u32 {
        self.cumulative
    }

    #[inline]
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Payload bytes that have arrived, of `total` packets with `payload` bytes each and `last` in the last one.
    pub(crate) fn bytes(&self, total: u32, payload: u64, last: u64) -> u64 {
        let short = if self.highest == total { payload - last } else { 0 };
        u64::from(self.count) * payload - short
    }

    /// New packets that came after a later one, and the most numbers by which one lay behind the highest.
    pub(crate) fn reordering(&self) -> (u32, u32) {
        (self.reordered, self.extent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_packets_are_counted_with_how_late_they_are() {
        let mut received = Received::new(64, false);
        let arrivals = [0, 2, 5, 1, 3, 4, 6].map(|seq| received.accept(seq));
        assert_eq!(arrivals, [Arrival::New; 7]);
        // 1 comes after 5, 3 and 4 too.
        assert_eq!((received.cumulative(), received.reordering()), (7, (3, 4)));
        assert_eq!(received.accept(5), Arrival::Duplicate);
    }
}
