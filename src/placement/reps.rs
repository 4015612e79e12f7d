//! Recycled entropies packet spraying (arXiv 2407.21625).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Placement, Problem, Scheme};
use crate::input::InputError;
use crate::routes::Route;
use crate::units::Time;

/// Which rule recycles entropies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RepsVariant {
    /// A ring of entropies whose acknowledgements came back without ECN mark; each is used once.
    #[default]
    Published,
    /// The stand-in of the Ethereal authors' simulator, weaker than the published rule: one entropy,
    /// kept until an acknowledgement comes back marked.
    Artifact,
}

/// Options of `reps`. A sender begins with random paths for one bandwidth-delay product. An
/// acknowledgement without ECN mark puts its packet's path in a ring; a packet takes the oldest path
/// from the ring, or a random one where the ring is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reps {
    /// Which rule recycles entropies. Default `published`.
    pub variant: RepsVariant,
    /// Entropies in the ring. Default 8.
    pub ring: u32,
    /// After a timeout the ring is reused, consumed entries as well, and nothing random is tried for
    /// this long. Default 10 ms.
    pub freeze: Time,
}

impl Default for Reps {
    fn default() -> Self {
        Self {
            variant: RepsVariant::Published,
            ring: 8,
            freeze: Time::from_us(10_000),
        }
    }
}

impl Scheme for Reps {
    fn check(&self) -> Result<(), InputError> {
        if !(1..=65_536).contains(&self.ring) {
            let error = InputError::key("ring", format!("a ring of {} entropies cannot be simulated", self.ring));
            return Err(error.help("`ring` is from 1 to 65536; the published one has 8 entries"));
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
