//! Benchmarks of congestion: CPU seconds of certified minima and of ECMP's expected load, and the same in
//! operations of the hold model.

#[path = "calibration/mod.rs"]
mod calibration;

use fabricsim::congestion::{certified_minimum, expected_over_all};
use fabricsim::input::NoFiles;
use fabricsim::placement::{Ecmp, Hash, LoadBalancing};
use fabricsim::rng::{mix, shuffle, stream};
use fabricsim::topology::{Cable, Fabric, LeafSpine, LinkChange};
use fabricsim::units::{Rate, Time};
use fabricsim::workload::{Schedule, ScheduleBuilder};

/// What some hosts send.
type Workload = fn(u32) -> Schedule;

/// Bytes of every transfer.
const MESSAGE: u64 = 1_000_000;

fn main() {
    let hold_ns = calibration::hold_ns();
    println!("hold model: {hold_ns:.1} ns per operation");
    certificates(hold_ns);
    expectations(hold_ns);
}

/// The least congestion on 64 leaves x 64 spines with 5 % of the cables between them failed.
fn certificates(hold_ns: f64) {
    println!("\n| 64 x 64, 5 % failed | transfers | least congestion us | gap | CPU s | million holds |");
    println!("|---|---|---|---|---|---|");
    let cases: [(&str, u32, Workload); 4] = [
        ("permutation, 64 hosts", 1, permutation),
        ("permutation, 1024 hosts", 16, permutation),
        ("permutation, 4096 hosts", 64, permutation),
        ("all-to-all, 256 hosts", 4, all_to_all),
    ];
    for (name, hosts_per_leaf, workload) in cases {
        let fabric = with_failures(&leaf_spine(64, hosts_per_leaf), 0.05);
        let schedule = workload(fabric.hosts());
        let (seconds, least) = calibration::cpu_seconds(|| certified_minimum(&fabric, &schedule));
        println!(
            "| {name} | {} | {:.3} | {:.3} % | {seconds:.3} | {:.2} |",
            schedule.transfer_count(),
            least.lower,
            100.0 * least.gap(),
            seconds * 1e3 / hold_ns,
        );
    }
}

/// ECMP's expected largest load by its exact distribution.
fn expectations(hold_ns: f64) {
    println!("\n| ECMP on a healthy fabric | transfers | expected load, of even spraying's | CPU s | million holds |");
    println!("|---|---|---|---|---|");
    let shift = |hosts: u32, offset: u32| {
        let mut builder = ScheduleBuilder::default();
        for src in 0..hosts {
            builder.transfer(src, (src + offset) % hosts, MESSAGE, 0);
        }
        builder.build()
    };
    let cases = [
        ("shift by a leaf, 16 x 16 x 16", 16, shift(256, 16)),
        ("all-to-all, 16 x 16 x 16", 16, all_to_all(256)),
        ("all-to-all, 32 x 32 x 32", 32, all_to_all(1024)),
    ];
    for (name, radix, schedule) in cases {
        let fabric = leaf_spine(radix, radix);
        let placement = LoadBalancing::Ecmp(Ecmp::default()).place(&fabric, &schedule, &NoFiles, 1);
        let placement = placement.expect("a leaf-spine fits all");
        let least = certified_minimum(&fabric, &schedule).lower;
        let (seconds, expected) =
            calibration::cpu_seconds(|| expected_over_all(&fabric, &schedule, &placement, Hash::default()));
        let expected = expected.expect("a healthy leaf-spine");
        println!(
            "| {name} | {} | {:.4} to {:.4} | {seconds:.3} | {:.2} |",
            schedule.transfer_count(),
            expected.lower / least,
            expected.upper / least,
            seconds * 1e3 / hold_ns,
        );
    }
}

fn leaf_spine(radix: u32, hosts_per_leaf: u32) -> Fabric {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };
    let spec = LeafSpine::uniform(radix, radix, hosts_per_leaf, cable);
    Fabric::compile(&spec.blueprint().expect("the fabrics are sound"))
}

/// Takes down both directions of that fraction of the cables between switches.
fn with_failures(fabric: &Fabric, fraction: f64) -> Fabric {
    let rising = |&id: &_| fabric.is_fabric_link(id) && id < fabric.link(id).reverse;
    let mut cables: Vec<_> = fabric.link_ids().filter(rising).collect();
    cables.sort_by_key(|id| mix(u64::from(id.0)));
    cables.truncate((cables.len() as f64 * fraction).round() as usize);
    let down = |link| LinkChange { link, rate: Rate::ZERO };
    let changes: Vec<_> = cables
        .into_iter()
        .flat_map(|id| [down(id), down(fabric.link(id).reverse)])
        .collect();
    fabric.with(&changes)
}

fn permutation(hosts: u32) -> Schedule {
    let mut order: Vec<u32> = (0..hosts).collect();
    shuffle(&mut stream(1, "permutation", 0), &mut order);
    let mut builder = ScheduleBuilder::default();
    for (src, &dst) in (0..).zip(&order) {
        if src != dst {
            builder.transfer(src, dst, MESSAGE, 0);
        }
    }
    builder.build()
}

fn all_to_all(hosts: u32) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    for src in 0..hosts {
        for dst in (0..hosts).filter(|&dst| dst != src) {
            builder.transfer(src, dst, MESSAGE, 0);
        }
    }
    builder.build()
}
