mod dragonfly;
mod files;
mod groups;
mod kinds;
mod laws;
mod messages;
mod planes;

use super::*;
use crate::ids::{LinkId, NodeId};
use crate::input::NoFiles;
use crate::units::{Rate, Time};

/// The topology that a TOML text describes.
fn parse(text: &str) -> TopologyFile {
    toml::from_str(text).unwrap()
}

fn compile(text: &str) -> Fabric {
    let file = parse(text);
    let fabric = Fabric::compile(&file.topology.blueprint(&NoFiles).unwrap());
    fabric.with(&resolve_faults(&fabric, &file.faults).unwrap().changes)
}

fn leaf_spine(leaves: u32, spines: u32, hosts_per_leaf: u32, parallel: u32) -> Fabric {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };
    let spec = LeafSpine {
        parallel,
        ..LeafSpine::uniform(leaves, spines, hosts_per_leaf, cable)
    };
    Fabric::compile(&spec.blueprint().unwrap())
}

fn down(link: &str) -> Fault {
    Fault {
        link: Some(link.into()),
        down: true,
        ..Fault::default()
    }
}

fn names(fabric: &Fabric, path: &[LinkId]) -> String {
    let names: Vec<_> = path.iter().map(|&id| fabric.link_name(id)).collect();
    names.join(" ")
}

fn all_paths(fabric: &Fabric, src: u32, dst: u32) -> Vec<String> {
    fabric
        .paths(NodeId(src), NodeId(dst))
        .map(|path| names(fabric, &path))
        .collect()
}
