//! How long a sender waits before it takes for lost what was not answered (RFC 6298).

/// A timeout is at most doubled so often.
const MOST_BACKOFF: u32 = 6;
/// The spread of timeouts, in sixteenths of their length: one more with every timeout in a row, up to this.
const MOST_SPREAD: u32 = 8;
/// Weights of a new sample in the mean and in the deviation, as powers of two: an eighth of RFC 6298's 1/8 and 1/4,
/// since every acknowledged packet is a sample (RFC 7323, appendix G).
const MEAN_GAIN: u32 = 6;
const DEVIATION_GAIN: u32 = 5;

/// The retransmission timeout of one sender: the smoothed round trip and four mean deviations, but not less than a
/// floor, doubled with every timeout in a row, and longer by a random share of it, so that senders that lost
/// their packets together do not send them again together.
#[derive(Debug, Clone, Copy)]
pub(in crate::packet_engine) struct Timeout {
    least: u64,
    mean: u64,
    deviation: u64,
    /// The random share, in 2^-16.
    draw: u16,
}

impl Timeout {
    /// For a path whose unloaded round trip is `rtt`; never below `least`. As if one packet had been answered in
    /// that time: RFC 6298's first sample sets the deviation to half of it.
    pub(crate) fn new(least: u64, rtt: u64, random: u64) -> Self {
        Self {
            least,
            mean: rtt,
            deviation: rtt / 2,
            draw: random as u16,
        }
    }

    /// A packet was answered after `rtt`.
    #[inline]
    pub(crate) fn heard(&mut self, rtt: u64) {
        let off = rtt as i64 - self.mean as i64;
        let change = (off.unsigned_abs() as i64 - self.deviation as i64) >> DEVIATION_GAIN;
        self.deviation = self.deviation.saturating_add_signed(change);
        self.mean = self.mean.saturating_add_signed(off >> MEAN_GAIN);
    }

    /// The smoothed round trip and four deviations: what hardly any round trip exceeds.
    #[inline]
    pub(crate) fn round_trip(&self) -> u64 {
        self.mean.saturating_add(self.deviation.saturating_mul(4))
    }

    /// How long to wait after `tries` timeouts in a row.
    #[inline]
    pub(crate) fn wait(&self, tries: u32) -> u64 {
        let whole = self.least.max(self.round_trip());
        let whole = whole.saturating_mul(1 << tries.min(MOST_BACKOFF));
        let extra = u64::from(self.draw) * u64::from((tries + 1).min(MOST_SPREAD));
        whole.saturating_add(((u128::from(whole) * u128::from(extra)) >> 20) as u64)
    }

    /// Draws the random share anew.
    pub(crate) fn redraw(&mut self, random: u64) {
        self.draw = random as u16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_the_floor_or_for_what_round_trips_take() {
        let mut timeout = Timeout::new(1_000_000, 100_000, 0);
        assert_eq!((timeout.round_trip(), timeout.wait(0)), (300_000, 1_000_000));
        // Round trips of 2 us or 4 us in turn: a mean of 3 and a deviation of 1.
        for _ in 0..1_000 {
            timeout.heard(2_000_000);
            timeout.heard(4_000_000);
        }
        let expected = 7_000_000_f64;
        assert!((timeout.wait(0) as f64 / expected - 1.0).abs() < 0.02, "{timeout:?}");
    }

    #[test]
    fn doubles_up_to_64_times_and_spreads_further() {
        let plain = Timeout::new(1_000, 0, 0);
        let spread = Timeout::new(1_000, 0, u64::MAX);
        assert_eq!(
            [0, 1, 6, 7, 60].map(|tries| plain.wait(tries)),
            [1_000, 2_000, 64_000, 64_000, 64_000]
        );
        // Up to a sixteenth, then two of them, up to half.
        assert_eq!([0, 1, 60].map(|tries| spread.wait(tries)), [1_062, 2_249, 95_999]);
        assert_eq!(Timeout::new(u64::MAX, 0, 9).wait(60), u64::MAX);
    }
}
