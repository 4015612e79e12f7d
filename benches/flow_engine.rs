//! Benchmarks of the flow engine: CPU seconds of one run, and the same as a ratio to the hold model. Of a short run, the
//! median of several.
//!
//! `cargo bench --bench flow_engine [-- NAME]` runs the cases whose name contains NAME. Cases with a
//! tolerance tell how far completion times are from the exact ones, if these ran before; `accuracy` is a table of that.

#[path = "calibration/mod.rs"]
mod calibration;

use std::collections::HashMap;

use fabricsim::flow_engine::{FlowOptions, simulate};
use fabricsim::input::NoFiles;
use fabricsim::outcome::{Observe, Outcome};
use fabricsim::placement::{Ecmp, Ethereal, LoadBalancing, Spray};
use fabricsim::rng::mix;
use fabricsim::topology::{Cable, Fabric, LeafSpine};
use fabricsim::units::{Rate, Time};
use fabricsim::workload::{Schedule, ScheduleBuilder};

/// Bytes of a transfer, by its number.
type Sizes = fn(u32) -> u64;

/// All transfers alike.
const EQUAL: Sizes = |_| 1_000_000;
/// Half to one and a half megabytes, no two alike.
const DISTINCT: Sizes = |t| 500_000 + mix(u64::from(t)) % 1_000_000;

struct Case {
    name: &'static str,
    /// Leaves, as many spines, and as many hosts under each leaf.
    radix: u32,
    schedule: Schedule,
    tolerance: f64,
    schemes: Vec<LoadBalancing>,
    /// Whether completion times are compared with those of another case.
    compared: bool,
}

fn main() {
    let wanted = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .unwrap_or_default();
    let hold_ns = calibration::hold_ns();
    println!("hold model: {hold_ns:.1} ns per operation\n");
    println!("| case | load balancing | flows | events | CPU s | million holds | off by at most |");
    println!("|---|---|---|---|---|---|---|");
    let mut exact: HashMap<(usize, &str), Outcome> = HashMap::new();
    for case in cases().iter().filter(|case| case.name.contains(&wanted)) {
        let fabric = fabric(case.radix);
        for scheme in &case.schemes {
            let placement = scheme
                .place(&fabric, &case.schedule, &NoFiles, 1)
                .expect("a leaf-spine fits all");
            let options = FlowOptions {
                tolerance: case.tolerance,
                ..FlowOptions::default()
            };
            let observe = Observe {
                flows: case.compared,
                ..Observe::default()
            };
            let run = || simulate(&fabric, &case.schedule, &placement, &options, &observe);
            let (seconds, outcome) = calibration::repeated(run);
            let outcome = outcome.expect("every flow finishes");
            let flows = case.schedule.transfer_count();
            let off = match exact.get(&(flows, scheme.name())).filter(|_| case.tolerance > 0.0) {
                Some(exact) => format!("{:.2} %", 100.0 * largest_difference(&outcome, exact)),
                None => String::new(),
            };
            println!(
                "| {} | {} | {flows} | {} | {seconds:.4} | {:.2} | {off} |",
                case.name,
                scheme.name(),
                outcome.counters.events,
                seconds * 1e3 / hold_ns,
            );
            exact.insert((flows, scheme.name()), outcome);
        }
    }
    if "accuracy".contains(&wanted) {
        accuracy();
    }
    println!("\npeak memory {}", peak_memory());
}

/// How far a tolerance puts completion times off, over random all-to-alls of 64 hosts.
fn accuracy() {
    println!("\n| accuracy: sizes, ten seeds | tolerance | flows | worst, in tolerances | beyond two |");
    println!("|---|---|---|---|---|");
    let uniform = |hash: u64| 500_000 + hash % 1_000_000;
    let heavy_tailed = |hash: u64| (20_000.0 / ((hash >> 11) as f64 / (1_u64 << 53) as f64 + 1e-3)) as u64;
    let kinds: [(&str, &dyn Fn(u64) -> u64); 2] = [("uniform", &uniform), ("heavy-tailed", &heavy_tailed)];
    for (kind, size) in kinds {
        for tolerance in [1e-3, 1e-2] {
            let off: Vec<f64> = (0..10).flat_map(|seed| differences(seed, size, tolerance)).collect();
            let worst = off.iter().copied().fold(0.0, f64::max);
            let beyond = off.iter().filter(|&&off| off > 2.0).count();
            println!("| {kind} | {tolerance} | {} | {worst:.2} | {beyond} |", off.len());
        }
    }
}

/// Relative differences from exact completion times, in tolerances, of all flows by three schemes.
fn differences(seed: u64, size: &dyn Fn(u64) -> u64, tolerance: f64) -> Vec<f64> {
    let fabric = fabric(8);
    let mut builder = ScheduleBuilder::default();
    for (src, offset) in (0..64).flat_map(|src| (1..64).map(move |offset| (src, offset))) {
        let bytes = size(mix(seed << 32 | u64::from(src * 64 + offset)));
        builder.transfer(src, (src + offset) % 64, bytes, 0);
    }
    let schedule = builder.build();
    let schemes = [
        LoadBalancing::Spray(Spray::default()),
        LoadBalancing::Ecmp(Ecmp::default()),
        LoadBalancing::Ethereal(Ethereal::default()),
    ];
    let mut off = Vec::new();
    for scheme in schemes {
        let placement = scheme
            .place(&fabric, &schedule, &NoFiles, seed)
            .expect("a leaf-spine fits all");
        let times = |tolerance| {
            let options = FlowOptions {
                tolerance,
                ..FlowOptions::default()
            };
            let observe = Observe {
                flows: true,
                ..Observe::default()
            };
            let outcome = simulate(&fabric, &schedule, &placement, &options, &observe);
            outcome.expect("every flow finishes").flows
        };
        let pairs = times(0.0).into_iter().zip(times(tolerance));
        off.extend(
            pairs.map(|(exact, rough)| (rough.delivered.0 as f64 / exact.delivered.0 as f64 - 1.0).abs() / tolerance),
        );
    }
    off
}

/// The largest difference of the flows' completion times, relative to those of `exact`.
fn largest_difference(outcome: &Outcome, exact: &Outcome) -> f64 {
    let times = |outcome: &Outcome| -> Vec<f64> { outcome.flows.iter().map(|flow| flow.delivered.0 as f64).collect() };
    let differences = times(outcome)
        .into_iter()
        .zip(times(exact))
        .map(|(a, b)| (a / b - 1.0).abs());
    differences.fold(0.0, f64::max)
}

fn cases() -> Vec<Case> {
    let spray = || LoadBalancing::Spray(Spray::default());
    let ecmp = || LoadBalancing::Ecmp(Ecmp::default());
    let ethereal = || LoadBalancing::Ethereal(Ethereal::default());
    let case = |name: &'static str, radix, schedule, tolerance, schemes| Case {
        name,
        radix,
        schedule,
        tolerance,
        schemes,
        compared: name.starts_with("256 hosts, all-to-all, distinct"),
    };
    vec![
        case(
            "256 hosts, all-to-all, equal",
            16,
            all_to_all(256, EQUAL),
            0.0,
            vec![spray(), ethereal(), ecmp()],
        ),
        case(
            "256 hosts, all-to-all, distinct",
            16,
            all_to_all(256, DISTINCT),
            0.0,
            vec![spray(), ecmp()],
        ),
        case(
            "256 hosts, all-to-all, distinct, tolerance 1e-3",
            16,
            all_to_all(256, DISTINCT),
            1e-3,
            vec![spray(), ecmp()],
        ),
        case(
            "1024 hosts, 8 permutations, distinct",
            32,
            permutations(1024, 8),
            0.0,
            vec![spray(), ecmp()],
        ),
        case(
            "1024 hosts, all-to-all, equal",
            32,
            all_to_all(1024, EQUAL),
            0.0,
            vec![spray(), ethereal(), ecmp()],
        ),
    ]
}

fn fabric(radix: u32) -> Fabric {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };
    let spec = LeafSpine::uniform(radix, radix, radix, cable);
    Fabric::compile(&spec.blueprint().expect("a small fabric"))
}

fn all_to_all(hosts: u32, sizes: Sizes) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    for src in 0..hosts {
        for offset in 1..hosts {
            builder.transfer(src, (src + offset) % hosts, sizes(src * hosts + offset), 0);
        }
    }
    builder.build()
}

/// Random permutations, all at once; a host that would send to itself does not send.
fn permutations(hosts: u32, count: u32) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    for p in 0..count {
        let mut order: Vec<u32> = (0..hosts).collect();
        order.sort_by_key(|&host| mix(u64::from(host) << 32 | u64::from(p)));
        for (src, &dst) in (0..).zip(&order) {
            if src != dst {
                builder.transfer(src, dst, DISTINCT(p * hosts + src), 0);
            }
        }
    }
    builder.build()
}

/// High-water mark of this process, where the system tells.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown".into(), |amount| amount.trim().to_owned())
}
