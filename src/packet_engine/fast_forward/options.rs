//! The key `packet.fast_forward`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::InputError;

/// Steady states are skipped instead of simulated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FastForward {
    /// By which part times may be off as far as rates tell, from 0.0001 to 0.1. Nothing is skipped whose rates are not known so well.
    pub error: f64,
}

impl FastForward {
    pub(in crate::packet_engine) fn check(&self) -> Result<(), InputError> {
        if (1e-4..=0.1).contains(&self.error) {
            return Ok(());
        }
        Err(
            InputError::key("fast_forward.error", format!("`error` is {}", self.error))
                .help("it is from 0.0001 to 0.1; 0.01 is one percent"),
        )
    }
}
