//! Laws of placement, in exact integers: what holds for all schemes. Beside it what each promises.

mod entropic;
mod plan;
mod planes;
mod splitting;
mod whole_flows;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ids::{LinkId, NodeId, TaskId};
use crate::input::{Files, InputError, NoFiles};
use crate::rng::mix;
use crate::routes::{Route, path_weights};
use crate::topology::{Cable, Fabric, LeafSpine, LinkChange, Topology};
use crate::units::{Rate, Time};
use crate::workload::{Schedule, ScheduleBuilder, Transfer};

fn leaf_spine(leaves: u32, spines: u32, hosts_per_leaf: u32) -> Fabric {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };
    let spec = LeafSpine::uniform(leaves, spines, hosts_per_leaf, cable);
    Fabric::compile(&spec.blueprint().unwrap())
}

fn fat_tree(pods: u32, tors_per_pod: u32, aggs_per_pod: u32, cores: u32, hosts_per_tor: u32) -> Fabric {
    let cable = json!({ "rate": "100Gbps" });
    let spec: Topology = serde_json::from_value(json!({ "fat-tree": {
        "pods": pods, "tors_per_pod": tors_per_pod, "aggs_per_pod": aggs_per_pod, "cores": cores,
        "hosts_per_tor": hosts_per_tor, "host_link": cable, "tor_link": cable, "core_link": cable,
    } }))
    .unwrap();
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

/// Hosts with a cable to the switch of their server and one to the leaf of their rail.
fn rail(servers: u32, gpus: u32, spines: u32) -> Fabric {
    let cable = json!({ "rate": "100Gbps" });
    let spec: Topology = serde_json::from_value(json!({ "rail": {
        "servers": servers, "gpus": gpus, "spines": spines,
        "host_link": cable, "server_link": cable, "fabric_link": cable,
    } }))
    .unwrap();
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

/// The fabric with a share of the links between its switches down.
fn without_some_links(fabric: &Fabric, share: f64, seed: u64) -> Fabric {
    let dead = |id: &LinkId| mix(seed ^ u64::from(id.0)) as f64 / u64::MAX as f64 <= share && share > 0.0;
    let changes = fabric.link_ids().filter(|&id| fabric.is_fabric_link(id)).filter(dead);
    fabric.with(
        &changes
            .map(|link| LinkChange { link, rate: Rate::ZERO })
            .collect::<Vec<_>>(),
    )
}

/// A schedule of transfers (source, destination, bytes, step).
fn schedule(transfers: &[(u32, u32, u64, u32)]) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    for &(src, dst, bytes, step) in transfers {
        builder.transfer(src, dst, bytes, step);
    }
    builder.build()
}

fn all_to_all(hosts: u32, bytes: u64) -> Schedule {
    let pairs = (0..hosts).flat_map(|src| (1..hosts).map(move |k| (src, (src + k) % hosts, bytes, 0)));
    schedule(&pairs.collect::<Vec<_>>())
}

/// A scheme from its name and options, as an experiment file gives them.
fn scheme(name: &str, options: serde_json::Value) -> LoadBalancing {
    serde_json::from_value(json!({ name: options })).unwrap()
}

fn place(scheme: &LoadBalancing, fabric: &Fabric, schedule: &Schedule) -> Placement {
    scheme.place(fabric, schedule, &NoFiles, 7).unwrap()
}

/// Bytes on every link. Evenly spread sub-flows must divide by their number of paths.
fn loads(fabric: &Fabric, schedule: &Schedule, placement: &Placement) -> Vec<u64> {
    let mut loads = vec![0; fabric.links().len()];
    let mut add = |path: &[LinkId], amount: u64| path.iter().for_each(|link| loads[link.index()] += amount);
    for Transfer { task, src, dst, .. } in schedule.transfers() {
        let (src, dst) = (src.node(), dst.node());
        let s = u64::from(fabric.path_count(src, dst));
        for subflow in placement.of(task) {
            match subflow.route {
                Route::Pinned(index) => add(&fabric.path(src, dst, index), subflow.bytes),
                Route::Even => {
                    assert_eq!(subflow.bytes % s, 0, "even shares are whole bytes");
                    fabric.paths(src, dst).for_each(|path| add(&path, subflow.bytes / s));
                }
                other => panic!("{other:?} has no fixed load"),
            }
        }
    }
    loads
}

/// Sub-flows add up to their transfers, none is empty, every pinned path exists, and delays have none.
fn assert_sound(fabric: &Fabric, schedule: &Schedule, placement: &Placement) {
    let mut subflows = 0;
    for Transfer { task, src, dst, bytes } in schedule.transfers() {
        let own = placement.of(task);
        subflows += own.len();
        assert_eq!(own.iter().map(|subflow| subflow.bytes).sum::<u64>(), bytes);
        assert_eq!(&placement.subflows()[placement.range(task)], own);
        for subflow in own {
            assert!(subflow.bytes > 0);
            if let Route::Pinned(index) = subflow.route {
                assert!(index.0 < fabric.path_count(src.node(), dst.node()));
            }
        }
    }
    assert_eq!(placement.subflows().len(), subflows);
}

/// Fabric load of the worst link in flows of one byte.
fn worst(fabric: &Fabric, schedule: &Schedule, name: &str) -> u64 {
    let loads = loads(fabric, schedule, &place(&scheme(name, json!({})), fabric, schedule));
    fabric
        .link_ids()
        .filter(|&id| fabric.is_fabric_link(id))
        .map(|id| loads[id.index()])
        .max()
        .unwrap()
}

#[test]
fn names_are_those_of_the_file() {
    for (name, _) in LoadBalancing::ALL {
        if let Ok(scheme) = serde_json::from_value::<LoadBalancing>(json!({ *name: {} })) {
            assert_eq!((scheme.name(), scheme.label()), (*name, (*name).to_owned()));
            scheme.check().unwrap();
            assert!(serde_json::from_value::<LoadBalancing>(json!({ *name: { "nonsense": 1 } })).is_err());
        }
    }
}

#[test]
fn labels_show_what_is_not_default() {
    let label = |name, options| scheme(name, options).label();
    assert_eq!(label("ecmp-split", json!({ "ways": 4 })), "ecmp-split(ways=4)");
    assert_eq!(label("ecmp-split", json!({ "ways": 2 })), "ecmp-split");
    assert_eq!(label("ecmp", json!({ "hash": "connection" })), "ecmp");
    assert_eq!(label("ecmp", json!({ "hash": "transfer" })), "ecmp(hash=transfer)");
    assert_eq!(
        label("ecmp-split", json!({ "ways": 4, "hash": "transfer" })),
        "ecmp-split(hash=transfer ways=4)"
    );
    assert_eq!(
        label("spray", json!({ "choose": "round-robin" })),
        "spray(choose=round-robin)"
    );
    assert_eq!(
        label("plb", json!({ "threshold": 0.25, "rounds": 3 })),
        "plb(rounds=3 threshold=0.25)"
    );
    assert_eq!(label("flowlet", json!({ "gap": "5us" })), "flowlet(gap=5us)");
    assert_eq!(
        label("adaptive", json!({ "quantise": ["50KB", "100KB"] })),
        "adaptive(quantise=50KB/100KB)"
    );
    assert_eq!(label("adaptive", json!({ "quantise": [] })), "adaptive(quantise=none)");
    assert_eq!(label("adaptive", json!({})), "adaptive");
}

#[test]
fn options_without_sense_are_refused() {
    let message = |name, options| scheme(name, options).check().unwrap_err().to_string();
    insta::assert_snapshot!(message("ecmp-split", json!({ "ways": 0 })), @"ways: a flow cannot be split in 0 queue pairs (`ways` is from 1 to 1024)");
    insta::assert_snapshot!(message("plb", json!({ "rounds": 0 })), @"rounds: a flow cannot move after 0 congested round-trip times (`rounds` is at least 1)");
    insta::assert_snapshot!(message("plb", json!({ "threshold": 1.5 })), @"threshold: 1.5 is no share of marked packets (`threshold` is above 0 and at most 1)");
    insta::assert_snapshot!(message("flowlet", json!({ "gap": "0us" })), @r#"gap: the gap between two flowlets is zero (with no gap every packet takes a random path: that is load_balancing = "spray")"#);
    insta::assert_snapshot!(message("adaptive", json!({ "quantise": ["2KB", "1KB"] })), @r#"quantise: the queue levels do not rise from above zero (write them in rising order, such as ["50KB", "100KB", "200KB"])"#);
    insta::assert_snapshot!(message("reps", json!({ "ring": 0 })), @"ring: a ring of 0 entropies cannot be simulated (`ring` is from 1 to 65536; the published one has 8 entries)");
}

#[test]
fn transfers_without_a_path_are_refused() {
    let fabric = leaf_spine(2, 1, 1);
    let place = |fabric: &Fabric, src, dst| {
        let flow = schedule(&[(src, dst, 1, 0)]);
        let error = scheme("ecmp", json!({})).place(fabric, &flow, &NoFiles, 1).unwrap_err();
        error.to_string()
    };
    insta::assert_snapshot!(place(&fabric, 0, 5), @"transfer 0 goes from host 0 to host 5, but the fabric has 2 hosts (hosts are numbered from 0 to 1)");
    insta::assert_snapshot!(place(&fabric, 1, 1), @"transfer 0 goes from host1 to host1, between which there is no path (a host cannot send to itself, nor over links that are down)");
    let link = fabric.link_ids().find(|&id| fabric.is_fabric_link(id)).unwrap();
    let broken = fabric.with(&[LinkChange { link, rate: Rate::ZERO }]);
    insta::assert_snapshot!(place(&broken, 0, 1), @"transfer 0 goes from host0 to host1, between which there is no path (a host cannot send to itself, nor over links that are down)");
}

/// Placing is a function of the seed.
#[test]
fn seeds_decide() {
    let fabric = leaf_spine(4, 4, 4);
    let schedule = all_to_all(16, 4_096);
    for (name, _) in LoadBalancing::ALL {
        let Ok(scheme) = serde_json::from_value::<LoadBalancing>(json!({ *name: {} })) else {
            continue;
        };
        let place = |seed| scheme.place(&fabric, &schedule, &NoFiles, seed).unwrap();
        assert_eq!(place(3), place(3), "{name}");
        let random = [
            "ecmp",
            "ecmp-split",
            "qp-stripe",
            "port-stripe",
            "ethereal",
            "cut-line",
            "least-bytes",
        ];
        assert_eq!(place(3) != place(4), random.contains(name), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the sizes, down to single bytes: every sub-flow is sound under every scheme.
    #[test]
    fn subflows_add_up(
        seed in 0..u64::MAX,
        flows in prop::collection::vec((0..12_u32, 0..12_u32, 1..40_u64, 0..2_u32), 1..60),
    ) {
        let fabric = [leaf_spine(4, 5, 3), fat_tree(2, 2, 2, 6, 3), rail(3, 4, 5)][seed as usize % 3].clone();
        let flows: Vec<_> = flows.into_iter().filter(|(src, dst, ..)| src != dst).collect();
        let schedule = schedule(&flows);
        for (name, _) in LoadBalancing::ALL {
            let Ok(scheme) = serde_json::from_value::<LoadBalancing>(json!({ *name: {} })) else { continue };
            match scheme.place(&fabric, &schedule, &NoFiles, seed) {
                Ok(placement) => assert_sound(&fabric, &schedule, &placement),
                // Unequal sizes, or three tiers.
                Err(error) => prop_assert!(*name == "edge-coloring", "{error}"),
            }
        }
    }
}
