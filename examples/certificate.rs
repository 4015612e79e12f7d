//! How good can any placement be, and how near is one? The least congestion of a fabric with broken links, with its proof.
//!
//! `cargo run --release --example certificate`

use fabricsim::congestion::{Framing, assess};
use fabricsim::prelude::*;
use fabricsim::topology::LinkChange;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cable = Cable::new(Rate::from_gbps(100), Time::from_ns(500));
    let healthy = Fabric::compile(&LeafSpine::uniform(4, 4, 4, cable).blueprint()?);
    // The first cable out of a leaf is down, in both directions.
    let broken = healthy
        .link_ids()
        .find(|&id| healthy.is_fabric_link(id))
        .ok_or("no fabric link")?;
    let down = [broken, healthy.link(broken).reverse].map(|link| LinkChange { link, rate: Rate::ZERO });
    let fabric = healthy.with(&down);

    let all_to_all = Workload::from(AllToAll::new(Bytes::from_mib(1)));
    let schedule = all_to_all.schedule(fabric.hosts(), &NoFiles, 1)?;
    let bounds = fabricsim::congestion::bounds(&fabric, &schedule, Framing::Fluid);
    let optimum = bounds.optimal_fabric;
    println!(
        "least congestion: between {:.3} and {:.3} us",
        optimum.lower, optimum.upper
    );

    for (name, scheme) in [
        ("ecmp", LoadBalancing::from(Ecmp::default())),
        ("optimal-transport", OptimalTransport::default().into()),
    ] {
        let placement = scheme.place(&fabric, &schedule, &NoFiles, 1)?;
        let assessment = assess(&fabric, &schedule, &placement, Framing::Fluid);
        let congestion = assessment.fabric_congestion_us();
        println!("{name}: {:.3} us", congestion.ok_or("nothing crosses the fabric")?);
    }
    Ok(())
}
