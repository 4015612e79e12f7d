//! A fixed window of one bandwidth-delay product, and room for acknowledgements that wait, over lossless
//! queues: isolates load balancing from congestion control (the method of arXiv 2507.21372).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::control::{CongestionControl, Feedback, Loss, PathProperties};
use super::spec::{Controlled, Spec, check_positive};
use crate::input::InputError;

/// Options of `ideal`. Queues have no limit unless `[switch]` sets one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ideal {
    /// The window in bandwidth-delay products of the unloaded path, rounded up to whole packets, and two packets
    /// more: where traffic goes both ways, an acknowledgement waits for a data packet at the link of either host. Default 1.
    pub window: f64,
    /// Sub-flows are paced, so that all of a step would end together when its most loaded link has carried all of
    /// its bytes: what a scheduler that knows all flows would have hosts do. Sub-flows that
    /// `active_queue_pairs` keeps waiting start when others end. Default false.
    pub paced: bool,
}

impl Default for Ideal {
    fn default() -> Self {
        Self {
            window: 1.0,
            paced: false,
        }
    }
}

impl Spec for Ideal {
    fn check(&self) -> Result<(), InputError> {
        check_positive("window", self.window)
    }

    fn paced(&self) -> bool {
        self.paced
    }

    fn limited_buffers(&self) -> bool {
        false
    }
}

/// Data packets that an acknowledgement may have to wait for: without room for them the window, not the network,
/// would limit flows that meet no congestion at all.
const WAITS: u64 = 2;

impl Controlled for Ideal {
    type Control = State;

    fn control(&self, conditions: &PathProperties) -> State {
        let packets = (conditions.bdp / conditions.full) as f64 * self.window;
        let whole = packets as u64 + u64::from(packets > (packets as u64) as f64);
        State {
            window: whole.saturating_add(WAITS).saturating_mul(conditions.full),
            pace: conditions.pace,
        }
    }
}

/// The window, and the pace if there is one.
#[derive(Debug, Clone, Copy)]
pub(in crate::packet_engine) struct State {
    window: u64,
    pace: Option<f64>,
}

impl CongestionControl for State {
    fn window(&self) -> u64 {
        self.window
    }

    fn largest_window(&self) -> u64 {
        self.window
    }

    fn pace(&self) -> Option<f64> {
        self.pace
    }

    fn catches_up(&self) -> bool {
        true
    }

    fn on_ack(&mut self, _: &Feedback) {}

    fn on_loss(&mut self, _: &Loss) {}

    fn on_timeout(&mut self, _: u64) {}
}
