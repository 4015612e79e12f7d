//! From the tree of an experiment file to points that can be simulated.
//!
//! ```text
//! spec      one point as written          sweep     the points
//! identity  what a point is named by      plan      every point read and named; builds nothing
//! usage     settings that change nothing  resolved  a plan as one experiment file
//! instance     what a point is simulated on  prepare   builds it, once for all points that share it
//! tuning    the table `[tune]`     fleet   the table `[fleet]`
//! equal_steps  rings that are simulated without being written down
//! limits    time, samples and memory that a point needs; memory: how much there is
//! ```
//!
//! Reading a plan is cheap, preparing a point is not: a command parses the whole plan first, and prepares a point when
//! its turn comes.

mod equal_steps;
mod fleet;
mod identity;
mod instance;
mod limits;
mod lru_cache;
mod memory;
mod plan;
mod prepare;
mod resolved;
mod seed;
mod spec;
mod sweep;
mod tuning;
mod usage;

pub use fleet::{FleetJobs, FleetOptions, FleetOutages, FleetPolicy};
pub use instance::{EqualRun, Instance, Network};
pub use limits::key_of;
pub use memory::Memory;
pub use plan::{Plan, Point, Resolved};
pub use prepare::{Prepared, Preparer};
pub use spec::{Engine, Experiment, Output, schema};
pub use sweep::{Axis, MAX_POINTS, Sweep};
pub use tuning::{TuneAxis, TuneObjective, TuneOptions, TuneRange, TuneValues, Tuning};
