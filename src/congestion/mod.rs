//! What a placement costs: link loads, bounds, certificates, predictions.

mod assess;
mod bounds;
mod cuts;
mod dependencies;
mod edges;
mod expected;
mod framing;
mod loads;
mod machines;
mod max_flow;
mod occupancy;
mod one_machine;
mod optimal;
mod pairs;
mod predict;
mod steps;
#[cfg(test)]
mod tests;
mod timeline;
mod ways;

pub use assess::{Assessment, Assigned, assess, worst_fabric_link};
pub use bounds::{Bounds, Parts, bounds, bounds_over};
pub use expected::{Expected, expected_by_step, expected_over_all};
pub use framing::Framing;
pub use loads::{WorstLink, link_loads};
pub use optimal::{Certified, certified_minimum};
pub use pairs::RouteSet;
pub use steps::{StepBounds, StepCongestion, bounds_by_step, congestion_by_step};
