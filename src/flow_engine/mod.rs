//! Fluid simulation: flows share links max-min fairly.
//!
//! Between two events every sub-flow sends at a constant rate, and the rates are the weighted
//! max-min fair ones: no sub-flow can go faster without slowing down one that has, for its weight,
//! no more. What symmetry makes equal is simulated once (`folding`). Events are the moments at which a sub-flow has sent its last byte and those at which a
//! transfer may start. There are no packets, queues or headers.
//!
//! A sub-flow loads its links from when a byte can have crossed them all: one propagation delay of its
//! path after its start. It is delivered with its last byte, so that no set of links passes on more than it can
//! from the first moment at which bytes can be there, which is what bounds are made of. Where all
//! transfers start together the delay counts after the last byte instead: no bound is undercut then
//! either, and near and far flows share the sender's link from the start, as they do in packets.

mod constraints;
mod engine;
mod equal_steps;
mod folding;
mod min_segment_tree;
mod options;
mod outcome_builder;
mod routes;
mod sharing;
#[cfg(test)]
mod tests;

pub use equal_steps::simulate_equal_steps;
pub use options::{FlowOptions, Weights};

use constraints::Constraints;
use engine::Engine;
use folding::fold;
use outcome_builder::{Built, Flow, Flows};
use routes::Routes;
use sharing::Sharing;

use crate::outcome::{Observe, Outcome, Stuck};
use crate::placement::Placement;
use crate::topology::Fabric;
use crate::workload::Schedule;

/// Runs a schedule between hosts to its end.
///
/// Rates, and with them completion times, are exact up to rounding (relative 1e-12) where the
/// tolerance is 0; records round times up to whole picoseconds. `counters.events` counts the
/// moments at which the rates changed. `observe.series` has no meaning here.
///
/// # Errors
/// [`Stuck`] lists the flows that could not finish: those that wait for something that never
/// happens, that have no path, or whose path only a packet network can choose ([`Route::Dynamic`]).
///
/// [`Route::Dynamic`]: crate::routes::Route::Dynamic
pub fn simulate(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    options: &FlowOptions,
    observe: &Observe,
) -> Result<Outcome, Stuck> {
    simulate_watched(fabric, schedule, placement, options, observe, &mut |_| true)
}

/// The same, told to `watch` as the share of sub-flows that are done; it ends where `watch` does not want more.
///
/// # Errors
/// As [`simulate`]; [`Stuck`] where it was ended.
pub fn simulate_watched(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    options: &FlowOptions,
    observe: &Observe,
    watch: &mut dyn FnMut(f64) -> bool,
) -> Result<Outcome, Stuck> {
    let routes = Routes::new(fabric, schedule, placement);
    let (subflows, delays_first) = (placement.subflows().len(), !schedule.starts_together());
    let ending = |schedule, flows, at| outcome_builder::stuck(schedule, &routes, flows, at);
    if !routes.impossible.is_empty() {
        return Err(ending(schedule, &vec![Flow::WAITING; schedule.tasks().len()], 0.0));
    }
    let constraints = Constraints::new(fabric, &routes);
    let built = Built {
        fabric,
        schedule,
        placement,
        routes: &routes,
    };
    if let Some(folded) = fold(schedule, placement, &routes, &constraints, options) {
        let (schedule, placement, routes) = (&folded.schedule, &folded.placement, &folded.routes);
        let sharing = Sharing::new(folded.constraints, schedule, placement, routes, options, subflows);
        let ended = Engine::new(schedule, placement, routes, sharing, delays_first).run(watch);
        // What does not finish is told of the run as it is written.
        if ended.finished {
            let flows = Flows::folded(&ended.flows, &folded.class_of);
            return Ok(built.outcome(&flows, observe, ended.events));
        }
        if ended.cut_short {
            let flows = vec![Flow::WAITING; built.schedule.tasks().len()];
            return Err(outcome_builder::stuck(built.schedule, built.routes, &flows, ended.at));
        }
    }
    let sharing = Sharing::new(constraints, schedule, placement, &routes, options, subflows);
    let ended = Engine::new(schedule, placement, &routes, sharing, delays_first).run(watch);
    if !ended.finished {
        return Err(ending(schedule, &ended.flows, ended.at));
    }
    Ok(built.outcome(&Flows::each(&ended.flows), observe, ended.events))
}
