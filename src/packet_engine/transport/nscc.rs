//! NSCC, the sender-based congestion control of Ultra Ethernet 1.0: a window steered by ECN marks and
//! queuing delay together.
//!
//! | | delay below target | delay at or above target |
//! |---|---|---|
//! | not marked | proportional increase (fast while there is no delay at all) | fair increase |
//! | marked | the path changes, not the window | multiplicative decrease |
//!
//! Gains scale with the path: they are given for the reference network of 100 Gb/s and 12 us.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::control::{CongestionControl, Feedback, Loss, PathProperties};
use super::spec::{Controlled, Spec, check_fraction, check_positive};
use crate::input::InputError;
use crate::packet_engine::ecn::Ecn;
use crate::units::{Bytes, Rate, Time};

/// The reference network: 12 us at 100 Gb/s.
const REFERENCE_RTT: f64 = 12e6;
const REFERENCE_BDP: f64 = 150_000.0;
/// Proportional, fair and fast increase and the steady one, in packets of the reference network.
const ALPHA: f64 = 4.0;
const FAIR: f64 = 5.0;
const FAST: f64 = 0.25;
const ETA: f64 = 0.15;
/// Weight of a new sample in the mean delay.
const DELAY_GAIN: f64 = 0.0125;
/// What an unmarked packet that comes late adds to the mean, in round trips.
const DRAINED: f64 = 0.25;
/// Delay below which the network counts as empty.
const NO_DELAY: f64 = 1e6;
/// Increases take effect after so many packets, or a round trip.
const ADJUST_PACKETS: f64 = 8.0;
/// A window that delivered less than this share of the largest is set to what it delivered, after a
/// loss or beyond so many targets of delay.
const QUICK_SHARE: f64 = 1.0 / 8.0;
const QUICK_TARGETS: f64 = 4.0;

/// Options of `nscc`. Switches trim, and ports mark between 20 and 80 % of a bandwidth-delay product and
/// hold one with trimming, 5 without, unless `[switch]` says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nscc {
    /// Queuing delay aimed at, in unloaded round trips. Default 0.75 with trimming, 1 without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// Share of the excess delay by which the window is cut. Default 0.8.
    pub gamma: f64,
    /// Largest window, and the first one, in bandwidth-delay products. Default 1.5.
    pub max_window: f64,
}

impl Default for Nscc {
    fn default() -> Self {
        Self {
            target: None,
            gamma: 0.8,
            max_window: 1.5,
        }
    }
}

impl Spec for Nscc {
    fn check(&self) -> Result<(), InputError> {
        check_positive("target", self.target.unwrap_or(1.0))?;
        check_fraction("gamma", self.gamma)?;
        check_positive("max_window", self.max_window)
    }

    fn ecn(&self, _rate: Rate, bdp: u64) -> Option<Ecn> {
        Some(Ecn {
            kmin: Bytes(bdp / 5),
            kmax: Bytes(bdp * 4 / 5),
            pmax: 1.0,
        })
    }

    fn trimming(&self) -> bool {
        true
    }

    fn queue(&self, trimming: bool, bdp: u64, _full: u64) -> Option<u64> {
        Some(if trimming { bdp } else { 5 * bdp })
    }

    /// 15 us and the time of six full queues; where there is none that fills, as if it held what it does without trimming.
    fn rto(&self, rtt: u64, queue: Option<u64>) -> Time {
        let queue = queue.unwrap_or(5 * rtt);
        Time(queue.saturating_mul(6).saturating_add(15_000_000))
    }
}

impl Controlled for Nscc {
    type Control = State;

    fn control(&self, conditions: &PathProperties) -> State {
        let full = conditions.full as f64;
        let fraction = self.target.unwrap_or(if conditions.trimming { 0.75 } else { 1.0 });
        let (rtt, bdp) = (conditions.rtt as f64, conditions.bdp as f64);
        let target = fraction * rtt;
        let (a, b) = (bdp / REFERENCE_BDP, target / REFERENCE_RTT);
        let most = (bdp * self.max_window).max(full);
        State {
            full,
            rtt,
            target,
            most,
            window: most,
            gamma: self.gamma,
            alpha: ALPHA * full * a * b / target,
            fair: FAIR * full * a,
            fast: FAST * a,
            eta: ETA * full * a,
            delay: 0.0,
            pending: 0.0,
            acked: 0.0,
            adjusted_at: 0,
            decreased_at: 0,
            idle_bytes: 0.0,
            fast_increase: false,
            delivered: 0.0,
            check_at: 0,
            lost: false,
            ignore: 0.0,
        }
    }
}

/// The window in bytes.
#[derive(Debug, Clone, Copy)]
pub(in crate::packet_engine) struct State {
    full: f64,
    rtt: f64,
    target: f64,
    most: f64,
    window: f64,
    gamma: f64,
    alpha: f64,
    fair: f64,
    fast: f64,
    eta: f64,
    /// Mean queuing delay.
    delay: f64,
    /// Increases not yet in effect, times the window; bytes acknowledged since the last that were.
    pending: f64,
    acked: f64,
    adjusted_at: u64,
    decreased_at: u64,
    /// Bytes acknowledged in a row without any delay, and whether they were a whole window: until there is a delay
    /// again, the window grows fast.
    idle_bytes: f64,
    fast_increase: bool,
    /// Bytes delivered in this period of quick adaptation, which ends at `check_at`.
    delivered: f64,
    check_at: u64,
    lost: bool,
    /// Bytes that were in flight at the last quick adaptation and have been neither acknowledged nor trimmed since. As
    /// long as there are any, marks and trims tell of what the window has been adapted to already.
    ignore: f64,
}

impl CongestionControl for State {
    fn window(&self) -> u64 {
        self.window as u64
    }

    fn largest_window(&self) -> u64 {
        self.most as u64
    }

    fn on_ack(&mut self, ack: &Feedback) {
        let bytes = ack.bytes as f64;
        let delay = (ack.rtt as f64 - self.rtt).max(0.0);
        self.update_delay(match ack.marked || delay <= self.target {
            true => delay,
            // The queue is gone, though what waited in it is still coming in.
            false => self.rtt * DRAINED,
        });
        self.delivered += bytes;
        self.acked += bytes;
        self.ignore = (self.ignore - bytes).max(0.0);
        if self.quick_adapt(ack.now, ack.marked, delay > QUICK_TARGETS * self.target, ack.in_flight) {
            return;
        }
        match (ack.marked, delay >= self.target) {
            (false, false) => self.proportional_increase(bytes, delay),
            (false, true) => self.pending += self.fair * bytes,
            (true, true) => self.decrease(ack.now),
            (true, false) => {}
        }
        if self.acked >= ADJUST_PACKETS * self.full || (ack.now - self.adjusted_at) as f64 >= self.rtt {
            self.adjust(ack.now);
        }
        self.window = self.window.clamp(self.full, self.most);
    }

    /// A trimmed packet met a full queue, of one round trip; it counts as a mark, too.
    fn on_loss(&mut self, loss: &Loss) {
        let bytes = loss.bytes as f64;
        self.lost = true;
        self.ignore = (self.ignore - bytes).max(0.0);
        if loss.trimmed {
            self.update_delay(self.rtt);
            if self.quick_adapt(loss.now, true, true, loss.in_flight) {
                return;
            }
        }
        self.window = (self.window - bytes).max(self.full);
    }

    fn on_timeout(&mut self, _: u64) {
        self.lost = true;
        self.window = (self.window - self.full).max(self.full);
    }
}

impl State {
    fn update_delay(&mut self, sample: f64) {
        self.delay += DELAY_GAIN * (sample - self.delay);
    }

    fn proportional_increase(&mut self, bytes: f64, delay: f64) {
        if delay < NO_DELAY {
            self.idle_bytes += bytes;
            self.fast_increase |= self.idle_bytes > self.window;
        } else {
            self.idle_bytes = 0.0;
            self.fast_increase = false;
        }
        match self.fast_increase {
            true => self.window += bytes * self.fast,
            false => self.pending += self.alpha * bytes * (self.target - delay),
        }
    }

    /// Once per round trip, by the excess of the mean delay, at most by half.
    fn decrease(&mut self, now: u64) {
        self.idle_bytes = 0.0;
        self.fast_increase = false;
        if self.delay > self.target && (now - self.decreased_at) as f64 > self.rtt {
            let cut = self.gamma * (self.delay - self.target) / self.delay;
            self.window *= (1.0 - cut).max(0.5);
            self.decreased_at = now;
        }
    }

    fn adjust(&mut self, now: u64) {
        self.window += self.pending / self.window;
        if (now - self.adjusted_at) as f64 >= self.rtt {
            self.window += self.eta;
            self.adjusted_at = now;
        }
        (self.pending, self.acked) = (0.0, 0.0);
    }

    /// Under heavy congestion the window becomes what it delivered in a round trip, at once. True where that was done,
    /// or where a mark or trim only tells of what has been adapted to.
    fn quick_adapt(&mut self, now: u64, marked: bool, heavy: bool, in_flight: u64) -> bool {
        let mut handled = marked && self.ignore > 0.0;
        if !handled && now > self.check_at {
            handled = self.check_at > 0 && (self.lost || heavy) && self.delivered < self.most * QUICK_SHARE;
            if handled {
                self.window = self.delivered.max(self.full);
                self.ignore = in_flight as f64;
                self.lost = false;
            }
            self.delivered = 0.0;
            self.check_at = now.saturating_add((self.rtt + self.target) as u64);
        }
        if handled {
            (self.pending, self.acked) = (0.0, 0.0);
        }
        handled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(now: u64, delay: u64, marked: bool) -> Feedback {
        Feedback {
            now,
            rtt: 8_000_000 + delay,
            marked,
            ..Feedback::example()
        }
    }

    /// The four cases, by hand; target = one round trip of 8 us.
    #[test]
    fn marks_and_delay_steer_together() {
        let mut state = Nscc::default().control(&PathProperties::example());
        assert_eq!(state.window(), 150_000);
        state.window = 100_000.0;
        state.adjusted_at = 10_000_000;
        // Proportional: alpha * bytes * (target - delay), in effect after eight packets.
        let (a, b) = (100_000.0 / 150_000.0, 8.0 / 12.0);
        let alpha = 4.0 * 1_000.0 * a * b / 8e6;
        (0..8).for_each(|_| state.on_ack(&ack(10_000_000, 2_000_000, false)));
        let window = 100_000.0 + 8.0 * alpha * 1_000.0 * 6e6 / 100_000.0;
        assert!((state.window - window).abs() < 1e-6, "{} {window}", state.window);
        // Fair: 5 packets times a per window.
        (0..8).for_each(|_| state.on_ack(&ack(10_000_000, 9_000_000, false)));
        let window = window + 8.0 * 5.0 * 1_000.0 * a * 1_000.0 / window;
        assert!((state.window - window).abs() < 1e-6);
        // Marked below the target: nothing.
        (0..8).for_each(|_| state.on_ack(&ack(10_000_000, 2_000_000, true)));
        assert!((state.window - window).abs() < 1e-6);
        // Marked above: by the mean delay, which has to be above as well.
        state.delay = 16e6;
        state.on_ack(&ack(12_000_000, 16_000_000, true));
        assert!((state.window - window * (1.0 - 0.8 * 0.5)).abs() < 1e-6);
    }

    fn trimmed(now: u64, in_flight: u64) -> Loss {
        Loss {
            now,
            in_flight,
            ..Loss::example()
        }
    }

    /// Nothing but trims for a round trip, then: the window becomes what was delivered, and trims count towards the
    /// bytes that were in flight, so that the next delivery without a mark lets it grow again.
    #[test]
    fn trims_count_towards_what_is_ignored() {
        let mut state = Nscc::default().control(&PathProperties {
            trimming: true,
            ..PathProperties::example()
        });
        // The first period lasts a round trip of 8 us and the target of 6 us.
        state.on_loss(&trimmed(8_000_000, 149_000));
        assert_eq!(state.window(), 149_000);
        (0..4).for_each(|_| state.on_ack(&ack(9_000_000, 6_000_000, true)));
        state.on_loss(&trimmed(22_000_001, 100_000));
        assert_eq!(state.window(), 4_000, "four packets were delivered");
        // 97 trims and two marked packets of the 100 in flight change nothing.
        (0..97).for_each(|_| state.on_loss(&trimmed(23_000_000, 3_000)));
        (0..2).for_each(|_| state.on_ack(&ack(23_000_000, 6_000_000, true)));
        assert_eq!((state.window(), state.ignore), (4_000, 1_000.0));
        // An acknowledgement without a mark is heard at once: proportional, and the steady increase of a new round trip.
        state.on_ack(&ack(23_000_000, 0, false));
        assert!(state.window > 4_000.0, "{}", state.window);
        // After that a trim costs a packet.
        let window = state.window;
        state.on_loss(&trimmed(24_000_000, 3_000));
        assert_eq!(state.window, window - 1_000.0);
    }

    /// A full queue of one round trip with trimming, of five without: 15 us and six of them.
    #[test]
    fn the_timeout_follows_the_queue() {
        let queue = |trimming| Nscc::default().queue(trimming, 100_000, 1_000).map(|bytes| bytes * 80);
        assert_eq!(Nscc::default().rto(8_000_000, queue(true)), Time::from_us(15 + 48));
        assert_eq!(Nscc::default().rto(8_000_000, queue(false)), Time::from_us(15 + 240));
    }
}
