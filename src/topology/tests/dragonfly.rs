//! Groups of routers.

use std::collections::BTreeSet;

use super::*;
use crate::ids::PathIndex;

fn dragonfly(groups: u32, routers: u32, global: u32) -> Fabric {
    compile(&format!(
        r#"
        [dragonfly]
        groups = {groups}
        routers_per_group = {routers}
        hosts_per_router = 1
        global_links = {global}
        host_link = {{ rate = "100Gbps" }}
        local_link = {{ rate = "100Gbps" }}
        global_link = {{ rate = "100Gbps", delay = "5us" }}
        "#
    ))
}

fn is_global(fabric: &Fabric, id: LinkId) -> bool {
    fabric.link(id).delay == Time::from_us(5)
}

#[test]
fn every_two_groups_are_linked_alike_and_every_port_is_used() {
    for (groups, routers, global, of_two) in [(5, 4, 1, 1), (3, 4, 1, 2), (9, 4, 2, 1), (3, 2, 3, 3), (1, 3, 0, 0)] {
        let fabric = dragonfly(groups, routers, global);
        let group = |node: NodeId| (node.0 - fabric.hosts()) / routers;
        let mut of_pair = vec![vec![0; groups as usize]; groups as usize];
        let mut of_router = vec![0; fabric.nodes().len()];
        for id in fabric.link_ids().filter(|&id| is_global(&fabric, id)) {
            let link = fabric.link(id);
            of_pair[group(link.from) as usize][group(link.to) as usize] += 1;
            of_router[link.from.index()] += 1;
        }
        for (a, row) in of_pair.iter().enumerate() {
            for (b, &links) in row.iter().enumerate() {
                assert_eq!(links, if a == b { 0 } else { of_two }, "{groups} groups: {a} to {b}");
            }
        }
        assert!(
            of_router[fabric.hosts() as usize..]
                .iter()
                .all(|&links| links <= global)
        );
        assert_eq!(of_router.iter().sum::<u32>(), groups * (groups - 1) * of_two);
    }
}

/// Local, global, local; never two links between groups, though those would often be fewer.
#[test]
fn minimal_paths_cross_between_groups_once() {
    let fabric = dragonfly(9, 4, 2);
    let mut longest = 0;
    for (src, dst) in (0..36).flat_map(|src| (0..36).map(move |dst| (src, dst))) {
        let same_group = src / 4 == dst / 4;
        for path in fabric.paths(NodeId(src), NodeId(dst)) {
            let global = path.iter().filter(|&&id| is_global(&fabric, id)).count();
            assert_eq!(global, usize::from(!same_group), "{}", names(&fabric, &path));
            longest = longest.max(path.len());
        }
        assert_eq!(fabric.path_count(NodeId(src), NodeId(dst)) > 0, src != dst);
    }
    assert_eq!(longest, 5);
}

/// Two hosts at each of four routers, five groups; `paths` as written.
fn with_paths(paths: &str, faults: &str) -> Fabric {
    compile(&format!(
        r#"
        {faults}
        [dragonfly]
        groups = 5
        routers_per_group = 4
        hosts_per_router = 2
        global_links = 2
        parallel = 2
        paths = "{paths}"
        host_link = {{ rate = "100Gbps" }}
        local_link = {{ rate = "100Gbps" }}
        global_link = {{ rate = "100Gbps", delay = "5us" }}
        "#
    ))
}

/// By hand: from the router of the source, or from another of its group, over every link into a group that will do, and on by every
/// minimal path of a host there.
fn detours(minimal: &Fabric, src: u32, dst: u32, straight: bool) -> BTreeSet<Vec<LinkId>> {
    let hosts = minimal.hosts();
    let group = |node: NodeId| {
        if node.0 < hosts {
            node.0 / 8
        } else {
            (node.0 - hosts) / 4
        }
    };
    let [up, down] = [src, dst].map(|host| minimal.attachment(NodeId(host)).unwrap());
    let (router, from, to) = (up.switch, group(NodeId(src)), group(NodeId(dst)));
    let is_router = |link: &&LinkId| minimal.link(**link).to.0 >= hosts && !minimal.link(**link).rate.is_zero();
    let mut beginnings = vec![(router, vec![up.up])];
    for &local in minimal.out_links(router).iter().filter(is_router) {
        if group(minimal.link(local).to) == from {
            beginnings.push((minimal.link(local).to, vec![up.up, local]));
        }
    }
    let mut found = BTreeSet::new();
    for (at, beginning) in beginnings {
        for &global in minimal.out_links(at).iter().filter(is_router) {
            let end = minimal.link(global).to;
            let into = group(end);
            if into == from || (into == to && !straight) {
                continue;
            }
            // The first host of that router goes on as the packet does.
            let host = (0..hosts)
                .find(|&host| minimal.attachment(NodeId(host)).unwrap().switch == end)
                .unwrap();
            let mut rest: Vec<Vec<LinkId>> = minimal
                .paths(NodeId(host), NodeId(dst))
                .map(|path| path[1..].to_vec())
                .collect();
            if end == down.switch {
                rest = vec![vec![down.down]];
            }
            // Not where the way on leaves the group for another than the destination's.
            let crosses = |path: &[LinkId]| path.iter().filter(|&&id| is_global(minimal, id)).count();
            if rest.iter().all(|path| crosses(path) <= 1) {
                found.extend(
                    rest.into_iter()
                        .map(|rest| [&beginning[..], &[global], &rest[..]].concat()),
                );
            }
        }
    }
    found
}

#[test]
fn detours_lead_through_any_third_group() {
    for faults in [
        "",
        "faults = [{ link = \"group0.router0-group1.router3\", down = true }]",
    ] {
        let minimal = with_paths("minimal", faults);
        for (paths, straight) in [("valiant", false), ("all", true)] {
            let fabric = with_paths(paths, faults);
            for (src, dst) in (0..40).flat_map(|src| (0..40).map(move |dst| (src, dst))) {
                let (a, b) = (NodeId(src), NodeId(dst));
                let found: Vec<Vec<LinkId>> = fabric.paths(a, b).map(|path| path.to_vec()).collect();
                let set: BTreeSet<_> = found.iter().cloned().collect();
                assert_eq!(set.len(), found.len(), "{src} {dst}: a path twice");
                let expected = match src / 8 == dst / 8 {
                    true => minimal.paths(a, b).map(|path| path.to_vec()).collect(),
                    false => detours(&minimal, src, dst, straight),
                };
                assert_eq!(set, expected, "{paths} {src} {dst}");
                for (index, path) in (0..).zip(&found) {
                    assert_eq!(fabric.path_index(a, b, path), Some(PathIndex(index)), "{src} {dst}");
                }
            }
        }
    }
}
