//! Protective load balancing: a host moves a congested flow to another path (SIGCOMM 2022).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Placement, Problem, Scheme};
use crate::input::InputError;
use crate::routes::Route;

/// Options of `plb`. Defaults are those of Linux (`tcp_plb_rehash_rounds`, `tcp_plb_cong_thresh`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Plb {
    /// Consecutive congested round-trip times after which a flow takes a new random path. Default 12.
    pub rounds: u32,
    /// Share of ECN-marked acknowledgements from which a round-trip time counts as congested, above 0
    /// and at most 1. Default 0.5.
    pub threshold: f64,
}

impl Default for Plb {
    fn default() -> Self {
        Self {
            rounds: 12,
            threshold: 0.5,
        }
    }
}

impl Scheme for Plb {
    fn check(&self) -> Result<(), InputError> {
        if self.rounds == 0 {
            let error = InputError::key("rounds", "a flow cannot move after 0 congested round-trip times");
            return Err(error.help("`rounds` is at least 1"));
        }
        if !(self.threshold > 0.0 && self.threshold <= 1.0) {
            let error = InputError::key("threshold", format!("{} is no share of marked packets", self.threshold));
            return Err(error.help("`threshold` is above 0 and at most 1"));
        }
        Ok(())
    }

    fn needs_packets(&self) -> bool {
        true
    }

    fn needs_acknowledgements(&self) -> bool {
        true
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        Ok(Placement::whole(problem.schedule, |_| Route::Dynamic))
    }
}
