//! What the network is: hosts, switches and directed links, as a [`Graph`] of petgraph that a
//! builder draws, and as the dense [`Fabric`] that everything else works on.
//!
//! A [`Blueprint`] is the graph with the rule by which packets find their way. [`Fabric::compile`]
//! turns it into arrays with all equal-cost paths of every pair of hosts. A path is named by its
//! index among the paths of its pair and is decoded when needed, so that a fabric with millions of
//! paths costs no more memory than its forwarding tables.

mod blueprint;
mod dragonfly;
mod fabric;
mod fat_tree;
mod faults;
mod file;
mod files;
mod graph;
mod htsim;
mod leaf_spine;
mod loss;
mod multi_plane;
mod rail;
mod reach;
mod routing;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use blueprint::{Blueprint, Cable, Graph, LinkSpec, Node, NodeKind, Routing};
pub use dragonfly::Dragonfly;
pub use fabric::{Fabric, Link, LinkChange, Path};
pub use fat_tree::FatTree;
pub use faults::{Fault, FaultPlan, Flap, LinkEvent, resolve_faults};
pub use file::TopologyFile;
pub use files::{Hpcc, Infragraph, Simai};
pub use graph::{CableSpec, GraphRouting, GraphSpec, NodeSpec};
pub use htsim::Htsim;
pub use leaf_spine::LeafSpine;
pub use loss::{Loss, LossChange};
pub use multi_plane::MultiPlane;
pub use rail::{Rail, SpinesJoin};
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
    /// Groups of routers that are all linked to each other, and long links between groups.
    Dragonfly(Dragonfly),
    /// Several copies of one fabric, with a port of every host in each.
    MultiPlane(MultiPlane),
    /// Hosts (XPUs), switches and links from an InfraGraph file.
    Infragraph(Infragraph),
    /// GPUs, switches inside servers and others from a topology file of SimAI.
    Simai(Simai),
    /// Hosts and switches from a topology.txt of HPCC's ns-3.
    Hpcc(Hpcc),
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
        (
            "dragonfly",
            "groups of routers that are all linked, and links between groups",
        ),
        (
            "multi-plane",
            "several copies of one fabric, with a port of every host in each",
        ),
        ("infragraph", "hosts (XPUs), switches and links from an InfraGraph file"),
        (
            "simai",
            "GPUs, switches inside servers and others from a topology file of SimAI",
        ),
        ("hpcc", "hosts and switches from a topology.txt of HPCC's ns-3"),
    ];

    /// The name of this kind of topology, as in the experiment file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LeafSpine(_) => "leaf-spine",
            Self::FatTree(_) => "fat-tree",
            Self::Rail(_) => "rail",
            Self::Graph(_) => "graph",
            Self::Htsim(_) => "htsim",
            Self::Dragonfly(_) => "dragonfly",
            Self::MultiPlane(_) => "multi-plane",
            Self::Infragraph(_) => "infragraph",
            Self::Simai(_) => "simai",
            Self::Hpcc(_) => "hpcc",
        }
    }

    /// Draws the fabric. Keys in errors are relative to the topology's own table.
    pub fn blueprint(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        let drawing = self.drawing(files)?;
        check_tables(&drawing)?;
        Ok(drawing)
    }

    fn drawing(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        match self {
            Self::LeafSpine(spec) => spec.blueprint(),
            Self::FatTree(spec) => spec.blueprint(),
            Self::Rail(spec) => spec.blueprint(),
            Self::Graph(spec) => spec.blueprint(),
            Self::Htsim(spec) => spec.blueprint(files),
            Self::Dragonfly(spec) => spec.blueprint(),
            Self::MultiPlane(spec) => spec.blueprint(files),
            Self::Infragraph(spec) => spec.blueprint(files),
            Self::Simai(spec) => spec.blueprint(files),
            Self::Hpcc(spec) => spec.blueprint(files),
        }
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

/// Largest number of entries in the forwarding tables, 0.8 GB.
const MAX_TABLE: u64 = 200_000_000;

/// Refuses fabrics whose forwarding tables would not fit into memory: they have a column for every switch (and every host
/// that forwards or is cabled to another), and a row for every one of these with hosts and every set of switches that
/// hosts with several cables are on.
fn check_tables(drawing: &Blueprint) -> Result<(), InputError> {
    let graph = &drawing.graph;
    let mut rows = std::collections::BTreeSet::new();
    let mut columns = 0_u64;
    for node in graph.node_indices() {
        let ends: Vec<_> = graph.neighbors(node).collect();
        let through = drawing.routing == Routing::ShortestThroughHosts && ends.len() > 1;
        let own = ends.is_empty() || through || ends.iter().any(|&end| graph[end].kind == NodeKind::Host);
        match graph[node].kind {
            NodeKind::Switch => columns += 1,
            NodeKind::Host if own => {
                columns += 1;
                rows.insert(vec![node]);
            }
            NodeKind::Host => _ = rows.insert(ends),
        }
    }
    let entries = rows.len() as u64 * columns;
    if entries > MAX_TABLE {
        let message = format!("the fabric needs forwarding tables of {entries} entries");
        return Err(InputError::key("", message).help(format!(
            "at most {MAX_TABLE} fit: sets of switches with the same hosts, times all switches and hosts that forward"
        )));
    }
    Ok(())
}
