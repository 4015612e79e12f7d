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
mod outcome_builder;
mod routes;
mod sharing;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::InputError;
use crate::outcome::{Observe, Outcome, Stuck};
use crate::placement::Placement;
use crate::topology::Fabric;
use crate::workload::Schedule;

/// How much of a shared link a sub-flow claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// Every flow weighs 1, and its sub-flows share that weight in proportion to their bytes:
    /// splitting a flow buys no bandwidth, and its sub-flows tend to finish together.
    #[default]
    Size,
    /// Every sub-flow weighs 1, as queue pairs do that each have a congestion control of their own.
    Equal,
}

/// The `[flow]` table: options of the flow engine.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowOptions {
    /// Completions closer together than about this fraction of the shortest completion time among the
    /// active flows change the rates together; 0 is exact. With 0.001
    /// completion times stay within 0.2 % where it was measured.
    #[serde(default)]
    pub tolerance: f64,
    /// Weights of sub-flows that share a link.
    #[serde(default)]
    pub weights: Weights,
}

/// Completion times may be early by this multiple of the tolerance: the worst that was measured is 3.05.
const EARLY: f64 = 4.0;

impl FlowOptions {
    /// The fraction by which completion times may be early.
    pub fn early(&self) -> f64 {
        EARLY * self.tolerance
    }

    /// Refuses a tolerance that is no fraction. Keys are relative to the `[flow]` table.
    pub fn check(&self) -> Result<(), InputError> {
        if (0.0..1.0).contains(&self.tolerance) {
            return Ok(());
        }
        Err(
            InputError::key("tolerance", format!("`tolerance` is {}", self.tolerance))
                .help("it must be at least 0 (exact) and below 1; 1e-3 is accurate to 0.2 %"),
        )
    }
}

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
