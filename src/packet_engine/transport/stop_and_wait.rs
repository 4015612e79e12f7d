//! A transport as somebody would add it: this file, and one line in the table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::control::{CongestionControl, Feedback, Loss, PathProperties};
use super::spec::{Controlled, Spec};

/// One packet at a time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopAndWait {}

impl Spec for StopAndWait {}

impl Controlled for StopAndWait {
    type Control = State;

    fn control(&self, _: &PathProperties) -> State {
        State
    }
}

#[derive(Debug, Clone, Copy)]
pub(in crate::packet_engine) struct State;

impl CongestionControl for State {
    fn window(&self) -> u64 {
        0
    }

    fn on_ack(&mut self, _: &Feedback) {}

    fn on_loss(&mut self, _: &Loss) {}

    fn on_timeout(&mut self, _: u64) {}
}
