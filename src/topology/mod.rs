//! What the network is: hosts, switches and directed links, as a [`Graph`] of petgraph that a
//! builder draws, and as the dense [`Fabric`] that everything else works on.
//!
//! A [`Blueprint`] is the graph with the rule by which packets find their way. [`Fabric::compile`]
//! turns it into arrays with all equal-cost paths of every pair of hosts. A path is named by its
//! index among the paths of its pair and is decoded when needed, so that a fabric with millions of
//! paths costs no more memory than its forwarding tables.

mod blueprint;
mod fabric;
mod fat_tree;
mod faults;
mod file;
mod graph;
mod htsim;
mod leaf_spine;
mod rail;
mod reach;
mod routing;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use blueprint::{Blueprint, Cable, Graph, LinkSpec, Node, NodeKind, Routing};
pub use fabric::{Fabric, Link, LinkChange, Path};
pub use fat_tree::FatTree;
pub use faults::{Fault, LinkEvent, resolve_faults};
pub use file::TopologyFile;
pub use graph::{CableSpec, GraphRouting, GraphSpec, NodeSpec};
pub use htsim::Htsim;
pub use leaf_spine::LeafSpine;
pub use rail::Rail;
pub use routing::Attachment;

use crate::input::{Files, InputError};

/// A fabric as an experiment file describes it: one table, named after its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// Two tiers: every leaf is linked to every spine.
    LeafSpine(LeafSpine),
    /// Three tiers: pods of ToR and aggregation switches below core switches.
    FatTree(FatTree),
    /// GPU servers whose GPUs of the same number share a leaf.
    Rail(Rail),
    /// Any fabric, node by node and link by link.
    Graph(GraphSpec),
    /// Two or three tiers from a `.topo` file of htsim.
    Htsim(Htsim),
}

impl Topology {
    /// Names and one-line descriptions of all topologies, in the order of `fabricsim list`.
    pub const ALL: &[(&str, &str)] = &[
        ("leaf-spine", "two tiers: every leaf is linked to every spine"),
        (
            "fat-tree",
            "three tiers: pods of ToR and aggregation switches below core switches",
        ),
        (
            "rail",
            "GPU servers whose GPUs of the same number share a leaf, with or without spines",
        ),
        ("graph", "any fabric, node by node and link by link"),
        ("htsim", "two or three tiers from a .topo file of htsim"),
    ];

    /// The name of this kind of topology, as in the experiment file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LeafSpine(_) => "leaf-spine",
            Self::FatTree(_) => "fat-tree",
            Self::Rail(_) => "rail",
            Self::Graph(_) => "graph",
            Self::Htsim(_) => "htsim",
        }
    }

    /// How many hosts share a server, numbered one after the other, where it has servers.
    pub fn hosts_per_server(&self) -> Option<u32> {
        match self {
            Self::Rail(spec) => Some(spec.gpus),
            _ => None,
        }
    }

    /// Draws the fabric. Keys in errors are relative to the topology's own table.
    pub fn blueprint(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        let drawing = match self {
            Self::LeafSpine(spec) => spec.blueprint(),
            Self::FatTree(spec) => spec.blueprint(),
            Self::Rail(spec) => spec.blueprint(),
            Self::Graph(spec) => spec.blueprint(),
            Self::Htsim(spec) => spec.blueprint(files),
        }?;
        check_tables(&drawing)?;
        Ok(drawing)
    }
}

/// The count of things that are there once unless told otherwise.
fn one() -> u32 {
    1
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

/// Refuses fabrics with more than [`MAX_SIZE`] of something that is counted as a product.
fn check_size(what: &str, counts: &[u32]) -> Result<(), InputError> {
    let product = counts.iter().fold(1_u64, |n, &c| n.saturating_mul(u64::from(c)));
    if product > MAX_SIZE {
        return Err(InputError::key("", format!("the fabric would have {product} {what}"))
            .help(format!("at most {MAX_SIZE} can be simulated")));
    }
    Ok(())
}

/// Largest number of entries in the forwarding tables, about 1.6 GB.
const MAX_TABLE: u64 = 200_000_000;

/// Refuses fabrics whose forwarding tables would not fit into memory: they have a row for every
/// switch with hosts and every host with several links, and a column for these and all switches.
fn check_tables(drawing: &Blueprint) -> Result<(), InputError> {
    let graph = &drawing.graph;
    let mut edges = std::collections::BTreeSet::new();
    let (mut own, mut switches) = (0_u64, 0_u64);
    for node in graph.node_indices() {
        let mut neighbors = graph.neighbors(node);
        match (graph[node].kind, neighbors.next(), neighbors.next()) {
            (NodeKind::Switch, ..) => switches += 1,
            (NodeKind::Host, Some(switch), None) if graph[switch].kind == NodeKind::Switch => {
                edges.insert(switch);
            }
            (NodeKind::Host, ..) => own += 1,
        }
    }
    let entries = (edges.len() as u64 + own) * (switches + own);
    if entries > MAX_TABLE {
        let message = format!("the fabric needs forwarding tables of {entries} entries");
        return Err(InputError::key("", message).help(format!(
            "at most {MAX_TABLE} fit: edge switches and hosts with several links, times these hosts and all switches"
        )));
    }
    Ok(())
}
