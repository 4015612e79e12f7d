//! Plans over time: when jobs that repeat begin, and what goes where while links come and go as announced.
//!
//! ```text
//! shifts    start shifts that keep the peaks of jobs apart   outages   what goes where between announced changes
//! jobs      the shifts of an experiment, confirmed     planned   the plan of an experiment, confirmed
//! runnable  that plan as an experiment for packets
//! ```

mod jobs;
mod outages;
mod planned;
mod runnable;
mod shifts;
#[cfg(test)]
mod tests;

pub use jobs::{ShiftReport, ShiftedJob, shifted, shifted_experiment};
pub use outages::{Span, TimedFlow, TimedPlan, outage_plan};
pub use planned::{OutageReport, PlannedPiece, PlannedSpan, outages};
pub use runnable::{RunnablePlan, runnable};
pub use shifts::{Shifts, shifts};
