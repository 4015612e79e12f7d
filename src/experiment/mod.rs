//! From an experiment file to results on disk: parse, validate, sweep, run, record.
//!
//! ```text
//! config   text -> tree                 spec      tree -> Experiment, one point as written
//! sweep    the points                   plan      every point validated before anything runs
//! measure  a point -> its record        run       all points, several at a time
//! bound    a point without simulating   place     placements held against the optimum
//! hashing  what ECMP is expected to cost
//! details  files of a point             record    rows of the results
//! store    the results folder           manifest  what was run, when and where
//! ```

mod bound;
pub mod config;
mod details;
mod hashing;
mod manifest;
mod measure;
mod place;
mod plan;
pub mod record;
mod resolved;
mod run;
mod shelf;
mod spec;
mod store;
mod sweep;

pub use bound::{BoundRow, bound};
pub use measure::{Judged, Measured, Storm, beats_the_bound};
pub use place::{PlaceOptions, PlaceReport, PlaceRow, place};
pub use plan::{MODEL, Network, Plan, Point, Resolved, Scene};
pub use run::{Progress, Report, RunError, RunOptions, run};
pub use spec::{Engine, Experiment, Output, schema};
pub use store::{Details, Record, Store};
pub use sweep::{Axis, MAX_POINTS, Sweep};
