//! From an experiment file to results on disk: parse, validate, sweep, run, record.
//!
//! ```text
//! spec     tree -> Experiment, one point as written
//! sweep    the points                   plan      every point validated before anything runs
//! measure  a point -> its record        run       all points, several at a time
//! bound    a point without simulating   place     placements held against the optimum
//! hashing  what ECMP is expected to cost           usage     settings that change nothing
//! limits   time, samples and memory that are needed   memory    how much there is
//! details  files of a point             record    rows of the results
//! store    the results folder           manifest  what was run, when and where
//! folder   what of it stays             work      equal points once, shared with other processes
//! claim    who works on what
//! ```

mod bound;
mod claim;
mod details;
mod folder;
mod hashing;
mod limits;
mod manifest;
mod measure;
mod memory;
mod place;
mod plan;
pub mod record;
mod resolved;
mod run;
mod seed;
mod shelf;
mod spec;
mod store;
mod sweep;
mod usage;
mod work;

pub use bound::{BoundRow, bound};
pub use folder::remove_plots;
pub use measure::{Judged, Measured, Storm, beats_the_bound};
pub use memory::Memory;
pub use place::{PlaceOptions, PlaceReport, PlaceRow, place};
pub use plan::{MODEL, Network, Plan, Point, Resolved, Scene};
pub use run::{Begun, Progress, Report, RunError, RunOptions, run};
pub use spec::{Engine, Experiment, Output, schema};
pub use store::{Details, Record, Store, is_whole};
pub use sweep::{Axis, MAX_POINTS, Sweep};
