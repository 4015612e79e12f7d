//! OT3: transport with three marginals, two of them capacities, to the least congestion.
//!
//! The planar three-index transportation problem: mass `X[l, l', s]` goes from leaf `l` to leaf `l'` by spine `s`.
//! Sums over `s` are demands, sums over `l'` and over `l` stay below `theta` times the capacities of up-links
//! and down-links, and `theta` is the least possible. A [`CellTable`] holds it in the general form in which a cell counts in
//! any number of capacities, so that the paths of three tiers are cells as well.
//!
//! [`least_congestion`] finds `theta` within a tolerance by clipped Sinkhorn rounds and Newton steps on the
//! active duals, and certifies it; [`exact_least_congestion`] solves the linear programme; [`least_partial_congestion`] says what to leave behind; [`to_vertex`] thins out a plan
//! without loading any capacity more.

mod dual;
mod linear_programme;
mod newton;
mod partial;
mod search;
mod table;
#[cfg(test)]
mod tests;
mod vertex;

pub use linear_programme::exact_least_congestion;
pub use partial::{PartialCongestion, least_partial_congestion};
pub use search::{Congestion, Ot3, least_congestion};
pub use table::CellTable;
pub use vertex::to_vertex;
