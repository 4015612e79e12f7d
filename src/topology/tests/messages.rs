//! Broken topologies and what they are told.

use super::*;
use crate::input::{Files, InputError};

const LINKS: &str = r#"
    host_link = { rate = "100Gbps" }
    tor_link = { rate = "100Gbps" }
    core_link = { rate = "100Gbps" }
"#;

fn refused(text: &str) -> String {
    let file: TopologyFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => return error.to_string(),
    };
    match file.topology.blueprint(&NoFiles) {
        Err(error) => error.to_string(),
        Ok(drawing) => {
            let fabric = Fabric::compile(&drawing);
            resolve_faults(&fabric, &file.faults).unwrap_err().to_string()
        }
    }
}

#[test]
fn counts() {
    let fat_tree = |cores: u32, pods: u32| {
        format!(
            "[fat-tree]\npods = {pods}\ntors_per_pod = 2\naggs_per_pod = 4\ncores = {cores}\nhosts_per_tor = 1\n{LINKS}"
        )
    };
    let rail = |more: &str| {
        format!(
            "[rail]\nservers = 2\ngpus = 2\nhost_link = {{ rate = \"1Gbps\" }}\nserver_link = {{ rate = \"1Gbps\" }}\n{more}"
        )
    };
    let messages = [
        refused(&fat_tree(6, 2)),
        refused(&fat_tree(3, 2)),
        refused(&fat_tree(4, 0)),
        refused(&fat_tree(4, 4_000_000_000)),
        refused(&rail("spines = 2")),
        refused(&rail("fabric_link = { rate = \"1Gbps\" }")),
        refused(&rail("spines = 1\nfabric_link = { rate = \"0Gbps\" }")),
        refused(&rail("").replace("servers = 2", "servers = 10_000")),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r#"
    cores: 6 cores cannot be shared evenly by 4 aggregation switches per pod (write a multiple of `aggs_per_pod`, such as 4 or 8)
    cores: 3 cores cannot be shared evenly by 4 aggregation switches per pod (write a multiple of `aggs_per_pod`, such as 4)
    pods: `pods` is 0 (it must be at least 1)
    the fabric would have 8000000000 hosts (at most 4000000 can be simulated)
    fabric_link: the links between the rails and the 2 spines are not described (write `fabric_link = { rate = "400Gbps" }`, or leave `spines` out)
    fabric_link: there are no spines to link the rails to (write `spines`, or leave `fabric_link` out)
    fabric_link.rate: the rate is zero (a link that is down is written under [[faults]])
    the fabric needs forwarding tables of 600040000 entries (at most 200000000 fit: sets of switches with the same hosts, times all switches and hosts that forward)
    "#);
}

#[test]
fn graphs() {
    let graph = |nodes: &str, links: &str, more: &str| {
        format!("[graph]\nnodes = [{{ name = \"a\", kind = \"host\" }}, {nodes}]\nlinks = [{links}]\n{more}")
    };
    let host = r#"{ name = "b", kind = "host" }"#;
    let switch = r#"{ name = "s", kind = "switch" }"#;
    let link = |a: &str, b: &str| format!("{{ a = \"{a}\", b = \"{b}\", rate = \"1Gbps\" }}");
    let twins = [link("a", "b"), link("b", "a").replace("rate", "name = \"a-b\", rate")].join(", ");
    let messages = [
        refused(&graph(r#"{ name = "a", kind = "switch" }"#, "", "")),
        refused(&graph(r#"{ name = "a->b", kind = "switch" }"#, "", "")),
        refused(&graph(r#"{ name = "b", kind = "host", tier = 0 }"#, "", "")),
        refused(&graph(r#"{ name = "s", kind = "switch", tier = 0 }"#, "", "")),
        refused(&graph(host, &link("a", "c"), "")),
        refused(&graph(host, &link("a", "a"), "")),
        refused(&graph(host, "", "")),
        refused(&graph(switch, &link("a", "s"), "routing = \"up-down\"")),
        refused(&graph(host, &link("a", "b"), "routing = \"up-down\"")),
        refused(&graph(
            switch,
            &link("a", "s").replace("rate", "name = \"x:y\", rate"),
            "",
        )),
        refused(&graph(host, &twins, "")),
        refused("[graph]\nnodes = []\nlinks = []"),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r#"
    nodes.1.name: there are two nodes called `a` (every node needs a name of its own)
    nodes.1.name: `a->b` cannot be a name (names are made of letters, digits, `-`, `_` and `.`)
    nodes.1.tier: the host `b` has a tier (only switches have one; hosts lie below tier 1)
    nodes.1.tier: the switch `s` is in tier 0 (tiers of switches begin at 1)
    links.0.b: there is no node called `c` (`a` and `b` name two of `nodes`)
    links.0.b: the link joins `a` to itself (`a` and `b` must be two different nodes)
    nodes.0.name: the host `a` has no link (add one to `links`)
    nodes.1.name: the switch `s` has no tier (up-down routing needs the tier of every switch, such as `tier = 1`)
    links.0.b: `a` and `b` are in the same tier (no up-down path takes such a link; move one of them, or use `routing = "shortest"`)
    links.0.name: `x:y` cannot be a name (names are made of letters, digits, `-`, `_` and `.`)
    links.1.name: two links are called `a-b` (give one of them another `name`)
    nodes: the graph has no host (write at least one node with `kind = "host"`)
    "#);
}

#[test]
fn faults() {
    let fault = |text: &str| {
        format!(
            "[leaf-spine]\nleaves = 2\nspines = 2\nhosts_per_leaf = 1\nhost_link = {{ rate = \"100Gbps\" }}\nfabric_link = {{ rate = \"100Gbps\" }}\n\n[[faults]]\n{text}"
        )
    };
    let messages = [
        refused(&fault("link = \"leaf2-spine0\"\ndown = true")),
        refused(&fault("link = \"leaf1-spine0\"")),
        refused(&fault("link = \"leaf1-spine0\"\ndown = true\nrate = \"1Gbps\"")),
        refused(&fault("link = \"leaf1-spine0\"\nrate = \"0Gbps\"")),
        refused(&fault("link = \"leaf1-spine0\"\nrate = \"400Gbps\"")),
        refused(&fault(
            "link = \"leaf1-spine0\"\ndown = true\nfrom = \"2us\"\nuntil = \"1us\"",
        )),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r#"
    0.link: the fabric has no link `leaf2-spine0` (links are named like `leaf0-spine0` (both directions) or `leaf0->spine0` (one))
    0.link: the fault of `leaf1-spine0` changes nothing (write `rate = "25Gbps"`, `down = true`, `loss = 1e-5` or `flap`)
    0.rate: a link that is down has no rate (write `rate` or `down`, not both)
    0.rate: the rate is zero (write `down = true`)
    0.rate: the link `leaf1-spine0` is built for 100Gbps (a fault makes a link slower)
    0.until: the fault ends before it begins (`until` must be later than `from`)
    "#);
}

/// Errors of the file itself point at the key or value.
#[test]
fn files() {
    let messages = [
        refused("[leaf-spin]\nleaves = 2"),
        refused("[leaf-spine]\nleaves = 2\nspine = 3"),
        refused("[leaf-spine]\nleaves = \"two\""),
        refused("[[faults]]\nlink = \"leaf0-spine0\"\ndown = true"),
        refused("[htsim]\nfile = \"x\"\n[leaf-spine]\nleaves = 2"),
        refused("[htsim]\nfile = \"x.topo\""),
        refused("[htsim]\nfile = \"x.topo\"\n[[faults]]\nlink = \"a\"\ndwn = true"),
    ];
    // A kind that only tests have.
    insta::assert_snapshot!(messages.join("\n").replace(", dumbbell", ""), @r#"
    TOML parse error at line 1, column 2
      |
    1 | [leaf-spin]
      |  ^^^^^^^^^
    unknown key `leaf-spin`: a topology file holds one of leaf-spine, fat-tree, rail, graph, htsim, dragonfly, multi-plane, infragraph, simai, hpcc, astra-sim, and `faults`

    TOML parse error at line 3, column 1
      |
    3 | spine = 3
      | ^^^^^
    unknown field `spine`, expected one of `leaves`, `spines`, `hosts_per_leaf`, `host_link`, `fabric_link`, `parallel`

    TOML parse error at line 2, column 10
      |
    2 | leaves = "two"
      |          ^^^^^
    invalid type: string "two", expected u32

    TOML parse error at line 1, column 1
      |
    1 | [[faults]]
      | ^
    there is no table named after a kind of topology: leaf-spine, fat-tree, rail, graph, htsim, dragonfly, multi-plane, infragraph, simai, hpcc, astra-sim

    TOML parse error at line 3, column 1
      |
    3 | [leaf-spine]
      | ^^^^^^^^^^^^
    this is a second topology; a file holds one

    x.topo: there is no such file
    TOML parse error at line 5, column 1
      |
    5 | dwn = true
      | ^^^
    unknown field `dwn`, expected one of `link`, `port`, `rate`, `down`, `loss`, `flap`, `from`, `until`
    "#);
}

fn topo(text: &str) -> String {
    struct Text<'a>(&'a str);
    impl Files for Text<'_> {
        fn read(&self, _: &str) -> Result<String, InputError> {
            Ok(self.0.to_owned())
        }
    }
    let spec = Htsim { file: "x.topo".into() };
    spec.blueprint(&Text(text)).unwrap_err().to_string()
}

#[test]
fn htsim_files() {
    let good = "Nodes 8\nTiers 2\nPodsize 8\nTier 0\nDownlink_speed_Gbps 100\nRadix_Down 4\nRadix_Up 2\nOversubscribed 2\nDownlink_Latency_ns 10\nTier 1\nDownlink_speed_Gbps 100\nRadix_Down 2\nDownlink_Latency_ns 10\n";
    let with = |from: &str, to: &str| topo(&good.replacen(from, to, 1));
    let messages = [
        topo(""),
        with("Nodes 8", "Nodes eight"),
        with("Nodes 8", "Nodes 99999999999"),
        with("Nodes 8", "Nodes 8 9"),
        with("Nodes 8", "Nodes 0"),
        with("Nodes 8", "Nodes 12"),
        with("Nodes 8", "Nodes 16"),
        with("Nodes 8", "Hosts 8"),
        with("Tiers 2", "Tiers 4"),
        with("Tiers 2", "Tiers 3"),
        with("Tier 0", "Tier 1"),
        with("Radix_Down 4\n", ""),
        with("Radix_Down 4", "Radix_Down 3"),
        with("Radix_Down 4", "Radix_Down 4\nradix_down 4"),
        with("Radix_Down 4", "Bundle 2\nRadix_Down 4"),
        with("Radix_Down 2", "Radix_Down 4"),
        with("Radix_Down 2", "Bundle 3\nRadix_Down 2"),
        with("Oversubscribed 2\n", ""),
        with("Radix_Down 4", "Radix_Down 4\nECN 5"),
        with("Downlink_Latency_ns 10\n", ""),
        with("Downlink_speed_Gbps 100", "Downlink_speed_Gbps 0"),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r#"
    x.topo:1: the header has no `Tiers` (add a line `Tiers` with its value)
    x.topo:1: `eight` is not a whole number below 2^32 (write `Nodes` and a number)
    x.topo:1: `99999999999` is not a whole number below 2^32 (write `Nodes` and a number)
    x.topo:1: `Nodes` is followed by 2 values (every line is a key and a whole number)
    x.topo:1: `Nodes` is 0 (it must be at least 1)
    x.topo:3: `Podsize` is 8, which does not divide `Nodes`, 12 (all switches of a tier are alike)
    x.topo:3: `Podsize` is 8 where it must be 16 (two tiers are a single pod)
    x.topo:1: unknown key `Hosts` in the header (keys there are Nodes, Tiers, Podsize)
    x.topo:2: `Tiers` is 4 (it must be 2 or 3)
    x.topo:2: 2 of 3 tiers are described (write one section per tier, beginning with `Tier 0`)
    x.topo:4: `Tier 1` follows after 0 tiers (tiers are described in order, from `Tier 0`)
    x.topo:4: Tier 0 has no `Radix_Down` (add a line `Radix_Down` with its value)
    x.topo:6: `Radix_Down` is 3, which does not divide `Podsize`, 8 (all switches of a tier are alike)
    x.topo:7: `Radix_Down` is set twice, first in line 6 (remove one of the lines)
    x.topo:6: `Bundle` is 2 where it must be 1 (a host has one link)
    x.topo:12: `Radix_Down` is 4 where it must be 2 (2 switches of tier 0 hang on each, by 1 links)
    x.topo:7: `Radix_Up` is 2, not a multiple of the `Bundle` of `Tier 1`, 3 (all switches of a tier are alike)
    x.topo:4: Tier 0 has 400 Gbps down and 200 Gbps up, not 1 to 1 (write `Oversubscribed 2`)
    x.topo:7: unknown key `ECN` in Tier 0 (keys there are Downlink_speed_Gbps, Radix_Down, Radix_Up, Queue_Up, Queue_Down, Oversubscribed, Bundle, Switch_Latency_ns, Downlink_Latency_ns)
    x.topo:4: Tier 0 has no `Downlink_Latency_ns` (add a line `Downlink_Latency_ns` with its value)
    x.topo:5: `Downlink_speed_Gbps` is 0 (it must be at least 1)
    "#);
}

#[test]
fn htsim_files_of_other_kinds_are_called_what_they_are() {
    let messages = [
        topo("# Dragonfly\np 4\na 8\nh 4"),
        topo("p 4\na 8\nh 4\nLink_speed_Gbps 100"),
        topo("Topology Slim_Fly\nNodes 64"),
        topo("Nodes 64\nKind dragonfly_plus\nTier 0\n"),
        topo("p = 4\nq = 5\n"),
        // A fat-tree that is not meant to be another kind, and wrong.
        topo("# as large as the dragonfly\nNodes 8\nTiers 2\nTier 1"),
        topo("a 8\nh 4"),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r"
    x.topo: this describes a dragonfly, and only tiers of switches are read from `.topo` files (describe its nodes and links as a `graph`)
    x.topo: this describes a dragonfly, and only tiers of switches are read from `.topo` files (describe its nodes and links as a `graph`)
    x.topo: this describes a slim fly, and only tiers of switches are read from `.topo` files (describe its nodes and links as a `graph`)
    x.topo: this describes a dragonfly+, and only tiers of switches are read from `.topo` files (describe its nodes and links as a `graph`)
    x.topo: this describes a slim fly, and only tiers of switches are read from `.topo` files (describe its nodes and links as a `graph`)
    x.topo:4: `Tier 1` follows after 0 tiers (tiers are described in order, from `Tier 0`)
    x.topo:1: unknown key `a` in the header (keys there are Nodes, Tiers, Podsize)
    ");
}

#[test]
fn unreachable_pairs() {
    let fabric = leaf_spine(2, 2, 2, 1);
    let all = |n: u32| (0..n).flat_map(move |a| (0..n).map(move |b| (NodeId(a), NodeId(b))));
    assert_eq!(fabric.check_reachable(all(4)), Ok(()));
    let broken = |links: &[&str]| {
        let faults: Vec<_> = links.iter().map(|l| down(l)).collect();
        let changes = resolve_faults(&fabric, &faults).unwrap().changes;
        fabric.with(&changes)
    };
    let apart = broken(&["leaf0-spine0", "spine1->leaf0"]);
    assert_eq!(apart.unreachable(all(4)), Some((NodeId(2), NodeId(0))));
    insta::assert_snapshot!(apart.check_reachable(all(4)).unwrap_err(), @"faults: no path leads from `host2` to `host0` (3 of the fabric's links are down: `leaf0->spine0`, `spine0->leaf0`, `spine1->leaf0`)");
    let mute = broken(&["leaf0-host1", "leaf1-spine0"]);
    insta::assert_snapshot!(mute.check_reachable(all(4)).unwrap_err(), @"faults: no path leads from `host0` to `host1` (4 of the fabric's links are down: `leaf0->host1`, `host1->leaf0`, `leaf1->spine0`, ...)");
    let islands = compile(
        "[graph]\nnodes = [{ name = \"a\", kind = \"host\" }, { name = \"b\", kind = \"host\" }, { name = \"s\", kind = \"switch\" }, { name = \"t\", kind = \"switch\" }]\nlinks = [{ a = \"a\", b = \"s\", rate = \"1Gbps\" }, { a = \"b\", b = \"t\", rate = \"1Gbps\" }]",
    );
    insta::assert_snapshot!(islands.check_reachable(all(2)).unwrap_err(), @"topology: no path leads from `a` to `b` (the links do not join them, or only by a way that the routing does not take)");
}
