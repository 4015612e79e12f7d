//! What takes a path by a hash of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::TaskId;
use crate::workload::Schedule;

/// What keeps its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hash {
    /// The transfers that follow one another between two ranks on one channel of a collective share a
    /// queue pair, as in NCCL, whose queue pairs live as long as the job.
    #[default]
    Connection,
    /// Every transfer is a queue pair of its own.
    Transfer,
}

impl Hash {
    /// The number of the queue pair that carries a transfer: that of its first transfer.
    pub fn queue_pair(self, schedule: &Schedule, transfer: TaskId) -> TaskId {
        match self {
            Self::Connection => schedule.task(transfer).connection,
            Self::Transfer => transfer,
        }
    }
}
