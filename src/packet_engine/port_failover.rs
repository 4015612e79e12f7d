//! Ports that a host gives up by itself, as NCCL does: after timeouts for a while a queue pair moves to another port, and no
//! other starts on the old one until that may have recovered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Time;

/// When a host gives up a port, and when it tries it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PortFailover {
    /// From the first timeout without an answer in between until the queue pair moves. Default 10 ms (NCCL's probe delay).
    pub probe: Time,
    /// How long queue pairs that start keep off the port. Default 200 ms (NCCL's).
    pub recovery: Time,
}

impl Default for PortFailover {
    fn default() -> Self {
        Self {
            probe: Time::from_us(10_000),
            recovery: Time::from_us(200_000),
        }
    }
}
