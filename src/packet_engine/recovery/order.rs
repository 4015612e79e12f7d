//! Losses of a sprayed flow, found by when packets were sent that have been answered (RACK, RFC 8985).

/// What one sender knows of the order in which its packets were sent and answered. Paths differ, so that a packet counts
/// as lost only when one that was sent a reordering window later has been acknowledged.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::packet_engine) struct Order {
    /// When the latest sent of all acknowledged packets was sent.
    newest: u64,
    /// One more than the highest number acknowledged that was sent once.
    high: u32,
    /// All packets below `end` had been sent first by `mark`.
    end: u32,
    mark: u64,
    /// When a packet was last sent again, until that has been judged.
    resent: Option<u64>,
    /// Twice the widest reordering so far: by how much later a packet had been sent that was acknowledged before another.
    spread: u64,
}

/// Which packets are to be judged now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::packet_engine) struct Verdict {
    /// Packets sent once, below this number.
    pub first: u32,
    /// Also those that were sent again.
    pub again: bool,
}

impl Order {
    /// Packet `seq`, sent at `sent`, was acknowledged. One check per window: a loss is found one to two windows after
    /// the packet's round trip.
    #[inline]
    pub(crate) fn heard(&mut self, seq: u32, sent: u64, resent: bool, window: u64) -> Verdict {
        self.newest = self.newest.max(sent);
        if !resent {
            self.high = self.high.max(seq + 1);
            // Queues that grow apart do so little by little: what was seen is the measure of what may come.
            self.spread = self.spread.max(2 * (self.newest - sent));
        }
        let old = self.newest.saturating_sub(window.max(self.spread));
        let mut verdict = Verdict { first: 0, again: false };
        if self.mark <= old {
            verdict.first = self.end;
            (self.end, self.mark) = (self.high, self.newest);
        }
        if self.resent.is_some_and(|resent| resent <= old) {
            verdict.again = true;
            self.resent = None;
        }
        verdict
    }

    /// A packet is sent again.
    pub(crate) fn resend(&mut self, now: u64) {
        self.resent = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_judged_once_one_sent_a_window_later_has_been_answered() {
        let mut order = Order::default();
        let judged = |order: &mut Order, seq: u32| order.heard(seq, 1_000 + 10 * u64::from(seq), false, 100).first;
        // Packet 5 is lost. Packet 9 has been answered when the mark moves, and 19 was sent a window after it.
        let verdicts: Vec<_> = (0..40)
            .filter(|&seq| seq != 5)
            .map(|seq| judged(&mut order, seq))
            .collect();
        let first = verdicts.iter().position(|&end| end > 5).unwrap();
        assert_eq!((verdicts[first], first), (11, 19));
    }

    #[test]
    fn what_came_late_widens_the_window() {
        let mut order = Order::default();
        order.heard(0, 1_000, false, 100);
        order.heard(50, 1_500, false, 100);
        // Sent 400 before one that was acknowledged already: the window is 800 now.
        order.heard(10, 1_100, false, 100);
        assert_eq!(order.heard(60, 1_600, false, 100).first, 0);
        assert_eq!(order.heard(130, 2_300, false, 100).first, 51);
    }

    #[test]
    fn what_was_sent_again_is_judged_again() {
        let mut order = Order::default();
        order.resend(2_000);
        assert!(!order.heard(7, 2_050, false, 100).again);
        assert!(order.heard(8, 2_100, false, 100).again);
        assert!(!order.heard(9, 2_300, false, 100).again);
    }
}
