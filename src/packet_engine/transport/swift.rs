//! Swift (SIGCOMM 2020): the window follows the round-trip time against a target delay.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::control::{CongestionControl, Feedback, Loss, PathProperties};
use super::spec::{Controlled, Spec, check_fraction, check_positive};
use crate::input::InputError;
use crate::units::Time;

/// Windows in packets between which the target grows as the window falls.
const FLOW_SCALING_WINDOWS: (f64, f64) = (0.1, 100.0);
/// Smallest window in packets; below 1, packets are paced.
const LEAST: f64 = 0.01;
/// The base target is at least so long by default, and so many unloaded round trips: a target that no packet can meet
/// would cut for ever.
const BASE_TARGET: f64 = 20e6;
const BASE_ROUND_TRIPS: f64 = 1.25;
/// The target's share of one hop is the base target divided by this.
const HOP_SHARE: f64 = 6.55;

/// Options of `swift`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Swift {
    /// Round-trip time aimed at, without what hops and many flows add; with what hops add it is above the unloaded round trip.
    /// Default 20 us, but at least 1.25 unloaded round trips.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_target: Option<Time>,
    /// What each hop adds to the target. Default: the base target / 6.55.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_hop: Option<Time>,
    /// Most that a small window adds to the target (flow scaling). Default: 5 times the base target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_scaling: Option<Time>,
    /// Additive increase in packets per round trip. Default 1.
    pub increase: f64,
    /// Share of the excess delay by which the window is cut. Default 0.8.
    pub beta: f64,
    /// Largest cut in one round trip. Default 0.5.
    pub max_decrease: f64,
    /// First window, in bandwidth-delay products. Default 1.
    pub initial_window: f64,
    /// Largest window, in bandwidth-delay products. Default 4.
    pub max_window: f64,
}

impl Default for Swift {
    fn default() -> Self {
        Self {
            base_target: None,
            per_hop: None,
            flow_scaling: None,
            increase: 1.0,
            beta: 0.8,
            max_decrease: 0.5,
            initial_window: 1.0,
            max_window: 4.0,
        }
    }
}

impl Spec for Swift {
    fn check(&self) -> Result<(), InputError> {
        if self.base_target.is_some_and(Time::is_zero) {
            return Err(InputError::key("base_target", "the target delay is zero"));
        }
        for (key, value) in [
            ("increase", self.increase),
            ("initial_window", self.initial_window),
            ("max_window", self.max_window),
        ] {
            check_positive(key, value)?;
        }
        for (key, value) in [("beta", self.beta), ("max_decrease", self.max_decrease)] {
            check_fraction(key, value)?;
        }
        Ok(())
    }
}

impl Swift {
    /// The base target, and what each hop adds to it, in ps.
    fn base_and_hop(&self, conditions: &PathProperties) -> (f64, f64) {
        let default = (BASE_ROUND_TRIPS * conditions.longest_rtt as f64).max(BASE_TARGET);
        let base = self.base_target.map_or(default, |time| time.0 as f64);
        (base, self.per_hop.map_or(base / HOP_SHARE, |time| time.0 as f64))
    }

    /// Refuses a target that no packet can meet. Keys are relative to the transport's table.
    pub(in crate::packet_engine) fn check_path(&self, conditions: &PathProperties) -> Result<(), InputError> {
        let (base, per_hop) = self.base_and_hop(conditions);
        let target = base + per_hop * f64::from(conditions.hops);
        if target > conditions.longest_rtt as f64 {
            return Ok(());
        }
        let rtt = Time(conditions.longest_rtt).as_us();
        let target = target / 1e6;
        let message =
            format!("a target of {target:.1} us, hops included, is not above the unloaded round trip of {rtt:.1} us");
        Err(InputError::key("base_target", message).help("raise it, or leave it out: it then follows the round trip"))
    }
}

impl Controlled for Swift {
    type Control = State;

    fn control(&self, conditions: &PathProperties) -> State {
        let bdp = conditions.bdp as f64 / conditions.full as f64;
        let (base, per_hop) = self.base_and_hop(conditions);
        let range = self.flow_scaling.map_or(5.0 * base, |time| time.0 as f64);
        let (low, high) = FLOW_SCALING_WINDOWS;
        let slope = range / (1.0 / low.sqrt() - 1.0 / high.sqrt());
        let most = (bdp * self.max_window).max(1.0);
        State {
            full: conditions.full as f64,
            window: (bdp * self.initial_window).clamp(LEAST, most),
            most,
            target: base + per_hop * f64::from(conditions.hops),
            slope,
            range,
            increase: self.increase,
            beta: self.beta,
            max_decrease: self.max_decrease,
            rtt: conditions.rtt as f64,
            decreased_at: 0,
        }
    }
}

/// The window in packets.
#[derive(Debug, Clone, Copy)]
pub(in crate::packet_engine) struct State {
    full: f64,
    window: f64,
    most: f64,
    target: f64,
    slope: f64,
    range: f64,
    increase: f64,
    beta: f64,
    max_decrease: f64,
    rtt: f64,
    decreased_at: u64,
}

impl CongestionControl for State {
    fn window(&self) -> u64 {
        (self.window.max(1.0) * self.full) as u64
    }

    fn largest_window(&self) -> u64 {
        (self.most * self.full) as u64
    }

    fn pace(&self) -> Option<f64> {
        (self.window < 1.0).then_some(self.window * self.full / self.rtt)
    }

    fn on_ack(&mut self, ack: &Feedback) {
        self.rtt = ack.rtt as f64;
        let target = self.target();
        if self.rtt < target {
            let packets = ack.bytes as f64 / self.full;
            self.window += match self.window >= 1.0 {
                true => self.increase * packets / self.window,
                false => self.increase * packets,
            };
            self.window = self.window.min(self.most);
        } else {
            let excess = (self.rtt - target) / self.rtt;
            self.cut(ack.now, (self.beta * excess).min(self.max_decrease));
        }
    }

    fn on_loss(&mut self, loss: &Loss) {
        self.cut(loss.now, self.max_decrease);
    }

    fn on_timeout(&mut self, now: u64) {
        self.cut(now, self.max_decrease);
    }
}

impl State {
    /// The target delay: more for small windows, so that many flows share without losing their footing.
    fn target(&self) -> f64 {
        let (_, high) = FLOW_SCALING_WINDOWS;
        let scaling = self.slope / self.window.sqrt() - self.slope / high.sqrt();
        self.target + scaling.clamp(0.0, self.range)
    }

    /// Cuts the window by a share, once per round trip.
    fn cut(&mut self, now: u64, fraction: f64) {
        if (now - self.decreased_at) as f64 >= self.rtt {
            self.decreased_at = now;
            self.window = (self.window * (1.0 - fraction)).max(LEAST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_the_target_it_grows_above_it_is_cut_once_per_round_trip() {
        let conditions = PathProperties::example();
        let mut state = Swift::default().control(&conditions);
        assert_eq!(state.window(), 100_000);
        let ack = |now, rtt| Feedback {
            now,
            rtt,
            ..Feedback::example()
        };
        state.on_ack(&ack(10_000_000, 8_000_000));
        assert_eq!(state.window(), 100_010);
        // 20 us and four hops of 20/6.55 us; a window of 100 packets adds nothing.
        let target = 20e6 * (1.0 + 4.0 / 6.55);
        let fraction = 0.8 * (40e6 - target) / 40e6;
        state.on_ack(&ack(60_000_000, 40_000_000));
        let cut = (100.01 * (1.0 - fraction) * 1e3) as u64;
        assert_eq!(state.window(), cut);
        state.on_ack(&ack(61_000_000, 40_000_000));
        assert_eq!(state.window(), cut, "once per round trip");
    }

    /// Over 200 us of cable the target leaves room above the unloaded round trip; what is set is kept, or refused.
    #[test]
    fn the_target_follows_long_round_trips() {
        let long = PathProperties {
            rtt: 200_000_000,
            longest_rtt: 200_000_000,
            hops: 2,
            ..PathProperties::example()
        };
        let state = Swift::default().control(&long);
        assert!((state.target - 250e6 * (1.0 + 2.0 / 6.55)).abs() < 1.0);
        assert!(Swift::default().check_path(&long).is_ok());
        let with = |base, hop| Swift {
            base_target: Some(Time::from_us(base)),
            per_hop: Some(Time::from_us(hop)),
            ..Swift::default()
        };
        assert_eq!(with(150, 30).control(&long).target, 210e6);
        assert!(with(150, 30).check_path(&long).is_ok());
        assert!(with(150, 25).check_path(&long).is_err());
    }
}
