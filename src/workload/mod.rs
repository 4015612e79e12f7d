//! What must move and in which order: a [`Schedule`] of transfers between ranks, with their
//! dependencies. Collectives, traffic patterns and importers all produce one.

mod all_to_all;
mod progress;
mod schedule;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use all_to_all::AllToAll;
pub use progress::{Due, Progress};
pub use schedule::{Action, Moment, Schedule, ScheduleBuilder, Start, Task};

use crate::input::{Files, InputError};

/// A workload as an experiment file describes it: one table, named after its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// Every rank sends to every other rank.
    AllToAll(AllToAll),
}

impl Workload {
    /// Names and one-line descriptions of all workloads, in the order of `fabricsim list`.
    pub const ALL: &[(&str, &str)] = &[("all-to-all", "every rank sends to every other rank")];

    /// The name of this kind of workload, as in the experiment file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AllToAll(_) => "all-to-all",
        }
    }

    /// The schedule between hosts. Keys in errors are relative to the workload's own table.
    pub fn schedule(&self, hosts: u32, _files: &dyn Files, _seed: u64) -> Result<Schedule, InputError> {
        match self {
            Self::AllToAll(spec) => spec.schedule(hosts),
        }
    }
}
