//! When a switch marks packets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Bytes;

/// Marking of packets by the queue they meet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ecn {
    /// Queue below which nothing is marked.
    pub kmin: Bytes,
    /// Queue from which everything is marked; between the two the chance rises to `pmax`.
    pub kmax: Bytes,
    /// Chance of a mark just below `kmax`. Default 1.
    #[serde(default = "certain")]
    pub pmax: f64,
}

fn certain() -> f64 {
    1.0
}
