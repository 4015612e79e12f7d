//! What links carry: one calculator of link loads, and the demand that it spreads.
//!
//! Placements, bounds and engines all add up through `LinkLoads`. The one other calculation, path by path, belongs to
//! `validation`, which holds it against this one.

mod demand;
mod interval;
mod link_loads;
mod top_two;

pub(crate) use demand::{PairAmount, PairId, PairIndex, PairSums, by_destination};
pub use interval::Interval;
pub(crate) use link_loads::LinkLoads;
pub use link_loads::{WorstLink, worst_link};
pub(crate) use top_two::TopTwo;
