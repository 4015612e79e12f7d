//! Equal-cost multipath: every switch hashes a flow onto one of its next links.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EcmpSplit, Placement, Problem, Scheme};
use crate::ids::NodeId;
use crate::input::InputError;
use crate::rng::{index_below, mix};

/// `ecmp` has no options. Every transfer is a queue pair of its own, with a hash of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ecmp {}

impl Scheme for Ecmp {
    fn hashes(&self) -> bool {
        true
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        EcmpSplit { ways: 1 }.place(problem)
    }
}

impl Problem<'_> {
    /// The path of a queue pair with a given label. Every switch salts the hash with its own number:
    /// without the salt all tiers would pick alike (hash polarisation).
    pub(super) fn hashed_path(&self, label: u64, src: NodeId, dst: NodeId) -> u32 {
        let flow = mix(mix(self.seed) ^ label);
        let walk = self.fabric.walk(src, dst, |switch, hops| {
            index_below(mix(flow ^ mix(u64::from(switch.0))), hops.len() as u32) as usize
        });
        walk.map_or(0, |(index, _)| index)
    }
}
