//! The table of topologies.

use super::blueprint::Blueprint;
use super::fat_tree::FatTree;
use super::graph::GraphSpec;
use super::htsim::Htsim;
use super::kind::Kind;
use super::leaf_spine::LeafSpine;
use super::rail::Rail;
use super::sizes::check_tables;
use crate::input::{Files, InputError};
use crate::kinds::kinds;

kinds! {
    /// A fabric as an experiment file describes it: one table, named after its kind.
    pub enum Topology: Kind {
        LeafSpine(LeafSpine) = "leaf-spine", "two tiers: every leaf is linked to every spine";
        FatTree(FatTree) = "fat-tree", "three tiers: pods of ToR and aggregation switches below core switches";
        Rail(Rail) = "rail", "GPU servers whose GPUs of the same number share a leaf, with or without spines";
        Graph(GraphSpec) = "graph", "any fabric, node by node and link by link";
        Htsim(Htsim) = "htsim", "two or three tiers from a .topo file of htsim";
    }
}

impl Topology {
    /// How many hosts share a server, numbered one after the other, where it has servers.
    pub fn hosts_per_server(&self) -> Option<u32> {
        self.kind().hosts_per_server()
    }

    /// Draws the fabric. Keys in errors are relative to the topology's own table.
    pub fn blueprint(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        let drawing = self.kind().draw(files)?;
        check_tables(&drawing)?;
        Ok(drawing)
    }
}
