//! Does it matter how bytes are spread over paths? One all-reduce under several schemes, in fluid and in packets.
//!
//! `cargo run --release --example compare_schemes`

use fabricsim::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cable = Cable::new(Rate::from_gbps(100), Time::from_ns(500));
    let fabric = Fabric::compile(&LeafSpine::uniform(8, 8, 8, cable).blueprint()?);
    let all_reduce = Workload::from(AllReduce::halving_doubling(Bytes::from_mib(4)));
    let schedule = all_reduce.schedule(fabric.hosts(), &NoFiles, 1)?;

    let schemes: [LoadBalancing; 4] = [
        Ecmp::default().into(),
        Spray::default().into(),
        Ethereal::default().into(),
        OptimalTransport::default().into(),
    ];
    println!("{:<20} {:>12} {:>12}", "load balancing", "fluid us", "packets us");
    for scheme in schemes {
        let simulation = Simulation::on(&fabric).load_balancing(scheme.clone());
        let fluid = simulation.run(&schedule)?;
        let packets = simulation.transport(Dctcp::default()).run(&schedule)?;
        println!(
            "{:<20} {:>12.1} {:>12.1}",
            scheme.label(),
            fluid.outcome.cct.as_us(),
            packets.outcome.cct.as_us()
        );
    }
    Ok(())
}
