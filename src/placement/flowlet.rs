//! Flowlet switching: a flow may change its path where it pauses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Placement, Problem, Scheme};
use crate::input::InputError;
use crate::routes::Route;
use crate::units::Time;

/// Options of `flowlet`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Flowlet {
    /// A packet that comes this long after the one before it takes a new random path. Default: half
    /// the round-trip time of the unloaded path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Time>,
}

impl Scheme for Flowlet {
    fn check(&self) -> Result<(), InputError> {
        if self.gap.is_some_and(Time::is_zero) {
            let error = InputError::key("gap", "the gap between two flowlets is zero");
            return Err(error.help("with no gap every packet takes a random path: that is load_balancing = \"spray\""));
        }
        Ok(())
    }

    fn needs_packets(&self) -> bool {
        true
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        Ok(Placement::whole(problem.schedule, |_| Route::Dynamic))
    }
}
