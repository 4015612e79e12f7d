//! A load balancing of one's own: every flow whole, on the path that the sum of its ends names. It runs in both engines like
//! those that are built in.
//!
//! `cargo run --release --example own_load_balancing`

use fabricsim::prelude::*;

/// A path for every transfer, from what is known before it is sent.
fn by_sum(fabric: &Fabric, schedule: &Schedule) -> Placement {
    Placement::whole(schedule, |transfer| {
        let paths = fabric.path_count(transfer.src.node(), transfer.dst.node());
        Route::pinned((transfer.src.0 + transfer.dst.0) % paths)
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cable = Cable::new(Rate::from_gbps(100), Time::from_ns(500));
    let fabric = Fabric::compile(&LeafSpine::uniform(8, 8, 8, cable).blueprint()?);
    let shift = Workload::from(Shift::by(8, Bytes::from_mib(1)));
    let schedule = shift.schedule(fabric.hosts(), &NoFiles, 1)?;

    let own = by_sum(&fabric, &schedule);
    let own = Simulation::on(&fabric)
        .placed(&own)
        .transport(Dctcp::default())
        .run(&schedule)?;
    let hashed = Simulation::on(&fabric).transport(Dctcp::default()).run(&schedule)?;
    println!("by sum: {:.3} of the bound", own.cct_over_bound());
    println!("ecmp:   {:.3} of the bound", hashed.cct_over_bound());
    Ok(())
}
