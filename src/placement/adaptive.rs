//! Adaptive routing: every switch sends a packet to the least-loaded of its next links.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Placement, Problem, Scheme};
use crate::input::InputError;
use crate::routes::Route;
use crate::units::Bytes;

/// Options of `adaptive`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Adaptive {
    /// Queue lengths, rising, between which the switch cannot tell queues apart: it sees how many
    /// of them a queue has reached, and ties are random. Default: 5, 10 and 20 % of the limit of the port's queue, or of one
    /// bandwidth-delay product where it has none of its own, as in real switches. `[]`: queues are compared to the byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantise: Option<Vec<Bytes>>,
}

impl Scheme for Adaptive {
    fn check(&self) -> Result<(), InputError> {
        let levels = self.quantise.as_deref().unwrap_or_default();
        let rising = levels.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || levels.first().is_some_and(|level| level.is_zero()) {
            let error = InputError::key("quantise", "the queue levels do not rise from above zero");
            return Err(error.help("write them in rising order, such as [\"50KB\", \"100KB\", \"200KB\"]"));
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
