//! Benchmarks of placement: CPU time and sub-flows of every scheme on all-to-alls, every flow 64 KiB.

#[path = "calibration/mod.rs"]
mod calibration;

use fabricsim::input::NoFiles;
use fabricsim::placement::LoadBalancing;
use fabricsim::topology::{Cable, Fabric, LeafSpine};
use fabricsim::units::{Bytes, Rate, Time};
use fabricsim::workload::{Schedule, Workload};
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

fn main() {
    let hold = calibration::hold_ns();
    println!("hold model: {hold:.1} ns per operation; a ratio of 1 is one of them per flow");
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
            let subflows = placement.expect("every scheme fits").pieces().len();
            let ratio = cpu * 1e9 / flows as f64 / hold;
            println!("{name:<16} {cpu:>9.4} {ratio:>8.2} {subflows:>12}");
        }
    }
}
