//! Fluid simulation: flows share links max-min fairly.
//!
//! Between two events every sub-flow sends at a constant rate, and the rates are the weighted
//! max-min fair ones: no sub-flow can go faster without slowing down one that has, for its weight,
//! no more. Events are the moments at which a sub-flow has sent its last byte and those at which a
//! transfer may start. There are no packets, queues or headers.
//!
//! A sub-flow loads its links from when a byte can have crossed them all: one propagation delay of its
//! path after its start. It is delivered with its last byte, so that no set of links passes on more than it can
//! from the first moment at which bytes can be there, which is what bounds are made of. Where all
//! transfers start together the delay counts after the last byte instead: no bound is undercut then
//! either, and near and far flows share the sender's link from the start, as they do in packets.

mod constraints;
mod engine;
mod min_segment_tree;
mod options;
mod outcome_builder;
mod routes;
mod sharing;
#[cfg(test)]
mod tests;

pub use options::{FlowOptions, Weights};

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
    engine::Engine::new(fabric, schedule, placement, options).run(observe)
}
