//! The table of topologies.

use super::blueprint::Blueprint;
use super::dragonfly::Dragonfly;
use super::fat_tree::FatTree;
use super::files::{Hpcc, Infragraph, Simai};
use super::graph::GraphSpec;
use super::htsim::Htsim;
use super::kind::{Kind, Plane};
use super::leaf_spine::LeafSpine;
use super::multi_plane::MultiPlane;
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
        Dragonfly(Dragonfly) = "dragonfly", "groups of routers that are all linked, and links between groups";
        MultiPlane(MultiPlane<Topology>) = "multi-plane", "several copies of one fabric, with a port of every host in each";
        Infragraph(Infragraph) = "infragraph", "hosts (XPUs), switches and links from an InfraGraph file";
        Simai(Simai) = "simai", "GPUs, switches inside servers and others from a topology file of SimAI";
        Hpcc(Hpcc) = "hpcc", "hosts and switches from a topology.txt of HPCC's ns-3";
        #[cfg(test)]
        Dumbbell(super::dumbbell::Dumbbell) = "dumbbell", "two switches with a cable between them";
    }
}

impl Topology {
    /// Draws the fabric. Keys in errors are relative to the topology's own table.
    pub fn blueprint(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        let drawing = self.kind().draw(files)?;
        check_tables(&drawing)?;
        Ok(drawing)
    }
}

impl Plane for Topology {
    fn name(&self) -> &'static str {
        self.name()
    }

    fn has_planes(&self) -> bool {
        matches!(self, Self::MultiPlane(_))
    }

    fn draw(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        self.kind().draw(files)
    }
}
