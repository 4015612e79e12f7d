//! The sender's memory of one queue pair: what is in flight, acknowledged, or to be sent again.

use super::bits::Bits;

/// Packets `0..total`. Every packet below `next` that is neither acknowledged nor lost is in flight.
#[derive(Debug, Clone)]
pub(in crate::packet_engine) struct Sent {
    total: u32,
    /// The first packet that has not been sent yet.
    next: u32,
    /// All packets below have been acknowledged.
    cumulative: u32,
    in_flight: u32,
    /// Most packets between `cumulative` and `next`.
    span: u32,
    /// Acknowledged packets at or above `cumulative`, and their number.
    acked: Bits,
    acked_beyond: u32,
    /// Packets to send again, their number, and a lower bound of the first.
    lost: Bits,
    lost_count: u32,
    lost_from: u32,
    /// Packets below have been looked at by [`Sent::infer_losses`].
    inferred: u32,
}

impl Sent {
    /// Nothing sent yet of `total` packets; at most `span` of them are told apart at a time.
    pub(crate) fn new(total: u32, span: u32) -> Self {
        Self {
            total,
            next: 0,
            cumulative: 0,
            in_flight: 0,
            span,
            acked: Bits::new(span),
            acked_beyond: 0,
            lost: Bits::new(span),
            lost_count: 0,
            lost_from: 0,
            inferred: 0,
        }
    }

    /// Asks for what the acknowledgement of `seq` will touch.
    #[inline]
    pub(crate) fn fetch(&self, seq: u32) {
        self.acked.fetch(seq);
    }

    #[inline]
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// All packets below have been acknowledged.
    #[inline]
    pub(crate) fn cumulative(&self) -> u32 {
        self.cumulative
    }

    #[inline]
    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Whether a packet has been acknowledged.
    #[inline]
    pub(crate) fn is_acknowledged(&self, seq: u32) -> bool {
        seq < self.cumulative || (self.acked_beyond > 0 && seq < self.next && self.acked.get(seq))
    }

    /// Whether all packets have been acknowledged, or let go.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.cumulative == self.total
    }

    /// Whether there is a packet to send, were there room in the window.
    #[inline]
    pub(crate) fn has_more(&self) -> bool {
        self.lost_count > 0 || (self.next < self.total && self.next - self.cumulative < self.span)
    }

    /// Packets that have been acknowledged or let go.
    #[inline]
    pub(in crate::packet_engine) fn answered(&self) -> u64 {
        u64::from(self.next - self.in_flight - self.lost_count)
    }

    /// Packets that have not been sent yet.
    #[inline]
    pub(in crate::packet_engine) fn unsent(&self) -> u32 {
        self.total - self.next
    }

    /// So many of the packets that have not been sent need not be.
    pub(in crate::packet_engine) fn shorten(&mut self, packets: u32) {
        debug_assert!(packets < self.unsent(), "the end is sent");
        self.total -= packets;
    }

    /// Packets to send, those to send again included.
    #[inline]
    pub(crate) fn backlog(&self) -> u32 {
        self.total - self.next + self.lost_count
    }

    /// Takes the next packet to send, lost ones first; true where it had been sent before.
    #[inline]
    pub(crate) fn take(&mut self) -> (u32, bool) {
        debug_assert!(self.has_more());
        self.in_flight += 1;
        if self.lost_count == 0 {
            self.next += 1;
            return (self.next - 1, false);
        }
        let mut seq = self.lost_from.max(self.cumulative);
        while !self.lost.clear(seq) {
            seq += 1;
        }
        self.lost_from = seq + 1;
        self.lost_count -= 1;
        self.inferred = self.inferred.max(seq + 1);
        (seq, true)
    }

    /// Nobody will acknowledge what was sent: it counts as gone.
    #[inline]
    pub(crate) fn let_go(&mut self) {
        self.in_flight = 0;
        self.cumulative = self.next;
    }

    /// Notes the acknowledgement of `seq` and of all packets below `cumulative`; returns how many are new.
    #[inline]
    pub(crate) fn acknowledge(&mut self, seq: u32, cumulative: u32) -> u32 {
        let mut new = self.acknowledge_below(cumulative);
        if seq == self.cumulative && seq < self.next {
            new += self.pass(seq);
            self.cumulative += 1;
        } else if seq > self.cumulative && seq < self.next && self.acked.set(seq) {
            self.acked_beyond += 1;
            new += 1;
            self.leave(seq);
        }
        while self.acked_beyond > 0 && self.acked.clear(self.cumulative) {
            self.acked_beyond -= 1;
            self.cumulative += 1;
        }
        new
    }

    /// Notes that all packets below `cumulative` have arrived; returns how many of them are news.
    #[inline]
    pub(crate) fn acknowledge_below(&mut self, cumulative: u32) -> u32 {
        let mut new = 0;
        while self.cumulative < cumulative.min(self.next) {
            new += self.pass(self.cumulative);
            self.cumulative += 1;
        }
        new
    }

    /// The cumulative mark moves over `seq`; 1 where its acknowledgement is news.
    #[inline]
    fn pass(&mut self, seq: u32) -> u32 {
        if self.acked_beyond > 0 && self.acked.clear(seq) {
            self.acked_beyond -= 1;
            return 0;
        }
        self.leave(seq);
        1
    }

    /// An acknowledged packet is no longer in flight, nor to be sent again.
    #[inline]
    fn leave(&mut self, seq: u32) {
        if self.lost_count > 0 && self.lost.clear(seq) {
            self.lost_count -= 1;
        } else {
            self.in_flight -= 1;
        }
    }

    /// Marks a packet as lost; false where it is not in flight.
    pub(crate) fn lose(&mut self, seq: u32) -> bool {
        let known = seq >= self.cumulative && seq < self.next;
        if !known || (self.acked_beyond > 0 && self.acked.get(seq)) || !self.lost.set(seq) {
            return false;
        }
        self.lost_count += 1;
        self.lost_from = self.lost_from.min(seq);
        self.in_flight -= 1;
        true
    }

    /// Marks all packets in flight below `end` as lost; returns how many.
    pub(crate) fn lose_before(&mut self, end: u32) -> u32 {
        (self.cumulative..end.min(self.next))
            .filter(|&seq| self.lose(seq))
            .count() as u32
    }

    /// Packets of one path arrive in order: when `seq`, sent once, was acknowledged, those sent before
    /// it and not heard of are lost. Returns how many. Packets sent again are not judged twice.
    pub(crate) fn infer_losses(&mut self, seq: u32) -> u32 {
        if seq < self.inferred {
            return 0;
        }
        let from = self.cumulative.max(self.inferred);
        self.inferred = seq + 1;
        (from..seq).filter(|&seq| self.lose(seq)).count() as u32
    }

    /// Packets below `end` that were sent once and have not been heard of are lost, and so are, with `again`, those that
    /// were sent again. Returns how many.
    pub(crate) fn judge(&mut self, end: u32, again: bool) -> u32 {
        let from = self.cumulative.max(if again { 0 } else { self.inferred });
        let to = if again { end.max(self.inferred) } else { end };
        self.inferred = self.inferred.max(end);
        (from..to).filter(|&seq| self.lose(seq)).count() as u32
    }

    /// The path changes: what was sent so far says nothing about the order of what comes.
    pub(crate) fn forget_order(&mut self) {
        self.inferred = self.next;
    }

    /// Go-back-N: everything from the first unacknowledged packet on will be sent again. Returns how
    /// many that are.
    pub(crate) fn go_back(&mut self) -> u32 {
        self.lose_before(self.next)
    }
}
