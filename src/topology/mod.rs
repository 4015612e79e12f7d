//! What the network is: hosts, switches and directed links, as a [`Graph`] of petgraph that a
//! builder draws, and as the dense [`Fabric`] that everything else works on.
//!
//! A [`Blueprint`] is the graph with the rule by which packets find their way. [`Fabric::compile`]
//! turns it into arrays with all equal-cost paths of every pair of hosts. A path is named by its
//! index among the paths of its pair and is decoded when needed, so that a fabric with millions of
//! paths costs no more memory than its forwarding tables.

mod blueprint;
mod fabric;
mod faults;
mod leaf_spine;
mod routing;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use blueprint::{Blueprint, Cable, Graph, LinkSpec, Node, NodeKind, Routing};
pub use fabric::{Fabric, Link, LinkChange, Path};
pub use faults::{Fault, LinkEvent, resolve_faults};
pub use leaf_spine::LeafSpine;

use crate::input::{Files, InputError};

/// A fabric as an experiment file describes it: one table, named after its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// Two tiers: every leaf is linked to every spine.
    LeafSpine(LeafSpine),
}

impl Topology {
    /// Names and one-line descriptions of all topologies, in the order of `fabricsim list`.
    pub const ALL: &[(&str, &str)] = &[("leaf-spine", "two tiers: every leaf is linked to every spine")];

    /// The name of this kind of topology, as in the experiment file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LeafSpine(_) => "leaf-spine",
        }
    }

    /// Draws the fabric. Keys in errors are relative to the topology's own table.
    pub fn blueprint(&self, _files: &dyn Files) -> Result<Blueprint, InputError> {
        match self {
            Self::LeafSpine(spec) => spec.blueprint(),
        }
    }
}

/// Largest number of hosts, and of cables, that a topology may have.
pub const MAX_SIZE: u64 = 4_000_000;

/// Refuses a count of zero.
fn check_count(key: &str, count: u32) -> Result<(), InputError> {
    if count == 0 {
        return Err(InputError::key(key, format!("`{key}` is 0")).help("it must be at least 1"));
    }
    Ok(())
}

/// Refuses fabrics whose hosts or cables, each a product of counts, would exceed [`MAX_SIZE`].
fn check_size(hosts: &[u32], cables: &[u32]) -> Result<(), InputError> {
    let product = |counts: &[u32]| counts.iter().fold(1_u64, |n, &c| n.saturating_mul(u64::from(c)));
    for (what, count) in [("hosts", product(hosts)), ("fabric links", product(cables))] {
        if count > MAX_SIZE {
            return Err(InputError::key("", format!("the fabric would have {count} {what}"))
                .help(format!("at most {MAX_SIZE} can be simulated")));
        }
    }
    Ok(())
}
