//! Which rank lives on which host, and with that the order of rings.
//!
//! What counts is the most loaded link of any step, then the second most loaded, then latency; of programs, whose steps
//! overlap, the bytes that cross links. Links are loaded as if all bytes were spread evenly over equal-cost paths.
//!
//! ```text
//! report      an experiment's best map, beside others
//! key         what a map is judged by
//! traffic     what ranks send each other, step by step    footprints  what a byte between two edges puts on links
//! tracker      loads of links, changed pair by pair
//! neighbors   hosts close to each other                   starts      maps to begin with
//! tour        the moves of a ring                         map         those of any other traffic
//! neighborhood  what searches ask of both
//! climb       local search                                tree        search over sequences of moves
//! kicks       local search again, from maps nearby
//! assignment  many ranks at once, by assignment           exact       branch and bound, for few ranks
//! ```

mod assignment;
mod climb;
mod exact;
mod footprints;
mod key;
mod kicks;
mod load_journal;
mod load_tracker;
mod map;
mod neighborhood;
mod neighbors;
mod report;
mod search;
mod starts;
#[cfg(test)]
mod tests;
mod tour;
mod traffic;
mod tree;

pub use key::{Key, Objective};
pub use report::{OrderOptions, OrderReport, OrderedMap, RankMapFile, report};
pub use search::{Ordered, evaluate_map, evaluate_maps, order};
pub use traffic::{Flow, Step, Traffic};
