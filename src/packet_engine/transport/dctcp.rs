//! DCTCP (RFC 8257, SIGCOMM 2010): cuts in proportion to the share of ECN-marked packets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Conditions, CongestionControl, Feedback, SenderState, Spec};
use crate::input::InputError;
use crate::packet_engine::options::Ecn;
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
    /// First window, in bandwidth-delay products. Default 1: senders start at line rate.
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
        super::check_share("gain", self.gain)?;
        super::check_positive("initial_window", self.initial_window)?;
        super::check_positive("max_window", self.max_window)?;
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

impl Dctcp {
    pub(super) fn control(&self, conditions: &Conditions) -> State {
        let (full, bdp) = (conditions.full as f64, conditions.bdp as f64);
        let paced = self.control == Signal::Rate;
        State {
            paced,
            gain: self.gain,
            share: 0.0,
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
            cut_until: 0,
        }
    }
}

/// A window in bytes or a rate in bytes per picosecond, with the share of marks.
#[derive(Debug, Clone, Copy)]
pub(in crate::packet_engine) struct State {
    paced: bool,
    gain: f64,
    /// Moving share of marked bytes: alpha in RFC 8257.
    share: f64,
    /// What one round trip without marks adds.
    unit: f64,
    value: f64,
    least: f64,
    most: f64,
    /// Below it the window doubles per round trip (slow start).
    threshold: f64,
    /// A round trip ends when this packet is acknowledged.
    window_end: u32,
    /// Losses of packets before this one have been answered.
    cut_until: u32,
    /// Bytes acknowledged, and those of them marked, in this round trip.
    acked: u64,
    marked: u64,
}

impl CongestionControl for State {
    fn window(&self) -> u64 {
        if self.paced { u64::MAX } else { self.value as u64 }
    }

    fn pace(&self) -> Option<f64> {
        self.paced.then_some(self.value)
    }

    fn state(&self) -> SenderState {
        SenderState {
            alpha: Some(self.share),
            ..SenderState::of(self)
        }
    }

    fn on_ack(&mut self, ack: &Feedback) {
        self.acked += ack.bytes;
        if ack.marked {
            self.marked += ack.bytes;
        } else if !self.paced {
            let bytes = ack.bytes as f64;
            self.value += if self.value < self.threshold {
                bytes
            } else {
                self.unit * bytes / self.value
            };
            self.value = self.value.min(self.most);
        }
        if ack.seq >= self.window_end && self.acked > 0 {
            self.end_of_round(ack.next);
        }
    }

    fn on_loss(&mut self, _: u64, seq: u32, next: u32) {
        if seq >= self.cut_until {
            self.cut_until = next;
            self.value = (self.value / 2.0).max(self.least);
            self.threshold = self.value;
        }
    }

    fn on_timeout(&mut self, _: u64) {
        self.threshold = (self.value / 2.0).max(self.least);
        self.value = if self.paced { self.threshold } else { self.least };
    }
}

impl State {
    /// Once per round trip: the share moves, and marks cut by half of it.
    fn end_of_round(&mut self, next: u32) {
        let now = self.marked as f64 / self.acked as f64;
        self.share += self.gain * (now - self.share);
        if self.marked > 0 {
            self.value = (self.value * (1.0 - self.share / 2.0)).max(self.least);
            self.threshold = self.value;
        } else if self.paced {
            self.value = (self.value + self.unit).min(self.most);
        }
        self.window_end = next;
        self.acked = 0;
        self.marked = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(seq: u32, next: u32, marked: bool) -> Feedback {
        Feedback {
            marked,
            seq,
            next,
            ..Feedback::example()
        }
    }

    /// One round trip of a full window, by hand.
    #[test]
    fn grows_by_a_packet_and_cuts_by_half_the_share() {
        let mut state = Dctcp::default().control(&Conditions::example());
        assert_eq!(state.window(), 100_000);
        state.on_ack(&ack(0, 100, false));
        for seq in 1..=100 {
            state.on_ack(&ack(seq, 101 + seq, false));
        }
        // 101 acknowledgements of 1/w each: a little less than 101/100 packets.
        assert_eq!(state.window(), 101_004);
        for seq in 101..=201 {
            state.on_ack(&ack(seq, 101 + seq, true));
        }
        // The round that ends at 201 was fully marked: alpha = 1/16, the cut 1/32.
        assert_eq!(state.window(), (101_004.93 * (1.0 - 1.0 / 32.0)) as u64);
    }

    #[test]
    fn rates_grow_by_the_increase() {
        let spec = Dctcp {
            control: Signal::Rate,
            ..Dctcp::default()
        };
        let mut state = spec.control(&Conditions::example());
        assert_eq!((state.window(), state.pace()), (u64::MAX, Some(0.0125)));
        state.on_ack(&ack(0, 100, true));
        let cut = 0.0125 * (1.0 - 1.0 / 32.0);
        assert_eq!(state.pace(), Some(cut));
        (1..=100).for_each(|seq| state.on_ack(&ack(seq, 200, false)));
        assert_eq!(state.pace(), Some(cut + 0.000_125));
    }
}
