//! Which fabric to buy: designs from a catalogue of switches and cables, judged by cost and by the least time in which
//! their links can carry the workloads.
//!
//! ```text
//! spec        the file                         catalogue  the designs that it allows, and their bills of materials
//! least_time  how fast a design can be         genetic    NSGA-II, where there are too many to look at
//! front       designs that none other beats    report     the search, and a run of the best
//! ```
//!
//! The least time is the optimum of a linear program, certified from both sides, so that designs are compared by what
//! they can do and not by a load balancing. A design whose leaves alone need as long as a cheaper one does in all is not
//! looked at: the front stays exact.

mod catalogue;
mod front;
mod genetic;
mod least_time;
mod report;
mod spec;
#[cfg(test)]
mod tests;

pub use catalogue::{Bill, Design, designs};
pub use front::{EvaluatedDesign, hypervolume};
pub use report::{Confirmed, DesignReport, confirm, report, rows, write_experiments};
pub use spec::{Budget, Cabling, DesignFile, DesignSpec, Kind, Survive, SwitchModel, Weighted};
