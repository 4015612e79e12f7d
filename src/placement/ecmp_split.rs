//! Every flow as a few equal queue pairs, each hashed by ECMP ("MP-RDMA-x" in the paper).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::subflows::equal_parts;
use super::{Hash, Placement, Problem, Scheme, Subflow};
use crate::input::InputError;
use crate::routes::Route;
use crate::workload::Transfer;

/// The most queue pairs of one flow.
const MOST_WAYS: u32 = 1_024;

/// Options of `ecmp-split`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EcmpSplit {
    /// Queue pairs of each flow, from 1 to 1024; two of them may share a path. Default 2.
    pub ways: u32,
    /// What keeps its paths: every connection (default), or every transfer for itself.
    pub hash: Hash,
}

impl Default for EcmpSplit {
    fn default() -> Self {
        Self {
            ways: 2,
            hash: Hash::default(),
        }
    }
}

impl Scheme for EcmpSplit {
    fn check(&self) -> Result<(), InputError> {
        if !(1..=MOST_WAYS).contains(&self.ways) {
            let error = InputError::key("ways", format!("a flow cannot be split in {} queue pairs", self.ways));
            return Err(error.help(format!("`ways` is from 1 to {MOST_WAYS}")));
        }
        Ok(())
    }

    fn hashes(&self) -> Option<Hash> {
        Some(self.hash)
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        Ok(Placement::split(
            problem.schedule,
            |Transfer { task, src, dst, bytes }, subflows| {
                let first = self.hash.queue_pair(problem.schedule, task);
                for (way, bytes) in equal_parts(bytes, self.ways).enumerate().filter(|&(_, part)| part > 0) {
                    let label = u64::from(first.0) << 32 | way as u64;
                    let route = Route::Pinned(problem.hashed_path(label, src.node(), dst.node()));
                    subflows.push(Subflow { route, bytes });
                }
            },
        ))
    }
}
