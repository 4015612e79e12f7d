//! Spraying over entropies that were not marked lately, as STrack has it (arXiv 2407.15266).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Placement, Problem, Scheme};
use crate::input::InputError;
use crate::routes::Route;

/// Options of `bitmap`. A host goes through its entropies, each hashed onto a path, in an order by chance that changes with every
/// round. Entropies whose packets came back marked or trimmed get a penalty, and are skipped that often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bitmap {
    /// Entropies of a queue pair; fewer where paths times entropies exceed 65536. Default 128.
    pub entropies: u32,
    /// Penalty for an ECN mark: how often more the entropy is skipped. Default 1.
    pub ecn_penalty: u8,
    /// Penalty for a trimmed packet. Default 4.
    pub trim_penalty: u8,
    /// Penalty beyond which an entropy gets none. Default 15.
    pub max_penalty: u8,
}

impl Default for Bitmap {
    fn default() -> Self {
        Self {
            entropies: 128,
            ecn_penalty: 1,
            trim_penalty: 4,
            max_penalty: 15,
        }
    }
}

impl Scheme for Bitmap {
    fn check(&self) -> Result<(), InputError> {
        if !(2..=65_536).contains(&self.entropies) {
            let error = InputError::key("entropies", format!("nothing can be chosen among {}", self.entropies));
            return Err(error.help("`entropies` is from 2 to 65536"));
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
