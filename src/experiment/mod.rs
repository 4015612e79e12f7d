//! From an experiment file to results on disk: parse, validate, sweep, run, record.
//!
//! ```text
//! config  text -> tree          spec   tree -> Experiment, one point as written
//! sweep   the points            plan   every point validated before anything runs
//! record  rows of the results
//! ```

pub mod config;
mod plan;
pub mod record;
mod resolved;
mod shelf;
mod spec;
mod sweep;

pub use plan::{Network, Plan, Point};
pub use spec::{Engine, Experiment, Output, schema};
pub use sweep::{Axis, MAX_POINTS, Sweep};
