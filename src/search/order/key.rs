//! What a rank map is judged by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a map is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// The most loaded link of any step, then the second most loaded, then latency.
    Congestion,
    /// Bytes times the links that they cross, then latency.
    Bytes,
}

/// What a map is judged by, the most important first; smaller is better.
///
/// Of congestion: picoseconds on the most loaded bundle of links, on the second, and of propagation over all flows. Of
/// bytes: bytes times links crossed, and of propagation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key(pub [f64; 3]);

/// Differences that rounding explains.
const ROUNDING: f64 = 1e-9;

impl Key {
    /// Whether it is better than another by more than rounding.
    pub fn beats(&self, other: &Self) -> bool {
        for (mine, theirs) in self.0.iter().zip(&other.0) {
            let slack = ROUNDING * mine.abs().max(theirs.abs());
            if (mine - theirs).abs() > slack {
                return mine < theirs;
            }
        }
        false
    }
}
