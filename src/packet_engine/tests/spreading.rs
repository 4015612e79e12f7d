//! Switches that spread packets over three tiers must not fall into step.

use super::*;
use crate::ids::{LinkId, NodeId};
use crate::topology::NodeKind;

/// Four pods of four ToRs and four aggregation switches over 16 cores, four hosts on a ToR, links of 100 Gb/s and 1 us
/// without oversubscription.
fn fat_tree() -> Fabric {
    let cable = r#"{"rate": "100Gbps", "delay": "1us"}"#;
    let spec = format!(
        r#"{{"fat-tree": {{"pods": 4, "tors_per_pod": 4, "aggs_per_pod": 4, "cores": 16, "hosts_per_tor": 4,
        "host_link": {cable}, "tor_link": {cable}, "core_link": {cable}}}}}"#
    );
    let spec: Topology = serde_json::from_str(&spec).unwrap();
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

/// Links that lead down to a ToR.
fn down_to_tors(fabric: &Fabric) -> impl Iterator<Item = LinkId> {
    let is_tor = |node: NodeId| (0..fabric.hosts()).any(|host| fabric.edge(NodeId(host)) == node);
    fabric.link_ids().filter(move |&id| {
        let link = fabric.link(id);
        fabric.node(link.from).kind == NodeKind::Switch && is_tor(link.to)
    })
}

/// Every host sends 2 MB to one in another pod, all in step and at line rate: the fullest link down to a ToR against
/// the mean, and the longest queue in front of one in packets.
fn permutation(scheme: &str) -> (f64, f64) {
    let fabric = fat_tree();
    let to = |h: u32| (h / 16 + 1) % 4 * 16 + h % 4 * 4 + h / 4 % 4;
    let case = Case::new(fabric, flows((0..64).map(|h| (h, to(h), 2_000_000)))).with(scheme, r#"{"udp": {}}"#);
    let outcome = case.setup(simulate).unwrap();
    let down: Vec<_> = down_to_tors(&case.fabric).map(|id| outcome.links[id.index()]).collect();
    let mean = down.iter().map(|link| link.bytes).sum::<f64>() / down.len() as f64;
    let most = down.iter().map(|link| link.bytes).fold(0.0, f64::max);
    let queue = down.iter().map(|link| link.max_queue).max().unwrap();
    (most / mean, queue as f64 / 4_150.0)
}

/// A ToR gets 1960 packets in all over four links. Where each takes a random one, a link gets 490 with a standard
/// deviation of 19, and 64 links at most 3.5 deviations more: 14 %, and so many packets wait there at most.
#[test]
fn three_tiers_do_not_synchronise() {
    for scheme in [
        r#"{"spray": {"choose": "round-robin"}}"#,
        r#"{"adaptive": {}}"#,
        r#"{"spray": {}}"#,
    ] {
        let (load, queue) = permutation(scheme);
        assert!(load < 1.14, "{scheme}: {load}");
        assert!(queue < 70.0, "{scheme}: {queue}");
    }
}

/// The up-links of a leaf that sends evenly: each gets the same number of packets to one, and queues stay short.
#[test]
fn two_tiers_stay_even_to_the_packet() {
    let fabric = leaf_spine(4, 4, 4, "100Gbps", "500ns");
    let scheme = r#"{"spray": {"choose": "round-robin"}}"#;
    // 245 packets a host, the last of them full as well: 980 a leaf, 245 an up-link.
    let case = Case::new(fabric, flows((0..16).map(|h| (h, (h + 5) % 16, 245 * 4_086)))).with(scheme, r#"{"udp": {}}"#);
    let outcome = case.setup(simulate).unwrap();
    let fabric = &case.fabric;
    let up = |id: &LinkId| {
        fabric.is_fabric_link(*id) && (0..16).any(|host| fabric.edge(NodeId(host)) == fabric.link(*id).from)
    };
    for id in fabric.link_ids().filter(up) {
        let link = outcome.links[id.index()];
        // Flows within a leaf do not leave it, so that leaves send different numbers of packets.
        let sent = link.bytes / 4_086.0;
        let hosts = (0..16).filter(|&h| fabric.edge(NodeId(h)) == fabric.link(id).from);
        let leaving = hosts.filter(|&h| fabric.edge(NodeId(h)) != fabric.edge(NodeId((h + 5) % 16)));
        let share = leaving.count() as f64 * 245.0 / 4.0;
        assert!((sent - share).abs() < 1.0, "{}: {sent} {share}", fabric.link_name(id));
        assert!(
            link.max_queue <= 3 * 4_150,
            "{}: {}",
            fabric.link_name(id),
            link.max_queue
        );
    }
}
