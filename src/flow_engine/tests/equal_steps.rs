//! Steps that are not written down take what they take when they are.

use proptest::prelude::*;

use crate::flow_engine::{FlowOptions, simulate, simulate_equal_steps};
use crate::input::NoFiles;
use crate::outcome::{Observe, Outcome};
use crate::placement::LoadBalancing;
use crate::topology::{Cable, Fabric, LeafSpine, LinkChange};
use crate::units::{Rate, Time};
use crate::workload::{EqualSteps, Schedule, Workload};

const OBSERVE: Observe = Observe {
    flows: false,
    links: true,
    series: None,
    senders: None,
    tasks: false,
};

fn workload(value: serde_json::Value) -> Workload {
    serde_json::from_value(value).unwrap()
}

/// A leaf-spine whose links between switches have a rate and a delay of their own.
fn fabric((leaves, spines, per_leaf): (u32, u32, u32), rate: u64, delay: u64) -> Fabric {
    let cable = |gbps, ns| Cable {
        rate: Rate::from_gbps(gbps),
        delay: Time::from_ns(ns),
    };
    let mut spec = LeafSpine::uniform(leaves, spines, per_leaf, cable(100, 500));
    spec.fabric_link = cable(rate, delay);
    Fabric::compile(&spec.blueprint().unwrap())
}

fn steps(workload: &Workload, hosts: u32, seed: u64) -> Option<EqualSteps> {
    workload.equal_steps(hosts, &NoFiles, seed, 0).unwrap()
}

fn streamed(fabric: &Fabric, workload: &Workload, scheme: &LoadBalancing, seed: u64) -> Option<Outcome> {
    let steps = steps(workload, fabric.hosts(), seed)?;
    let first = steps.first();
    let placement = scheme.place(fabric, &first, &NoFiles, seed).unwrap();
    simulate_equal_steps(fabric, &steps, &first, &placement, &OBSERVE)
}

fn written(fabric: &Fabric, workload: &Workload, scheme: &LoadBalancing, seed: u64, fold: bool) -> Outcome {
    let schedule: Schedule = workload.schedule(fabric.hosts(), &NoFiles, seed).unwrap();
    let placement = scheme.place(fabric, &schedule, &NoFiles, seed).unwrap();
    let options = FlowOptions {
        fold,
        ..FlowOptions::default()
    };
    simulate(fabric, &schedule, &placement, &options, &OBSERVE).unwrap()
}

/// Relative to each other, by 1e-12 and the picosecond to which times are rounded.
fn close(a: f64, b: f64, unit: f64) -> bool {
    (a - b).abs() <= unit + 1e-12 * a.max(b)
}

fn differ(streamed: &Outcome, written: &Outcome) -> Option<String> {
    let figures = |outcome: &Outcome| {
        let Outcome { cct, ended, fct, .. } = *outcome;
        [cct.as_us(), ended.as_us(), fct.mean_us, fct.p99_us]
    };
    let (a, b) = (figures(streamed), figures(written));
    let times = a.iter().zip(&b).all(|(&a, &b)| close(a, b, 1.001e-6));
    let bytes = |outcome: &Outcome| -> Vec<f64> { outcome.links.iter().map(|link| link.bytes).collect() };
    let loads = bytes(streamed)
        .into_iter()
        .zip(bytes(written))
        .all(|(a, b)| close(a, b, 0.0));
    let links = streamed.links.len() == written.links.len() && loads;
    (!times || !links).then(|| format!("{a:?} streamed, {b:?} written; links: {links}"))
}

fn schemes() -> [LoadBalancing; 4] {
    ["spray", "weighted-spray", "ecmp", "greedy"]
        .map(|name| serde_json::from_value(serde_json::json!({ name: {} })).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// All collectives in equal steps, on hosts in any order, with chunks, with links that are too slow and with some that are not.
    #[test]
    fn nothing_is_lost_by_not_writing_it_down(
        shape in (1_u32..6, 1_u32..5, 1_u32..5),
        rate in prop::sample::select(vec![50_u64, 100, 100, 100, 230, 400]),
        delay in 0_u64..3_000,
        kind in prop::sample::select(vec!["all-reduce", "reduce-scatter", "all-gather"]),
        chunks in prop::sample::select(vec![1_u64, 1, 2, 5]),
        piece in prop::sample::select(vec![1_u64, 999, 4_096, 65_536, 1_000_003]),
        map in prop::sample::select(vec!["in-order", "in-order", "strided", "random"]),
        balancing in 0_usize..4,
        slow in prop::option::weighted(0.2, 0_usize..64),
        seed in 1_u64..100,
    ) {
        let mut fabric = fabric(shape, rate, delay);
        prop_assume!(fabric.hosts() >= 2);
        if let Some(at) = slow {
            let link = crate::ids::LinkId::from(at % fabric.links().len());
            fabric = fabric.with(&[LinkChange { link, rate: Rate::from_gbps(37) }]);
        }
        let size = piece * chunks * u64::from(fabric.hosts());
        let workload = workload(serde_json::json!({
            kind: { "size": size, "algorithm": "ring", "chunks": chunks, "rank_map": map }
        }));
        let scheme = &schemes()[balancing];
        if let Some(streamed) = streamed(&fabric, &workload, scheme, seed) {
            for fold in [true, false] {
                let written = written(&fabric, &workload, scheme, seed, fold);
                let difference = differ(&streamed, &written);
                prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
            }
        }
    }
}

/// Where the fabric can carry all connections at once it is done; where it cannot, where one of them is slow, or where the
/// pieces are not equal, it is left.
#[test]
fn what_holds_each_other_up_has_to_be_written_down() {
    let spray = &schemes()[0];
    let ring = |size: u64, map: &str| workload(serde_json::json!({ "all-reduce": { "size": size, "rank_map": map } }));
    let enough = fabric((4, 4, 4), 100, 500);
    for map in ["in-order", "strided", "random"] {
        assert!(streamed(&enough, &ring(16 << 20, map), spray, 1).is_some(), "{map}");
    }
    assert!(
        steps(&ring(1_000_001, "in-order"), 16, 1).is_none(),
        "pieces differ by a byte"
    );
    assert!(steps(&ring(16 << 20, "in-order"), 16, 1).is_some_and(|steps| steps.transfers() == 2 * 16 * 15));
    let too_few = fabric((4, 2, 4), 100, 500);
    assert!(streamed(&too_few, &ring(16 << 20, "strided"), spray, 1).is_none());
    assert!(streamed(&too_few, &ring(16 << 20, "in-order"), spray, 1).is_some());
    let slow = enough.with(&[LinkChange {
        link: enough.out_links(crate::ids::NodeId(3))[0],
        rate: Rate::from_gbps(10),
    }]);
    assert!(streamed(&slow, &ring(16 << 20, "in-order"), spray, 1).is_none());
}

/// 6 steps of 80 us, one after the other, and a delay with each: of 2 us between leaves and 1 us below one. The longest chain
/// passes each host but for two, the hosts of both leaves in turn.
#[test]
fn a_ring_of_four_takes_what_its_chain_takes() {
    let fabric = fabric((2, 2, 2), 100, 500);
    let workload = workload(serde_json::json!({ "all-reduce": { "size": 4_000_000 } }));
    let outcome = streamed(&fabric, &workload, &schemes()[0], 1).unwrap();
    // Delays of six ranks in a row: four of a whole turn (2 us, 1 us, 2 us, 1 us), and two more.
    assert_eq!(outcome.cct, Time::from_us(6 * 80 + 6 + 3));
    // Half of the transfers are 1 us under way, half of them 2 us.
    assert_eq!(outcome.fct.mean_us, 81.5);
    assert_eq!(outcome.fct.p99_us, 82.0);
}
