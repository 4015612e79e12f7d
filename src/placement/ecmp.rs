//! Equal-cost multipath: every switch hashes a flow onto one of its next links.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EcmpSplit, Hash, Placement, Problem, Scheme};
use crate::input::InputError;

/// Options of `ecmp`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ecmp {
    /// What keeps its path: every connection (default), or every transfer for itself.
    pub hash: Hash,
}

impl Scheme for Ecmp {
    fn hashes(&self) -> Option<Hash> {
        Some(self.hash)
    }

    fn repeats(&self) -> bool {
        self.hash == Hash::Connection
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let hash = self.hash;
        EcmpSplit { ways: 1, hash }.place(problem)
    }
}
