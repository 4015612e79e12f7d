//! A fixed window over lossless queues: isolates load balancing from congestion control (the method
//! of arXiv 2507.21372).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Conditions, CongestionControl, Feedback, Spec};
use crate::input::InputError;

/// Options of `ideal`. Queues have no limit unless `[switch]` sets one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ideal {
    /// The window in bandwidth-delay products of the unloaded path, rounded up to whole packets. Default 1.
    pub window: f64,
}

impl Default for Ideal {
    fn default() -> Self {
        Self { window: 1.0 }
    }
}

impl Spec for Ideal {
    fn check(&self) -> Result<(), InputError> {
        super::check_positive("window", self.window)
    }

    fn limited_buffers(&self) -> bool {
        false
    }
}

impl Ideal {
    pub(super) fn control(&self, conditions: &Conditions) -> State {
        let packets = (conditions.bdp / conditions.full) as f64 * self.window;
        let whole = packets as u64 + u64::from(packets > (packets as u64) as f64);
        State {
            window: whole.saturating_mul(conditions.full),
        }
    }
}

/// The window.
#[derive(Debug, Clone, Copy)]
pub(in crate::packet_engine) struct State {
    window: u64,
}

impl CongestionControl for State {
    fn window(&self) -> u64 {
        self.window
    }

    fn on_ack(&mut self, _: &Feedback) {}

    fn on_loss(&mut self, _: u64, _: u32, _: u32) {}

    fn on_timeout(&mut self, _: u64) {}
}
