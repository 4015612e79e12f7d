//! Every kind of topology, by hand.

use crate::ids::PathIndex;
use std::path::Path;

use super::*;
use crate::input::{Files, InputError};

#[test]
fn leaf_spine_paths_are_one_per_spine() {
    let fabric = leaf_spine(4, 3, 2, 1);
    assert_eq!(fabric.hosts(), 8);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(1)), 1);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(0)), 0);
    assert_eq!(
        all_paths(&fabric, 0, 7),
        [
            "host0->leaf0 leaf0->spine0 spine0->leaf3 leaf3->host7",
            "host0->leaf0 leaf0->spine1 spine1->leaf3 leaf3->host7",
            "host0->leaf0 leaf0->spine2 spine2->leaf3 leaf3->host7",
        ]
    );
    let path = fabric.path(NodeId(0), NodeId(7), 2);
    assert_eq!(fabric.path_index(NodeId(0), NodeId(7), &path), Some(PathIndex(2)));
    assert_eq!(fabric.path_delay(&path), Time::from_us(2));
}

#[test]
fn parallel_links_multiply_paths() {
    let fabric = leaf_spine(2, 2, 1, 3);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(1)), 2 * 3 * 3);
    let names = fabric.links_by_name();
    for alias in ["leaf0-spine1#2", "spine1-leaf0#2"] {
        assert_eq!(names[alias].len(), 2, "{alias}");
    }
    assert_eq!(names["spine1->leaf0#2"].len(), 1);
    let changes = resolve_faults(&fabric, &[down("leaf0-spine1#2")]).unwrap().changes;
    assert_eq!(fabric.with(&changes).path_count(NodeId(0), NodeId(1)), 3 * 3 + 2 * 3);
}

const FAT_TREE: &str = r#"
    [fat-tree]
    pods = 3
    tors_per_pod = 2
    aggs_per_pod = 2
    cores = 4
    hosts_per_tor = 1
    host_link = { rate = "100Gbps" }
    tor_link = { rate = "100Gbps" }
    core_link = { rate = "400Gbps" }
"#;

#[test]
fn fat_tree_cores_belong_to_positions() {
    let fabric = compile(FAT_TREE);
    assert_eq!((fabric.hosts(), fabric.nodes().len()), (6, 6 + 6 + 6 + 4));
    assert_eq!(
        all_paths(&fabric, 0, 1),
        [
            "host0->tor0 tor0->agg0 agg0->tor1 tor1->host1",
            "host0->tor0 tor0->agg1 agg1->tor1 tor1->host1",
        ]
    );
    assert_eq!(
        all_paths(&fabric, 1, 4),
        [
            "host1->tor1 tor1->agg0 agg0->core0 core0->agg4 agg4->tor4 tor4->host4",
            "host1->tor1 tor1->agg0 agg0->core1 core1->agg4 agg4->tor4 tor4->host4",
            "host1->tor1 tor1->agg1 agg1->core2 core2->agg5 agg5->tor4 tor4->host4",
            "host1->tor1 tor1->agg1 agg1->core3 core3->agg5 agg5->tor4 tor4->host4",
        ]
    );
}

/// The fat-tree of the paper (v2): k = 8, so k/2 paths inside a pod and (k/2)^2 across.
#[test]
fn the_papers_fat_tree() {
    let file = std::fs::read_to_string("topologies/fat-tree-512.toml").unwrap();
    let fabric = compile(&file);
    let switches = |tier| fabric.nodes().iter().filter(|n| n.tier == tier).count();
    assert_eq!([0, 1, 2, 3].map(switches), [512, 32, 32, 16]);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(16)), 4);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(511)), 16);
    // Full bisection: every switch has as much capacity up as down.
    for (n, node) in fabric
        .nodes()
        .iter()
        .enumerate()
        .filter(|(_, n)| [1, 2].contains(&n.tier))
    {
        let (mut up, mut down) = (0, 0);
        for &id in fabric.out_links(NodeId(n as u32)) {
            let link = fabric.link(id);
            if fabric.node(link.to).tier > node.tier {
                up += link.rate.0;
            } else {
                down += link.rate.0;
            }
        }
        assert_eq!(up, down, "{}", node.name);
    }
}

const RAIL: &str = r#"
    [rail]
    servers = 2
    gpus = 2
    host_link = { rate = "400Gbps" }
    server_link = { rate = "3600Gbps", delay = "100ns" }
"#;

#[test]
fn rails_without_spines_are_joined_inside_servers() {
    let fabric = compile(RAIL);
    assert_eq!(all_paths(&fabric, 0, 1), ["host0->server0 server0->host1"]);
    assert_eq!(all_paths(&fabric, 0, 2), ["host0->rail0 rail0->host2"]);
    assert_eq!(
        all_paths(&fabric, 0, 3),
        [
            "host0->server0 server0->host1 host1->rail1 rail1->host3",
            "host0->rail0 rail0->host2 host2->server1 server1->host3",
        ]
    );
    assert_eq!(fabric.edge(NodeId(3)), NodeId(3));
}

#[test]
fn rails_with_spines_are_joined_by_them() {
    let fabric = compile(&format!("{RAIL}spines = 2\nfabric_link = {{ rate = \"400Gbps\" }}"));
    assert_eq!(all_paths(&fabric, 0, 1), ["host0->server0 server0->host1"]);
    assert_eq!(all_paths(&fabric, 0, 2), ["host0->rail0 rail0->host2"]);
    assert_eq!(
        all_paths(&fabric, 0, 3),
        [
            "host0->rail0 rail0->spine0 spine0->rail1 rail1->host3",
            "host0->rail0 rail0->spine1 spine1->rail1 rail1->host3",
        ]
    );
}

const TRIANGLE: &str = r#"
    [graph]
    nodes = [
        { name = "s", kind = "switch", latency = "300ns" },
        { name = "a", kind = "host" },
        { name = "t", kind = "switch" },
        { name = "b", kind = "host" },
    ]
    links = [
        { a = "a", b = "s", rate = "100Gbps" },
        { a = "t", b = "b", rate = "100Gbps" },
        { a = "s", b = "t", rate = "50Gbps", delay = "1us" },
        { a = "t", b = "s", rate = "25Gbps" },
        { a = "s", b = "t", rate = "10Gbps", name = "spare" },
    ]
"#;

#[test]
fn graph_hosts_count_in_order_of_appearance() {
    let fabric = compile(TRIANGLE);
    let nodes: Vec<_> = fabric.nodes().iter().map(|n| n.name.as_str()).collect();
    assert_eq!(nodes, ["a", "b", "s", "t"]);
    assert_eq!(
        all_paths(&fabric, 0, 1),
        ["a->s s->t t->b", "a->s s->t#1 t->b", "a->s spare:s->t t->b"]
    );
    assert_eq!(
        fabric.path_delay(&fabric.path(NodeId(0), NodeId(1), 0)),
        Time::from_ns(500 + 300 + 1_000 + 500)
    );
    let names = fabric.links_by_name();
    for (name, directions) in [
        ("t-s#1", 2),
        ("s-t#1", 2),
        ("spare", 2),
        ("spare:t->s", 1),
        ("s->t", 1),
        ("b-t", 2),
    ] {
        assert_eq!(names[name].len(), directions, "{name}");
    }
    assert!(!names.contains_key("spare:s-t"));
}

/// Reads files below the crate.
struct OnDisk(&'static str);

impl Files for OnDisk {
    fn read(&self, name: &str) -> Result<String, InputError> {
        std::fs::read_to_string(Path::new(self.0).join(name)).map_err(|e| InputError::file(name, e.to_string()))
    }
}

fn htsim(text: &str) -> Fabric {
    struct Text<'a>(&'a str);
    impl Files for Text<'_> {
        fn read(&self, _: &str) -> Result<String, InputError> {
            Ok(self.0.to_owned())
        }
    }
    let spec = Htsim { file: "x.topo".into() };
    Fabric::compile(&spec.blueprint(&Text(text)).unwrap())
}

#[test]
fn htsim_samples() {
    for (file, hosts, leaves, spines) in [
        ("leaf_spine_tiny.topo", 32, 4, 2),
        ("leaf_spine_1024_oversub.topo", 1024, 32, 8),
        ("leaf_spine_1024_oversub_8-1.topo", 1024, 32, 4),
    ] {
        let spec = Htsim { file: file.into() };
        let fabric = Fabric::compile(&spec.blueprint(&OnDisk("tests/fixtures/htsim")).unwrap());
        let switches = |tier| fabric.nodes().iter().filter(|n| n.tier == tier).count();
        assert_eq!(
            (fabric.hosts(), switches(1), switches(2)),
            (hosts, leaves, spines),
            "{file}"
        );
        let path = fabric.path(NodeId(0), NodeId(hosts - 1), 0);
        assert_eq!(fabric.path_delay(&path), Time::from_us(4));
        assert_eq!(fabric.path_rate(&path), Rate::from_gbps(100));
    }
}

#[test]
fn htsim_three_tiers_with_bundles_queues_and_latencies() {
    let fabric = htsim(
        "# pods of two\nnodes 16\nTiers 3\nPodsize 4\n\
         Tier 0\nDownlink_speed_Gbps 100\nRadix_Down 2\nRadix_Up 2\nQueue_Up 3000\nQueue_Down 2000\n\
         Downlink_Latency_ns 50\nSwitch_Latency_ns 7\n\
         tier 1\ndownlink_speed_gbps 100\nRadix_Down 4\nRadix_Up 2\nBundle 2\nOversubscribed 2\n\
         Queue_Up 5000\nQueue_Down 4000\nDownlink_Latency_ns 2500\nSwitch_Latency_ns 100\n\
         Tier 2\nDownlink_speed_Gbps 100\nRadix_Down 4\nQueue_Down 6000\nDownlink_Latency_ns 10000\n",
    );
    let switches = |tier| fabric.nodes().iter().filter(|n| n.tier == tier).count();
    assert_eq!([0, 1, 2, 3].map(switches), [16, 8, 4, 2]);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(2)), 4);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(15)), 2 * 2 * 2);
    let path = fabric.path(NodeId(0), NodeId(15), 0);
    assert_eq!(
        names(&fabric, &path),
        "host0->tor0 tor0->agg0 agg0->core0 core0->agg3 agg3->tor7 tor7->host15"
    );
    assert_eq!(
        fabric.path_delay(&path),
        Time::from_ns(2 * (50 + 2_500 + 10_000) + 2 * (7 + 100))
    );
    let queues: Vec<_> = path
        .iter()
        .map(|&id| fabric.link(id).queue.map_or(0, |q| q.0))
        .collect();
    assert_eq!(queues, [0, 3_000, 5_000, 6_000, 4_000, 2_000]);
}

#[test]
fn every_file_in_topologies_compiles() {
    let mut files: Vec<_> = std::fs::read_dir("topologies")
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 6);
    for path in files {
        let fabric = compile(&std::fs::read_to_string(&path).unwrap());
        let last = NodeId(fabric.hosts() - 1);
        assert_eq!(
            fabric.check_reachable([(NodeId(0), last), (last, NodeId(0))]),
            Ok(()),
            "{path:?}"
        );
        let size: String = path
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        let size = size
            .get(..4)
            .filter(|s| ["1024", "4096"].contains(s))
            .or(size.get(..3))
            // `planes-4` has four planes of 32 hosts.
            .or(path.to_string_lossy().contains("planes-").then_some("32"))
            .unwrap_or("256")
            .to_owned();
        assert_eq!(fabric.hosts().to_string(), size, "{path:?}");
    }
}

#[test]
fn degraded_file_keeps_its_faults() {
    let fabric = compile(&std::fs::read_to_string("topologies/leaf-spine-256-degraded.toml").unwrap());
    let names = fabric.links_by_name();
    let rate = |name: &str| fabric.link(names[name][0]).rate.as_gbps();
    assert_eq!(
        [
            "spine0->leaf0",
            "leaf0->spine0",
            "leaf3->spine2",
            "spine7->leaf12",
            "leaf12->spine7"
        ]
        .map(rate),
        [25.0, 25.0, 0.0, 50.0, 100.0]
    );
    assert_eq!(fabric.path_count(NodeId(3 * 16), NodeId(0)), 15);
}

#[test]
fn faults_that_overlap_end_where_they_should() {
    let fabric = leaf_spine(2, 1, 1, 1);
    let fault = |rate, from, until| Fault {
        link: Some("leaf0->spine0".into()),
        rate: Some(Rate::from_gbps(rate)),
        from: Some(Time::from_us(from)),
        until: Some(Time::from_us(until)),
        ..Fault::default()
    };
    let FaultPlan { changes, events, .. } =
        resolve_faults(&fabric, &[fault(50, 0, 10), fault(25, 5, 20), fault(10, 6, 7)]).unwrap();
    assert_eq!(
        changes.iter().map(|c| c.rate).collect::<Vec<_>>(),
        [Rate::from_gbps(50)]
    );
    let seen: Vec<_> = events.iter().map(|e| (e.at.as_us(), e.change.rate.as_gbps())).collect();
    assert_eq!(seen, [(5.0, 25.0), (6.0, 10.0), (7.0, 25.0), (20.0, 100.0)]);
}

#[test]
fn a_table_decodes_next_hops_from_anywhere() {
    let fabric = compile(FAT_TREE);
    let at = |name: &str| NodeId::from(fabric.nodes().iter().position(|n| n.name == name).unwrap());
    let hops = |from: &str, to: &str| names(&fabric, &fabric.next_hops(at(from), at(to)));
    assert_eq!(hops("host0", "host5"), "host0->tor0");
    assert_eq!(hops("tor0", "host5"), "tor0->agg0 tor0->agg1");
    assert_eq!(hops("agg1", "host5"), "agg1->core2 agg1->core3");
    assert_eq!(hops("core3", "host5"), "core3->agg5");
    assert_eq!(hops("tor5", "host5"), "tor5->host5");
    assert_eq!(hops("host5", "host5"), "");
    let changes = resolve_faults(&fabric, &[down("tor5->host5")]).unwrap().changes;
    let broken = fabric.with(&changes);
    assert!(broken.next_hops(at("tor0"), at("host5")).is_empty());
    assert!(broken.next_hops(at("host0"), at("host5")).is_empty());
    assert_eq!(broken.path_count(at("host5"), at("host0")), 4);
}
