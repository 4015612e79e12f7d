//! Packet spraying: the bytes of every flow on all paths alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Placement, Problem, Scheme};
use crate::input::InputError;
use crate::routes::Route;

/// How the next packet's path is chosen; matters to the packet engine only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Choose {
    /// A uniformly random path per packet.
    #[default]
    Random,
    /// Every switch takes each of its next links once a round, in a new random order every round.
    RoundRobin,
    /// The host walks a random permutation of the paths, a new one after each round.
    Permuted,
}

/// Options of `spray`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Spray {
    /// How the next packet's path is chosen (packet engine). Default `random`.
    pub choose: Choose,
}

impl Scheme for Spray {
    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        Ok(Placement::whole(problem.schedule, |_| Route::Even))
    }
}
