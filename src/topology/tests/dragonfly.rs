//! Groups of routers.

use super::*;

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
