//! DCTCP (RFC 8257, SIGCOMM 2010): cuts in proportion to the share of ECN-marked packets.
//!
//! The first mark cuts at once; until what was in flight then has been acknowledged, marks tell of the same
//! congestion, and the window neither falls nor grows. The share of marks moves once per round trip, whatever is cut.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::control::{CongestionControl, Feedback, Loss, PathProperties, SenderState};
use super::spec::{Controlled, Spec, check_fraction, check_positive};
use crate::input::InputError;
use crate::packet_engine::ecn::Ecn;
use crate::units::{Bytes, Rate};

/// What is controlled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// Bytes in flight, as TCP does; grows by one packet per round trip.
    #[default]
    Window,
    /// The sending rate, as the paper's network cards do; grows by `increase` per round trip.
    Rate,
}

/// Options of `dctcp`. Ports mark from 65 KB per 100 Gb/s (the paper's step) unless `[switch]` says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dctcp {
    /// Whether a window or a rate is controlled. Default `window`; the paper (arXiv 2407.00550) uses `rate`.
    pub control: Signal,
    /// Gain of the moving share of marked packets. Default 1/16 (RFC 8257); the paper uses 1/256.
    pub gain: f64,
    /// First window, in bandwidth-delay products. Default 1: senders start at line rate. A smaller one doubles per round
    /// trip up to one product, or to the first mark (slow start).
    pub initial_window: f64,
    /// Largest window, in bandwidth-delay products. Default 4.
    pub max_window: f64,
    /// With `control = "rate"`: additive increase per round trip. Default 1 Gb/s.
    pub increase: Rate,
    /// With `control = "rate"`: the lowest rate. Default 100 Mb/s.
    pub min_rate: Rate,
}

impl Default for Dctcp {
    fn default() -> Self {
        Self {
            control: Signal::Window,
            gain: 1.0 / 16.0,
            initial_window: 1.0,
            max_window: 4.0,
            increase: Rate::from_gbps(1),
            min_rate: Rate(100_000_000),
        }
    }
}

impl Spec for Dctcp {
    fn check(&self) -> Result<(), InputError> {
        check_fraction("gain", self.gain)?;
        check_positive("initial_window", self.initial_window)?;
        check_positive("max_window", self.max_window)?;
        if self.min_rate.is_zero() {
            return Err(InputError::key("min_rate", "at a rate of zero nothing would be sent"));
        }
        Ok(())
    }

    fn ecn(&self, rate: Rate, _bdp: u64) -> Option<Ecn> {
        let step = Bytes((u128::from(rate.0) * 65_000 / 100_000_000_000) as u64);
        Some(Ecn {
            kmin: step,
            kmax: step,
            pmax: 1.0,
        })
    }
}

impl Controlled for Dctcp {
    type Control = State;

    fn control(&self, conditions: &PathProperties) -> State {
        let (full, bdp) = (conditions.full as f64, conditions.bdp as f64);
        let paced = self.control == Signal::Rate;
        State {
            paced,
            gain: self.gain,
            alpha: 1.0,
            unit: match paced {
                true => self.increase.bytes_per_ps(),
                false => full,
            },
            value: match paced {
                true => conditions.rate,
                false => (bdp * self.initial_window).max(full),
            },
            least: match paced {
                true => self.min_rate.bytes_per_ps().min(conditions.rate),
                false => full,
            },
            most: match paced {
                true => conditions.rate,
                false => (bdp * self.max_window).max(full),
            },
            threshold: bdp,
            window_end: 0,
            acked: 0,
            marked: 0,
            reduced_until: None,
            lost_until: 0,
        }
    }
}

/// A window in bytes or a rate in bytes per picosecond, with the share of marks.
#[derive(Debug, Clone, Copy)]
pub(in crate::packet_engine) struct State {
    paced: bool,
    gain: f64,
    /// Moving share of marked bytes: alpha in RFC 8257.
    alpha: f64,
    /// What one round trip without marks adds.
    unit: f64,
    value: f64,
    least: f64,
    most: f64,
    /// Below it the window doubles per round trip (slow start).
    threshold: f64,
    /// A round trip ends when this packet and all before it are acknowledged.
    window_end: u32,
    /// So does the time after a cut in which marks are no news: congestion window reduced, CWR, in RFC 8257.
    reduced_until: Option<u32>,
    /// Losses of packets before this one have been answered.
    lost_until: u32,
    /// Bytes acknowledged, and those of them marked, in this round trip.
    acked: u64,
    marked: u64,
}

impl CongestionControl for State {
    fn window(&self) -> u64 {
        if self.paced { u64::MAX } else { self.value as u64 }
    }

    fn largest_window(&self) -> u64 {
        if self.paced { u64::MAX } else { self.most as u64 }
    }

    fn pace(&self) -> Option<f64> {
        self.paced.then_some(self.value)
    }

    fn state(&self) -> SenderState {
        SenderState {
            alpha: Some(self.alpha),
            ..SenderState::of(self)
        }
    }

    fn on_ack(&mut self, ack: &Feedback) {
        self.acked += ack.bytes;
        self.marked += if ack.marked { ack.bytes } else { 0 };
        let round_ends = ack.unacknowledged > self.window_end && self.acked > 0;
        if round_ends {
            self.end_round(ack.next);
        }
        if self.reduced_until.is_some_and(|until| ack.unacknowledged > until) {
            self.reduced_until = None;
        }
        if self.reduced_until.is_some() {
            return;
        }
        if ack.marked {
            self.cut(self.alpha / 2.0, ack.next);
        } else {
            self.grow(ack.bytes as f64, round_ends);
        }
    }

    fn on_loss(&mut self, loss: &Loss) {
        if loss.seq >= self.lost_until {
            self.lost_until = loss.next;
            self.cut(0.5, loss.next);
        }
    }

    fn on_timeout(&mut self, _: u64) {
        self.threshold = (self.value / 2.0).max(self.least);
        self.value = if self.paced { self.threshold } else { self.least };
        self.reduced_until = None;
    }
}

impl State {
    /// Once per round trip the share moves.
    fn end_round(&mut self, next: u32) {
        let now = self.marked as f64 / self.acked as f64;
        self.alpha += self.gain * (now - self.alpha);
        self.window_end = next;
        (self.acked, self.marked) = (0, 0);
    }

    /// Cuts by a share, which answers for all that is in flight.
    fn cut(&mut self, fraction: f64, next: u32) {
        self.value = (self.value * (1.0 - fraction)).max(self.least);
        self.threshold = self.value;
        self.reduced_until = Some(next);
    }

    /// A window grows with every acknowledgement, a rate with every round trip.
    fn grow(&mut self, bytes: f64, round_ends: bool) {
        self.value += match (self.paced, self.value < self.threshold) {
            (true, _) => self.unit * f64::from(u8::from(round_ends)),
            (false, true) => bytes,
            (false, false) => self.unit * bytes / self.value,
        };
        self.value = self.value.min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acknowledges packet `seq`, in order.
    fn ack(seq: u32, next: u32, marked: bool) -> Feedback {
        Feedback {
            marked,
            seq,
            unacknowledged: seq + 1,
            next,
            ..Feedback::example()
        }
    }

    /// One round trip of a full window, by hand.
    #[test]
    fn grows_by_a_packet_per_round_trip() {
        let mut state = Dctcp::default().control(&PathProperties::example());
        assert_eq!(state.window(), 100_000);
        for seq in 0..=100 {
            state.on_ack(&ack(seq, 101 + seq, false));
        }
        // 101 acknowledgements of 1/w each: a little less than 101/100 packets.
        assert_eq!(state.window(), 101_004);
    }

    /// RFC 8257: alpha begins at 1, so that the first mark halves, at once; what was in flight then does not cut again.
    #[test]
    fn the_first_mark_halves_and_the_rest_of_its_window_does_nothing() {
        let mut state = Dctcp::default().control(&PathProperties::example());
        (0..50).for_each(|seq| state.on_ack(&ack(seq, 101 + seq, false)));
        let before = state.value;
        state.on_ack(&ack(50, 151, true));
        // One round trip has ended, after its first packet, without a mark.
        let first = 1.0 - 1.0 / 16.0;
        let cut = before * (1.0 - first / 2.0);
        assert_eq!(state.value, cut);
        // Marked or not, up to packet 150, the last one in flight at the cut; by the way a second round trip ends.
        (51..=150).for_each(|seq| state.on_ack(&ack(seq, 151, seq % 2 == 0)));
        assert_eq!(state.value, cut, "once per window");
        // Packets 1 to 101 made the second: of 101 were marked 50, 52, .. 100, as 101 packets ended it.
        let second = first + (26.0 / 101.0 - first) / 16.0;
        assert!((state.alpha - second).abs() < 1e-12, "{} {second}", state.alpha);
        state.on_ack(&ack(151, 252, true));
        assert_eq!(
            state.value,
            cut * (1.0 - state.alpha / 2.0),
            "the next window cuts again"
        );
    }

    /// Of sprayed packets the last in flight may be acknowledged long before the first.
    #[test]
    fn a_window_is_over_when_all_of_it_is_acknowledged() {
        let mut state = Dctcp::default().control(&PathProperties::example());
        state.on_ack(&ack(0, 100, true));
        let cut = state.value;
        for seq in [2, 150] {
            let early = Feedback {
                unacknowledged: 1,
                ..ack(seq, 160, true)
            };
            state.on_ack(&early);
        }
        assert_eq!(state.value, cut);
    }

    /// RFC 8257, 3.5: a loss halves, like that of any TCP, also in a window that marks have cut; marks after it do not.
    #[test]
    fn losses_halve() {
        let mut state = Dctcp::default().control(&PathProperties::example());
        let loss = Loss::example();
        state.on_loss(&loss);
        assert_eq!(state.window(), 50_000);
        state.on_loss(&Loss { seq: 5, ..loss });
        state.on_ack(&ack(6, 100, true));
        assert_eq!(state.window(), 50_000, "once per window");
        state.on_loss(&Loss { seq: 100, ..loss });
        assert_eq!(state.window(), 25_000);
    }

    #[test]
    fn rates_grow_by_the_increase() {
        let spec = Dctcp {
            control: Signal::Rate,
            ..Dctcp::default()
        };
        let mut state = spec.control(&PathProperties::example());
        assert_eq!((state.window(), state.pace()), (u64::MAX, Some(0.0125)));
        state.on_ack(&ack(0, 100, true));
        assert_eq!(
            state.pace(),
            Some(0.0125 / 2.0),
            "alpha is 1, and this round trip all marked"
        );
        (1..100).for_each(|seq| state.on_ack(&ack(seq, 200 + seq, false)));
        assert_eq!(
            state.pace(),
            Some(0.0125 / 2.0),
            "not before the window is acknowledged"
        );
        // Round trips end with packets 100, 300 and 500.
        (100..=501).for_each(|seq| state.on_ack(&ack(seq, 200 + seq, false)));
        assert_eq!(state.pace(), Some(0.0125 / 2.0 + 3.0 * 0.000_125));
    }
}
