//! Packet spraying in proportion to what the paths can carry.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Placement, Problem, Scheme};
use crate::input::InputError;
use crate::routes::Route;

/// `weighted-spray` has no options; the weights are [`path_weights`](crate::routes::path_weights).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightedSpray {}

impl Scheme for WeightedSpray {
    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        Ok(Placement::whole(problem.schedule, |_| Route::Weighted))
    }
}
