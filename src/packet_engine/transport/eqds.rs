//! EQDS (NSDI 2022) and NDP (SIGCOMM 2017): the receiver hands out credits at its line rate.
//!
//! A sender begins with credits for one bandwidth-delay product; every packet that arrives, whole or
//! trimmed, entitles it to one more, which the receiver sends when it is the queue pair's turn. Switches hold few
//! packets and trim the rest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Conditions, CongestionControl, Feedback, SenderState, Spec};
use crate::input::InputError;
use crate::units::Time;

/// Packets that a port holds where switches trim.
const QUEUE_PACKETS: u64 = 8;

/// Options of `eqds`. Switches trim, and their ports hold 8 packets, unless `[switch]` says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Eqds {
    /// Credits that a sender begins with, in bandwidth-delay products. Default 1.
    pub initial_window: f64,
}

impl Default for Eqds {
    fn default() -> Self {
        Self { initial_window: 1.0 }
    }
}

impl Spec for Eqds {
    fn check(&self) -> Result<(), InputError> {
        super::check_positive("initial_window", self.initial_window)
    }

    fn trimming(&self) -> bool {
        true
    }

    fn queue(&self, trimming: bool, _bdp: u64, full: u64) -> Option<u64> {
        trimming.then_some(QUEUE_PACKETS * full)
    }

    fn rto(&self, _rtt: u64) -> Time {
        Time::from_us(100)
    }

    fn credits(&self, conditions: &Conditions) -> Option<u32> {
        let packets = conditions.bdp as f64 / conditions.full as f64 * self.initial_window;
        Some((packets as u32).max(1))
    }
}

impl Eqds {
    pub(super) fn control(&self, conditions: &Conditions) -> State {
        State {
            credits: self.credits(conditions).unwrap_or(1),
        }
    }
}

/// Packets that may be sent.
#[derive(Debug, Clone, Copy)]
pub(in crate::packet_engine) struct State {
    credits: u32,
}

impl CongestionControl for State {
    fn window(&self) -> u64 {
        u64::MAX
    }

    fn state(&self) -> SenderState {
        SenderState {
            credits: Some(self.credits),
            ..SenderState::of(self)
        }
    }

    fn may_send(&self, _in_flight: u32, _full: u64) -> bool {
        self.credits > 0
    }

    fn on_send(&mut self) {
        self.credits = self.credits.saturating_sub(1);
    }

    fn on_credit(&mut self) {
        self.credits += 1;
    }

    fn on_ack(&mut self, _: &Feedback) {}

    fn on_loss(&mut self, _: u64, _: u32, _: u32) {}

    /// Credits may have been lost as well.
    fn on_timeout(&mut self, _: u64) {
        self.credits = self.credits.max(1);
    }
}
