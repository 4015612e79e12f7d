//! Graphs whose switches have groups.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;

/// A graph with the nodes and links of a fabric; `group` of a switch by its number among all nodes.
fn as_graph(fabric: &Fabric, paths: &str, group: impl Fn(NodeId) -> Option<u32>) -> Fabric {
    let nodes = (0..).map(NodeId).zip(fabric.nodes()).map(|(id, node)| {
        let mut table = json!({ "name": node.name, "kind": node.kind });
        if let Some(group) = group(id) {
            table["group"] = json!(group);
        }
        table
    });
    let name = |node: NodeId| &fabric.nodes()[node.index()].name;
    let links = fabric.link_ids().step_by(2).map(|id| fabric.link(id)).map(
        |link| json!({ "a": name(link.from), "b": name(link.to), "rate": "100Gbps", "delay": link.delay.to_string() }),
    );
    let spec = json!({ "graph": {
        "nodes": nodes.collect::<Vec<_>>(), "links": links.collect::<Vec<_>>(), "paths": paths,
    }});
    let spec: Topology = serde_json::from_value(spec).unwrap();
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

fn all_paths(fabric: &Fabric, src: u32, dst: u32) -> Vec<Vec<LinkId>> {
    let paths = fabric.paths(NodeId(src), NodeId(dst));
    paths.map(|path| path.to_vec()).collect()
}

/// The same paths under the same numbers, whichever way the fabric is written.
#[test]
fn a_dragonfly_as_a_graph() {
    for paths in ["minimal", "valiant", "all"] {
        let dragonfly = compile(&format!(
            r#"
            [dragonfly]
            groups = 5
            routers_per_group = 4
            hosts_per_router = 1
            global_links = 1
            paths = "{paths}"
            host_link = {{ rate = "100Gbps" }}
            local_link = {{ rate = "100Gbps" }}
            global_link = {{ rate = "100Gbps", delay = "5us" }}
            "#
        ));
        let graph = as_graph(&dragonfly, paths, |id| (id.0 >= 20).then(|| (id.0 - 20) / 4));
        for (src, dst) in (0..20).flat_map(|src| (0..20).map(move |dst| (src, dst))) {
            assert_eq!(
                all_paths(&graph, src, dst),
                all_paths(&dragonfly, src, dst),
                "{paths} {src} {dst}"
            );
        }
    }
}

/// Four groups of two leaves and two spines (a dragonfly+): spine 0 is linked to spine 0 of the next group, and to spine 1 of the group
/// after that, which is linked to that group alone. Hosts 0 to 7, leaves 8 to 15 and spines 16 to 23 by group.
fn leaves_and_spines(paths: &str) -> Fabric {
    let mut drawing = Blueprint::new(Routing::Shortest);
    let cable = Cable::new(Rate::from_gbps(100), Time::from_ns(500));
    let hosts = drawing.add_hosts(8);
    let leaves = drawing.add_switches("leaf", 8, 1);
    let spines = drawing.add_switches("spine", 8, 2);
    for i in 0..8 {
        drawing.connect(leaves[i], hosts[i], cable);
        for s in 0..2 {
            drawing.connect(leaves[i], spines[i / 2 * 2 + s], cable);
        }
    }
    for g in 0..4 {
        drawing.connect(spines[2 * g], spines[(2 * g + 2) % 8], cable);
        drawing.connect(spines[2 * g], spines[(2 * g + 5) % 8], cable);
    }
    as_graph(&Fabric::compile(&drawing), paths, |id| {
        (id.0 >= 8).then(|| group_of(id)).flatten()
    })
}

fn group_of(switch: NodeId) -> Option<u32> {
    switch.0.checked_sub(8).map(|number| number % 8 / 2)
}

/// All ways between two nodes without a node twice, of at most seven links.
fn walks(fabric: &Fabric, from: NodeId, to: NodeId, path: &mut Vec<LinkId>, found: &mut Vec<Vec<LinkId>>) {
    if from == to {
        found.push(path.clone());
        return;
    }
    for &link in fabric.out_links(from) {
        let next = fabric.link(link).to;
        let seen = path.iter().any(|&id| fabric.link(id).from == next);
        if !seen && path.len() < 7 && (next.0 >= 8 || next == to) {
            path.push(link);
            walks(fabric, next, to, path, found);
            path.pop();
        }
    }
}

fn crossings(fabric: &Fabric, path: &[LinkId]) -> usize {
    let ends = path
        .iter()
        .map(|&id| [fabric.link(id).from, fabric.link(id).to].map(group_of));
    ends.filter(|[a, b]| a.is_some() && b.is_some() && a != b).count()
}

/// Of all ways those with the fewest links between groups, and of these the shortest.
fn fewest(fabric: &Fabric, from: NodeId, to: NodeId) -> Vec<Vec<LinkId>> {
    let mut found = Vec::new();
    walks(fabric, from, to, &mut Vec::new(), &mut found);
    let length = |path: &Vec<LinkId>| (crossings(fabric, path), path.len());
    let least = found.iter().map(length).min();
    found.retain(|path| Some(length(path)) == least);
    found
}

#[test]
fn paths_between_groups_are_those_of_the_definition() {
    let minimal = leaves_and_spines("minimal");
    let crossed = |path: &Vec<LinkId>| crossings(&minimal, path);
    for (paths, straight) in [("minimal", true), ("valiant", false), ("all", true)] {
        let fabric = leaves_and_spines(paths);
        for (src, dst) in (0..8).flat_map(|src| (0..8).map(move |dst| (src, dst))) {
            let [a, b] = [NodeId(src), NodeId(dst)];
            let leaf = NodeId(8 + src);
            let least = fewest(&minimal, a, b);
            let expected: BTreeSet<Vec<LinkId>> = if paths == "minimal" || src / 2 == dst / 2 {
                least.into_iter().filter(|_| src != dst).collect()
            } else {
                // Up to a spine of the own group, over to another group, and from there by the least.
                let up = minimal.out_links(a)[0];
                let spines = minimal.out_links(leaf).iter().filter(|&&id| minimal.link(id).to != a);
                let over = spines.flat_map(|&id| {
                    let out = minimal.out_links(minimal.link(id).to).iter();
                    out.map(move |&next| vec![up, id, next])
                });
                let most = crossed(&least[0]);
                let over = over.filter(|begin| {
                    let group = group_of(minimal.link(begin[2]).to);
                    group != Some(src / 2) && (straight || group != Some(dst / 2))
                });
                let whole = over.flat_map(|begin| {
                    let rest = fewest(&minimal, minimal.link(begin[2]).to, b).into_iter();
                    rest.filter(move |rest| crossed(rest) <= most)
                        .map(move |rest| [&begin[..], &rest].concat())
                });
                whole.collect()
            };
            let found: BTreeSet<_> = all_paths(&fabric, src, dst).into_iter().collect();
            assert_eq!(found, expected, "{paths} {src} {dst}");
        }
    }
}
