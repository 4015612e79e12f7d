//! Benchmarks of the flow engine: CPU seconds of one run, and the same as a ratio to the hold model.
//!
//! `cargo bench --bench flow_engine [-- NAME]` runs the cases whose name contains NAME.

#[path = "calibration/mod.rs"]
mod calibration;

use fabricsim::flow_engine::{FlowOptions, simulate};
use fabricsim::input::NoFiles;
use fabricsim::outcome::Observe;
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
}

fn main() {
    let wanted = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .unwrap_or_default();
    let hold_ns = calibration::hold_ns();
    println!("hold model: {hold_ns:.1} ns per operation\n");
    println!("| case | load balancing | flows | events | CPU s | million holds |");
    println!("|---|---|---|---|---|---|");
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
            let run = || simulate(&fabric, &case.schedule, &placement, &options, &Observe::default());
            let (seconds, outcome) = calibration::cpu_seconds(run);
            println!(
                "| {} | {} | {} | {} | {seconds:.4} | {:.2} |",
                case.name,
                scheme.name(),
                case.schedule.transfer_count(),
                outcome.expect("every flow finishes").counters.events,
                seconds * 1e3 / hold_ns,
            );
        }
    }
    println!("\npeak memory {}", peak_memory());
}

fn cases() -> Vec<Case> {
    let spray = || LoadBalancing::Spray(Spray::default());
    let ecmp = || LoadBalancing::Ecmp(Ecmp::default());
    let ethereal = || LoadBalancing::Ethereal(Ethereal::default());
    let case = |name, radix, schedule, tolerance, schemes| Case {
        name,
        radix,
        schedule,
        tolerance,
        schemes,
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
