//! Fabrics of several planes: what one plane of the same total rate would take, and what a port less costs.

use fabricsim::congestion::{Framing, bounds};
use fabricsim::flow_engine::{self, FlowOptions};
use fabricsim::ids::NodeId;
use fabricsim::input::NoFiles;
use fabricsim::outcome::Observe;
use fabricsim::placement::LoadBalancing;
use fabricsim::topology::{Fabric, Fault, Topology, resolve_faults};
use fabricsim::units::{Bytes, Time};
use fabricsim::workload::{AllToAll, Schedule, ScheduleBuilder, Workload};
use serde_json::{Value, json};

/// Planes of two tiers whose ports have 800 Gb/s together.
fn planes(count: u32, more: Value) -> Fabric {
    let cable = json!({ "rate": format!("{}Gbps", 800 / count) });
    let mut spec = json!({
        "planes": count,
        "plane": { "leaf-spine": {
            "leaves": 4, "spines": 4, "hosts_per_leaf": 4, "host_link": cable, "fabric_link": cable,
        } },
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    compile(json!({ "multi-plane": spec }))
}

/// One plane of all the rate: an ordinary fabric.
fn single() -> Fabric {
    let cable = json!({ "rate": "800Gbps" });
    compile(json!({ "leaf-spine": {
        "leaves": 4, "spines": 4, "hosts_per_leaf": 4, "host_link": cable, "fabric_link": cable,
    } }))
}

fn compile(spec: Value) -> Fabric {
    let spec: Topology = serde_json::from_value(spec).unwrap();
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

fn scheme(name: &str, options: Value) -> LoadBalancing {
    serde_json::from_value(json!({ name: options })).unwrap()
}

fn fluid(fabric: &Fabric, schedule: &Schedule, scheme: &LoadBalancing) -> Time {
    let placement = scheme.place(fabric, schedule, &NoFiles, 1).unwrap();
    let options = FlowOptions::default();
    flow_engine::simulate(fabric, schedule, &placement, &options, &Observe::default())
        .unwrap()
        .cct
}

fn shift(bytes: u64) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    for src in 0..16 {
        builder.transfer(src, (src + 4) % 16, bytes, 0);
    }
    builder.build()
}

fn all_to_all() -> Schedule {
    Workload::AllToAll(AllToAll::new(Bytes(1 << 20)))
        .schedule(16, &NoFiles, 1)
        .unwrap()
}

#[test]
fn planes_are_as_good_as_one_for_bytes_on_all_of_them() {
    for schedule in [shift(32 << 20), all_to_all()] {
        let one = single();
        let spray = scheme("spray", json!({}));
        let known = (
            fluid(&one, &schedule, &spray),
            bounds(&one, &schedule, Framing::Fluid).cct,
        );
        for count in [1, 2, 4, 8] {
            let fabric = planes(count, json!({}));
            assert_eq!(
                bounds(&fabric, &schedule, Framing::Fluid).cct,
                known.1,
                "{count} planes"
            );
            for name in ["spray", "weighted-spray", "ethereal", "cut-line", "optimal-transport"] {
                let cct = fluid(&fabric, &schedule, &scheme(name, json!({})));
                let ratio = cct.0 as f64 / known.0.0 as f64;
                assert!((0.99..1.01).contains(&ratio), "{name} on {count} planes: {ratio}");
            }
            let ecmp = fluid(&fabric, &schedule, &scheme("ecmp", json!({})));
            assert!(
                count == 1 || ecmp.0 as f64 > 1.2 * known.0.0 as f64,
                "{count} planes: {ecmp}"
            );
        }
    }
}

/// 100 MB of one host to another, alone.
fn rate_of_one_flow(fabric: &Fabric, scheme: &LoadBalancing) -> f64 {
    let mut builder = ScheduleBuilder::default();
    builder.transfer(0, 5, 100_000_000, 0);
    let cct = fluid(fabric, &builder.build(), scheme);
    100_000_000.0 * 8.0 / 1e3 / (cct.as_us() - 2.0)
}

#[test]
fn equal_stripes_wait_for_the_slow_port() {
    let fabric = planes(2, json!({ "port_rates": ["400Gbps", "100Gbps"] }));
    let rate = |mode: &str| rate_of_one_flow(&fabric, &scheme("port-stripe", json!({ "mode": mode })));
    assert!((rate("equal") - 200.0).abs() < 0.1, "{}", rate("equal"));
    assert!((rate("weighted") - 500.0).abs() < 0.1, "{}", rate("weighted"));
    let weighted = rate_of_one_flow(&fabric, &scheme("weighted-spray", json!({})));
    assert!((weighted - 500.0).abs() < 0.1, "{weighted}");
}

#[test]
fn one_port_of_eight_less_costs_an_eighth_of_the_rate() {
    let fabric = planes(8, json!({}));
    let port = Fault {
        port: Some("host3.plane5".into()),
        down: true,
        ..Fault::default()
    };
    let broken = fabric.with(&resolve_faults(&fabric, &[port]).unwrap().changes);
    let schedule = shift(32 << 20);
    let delay = Time::from_us(2).0 as f64;
    for name in ["spray", "ethereal", "cut-line", "optimal-transport"] {
        let cct = |fabric: &Fabric| fluid(fabric, &schedule, &scheme(name, json!({}))).0 as f64 - delay;
        let cost = cct(&broken) / cct(&fabric);
        assert!((cost / (8.0 / 7.0) - 1.0).abs() < 0.02, "{name}: {cost}");
    }
    let bound = |fabric: &Fabric| bounds(fabric, &schedule, Framing::Fluid).cct.0 as f64 - delay;
    assert!((bound(&broken) / bound(&fabric) / (8.0 / 7.0) - 1.0).abs() < 1e-9);
}

/// All-to-all on a dragonfly: 64 pairs of hosts share the one link between two groups, and nothing is better.
#[test]
fn minimal_routing_of_a_dragonfly_meets_the_bound_of_its_global_links() {
    let cable = |gbps: u32| json!({ "rate": format!("{gbps}Gbps") });
    let fabric = compile(json!({ "dragonfly": {
        "groups": 5, "routers_per_group": 4, "hosts_per_router": 2, "global_links": 1,
        "host_link": cable(100), "local_link": cable(800), "global_link": cable(100),
    } }));
    let message = 1 << 20;
    let schedule = Workload::AllToAll(AllToAll::new(Bytes(message)))
        .schedule(fabric.hosts(), &NoFiles, 1)
        .unwrap();
    let placement = scheme("spray", json!({}))
        .place(&fabric, &schedule, &NoFiles, 1)
        .unwrap();
    let loads = placement.link_loads(&fabric, &schedule).unwrap();
    let groups = |id| {
        let link = fabric.link(id);
        [link.from, link.to].map(|node| fabric.node(node).name.split('.').next().unwrap().to_owned())
    };
    let global = fabric.link_ids().filter(|&id| fabric.is_fabric_link(id));
    for id in global.filter(|&id| groups(id)[0] != groups(id)[1]) {
        assert_eq!(loads[id.index()], 64.0 * message as f64);
    }
    let analytic = 64.0 * message as f64 * 80.0 / 1e6;
    let known = bounds(&fabric, &schedule, Framing::Fluid);
    assert!((known.optimal_fabric.lower / analytic - 1.0).abs() < 1e-9, "{known:?}");
    assert!((known.optimal_fabric.upper / analytic - 1.0).abs() < 1e-9, "{known:?}");
    let cct = fluid(&fabric, &schedule, &scheme("spray", json!({}))).as_us();
    assert!((1.0..1.01).contains(&(cct / known.cct.as_us())), "{cct} {known:?}");
}

/// The files that SimAI's own generator writes: as many nodes and links as their first lines say, and all GPUs reach each other.
#[test]
fn topology_files_of_simai_are_fabrics() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/topologies");
    for (file, nodes, links, per_server) in [("spectrum-x-32.txt", 108, 576, 8), ("dcn-32.txt", 40, 68, 8)] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let spec: Topology = serde_json::from_value(json!({ "simai": { "file": file } })).unwrap();
        let fabric = Fabric::compile(&spec.blueprint(&OneFile(text)).unwrap());
        assert_eq!(
            (fabric.nodes().len(), fabric.links().len()),
            (nodes, 2 * links),
            "{file}"
        );
        assert_eq!(
            (fabric.hosts(), fabric.hosts_per_server()),
            (32, Some(per_server)),
            "{file}"
        );
        let pairs = (0..32).flat_map(|a| (0..32).map(move |b| (NodeId(a), NodeId(b))));
        assert_eq!(fabric.unreachable(pairs), None);
    }
}

struct OneFile(String);

impl fabricsim::input::Files for OneFile {
    fn read(&self, _: &str) -> Result<String, fabricsim::input::InputError> {
        Ok(self.0.clone())
    }
}
