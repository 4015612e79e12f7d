//! Datagrams (RFC 768): sent at line rate, never acknowledged, never sent again. Shows what the network alone does,
//! without the way back and without any control.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::control::{CongestionControl, Feedback, Loss, PathProperties};
use super::spec::{Controlled, Spec};

/// `udp` has no options. Queues have no limit unless `[switch]` sets one. A flow is over for its sender, too, when its
/// last byte has arrived; one that loses a packet never is. Keys about acknowledgements and recovery have no effect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Udp {}

impl Spec for Udp {
    /// No sender knows what arrives.
    fn cycle(&self) -> Option<u64> {
        None
    }

    fn acknowledged(&self) -> bool {
        false
    }

    fn limited_buffers(&self) -> bool {
        false
    }
}

impl Controlled for Udp {
    type Control = State;

    fn control(&self, _: &PathProperties) -> State {
        State
    }
}

/// Nothing is remembered, and nothing heard of.
#[derive(Debug, Clone, Copy)]
pub(in crate::packet_engine) struct State;

impl CongestionControl for State {
    fn window(&self) -> u64 {
        u64::MAX
    }

    fn on_ack(&mut self, _: &Feedback) {}

    fn on_loss(&mut self, _: &Loss) {}

    fn on_timeout(&mut self, _: u64) {}
}
