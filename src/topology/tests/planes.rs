//! Planes, ports and servers.

use super::*;

fn planes(planes: u32, more: &str) -> String {
    format!(
        r#"
        [multi-plane]
        planes = {planes}
        {more}
        [multi-plane.plane.leaf-spine]
        leaves = 2
        spines = 3
        hosts_per_leaf = 2
        host_link = {{ rate = "100Gbps" }}
        fabric_link = {{ rate = "100Gbps" }}
        "#
    )
}

#[test]
fn paths_of_a_pair_are_those_of_all_planes() {
    let fabric = compile(&planes(2, ""));
    assert_eq!((fabric.hosts(), fabric.nodes().len()), (4, 4 + 2 * 5));
    assert_eq!(fabric.links().len(), 2 * 2 * (4 + 6));
    assert_eq!(
        all_paths(&fabric, 0, 3),
        [0, 1]
            .iter()
            .flat_map(|p| [0, 1, 2].map(|s| {
                let at = |name: &str| format!("plane{p}.{name}");
                let (leaf, spine, far) = (at("leaf0"), at(&format!("spine{s}")), at("leaf1"));
                format!("host0->{leaf} {leaf}->{spine} {spine}->{far} {far}->host3")
            }))
            .collect::<Vec<_>>()
    );
    assert_eq!(
        all_paths(&fabric, 2, 3),
        [
            "host2->plane0.leaf1 plane0.leaf1->host3",
            "host2->plane1.leaf1 plane1.leaf1->host3"
        ]
    );
    // Tables for the leaves of one plane, whatever the number of planes.
    assert_eq!(fabric.table_size(), 2 * 10);
}

#[test]
fn a_port_that_is_down_is_on_no_path_of_its_host_alone() {
    let down = planes(3, "") + "[[faults]]\nport = \"host1.plane1\"";
    let fabric = compile(&down);
    let said = compile(&(down + "\ndown = true"));
    let rates = |fabric: &Fabric| fabric.links().iter().map(|link| link.rate).collect::<Vec<_>>();
    assert_eq!(rates(&fabric), rates(&said));
    let count = |src, dst| fabric.path_count(NodeId(src), NodeId(dst));
    assert_eq!([count(1, 3), count(3, 1), count(0, 3), count(1, 0)], [6, 6, 9, 2]);
    assert!(all_paths(&fabric, 3, 1).iter().all(|path| !path.contains("plane1")));
}

#[test]
fn ports_have_rates_of_their_own() {
    let fabric = compile(&planes(2, r#"port_rates = ["400Gbps", "100Gbps"]"#));
    let rate = |name: &str| fabric.link(fabric.links_by_name()[name][0]).rate.as_gbps();
    let names = [
        "host2->plane0.leaf1",
        "plane1.leaf1->host2",
        "plane0.leaf0-plane0.spine2",
    ];
    assert_eq!(names.map(rate), [400.0, 100.0, 100.0]);
}

#[test]
fn a_server_is_nearer_than_any_plane() {
    let text = planes(2, "gpus = 2\nserver_link = { rate = \"900Gbps\" }");
    let fabric = compile(&text);
    assert_eq!(all_paths(&fabric, 0, 1), ["host0->server0 server0->host1"]);
    assert_eq!(fabric.path_count(NodeId(1), NodeId(2)), 6);
    assert_eq!(fabric.hosts_per_server(), Some(2));
    // Where the server's switch is cut off, the planes are there.
    let cut = compile(&(text + "[[faults]]\nport = \"host0.server0\"\ndown = true"));
    assert_eq!(cut.path_count(NodeId(0), NodeId(1)), 2);
}

#[test]
fn servers_of_a_rail_are_in_no_plane() {
    let fabric = compile(
        r#"
        [multi-plane]
        planes = 2
        [multi-plane.plane.rail]
        servers = 2
        gpus = 2
        spines = 1
        host_link = { rate = "100Gbps" }
        server_link = { rate = "900Gbps" }
        fabric_link = { rate = "100Gbps" }
        "#,
    );
    let names: Vec<_> = fabric.nodes()[4..].iter().map(|node| node.name.as_str()).collect();
    let of_planes = ["rail0", "rail1", "spine0"];
    let planes = [0, 1].map(|p| of_planes.map(|name| format!("plane{p}.{name}")));
    assert_eq!(
        names,
        [&["server0".to_owned(), "server1".to_owned()], planes.as_flattened()].concat()
    );
    assert_eq!(all_paths(&fabric, 0, 1), ["host0->server0 server0->host1"]);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(2)), 2);
    assert_eq!(all_paths(&fabric, 0, 3)[1].split(' ').count(), 4);
}

#[test]
fn a_flapping_link_is_down_at_the_end_of_every_period() {
    let fabric = compile(&planes(2, ""));
    let flap = Fault {
        port: Some("host0.plane1".into()),
        flap: Some(Flap {
            period: Time::from_us(10),
            down: Time::from_us(1),
        }),
        from: Some(Time::from_us(100)),
        until: Some(Time::from_us(125)),
        ..Fault::default()
    };
    let plan = resolve_faults(&fabric, std::slice::from_ref(&flap)).unwrap();
    assert!(plan.changes.is_empty());
    let seen: Vec<_> = plan
        .events
        .iter()
        .map(|e| (e.at.as_us(), e.change.rate.as_gbps()))
        .collect();
    let both = |at, rate| [(at, rate); 2];
    let expected = [
        both(109.0, 0.0),
        both(110.0, 100.0),
        both(119.0, 0.0),
        both(120.0, 100.0),
    ];
    assert_eq!(seen, expected.as_flattened());
    let endless = Fault { until: None, ..flap };
    let events = resolve_faults(&fabric, &[endless]).unwrap().events;
    assert_eq!(events.len(), 1_000 * 2 * 2);
}

#[test]
fn losses_of_a_link_hold_while_their_faults_last() {
    let fabric = compile(&planes(2, ""));
    let loss = |share, from: Option<u64>, until: Option<u64>| Fault {
        link: Some("host0->plane0.leaf0".into()),
        loss: Some(share),
        from: from.map(Time::from_us),
        until: until.map(Time::from_us),
        ..Fault::default()
    };
    let faults = [loss(0.5, None, None), loss(0.25, Some(3), Some(5))];
    let losses = resolve_faults(&fabric, &faults).unwrap().losses;
    let seen: Vec<_> = losses.iter().map(|change| (change.at.as_us(), change.loss)).collect();
    let share = |share| Loss::new(share).unwrap();
    assert_eq!(seen, [(0.0, share(0.5)), (3.0, share(0.25)), (5.0, share(0.5))]);
    assert!(share(1.0).takes(u64::MAX) && !share(0.5).takes(u64::MAX) && !Loss::NONE.takes(0));
}

fn units(more: &str) -> Fabric {
    compile(&format!(
        r#"
        [rail]
        servers = 4
        gpus = 2
        servers_per_unit = 2
        spines = 2
        host_link = {{ rate = "400Gbps" }}
        server_link = {{ rate = "3600Gbps" }}
        fabric_link = {{ rate = "400Gbps" }}
        {more}
        "#
    ))
}

#[test]
fn units_have_leaves_of_their_own() {
    let fabric = units("");
    // Server, own rail in the unit, own rail in another unit, another rail.
    assert_eq!(all_paths(&fabric, 0, 1), ["host0->server0 server0->host1"]);
    assert_eq!(all_paths(&fabric, 0, 2), ["host0->unit0.rail0 unit0.rail0->host2"]);
    let far =
        [0, 1].map(|s| format!("host0->unit0.rail0 unit0.rail0->spine{s} spine{s}->unit1.rail0 unit1.rail0->host4"));
    assert_eq!(all_paths(&fabric, 0, 4), far);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(3)), 2);
}

#[test]
fn spines_of_a_rail_lie_below_cores() {
    let fabric = units("spines_join = \"rail\"\ncores = 3\ncore_link = { rate = \"400Gbps\" }");
    assert_eq!(
        all_paths(&fabric, 0, 4)[1],
        "host0->unit0.rail0 unit0.rail0->rail0.spine1 rail0.spine1->unit1.rail0 unit1.rail0->host4"
    );
    // To another rail over any spine, core and spine.
    assert_eq!(fabric.path_count(NodeId(0), NodeId(3)), 2 * 3 * 2);
}

/// The 16 384 GPUs of Llama 3 405B: forwarding tables that fit.
#[test]
fn a_rail_fabric_of_16384_gpus_is_drawn() {
    let spec = r#"
        [rail]
        servers = 2048
        gpus = 8
        servers_per_unit = 128
        spines = 16
        host_link = { rate = "400Gbps" }
        server_link = { rate = "3600Gbps" }
        fabric_link = { rate = "1600Gbps" }
    "#;
    let drawing = parse(spec).topology.blueprint(&NoFiles).unwrap();
    assert_eq!(drawing.graph.node_count(), 16_384 + 2_048 + 16 * 8 + 16);
}
