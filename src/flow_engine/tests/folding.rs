//! A folded run is the run as it is written.

use proptest::prelude::*;

use super::leaf_spine;
use crate::flow_engine::constraints::Constraints;
use crate::flow_engine::folding::fold;
use crate::flow_engine::routes::Routes;
use crate::flow_engine::{FlowOptions, Weights, simulate};
use crate::input::NoFiles;
use crate::outcome::{Observe, Outcome};
use crate::placement::LoadBalancing;
use crate::topology::{Fabric, LinkChange};
use crate::units::Rate;
use crate::workload::{Action, Schedule, ScheduleBuilder, Workload};

const OBSERVE: Observe = Observe {
    tasks: true,
    ..super::OBSERVE
};

fn workload(value: serde_json::Value, ranks: u32) -> Schedule {
    let workload: Workload = serde_json::from_value(value).unwrap();
    workload.schedule(ranks, &NoFiles, 1).unwrap()
}

fn scheme(value: serde_json::Value) -> LoadBalancing {
    serde_json::from_value(value).unwrap()
}

/// All workloads that have symmetries worth folding, by number.
fn symmetric(number: usize, ranks: u32) -> Schedule {
    // Equal chunks: one byte more in some of them is an asymmetry, too.
    let size = format!("{}KiB", 32 * ranks);
    let value = match number {
        0 => serde_json::json!({ "all-to-all": { "message": "64KiB" } }),
        1 => serde_json::json!({ "all-reduce": { "size": size, "algorithm": "ring" } }),
        2 => serde_json::json!({ "all-reduce": { "size": size, "algorithm": "halving-doubling" } }),
        3 => serde_json::json!({ "shift": { "message": "1MiB", "offset": 1 } }),
        4 => serde_json::json!({ "all-to-all": { "message": "100KB", "window": 2 } }),
        5 => serde_json::json!({ "all-gather": { "size": size, "algorithm": "bruck" } }),
        _ => serde_json::json!({ "permutation": { "message": "1MiB" } }),
    };
    workload(value, ranks)
}

fn schemes() -> [serde_json::Value; 5] {
    [
        serde_json::json!({ "spray": {} }),
        serde_json::json!({ "ethereal": {} }),
        serde_json::json!({ "cut-line": {} }),
        serde_json::json!({ "ecmp": {} }),
        serde_json::json!({ "weighted-spray": {} }),
    ]
}

/// The same with more bytes in one of its transfers.
fn with_a_longer_transfer(schedule: &Schedule, at: usize) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    for (id, task) in (0..).zip(schedule.tasks()) {
        let mut action = task.action;
        if let Action::Transfer { bytes, .. } = &mut action
            && id == at
        {
            *bytes += 777_777;
        }
        builder.add(action, task.earliest, task.step);
    }
    for id in (0..schedule.tasks().len()).map(crate::ids::TaskId::from) {
        for &(next, milestone) in schedule.successors(id) {
            builder.depend(id, milestone, next);
        }
    }
    builder.build()
}

/// Times relative to each other, by 1e-12 and the picosecond to which they are rounded.
fn differ(folded: &Outcome, each: &Outcome) -> Option<String> {
    let close = |a: u64, b: u64| a.abs_diff(b) as f64 <= 1.0 + 1e-12 * a.max(b) as f64;
    for (a, b) in folded.flows.iter().zip(&each.flows) {
        let times = [(a.start, b.start), (a.delivered, b.delivered), (a.acked, b.acked)];
        if !times.into_iter().all(|(a, b)| close(a.0, b.0)) || a.paths != b.paths || a.ideal != b.ideal {
            return Some(format!("{a:?} folded, {b:?} each"));
        }
    }
    for (a, b) in folded.tasks.iter().zip(&each.tasks) {
        if !close(a.start.0, b.start.0) || !close(a.end.0, b.end.0) {
            return Some(format!("{a:?} folded, {b:?} each"));
        }
    }
    let lengths = |outcome: &Outcome| (outcome.flows.len(), outcome.tasks.len());
    (lengths(folded) != lengths(each) || folded.links != each.links).then(|| "links or lengths".into())
}

fn run(fabric: &Fabric, schedule: &Schedule, scheme: &LoadBalancing, options: FlowOptions) -> Outcome {
    let placement = scheme.place(fabric, schedule, &NoFiles, 1).unwrap();
    simulate(fabric, schedule, &placement, &options, &OBSERVE).unwrap()
}

/// Tasks that are left of a run, if it is folded at all.
fn tasks_left(fabric: &Fabric, schedule: &Schedule, scheme: &LoadBalancing) -> Option<usize> {
    let placement = scheme.place(fabric, schedule, &NoFiles, 1).unwrap();
    let routes = Routes::new(fabric, schedule, &placement);
    let constraints = Constraints::new(fabric, &routes);
    let folded = fold(schedule, &placement, &routes, &constraints, &FlowOptions::default());
    folded.map(|folded| folded.schedule.tasks().len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Symmetric cases, and such with a slow link, a longer transfer or both.
    #[test]
    fn folding_changes_no_time(
        (leaves, spines, per_leaf) in (1_u32..6, 1_u32..5, 1_u32..5),
        number in 0_usize..7,
        balancing in 0_usize..5,
        slow in prop::option::of(0_usize..64),
        longer in prop::option::of(0_usize..200),
        equal in any::<bool>(),
    ) {
        let mut fabric = leaf_spine(leaves, spines, per_leaf);
        let hosts = fabric.hosts();
        // Halving and doubling takes powers of two.
        let ranks = if number == 2 { 1 << hosts.ilog2() } else { hosts };
        prop_assume!(ranks >= 2);
        let mut schedule = symmetric(number, ranks);
        if let Some(at) = slow {
            let link = crate::ids::LinkId::from(at % fabric.links().len());
            fabric = fabric.with(&[LinkChange { link, rate: Rate::from_gbps(37) }]);
        }
        if let Some(at) = longer {
            let tasks = schedule.tasks().len();
            schedule = with_a_longer_transfer(&schedule, at % tasks);
        }
        let scheme = scheme(schemes()[balancing].clone());
        let weights = if equal { Weights::Equal } else { Weights::Size };
        let options = FlowOptions { weights, ..FlowOptions::default() };
        let folded = run(&fabric, &schedule, &scheme, options);
        let each = run(&fabric, &schedule, &scheme, FlowOptions { fold: false, ..options });
        let difference = differ(&folded, &each);
        prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
    }
}

/// A sprayed all-to-all is one transfer across leaves and one below a leaf; a ring has a transfer for every host of a leaf and step. One
/// slow cable leaves alone what it does not reach: its host, its leaf, and all others.
#[test]
fn what_is_alike_is_simulated_once() {
    let fabric = leaf_spine(6, 3, 5);
    let spray = scheme(serde_json::json!({ "spray": {} }));
    assert_eq!(tasks_left(&fabric, &symmetric(0, 30), &spray), Some(2));
    let ring = tasks_left(&fabric, &symmetric(1, 30), &spray).unwrap();
    assert!(ring <= 5 * 58, "{ring}");
    let slow = fabric.with(&[LinkChange {
        link: fabric.out_links(crate::ids::NodeId(0))[0],
        rate: Rate::from_gbps(10),
    }]);
    let broken = tasks_left(&slow, &symmetric(0, 30), &spray).unwrap();
    assert!((3..=12).contains(&broken), "{broken}");
    let ecmp = scheme(serde_json::json!({ "ecmp": {} }));
    assert_eq!(tasks_left(&fabric, &symmetric(0, 30), &ecmp), None, "nothing is alike");
}
