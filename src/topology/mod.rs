//! What the network is: hosts, switches and directed links, as a [`Graph`] of petgraph that a
//! builder draws, and as the dense [`Fabric`] that everything else works on.
//!
//! A [`Blueprint`] is the graph with the rule by which packets find their way. [`Fabric::compile`]
//! turns it into arrays with all equal-cost paths of every pair of hosts. A path is named by its
//! index among the paths of its pair and is decoded when needed, so that a fabric with millions of
//! paths costs no more memory than its forwarding tables.

mod blueprint;
mod dragonfly;
#[cfg(test)]
mod dumbbell;
mod fabric;
mod fat_tree;
mod faults;
mod file;
mod files;
mod graph;
mod groups;
mod htsim;
mod kind;
mod leaf_spine;
mod link;
mod loss;
mod multi_plane;
mod path_lookup;
mod ports;
mod rail;
mod reach;
mod routing;
mod sizes;
mod stages;
mod table;
#[cfg(test)]
mod tests;
mod wiring;

pub use blueprint::{Blueprint, Cable, Detours, Graph, LinkSpec, Node, NodeKind, Routing};
pub use dragonfly::Dragonfly;
pub use fabric::Fabric;
pub use fat_tree::FatTree;
pub use faults::{Fault, FaultPlan, Flap, LinkEvent, resolve_faults};
pub use file::TopologyFile;
pub use files::{AstraSim, Hpcc, Infragraph, Simai};
pub use graph::{CableSpec, GraphRouting, GraphSpec, NodeSpec};
pub use groups::GroupPaths;
pub use htsim::Htsim;
pub use leaf_spine::LeafSpine;
pub use link::{Link, LinkChange, Path};
pub use loss::{Loss, LossChange};
pub use multi_plane::MultiPlane;
pub use rail::{Rail, SpinesJoin};
pub use sizes::MAX_SIZE;
pub(crate) use stages::{Place, Stage, Stages};
pub use table::Topology;
pub use wiring::Attachment;
