//! From a plan to results on disk, and what is known about it without simulating.
//!
//! ```text
//! run       all points into a folder            bound     what no scheme can beat
//! prices    what links are worth
//! place     placements beside the optimum       hashing   what ECMP is expected to cost
//! work      points, several at a time           budget    the memory they share
//! measure   a point -> its record               details   the other files of a point
//! enter     what of a results folder stays      claim     who works on what in it
//! manifest  what was run, when and where        options   how to run, and why a run fails
//! estimate  what a plan will cost
//! fabric    the fabrics of the points           paths     which way flows went
//! profile   what jobs alone put on links
//! point_key, swept   what names a point, as results have it
//! ```

mod bound;
mod budget;
mod claim;
mod details;
mod enter;
mod estimate;
mod fabric;
mod hashing;
mod manifest;
mod measure;
mod merge;
mod operations;
mod options;
mod paths;
mod place;
mod point_key;
mod points;
mod prices;
mod profile;
mod run;
mod swept;
mod work;

pub use bound::bound;
pub use estimate::{Estimate, PointSize, estimate, survey};
pub use measure::{Evaluated, Measured, Storm, beats_the_bound, evaluate};
pub use merge::write_merged;
pub use options::{Begun, RunError, RunOptions, RunProgress, Shard};
pub use place::{PlaceOptions, PlaceReport, place};
pub use prices::prices;
pub use profile::{NoProfile, Profile, Profiles, fluid_time, job_times, profiles};
pub use run::{Report, run};
pub use swept::swept;
