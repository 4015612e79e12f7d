//! Benchmarks of placement: CPU time and sub-flows of every scheme on all-to-alls, every flow 64 KiB.

#[path = "calibration/mod.rs"]
mod calibration;

use fabricsim::input::NoFiles;
use fabricsim::placement::{LoadBalancing, OptimalTransport, evaluate};
use fabricsim::rng::stream;
use fabricsim::topology::{Cable, Fabric, LeafSpine, LinkChange};
use fabricsim::units::{Bytes, Rate, Time};
use fabricsim::workload::{Schedule, ScheduleBuilder, Workload};
use rand::RngExt;
use serde_json::json;

/// Leaves, spines and hosts per leaf of the fabrics.
const FABRICS: [(u32, u32, u32); 3] = [(16, 16, 16), (32, 32, 32), (32, 31, 32)];

fn fabric((leaves, spines, hosts_per_leaf): (u32, u32, u32)) -> Fabric {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };
    let spec = LeafSpine::uniform(leaves, spines, hosts_per_leaf, cable);
    Fabric::compile(&spec.blueprint().expect("the fabrics are sound"))
}

fn all_to_all(hosts: u32) -> Schedule {
    let workload = json!({ "all-to-all": { "message": Bytes(65_536) } });
    let workload: Workload = serde_json::from_value(workload).expect("the workload is sound");
    workload.schedule(hosts, &NoFiles, 1).expect("the workload fits")
}

fn permutation(hosts: u32) -> Schedule {
    let workload = json!({ "permutation": { "message": Bytes(1 << 24) } });
    let workload: Workload = serde_json::from_value(workload).expect("the workload is sound");
    workload.schedule(hosts, &NoFiles, 1).expect("the workload fits")
}

/// A fabric with one in twenty of its links between switches down, drawn from a fixed seed.
fn with_failures(fabric: &Fabric) -> Fabric {
    let mut random = stream(1, "failures", 0);
    let between = fabric.link_ids().filter(|&id| fabric.is_fabric_link(id));
    let dead: Vec<LinkChange> = between
        .filter(|_| random.random::<f64>() < 0.05)
        .map(|link| LinkChange { link, rate: Rate::ZERO })
        .collect();
    fabric.with(&dead)
}

/// An all-to-all added up to one flow per pair of leaves.
fn between_leaves(leaves: u32, hosts_per_leaf: u32) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    for src in 0..leaves {
        for dst in (0..leaves).filter(|&dst| dst != src) {
            let bytes = 65_536 * u64::from(hosts_per_leaf * hosts_per_leaf);
            builder.transfer(src * hosts_per_leaf, dst * hosts_per_leaf, bytes, 0);
        }
    }
    builder.build()
}

/// Times of `optimal-transport`, with the congestion that it reaches over the certified optimum.
fn transport(hold: f64) {
    println!(
        "\n{:<58} {:>9} {:>8} {:>8} {:>12}",
        "optimal-transport", "CPU s", "M holds", "ratio", "sub-flows"
    );
    let row = |name: &str, fabric: &Fabric, schedule: &Schedule, max_pieces: Option<u32>| {
        let spec = OptimalTransport {
            max_pieces,
            ..OptimalTransport::default()
        };
        let scheme = LoadBalancing::OptimalTransport(spec.clone());
        let (cpu, placement) = calibration::cpu_seconds(|| scheme.place(fabric, schedule, &NoFiles, 1));
        let placement = placement.expect("every pair has a path");
        let evaluated = evaluate(fabric, schedule, &placement, &spec).expect("it can be judged");
        let ratio = evaluated.worst().map_or(1.0, |step| step.ratio());
        let subflows = placement.subflows().len();
        println!(
            "{name:<58} {cpu:>9.4} {:>8.2} {ratio:>8.4} {subflows:>12}",
            cpu * 1e3 / hold
        );
    };
    let large = with_failures(&fabric((64, 64, 64)));
    row(
        "4096 hosts, 64 x 64, 5 % of links down, pairs of leaves",
        &large,
        &between_leaves(64, 64),
        None,
    );
    let small = fabric((16, 8, 8));
    row(
        "128 hosts, 16 x 8, all-to-all, k = 2",
        &small,
        &all_to_all(128),
        Some(2),
    );
    row(
        "the same, 5 % of links down",
        &with_failures(&small),
        &all_to_all(128),
        Some(2),
    );
    for (shape, hosts) in [
        ((64, 64, 64), 4_096),
        ((128, 128, 128), 16_384),
        ((512, 128, 128), 65_536),
    ] {
        let name = format!("{hosts} hosts, permutation, k = 2");
        row(&name, &fabric(shape), &permutation(hosts), Some(2));
        let broken = with_failures(&fabric(shape));
        row("the same, 5 % of links down", &broken, &permutation(hosts), Some(2));
    }
    row(
        "128 hosts, all-to-all, 5 % of links down, no limit on pieces",
        &with_failures(&small),
        &all_to_all(128),
        None,
    );
}

fn main() {
    let hold = calibration::hold_ns();
    println!("hold model: {hold:.1} ns per operation; a ratio of 1 is one of them per flow");
    transport(hold);
    for shape in FABRICS {
        let (fabric, schedule) = (fabric(shape), all_to_all(shape.0 * shape.2));
        let flows = schedule.transfer_count();
        let (leaves, spines, hosts) = shape;
        println!("\n{leaves} leaves x {spines} spines x {hosts} hosts: {flows} flows");
        println!("{:<16} {:>9} {:>8} {:>12}", "scheme", "CPU s", "ratio", "sub-flows");
        for (name, _) in LoadBalancing::ALL {
            let Ok(scheme) = serde_json::from_value::<LoadBalancing>(json!({ *name: {} })) else {
                continue; // it needs a file
            };
            let (cpu, placement) = calibration::cpu_seconds(|| scheme.place(&fabric, &schedule, &NoFiles, 1));
            let subflows = placement.expect("every scheme fits").subflows().len();
            let ratio = cpu * 1e9 / flows as f64 / hold;
            println!("{name:<16} {cpu:>9.4} {ratio:>8.2} {subflows:>12}");
        }
    }
}
