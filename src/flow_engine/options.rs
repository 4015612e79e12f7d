//! The `[flow]` table of an experiment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::InputError;

/// How much of a shared link a sub-flow claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// Every flow weighs 1, and its sub-flows share that weight in proportion to their bytes:
    /// splitting a flow buys no bandwidth, and its sub-flows tend to finish together.
    #[default]
    Size,
    /// Every sub-flow weighs 1, as queue pairs do that each have a congestion control of their own.
    Equal,
}

/// The `[flow]` table: options of the flow engine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowOptions {
    /// Completions closer together than about this fraction of the shortest completion time among the
    /// active flows change the rates together; 0 is exact. With 0.001
    /// completion times stay within 0.2 % where it was measured.
    #[serde(default)]
    pub tolerance: f64,
    /// Weights of sub-flows that share a link.
    #[serde(default)]
    pub weights: Weights,
    /// Simulate once what symmetry makes equal, where `tolerance` is 0: the same times, but for rounding.
    #[serde(default = "folds")]
    pub fold: bool,
}

fn folds() -> bool {
    true
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self {
            tolerance: 0.0,
            weights: Weights::default(),
            fold: folds(),
        }
    }
}

/// Completion times may be early by this multiple of the tolerance: the worst that was measured is 3.05.
const EARLY: f64 = 4.0;

impl FlowOptions {
    /// The fraction by which completion times may be early.
    pub fn early(&self) -> f64 {
        EARLY * self.tolerance
    }

    /// Refuses a tolerance that is no fraction. Keys are relative to the `[flow]` table.
    pub fn check(&self) -> Result<(), InputError> {
        if (0.0..1.0).contains(&self.tolerance) {
            return Ok(());
        }
        Err(
            InputError::key("tolerance", format!("`tolerance` is {}", self.tolerance))
                .help("it must be at least 0 (exact) and below 1; 1e-3 is accurate to 0.2 %"),
        )
    }
}
