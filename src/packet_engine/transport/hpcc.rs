//! HPCC (SIGCOMM 2019): a window that follows what every hop says of its queue and its load.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::control::{CongestionControl, Feedback, HopReading, Loss, PathProperties};
use super::spec::{Controlled, Spec, check_fraction, check_positive};
use crate::input::InputError;

/// Options of `hpcc`. Switches write their queue, their count of bytes sent and the time into every data packet (in-band
/// telemetry), which comes back with the acknowledgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hpcc {
    /// Utilization aimed at. Default 0.95 (the paper's).
    pub eta: f64,
    /// Additive increases in a row before the window follows the load again. Default 5 (the paper's).
    pub max_stage: u32,
    /// Flows that are to share a link without a standing queue: the additive increase is the first window times (1 - `eta`), divided by
    /// it. Default 100.
    pub flows: f64,
}

impl Default for Hpcc {
    fn default() -> Self {
        Self {
            eta: 0.95,
            max_stage: 5,
            flows: 100.0,
        }
    }
}

impl Spec for Hpcc {
    fn check(&self) -> Result<(), InputError> {
        check_fraction("eta", self.eta)?;
        check_positive("flows", self.flows)
    }

    fn reads_hops(&self) -> bool {
        true
    }
}

impl Controlled for Hpcc {
    type Control = State;

    fn control(&self, conditions: &PathProperties) -> State {
        let base = conditions.longest_rtt as f64;
        let first = (conditions.rate * base).max(conditions.full as f64);
        State {
            full: conditions.full as f64,
            base,
            first,
            window: first,
            reference: first,
            increase: first * (1.0 - self.eta) / self.flows,
            eta: self.eta,
            max_stage: self.max_stage,
            stage: 0,
            utilization: 1.0,
            updated: 0,
            hops: SmallVec::new(),
        }
    }
}

/// The window in bytes.
#[derive(Debug, Clone)]
pub(in crate::packet_engine) struct State {
    full: f64,
    /// Base round trip, in ps.
    base: f64,
    first: f64,
    window: f64,
    /// The window of a round trip ago, from which it is computed.
    reference: f64,
    increase: f64,
    eta: f64,
    max_stage: u32,
    stage: u32,
    /// Of the most loaded hop, averaged over a round trip.
    utilization: f64,
    /// The first packet that had not been sent when the reference last changed.
    updated: u32,
    /// What the hops said last.
    hops: SmallVec<[HopReading; 4]>,
}

impl CongestionControl for State {
    fn window(&self) -> u64 {
        self.window as u64
    }

    fn largest_window(&self) -> u64 {
        self.first as u64
    }

    /// As in the paper's sender, the last packet may reach beyond the window.
    fn may_send(&self, in_flight: u32, full: u64) -> bool {
        in_flight == 0 || u64::from(in_flight) * full < self.window()
    }

    fn pace(&self) -> Option<f64> {
        Some(self.window / self.base)
    }

    fn on_telemetry(&mut self, hops: &[HopReading]) {
        let same = hops.len() == self.hops.len() && hops.iter().zip(&self.hops).all(|(new, old)| new.link == old.link);
        if same {
            self.measure(hops);
        }
        self.hops = SmallVec::from_slice(hops);
    }

    fn on_ack(&mut self, ack: &Feedback) {
        let round = ack.seq >= self.updated;
        let over = self.utilization >= self.eta || self.stage >= self.max_stage;
        let window = match over {
            true => self.reference / (self.utilization / self.eta) + self.increase,
            false => self.reference + self.increase,
        };
        self.window = window.clamp(self.full.min(self.first), self.first);
        if round {
            self.stage = if over { 0 } else { self.stage + 1 };
            self.reference = self.window;
            self.updated = ack.next;
        }
    }

    /// The paper leaves losses to flow control and retransmission.
    fn on_loss(&mut self, _loss: &Loss) {}

    fn on_timeout(&mut self, _now: u64) {
        self.window = (self.window / 2.0).max(self.full.min(self.first));
        self.reference = self.window;
    }
}

impl State {
    /// How full the most loaded hop is: what it sends, and what waits in front of it, in round trips of its rate.
    fn measure(&mut self, hops: &[HopReading]) {
        let mut most = (0.0, 0.0);
        for (new, old) in hops.iter().zip(&self.hops) {
            let time = new.at.saturating_sub(old.at) as f64;
            if time == 0.0 {
                continue;
            }
            let sent = new.sent.saturating_sub(old.sent) as f64 / time / new.rate;
            let waits = new.queue.min(old.queue) as f64 / (new.rate * self.base);
            if sent + waits > most.0 {
                most = (sent + waits, time);
            }
        }
        let share = (most.1 / self.base).min(1.0);
        self.utilization += share * (most.0 - self.utilization);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(queue: u64, sent: u64, at: u64) -> HopReading {
        HopReading {
            link: crate::ids::LinkId(7),
            queue,
            sent,
            at,
            rate: 0.0125,
        }
    }

    /// A link that is full and has 20 KB waiting is at 1.2 round trips: the window falls to that share of eta.
    #[test]
    fn the_window_follows_the_most_loaded_hop() {
        let mut state = Hpcc::default().control(&PathProperties::example());
        assert_eq!(state.window(), 100_000);
        state.on_telemetry(&[reading(20_000, 0, 0)]);
        state.on_telemetry(&[reading(20_000, 100_000, 8_000_000)]);
        let increase = 100_000.0 * 0.05 / 100.0;
        state.on_ack(&Feedback::example());
        assert_eq!(state.window(), (100_000.0 / (1.2 / 0.95) + increase) as u64);
        // Half empty: five additive increases, then the window doubles as the load allows.
        let mut windows = Vec::new();
        for round in 2..9_u64 {
            state.on_telemetry(&[reading(0, 50_000 * (round + 1), 8_000_000 * round)]);
            state.on_ack(&Feedback {
                seq: 100 * round as u32,
                next: 100 * (round as u32 + 1),
                ..Feedback::example()
            });
            windows.push(state.window() as f64);
        }
        let steps: Vec<f64> = windows.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(
            steps[..4].iter().all(|step| (step - increase).abs() <= 1.0),
            "{steps:?}"
        );
        assert_eq!(*windows.last().unwrap(), 100_000.0);
    }
}
