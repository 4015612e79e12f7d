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
    /// The widest reordering that a packet taken for lost has turned out to be.
    spread: u64,
    /// The longest round trips of the window before this one, and of this one so far.
    longest: [u64; 2],
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
    pub fn heard(&mut self, seq: u32, sent: u64, resent: bool, window: u64) -> Verdict {
        self.newest = self.newest.max(sent);
        if !resent {
            self.high = self.high.max(seq + 1);
        }
        let old = self.newest.saturating_sub(window.max(self.spread));
        let mut verdict = Verdict { first: 0, again: false };
        if self.mark <= old {
            verdict.first = self.end;
            (self.end, self.mark) = (self.high, self.newest);
            self.longest = [self.longest[1], 0];
        }
        if self.resent.is_some_and(|resent| resent <= old) {
            verdict.again = true;
            self.resent = None;
        }
        verdict
    }

    /// A packet was answered after `rtt`.
    #[inline]
    pub fn answered(&mut self, rtt: u64) {
        self.longest[1] = self.longest[1].max(rtt);
    }

    /// The longest round trip of late and half as much: a queue that grows on one path is known before its packets count
    /// as lost, however many round trips of other paths are shorter.
    #[inline]
    pub fn longest(&self) -> u64 {
        let longest = self.longest[0].max(self.longest[1]);
        longest.saturating_add(longest / 2)
    }

    /// A packet that was taken for lost, sent at `sent`, had only been late: paths differ by more than was thought.
    pub fn was_late(&mut self, sent: u64) {
        let late = self.newest.saturating_sub(sent);
        self.spread = self.spread.max(late + late / 2);
    }

    /// A packet is sent again.
    pub fn resend(&mut self, now: u64) {
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
        order.was_late(1_100);
        assert_eq!(order.heard(60, 1_600, false, 100).first, 0);
        assert_eq!(order.heard(110, 2_100, false, 100).first, 51);
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
