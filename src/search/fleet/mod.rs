//! Many jobs on one fabric: arrivals, hosts given out by a policy, links that fail meanwhile, and how much longer each job
//! takes for the others.
//!
//! Two scales of time. A round of a job is simulated by the fluid, beside those of all jobs that run at the time, on the
//! fabric as it is then; between two events (a job comes, a job is done, a link changes) every job makes rounds at the
//! rate that came of it.
//!
//! ```text
//! jobs      which jobs there are       outages   which links fail, and when
//! policy    which hosts a job gets     pace      how fast the jobs that run make rounds
//! queue     the events, in order       report    the table, and what it comes to
//! ```

mod jobs;
mod outages;
mod pace;
mod policy;
mod queue;
mod report;
#[cfg(test)]
mod tests;

pub use report::{FleetReport, FleetSummary, fleet};
