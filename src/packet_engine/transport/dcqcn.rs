//! DCQCN (SIGCOMM 2015): rates cut by congestion notifications, recovered by timer and byte counter.
//!
//! A receiver that meets a marked packet sends a congestion notification (CNP), at most one in `cnp_interval` for
//! each queue pair; the sender cuts on each, as soon as it arrives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::control::{CongestionControl, Feedback, Loss, PathProperties, SenderState};
use super::spec::{Controlled, Spec, check_fraction};
use crate::input::InputError;
use crate::packet_engine::ecn::Ecn;
use crate::units::{Bytes, Rate, Time};

/// Options of `dcqcn`. Ports mark between 2 and 8 KB per Gb/s with chance up to 0.2 (800 and 3200 KB at 400
/// Gb/s) unless `[switch]` says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dcqcn {
    /// Shortest time between two congestion notifications that a receiver sends for a queue pair. Zero: one for each
    /// marked packet. Default 50 us.
    pub cnp_interval: Time,
    /// Without notifications alpha decays once in this time. Default 55 us.
    pub alpha_timer: Time,
    /// The rate recovers once in this time. Default 55 us; the paper of the splitting rule sets 900 us.
    pub increase_timer: Time,
    /// The rate also recovers once in so many bytes. Default 10 MB.
    pub byte_counter: Bytes,
    /// Gain of alpha. Default 1/256.
    pub gain: f64,
    /// Recoveries towards the rate before the cut; increases follow. Default 5.
    pub recovery_rounds: u32,
    /// Additive increase. Default: a twentieth of the line rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub increase: Option<Rate>,
    /// Increase once timer and bytes are both through recovery. Default: a tenth of the line rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hyper_increase: Option<Rate>,
    /// Lowest rate. Default 100 Mb/s.
    pub min_rate: Rate,
}

impl Default for Dcqcn {
    fn default() -> Self {
        Self {
            cnp_interval: Time::from_us(50),
            alpha_timer: Time::from_us(55),
            increase_timer: Time::from_us(55),
            byte_counter: Bytes(10_000_000),
            gain: 1.0 / 256.0,
            recovery_rounds: 5,
            increase: None,
            hyper_increase: None,
            min_rate: Rate(100_000_000),
        }
    }
}

impl Spec for Dcqcn {
    /// The recovery after a cut.
    fn cycle(&self) -> Option<u64> {
        Some(
            self.increase_timer
                .0
                .saturating_mul(u64::from(self.recovery_rounds.max(1))),
        )
    }

    fn check(&self) -> Result<(), InputError> {
        check_fraction("gain", self.gain)?;
        for (key, time) in [
            ("alpha_timer", self.alpha_timer),
            ("increase_timer", self.increase_timer),
        ] {
            if time.is_zero() {
                return Err(InputError::key(key, "a timer of zero never stops"));
            }
        }
        if self.byte_counter.is_zero() || self.min_rate.is_zero() {
            let key = if self.min_rate.is_zero() {
                "min_rate"
            } else {
                "byte_counter"
            };
            return Err(InputError::key(key, format!("`{key}` is zero")));
        }
        Ok(())
    }

    fn ecn(&self, rate: Rate, _bdp: u64) -> Option<Ecn> {
        Some(Ecn {
            kmin: Bytes(rate.0 / 500_000),
            kmax: Bytes(rate.0 / 125_000),
            pmax: 0.2,
        })
    }

    fn notification_interval(&self) -> Option<Time> {
        Some(self.cnp_interval)
    }
}

impl Controlled for Dcqcn {
    type Control = State;

    fn control(&self, conditions: &PathProperties) -> State {
        let line = conditions.rate;
        State {
            line,
            least: self.min_rate.bytes_per_ps().min(line),
            rate: line,
            target: line,
            alpha: 1.0,
            gain: self.gain,
            increase: self.increase.map_or(line / 20.0, Rate::bytes_per_ps),
            hyper_increase: self.hyper_increase.map_or(line / 10.0, Rate::bytes_per_ps),
            cnp_interval: self.cnp_interval.0,
            alpha_timer: self.alpha_timer.0,
            increase_timer: self.increase_timer.0,
            byte_counter: self.byte_counter.0,
            recovery_rounds: self.recovery_rounds,
            last_cut: None,
            next_alpha: 0,
            next_increase: 0,
            bytes: 0,
            by_time: 0,
            by_bytes: 0,
        }
    }
}

/// Rates in bytes per picosecond, with the state of timers and counters.
#[derive(Debug, Clone, Copy)]
pub(in crate::packet_engine) struct State {
    line: f64,
    least: f64,
    /// Current and target rate: RC and RT in the paper.
    rate: f64,
    target: f64,
    alpha: f64,
    gain: f64,
    increase: f64,
    hyper_increase: f64,
    cnp_interval: u64,
    alpha_timer: u64,
    increase_timer: u64,
    byte_counter: u64,
    recovery_rounds: u32,
    last_cut: Option<u64>,
    next_alpha: u64,
    next_increase: u64,
    bytes: u64,
    /// Rounds since the last cut by timer and by byte counter.
    by_time: u32,
    by_bytes: u32,
}

impl CongestionControl for State {
    fn window(&self) -> u64 {
        u64::MAX
    }

    fn pace(&self) -> Option<f64> {
        Some(self.rate)
    }

    fn state(&self) -> SenderState {
        SenderState {
            alpha: Some(self.alpha),
            ..SenderState::of(self)
        }
    }

    fn on_ack(&mut self, ack: &Feedback) {
        self.catch_up(ack.now, ack.bytes);
    }

    fn on_notification(&mut self, now: u64) {
        self.catch_up(now, 0);
        self.cut(now);
    }

    /// Losses count like notifications, and come as rarely.
    fn on_loss(&mut self, loss: &Loss) {
        if self.last_cut.is_none_or(|last| loss.now - last >= self.cnp_interval) {
            self.on_notification(loss.now);
        }
    }

    fn on_timeout(&mut self, now: u64) {
        self.cut(now);
    }
}

impl State {
    fn cut(&mut self, now: u64) {
        self.last_cut = Some(now);
        self.target = self.rate;
        self.rate = (self.rate * (1.0 - self.alpha / 2.0)).max(self.least);
        self.alpha += self.gain * (1.0 - self.alpha);
        self.next_alpha = now.saturating_add(self.alpha_timer);
        self.next_increase = now.saturating_add(self.increase_timer);
        (self.bytes, self.by_time, self.by_bytes) = (0, 0, 0);
    }

    /// Lets the timers and the byte counter run that have run out since the last acknowledgement.
    fn catch_up(&mut self, now: u64, bytes: u64) {
        if self.last_cut.is_none() {
            return;
        }
        while self.next_alpha <= now {
            self.next_alpha += self.alpha_timer;
            self.alpha *= 1.0 - self.gain;
        }
        while self.next_increase <= now {
            self.next_increase += self.increase_timer;
            self.by_time += 1;
            self.recover();
        }
        self.bytes += bytes;
        while self.bytes >= self.byte_counter {
            self.bytes -= self.byte_counter;
            self.by_bytes += 1;
            self.recover();
        }
    }

    fn recover(&mut self) {
        if self.by_time.min(self.by_bytes) > self.recovery_rounds {
            self.target += self.hyper_increase;
        } else if self.by_time.max(self.by_bytes) > self.recovery_rounds {
            self.target += self.increase;
        }
        self.target = self.target.min(self.line);
        self.rate = (self.rate + self.target) / 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_halves_and_recovery_halves_the_gap() {
        let mut state = Dcqcn::default().control(&PathProperties::example());
        let line = 0.0125;
        let ack = |now, marked| Feedback {
            now,
            marked,
            ..Feedback::example()
        };
        state.on_ack(&ack(500_000, true));
        assert_eq!(state.pace(), Some(line), "receivers decide which marks count");
        state.on_notification(1_000_000);
        assert_eq!(state.pace(), Some(line / 2.0), "alpha begins at 1");
        // One increase timer later: half way back.
        state.on_ack(&ack(56_100_000, false));
        assert_eq!(state.pace(), Some(line * 0.75));
        // Long after: five recoveries, then additive increases up to the line rate.
        state.on_ack(&ack(56_000_000 * 40, false));
        let gap = line - state.pace().unwrap();
        assert!((0.0..line * 1e-6).contains(&gap), "{gap}");
    }
}
