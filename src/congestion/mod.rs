//! What a placement costs: link loads, bounds, certificates, predictions.

mod assess;
mod balls_in_bins;
mod bounds;
mod collective;
mod cuts;
mod dependencies;
mod equal_steps;
mod expected;
mod framing;
mod max_flow;
mod one_machine;
mod optimal;
mod pairs;
mod ports;
mod predict;
mod prices;
mod resources;
mod steps;
#[cfg(test)]
mod tests;
mod timeline;

pub use assess::{Assessment, Assigned, assess, worst_fabric_link};
pub use bounds::{Bounds, Parts, bounds, bounds_over};
pub use collective::collective_bound;
pub use equal_steps::{assess_equal_steps, bounds_of_equal_steps};
pub use expected::{expected_by_step, expected_over_all};
pub use framing::Framing;
pub use optimal::certified_minimum;
pub use pairs::RouteSet;
pub use prices::{Demands, Prices};
pub use steps::{StepBounds, StepCongestion, bounds_by_step, congestion_by_step};
