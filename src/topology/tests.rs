use super::*;
use crate::ids::NodeId;
use crate::input::NoFiles;
use crate::units::{Rate, Time};

fn leaf_spine(leaves: u32, spines: u32, hosts_per_leaf: u32) -> Fabric {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };
    let spec = Topology::LeafSpine(LeafSpine {
        leaves,
        spines,
        hosts_per_leaf,
        host_link: cable,
        fabric_link: cable,
        parallel: 1,
    });
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

fn names(fabric: &Fabric, path: &[crate::ids::LinkId]) -> Vec<String> {
    path.iter().map(|&id| fabric.link_name(id)).collect()
}

#[test]
fn leaf_spine_paths_are_one_per_spine() {
    let fabric = leaf_spine(4, 3, 2);
    assert_eq!(fabric.hosts(), 8);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(1)), 1);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(0)), 0);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(7)), 3);
    let path = fabric.path(NodeId(0), NodeId(7), 2);
    assert_eq!(
        names(&fabric, &path),
        ["host0->leaf0", "leaf0->spine2", "spine2->leaf3", "leaf3->host7"]
    );
    assert_eq!(fabric.path_index(NodeId(0), NodeId(7), &path), Some(2));
    assert_eq!(fabric.path_delay(&path), Time::from_us(2));
}

#[test]
fn a_dead_link_is_on_no_path() {
    let fabric = leaf_spine(3, 2, 1);
    let fault = Fault {
        link: "leaf0-spine0".into(),
        rate: None,
        down: true,
        from: None,
        until: None,
    };
    let (changes, events) = resolve_faults(&fabric, &[fault]).unwrap();
    assert_eq!((changes.len(), events.len()), (2, 0));
    let broken = fabric.with(&changes);
    for (src, dst) in [(0, 1), (1, 0)] {
        assert_eq!(broken.path_count(NodeId(src), NodeId(dst)), 1);
        let path = broken.path(NodeId(src), NodeId(dst), 0);
        assert!(
            names(&broken, &path)[1].contains("spine1"),
            "{:?}",
            names(&broken, &path)
        );
    }
    assert_eq!(broken.path_count(NodeId(1), NodeId(2)), 2);
}
