//! A fabric that no generator makes: two leaves of unequal size, one of them with a slow spine.
//!
//! `cargo run --release --example own_topology`

use fabricsim::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fast = Cable::new(Rate::from_gbps(400), Time::from_ns(500));
    let slow = Cable::new(Rate::from_gbps(100), Time::from_ns(500));
    let mut drawing = Blueprint::new(Routing::UpDown);
    let hosts = drawing.add_hosts(6);
    let leaves = drawing.add_switches("leaf", 2, 1);
    let spines = drawing.add_switches("spine", 2, 2);
    for (number, &host) in hosts.iter().enumerate() {
        let leaf = usize::from(number >= 4);
        drawing.connect(leaves[leaf], host, fast);
    }
    for &leaf in &leaves {
        drawing.connect(leaf, spines[0], fast);
        drawing.connect(leaf, spines[1], slow);
    }
    let fabric = Fabric::compile(&drawing);

    let all_to_all = Workload::from(AllToAll::new(Bytes::from_mib(1)));
    let schedule = all_to_all.schedule(fabric.hosts(), &NoFiles, 1)?;
    for (name, scheme) in [
        ("spray", LoadBalancing::from(Spray::default())),
        ("optimal-transport", OptimalTransport::default().into()),
    ] {
        let simulated = Simulation::on(&fabric).load_balancing(scheme).run(&schedule)?;
        println!("{name}: {:.3} of the bound", simulated.cct_over_bound());
    }
    Ok(())
}
