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

use crate::cli::{folder, stdout};

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

fn groups_of_five(paths: &str) -> Fabric {
    let cable = |gbps: u32| json!({ "rate": format!("{gbps}Gbps") });
    compile(json!({ "dragonfly": {
        "groups": 5, "routers_per_group": 4, "hosts_per_router": 2, "global_links": 1, "paths": paths,
        "host_link": cable(100), "local_link": cable(800), "global_link": cable(100),
    } }))
}

/// The worst traffic for minimal paths: all eight hosts of a group send to the next group, over one link. Valiant's paths take two
/// links, each with a share of a third, whatever the traffic: 16/3 of a message on every link that is on some way.
#[test]
fn valiant_paths_spread_the_worst_shift() {
    let message = 3 << 20;
    let schedule = || {
        let text = format!("[shift]\nmessage = {message}\noffset = 8");
        let workload: Workload = toml::from_str(&text).unwrap();
        workload.schedule(40, &NoFiles, 1).unwrap()
    };
    let spray = scheme("spray", json!({}));
    let us = |bytes: f64| bytes * 80.0 / 1e6;
    for (paths, least) in [("minimal", 8.0), ("valiant", 16.0 / 3.0)] {
        let (fabric, schedule) = (groups_of_five(paths), schedule());
        let known = bounds(&fabric, &schedule, Framing::Fluid);
        let expected = us(least * message as f64);
        assert!(
            (known.optimal_fabric.lower / expected - 1.0).abs() < 1e-3,
            "{paths}: {known:?}"
        );
        let placement = spray.place(&fabric, &schedule, &NoFiles, 1).unwrap();
        let loads = placement.link_loads(&fabric, &schedule).unwrap();
        let group = |node| fabric.node(node).name.split('.').next().unwrap().to_owned();
        let mut used = 0;
        for id in fabric.link_ids().filter(|&id| fabric.is_fabric_link(id)) {
            let link = fabric.link(id);
            if group(link.from) != group(link.to) && loads[id.index()] > 0.0 {
                used += 1;
                assert!(
                    (loads[id.index()] / (least * message as f64) - 1.0).abs() < 1e-9,
                    "{paths}"
                );
            }
        }
        assert_eq!(used, if paths == "minimal" { 5 } else { 15 });
        let cct = fluid(&fabric, &schedule, &spray).as_us();
        assert!(
            (1.0..1.01).contains(&(cct / known.cct.as_us())),
            "{paths}: {cct} {known:?}"
        );
        // Every other scheme knows these paths, too.
        for name in [
            "ecmp",
            "ethereal",
            "cut-line",
            "optimal-transport",
            "greedy",
            "weighted-spray",
        ] {
            let cct = fluid(&fabric, &schedule, &scheme(name, json!({}))).as_us();
            assert!(
                cct >= known.cct.as_us() * (1.0 - 1e-9),
                "{name} on {paths}: {cct} {known:?}"
            );
        }
    }
}

/// UGAL-L with packets: a flow on its own takes the links of a minimal path, and the worst shift, which minimal paths take over one
/// link between two groups, goes round by the other groups.
#[test]
fn adaptive_routing_takes_detours_where_the_straight_way_is_full() {
    let run = |paths: &str, workload: &str| {
        let experiment = format!(
            "engine = \"packet\"\ntransport = \"dctcp\"\nload_balancing = \"adaptive\"\n\
             [topology.dragonfly]\ngroups = 5\nrouters_per_group = 4\nhosts_per_router = 2\nglobal_links = 1\npaths = \"{paths}\"\n\
             host_link = {{ rate = \"100Gbps\" }}\nlocal_link = {{ rate = \"100Gbps\" }}\nglobal_link = {{ rate = \"100Gbps\" }}\n\
             {workload}\n"
        );
        let dir = folder(&[("x.toml", &experiment), ("one.csv", "0,8,4000\n5,21,4000\n")]);
        let out = stdout(dir.path(), &["run", "x.toml", "--out", "out", "--format", "json"]);
        let rows: Value = serde_json::from_str(&out).unwrap();
        let number = |column: &str| rows["results"][0][column].as_f64().unwrap();
        (number("cct_us"), number("packet_hops"))
    };
    let alone = "[workload.flows]\nfile = \"one.csv\"";
    assert_eq!(run("all", alone), run("minimal", alone));
    let shift = "[workload.shift]\nmessage = \"1MiB\"\noffset = 8";
    let [minimal, valiant, all] = ["minimal", "valiant", "all"].map(|paths| run(paths, shift).0);
    // 8 messages over one link; at best 1/3 of that over the links by the other groups, one of which is straight.
    assert!(
        valiant < 0.8 * minimal && all < 0.8 * minimal,
        "{minimal} {valiant} {all}"
    );
}

/// ASTRA-sim's networks of one dimension have its closed forms: a ring takes 2 (n - 1) times the latency and a share of the buffer at
/// the rate of a link, where a GB is 2^30 bytes; a switch has two links on the way; in a full mesh all peers are one link away.
#[test]
fn networks_of_astra_sim_have_its_closed_forms() {
    let fabric = |text: &str| {
        let spec: Topology = serde_json::from_value(json!({ "astra-sim": { "file": "network.yml" } })).unwrap();
        Fabric::compile(&spec.blueprint(&OneFile(text.to_owned())).unwrap())
    };
    let network = |shape: &str| {
        format!("topology: [ {shape} ]\nnpus_count: [ 8 ]  # NPUs\nbandwidth: [ 50.0 ]\nlatency: [ 500.0 ]\n")
    };
    let spray = scheme("spray", json!({}));
    let ns = |shape: &str, workload: &str| {
        let workload: Workload = toml::from_str(workload).unwrap();
        let schedule = workload.schedule(8, &NoFiles, 1).unwrap();
        fluid(&fabric(&network(shape)), &schedule, &spray).as_us() * 1e3
    };
    let bytes_per_ns = 50.0 * f64::from(1 << 30) / 1e9;
    let size = f64::from(1 << 20);
    let ring = "[all-reduce]\nsize = \"1MiB\"\nalgorithm = \"ring\"";
    let direct = "[all-to-all]\nmessage = \"1MiB\"";
    for (shape, workload, expected) in [
        ("Ring", ring, 14.0 * (500.0 + size / 8.0 / bytes_per_ns)),
        ("Switch", ring, 14.0 * (1_000.0 + size / 8.0 / bytes_per_ns)),
        ("FullyConnected", direct, 500.0 + size / bytes_per_ns),
        ("Switch", direct, 1_000.0 + 7.0 * size / bytes_per_ns),
    ] {
        let found = ns(shape, workload);
        assert!(
            (found - expected).abs() < 15.0 * 0.001 + 1.0,
            "{shape}: {found} {expected}"
        );
    }
    // A torus with a switch for each of its planes: 4 x 2 x 3.
    let cube = fabric(
        "topology: [ Ring, FullyConnected, Switch ]\nnpus_count: [ 4, 2, 3 ]\nbandwidth: [ 200, 100, 50 ]\nlatency: [ 50, 500, 2000 ]\n",
    );
    assert_eq!((cube.hosts(), cube.nodes().len()), (24, 24 + 8));
    assert_eq!(cube.links().len(), 2 * (24 + 12 + 24));
    // Two round the ring either way, across the mesh and through the switch, in any order of the three.
    let far = NodeId(2 + 4 + 2 * 8);
    let delays: Vec<_> = cube
        .paths(NodeId(0), far)
        .map(|path| (path.len(), cube.path_delay(&path)))
        .collect();
    assert!(
        delays
            .iter()
            .all(|&(links, delay)| (links, delay) == (5, Time::from_ns(2 * 50 + 500 + 2 * 2_000)))
    );
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

/// The fabric of an experiment as an InfraGraph file, which is the same fabric when it is read again.
#[test]
fn a_fabric_is_exported_and_comes_back() {
    let experiment = "topology = \"../../topologies/planes-2.toml\"\n[workload.all-to-all]\nmessage = \"64KiB\"\n";
    let dir = tempfile::tempdir().unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let topology = std::fs::read_to_string(root.join("topologies/planes-2.toml")).unwrap();
    std::fs::write(dir.path().join("planes-2.toml"), topology).unwrap();
    std::fs::write(dir.path().join("exp.toml"), experiment.replace("../../topologies/", "")).unwrap();
    let arguments = ["export", "exp.toml", "--to", "infragraph", "--out", "out"];
    let printed = crate::cli::stdout(dir.path(), &arguments);
    assert!(printed.trim().ends_with("infragraph.json"), "{printed}");
    let text = std::fs::read_to_string(dir.path().join("out/infragraph.json")).unwrap();
    let spec: Topology = serde_json::from_value(json!({ "infragraph": { "file": "x" } })).unwrap();
    let again = Fabric::compile(&spec.blueprint(&OneFile(text)).unwrap());
    let cable = json!({ "rate": "400Gbps", "delay": "500ns" });
    let built = compile(json!({ "multi-plane": {
        "planes": 2, "gpus": 4, "server_link": { "rate": "4Tbps", "delay": "250ns" },
        "plane": { "leaf-spine": {
            "leaves": 4, "spines": 8, "hosts_per_leaf": 8, "host_link": cable, "fabric_link": cable,
        } },
    } }));
    assert_eq!((again.nodes(), again.links()), (built.nodes(), built.links()));
}
