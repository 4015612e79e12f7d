//! Placements on fabrics of several planes.

use super::*;
use crate::topology::Fabric;

/// Planes of two tiers, a port of each host in all of them.
fn planes(planes: u32, leaves: u32, spines: u32, hosts_per_leaf: u32, more: serde_json::Value) -> Fabric {
    let cable = json!({ "rate": "100Gbps" });
    let mut spec = json!({
        "planes": planes,
        "plane": { "leaf-spine": {
            "leaves": leaves, "spines": spines, "hosts_per_leaf": hosts_per_leaf,
            "host_link": cable, "fabric_link": cable,
        } },
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let spec: Topology = serde_json::from_value(json!({ "multi-plane": spec })).unwrap();
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// The theorem of arXiv 2407.00550 on planes: the paper's rule and the cut line put on every link of every plane, and so
    /// on every up-link and every down-link, as many bytes as spraying. In exact integers: sizes are multiples of all
    /// numbers of paths.
    #[test]
    fn ethereal_and_cut_line_load_every_plane_as_spraying_does(
        shape in (1_u32..5, 2_u32..4, 1_u32..4, 1_u32..3),
        pairs in proptest::collection::vec((0_u32..6, 1_u32..6, 1_usize..5), 1..8),
        units in 1_u64..5,
    ) {
        let (count, leaves, spines, per_leaf) = shape;
        let fabric = planes(count, leaves, spines, per_leaf, json!({}));
        let hosts = leaves * per_leaf;
        let bytes = units * 2 * 3 * 4 * 4 * 3;
        // Several flows of one size between the same hosts.
        let flows: Vec<_> = pairs
            .iter()
            .map(|&(src, offset, flows)| (src % hosts, (src % hosts + 1 + offset % (hosts - 1).max(1)) % hosts, flows))
            .filter(|&(src, dst, _)| src != dst)
            .flat_map(|(src, dst, flows)| std::iter::repeat_n((src, dst, bytes, 0), flows))
            .collect();
        let schedule = schedule(&flows);
        let loads = |name: &str| -> Vec<u64> {
            let placement = place(&scheme(name, json!({})), &fabric, &schedule);
            let loads = placement.link_loads(&fabric, &schedule).unwrap();
            loads.iter().map(|&bytes| { assert_eq!(bytes.fract(), 0.0); bytes as u64 }).collect()
        };
        let sprayed = loads("spray");
        prop_assert_eq!(&loads("ethereal"), &sprayed);
        prop_assert_eq!(&loads("cut-line"), &sprayed);
    }
}

/// Bytes on the ports of host 0, by plane.
fn on_ports(fabric: &Fabric, schedule: &Schedule, scheme: &LoadBalancing) -> Vec<u64> {
    let loads = place(scheme, fabric, schedule).link_loads(fabric, schedule).unwrap();
    let ports = fabric.out_links(NodeId(0)).iter();
    ports.map(|up| loads[up.index()] as u64).collect()
}

#[test]
fn stripes_divide_over_ports() {
    let fabric = planes(2, 2, 2, 1, json!({ "port_rates": ["400Gbps", "100Gbps"] }));
    let schedule = schedule(&[(0, 1, 1_000, 0)]);
    let on = |name, options| on_ports(&fabric, &schedule, &scheme(name, options));
    assert_eq!(on("port-stripe", json!({})), [500, 500]);
    assert_eq!(on("port-stripe", json!({ "mode": "weighted" })), [800, 200]);
    let pinned = on("ecmp", json!({}));
    assert!(pinned == [1_000, 0] || pinned == [0, 1_000]);
    assert_eq!(on("qp-stripe", json!({ "mode": "split", "qps": 4 })), [500, 500]);
    assert_eq!(
        on("qp-stripe", json!({ "mode": "split", "qps": 4, "min_bytes": 400 })),
        [500, 500]
    );
    assert_eq!(
        on("qp-stripe", json!({ "mode": "split", "qps": 4, "min_bytes": 600 })),
        [1_000, 0]
    );
}

/// The messages of a connection take its queue pairs in turn; two connections do not wait for each other.
#[test]
fn messages_take_queue_pairs_in_turn() {
    let fabric = planes(4, 2, 1, 1, json!({}));
    let mut builder = ScheduleBuilder::default();
    for step in 0..6 {
        let task = builder.transfer(0, 1, 100 + u64::from(step), step);
        builder.connect(task, TaskId(0));
    }
    let schedule = builder.build();
    let on = |qps| on_ports(&fabric, &schedule, &scheme("qp-stripe", json!({ "qps": qps })));
    assert_eq!(on(4), [100 + 104, 101 + 105, 102, 103]);
    assert_eq!(on(2), [100 + 102 + 104, 101 + 103 + 105, 0, 0]);
}

#[test]
fn flows_that_leave_ports_idle_are_named() {
    let fabric = planes(4, 2, 2, 1, json!({}));
    let schedule = schedule(&[(0, 1, 1_000, 0), (1, 0, 1_000, 0)]);
    let warning = |name| {
        let scheme = scheme(name, json!({}));
        scheme.idle_ports(&fabric, &schedule, &place(&scheme, &fabric, &schedule))
    };
    insta::assert_snapshot!(warning("ecmp").unwrap(), @"`ecmp` leaves ports idle: in 2 of 2 steps of hosts, flows leave by fewer ports than there are");
    assert_eq!(
        ["ethereal", "spray", "port-stripe", "qp-stripe"].map(warning)[..3],
        [None, None, None]
    );
    let single = leaf_spine(2, 2, 1);
    let ecmp = scheme("ecmp", json!({}));
    assert_eq!(
        ecmp.idle_ports(&single, &schedule, &place(&ecmp, &single, &schedule)),
        None
    );
}

#[test]
fn options_of_stripes_are_checked() {
    let message = |name, options| scheme(name, options).check().unwrap_err().to_string();
    insta::assert_snapshot!(message("qp-stripe", json!({ "qps": 0 })), @"qps: a connection cannot have 0 queue pairs (`qps` is from 1 to 1024)");
    insta::assert_snapshot!(message("qp-stripe", json!({ "min_bytes": 1 })), @r#"min_bytes: messages that are not split have no least part (write `mode = "split"`, or take `min_bytes` out)"#);
    insta::assert_snapshot!(message("mrc", json!({ "entropies": 1 })), @"entropies: nothing can be chosen among 1 (`entropies` is from 2 to 65536)");
    insta::assert_snapshot!(message("mrc", json!({ "patience": 0 })), @"patience: no answer comes within 0 round trips (`patience` is from 1 to 1000)");
}
