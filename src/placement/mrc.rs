//! Spraying over entropies of all planes that are given up where packets are lost, as in MRC (arXiv 2605.04333).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scheme::{Problem, Scheme};
use super::subflows::Placement;
use crate::input::InputError;
use crate::routes::Route;
use crate::units::Time;

/// Options of `mrc`. A queue pair goes through its entropies, spread evenly over the ports of its host and the paths behind
/// them, in an order by chance that changes with every round. One whose packet came back marked is skipped for a while; one
/// that loses a packet (trimmed, or not answered for a few round trips) is retired, and tried again with a single packet from time to time:
/// the answer brings it back. How often is not published; the defaults are ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mrc {
    /// Entropies of a queue pair; fewer where paths times entropies exceed 65536. Default 256 ("hundreds").
    pub entropies: u32,
    /// How often an entropy is skipped after an ECN mark. Default 1.
    pub ecn_skips: u8,
    /// Round trips, of the longest seen lately, after which a packet without an answer retires its entropy. Default 3.
    pub patience: u32,
    /// From the loss of a packet to the next try of its entropy, twice as long with every try in a row that fails. A queue pair
    /// tries one entropy at a time. Default 100 us.
    pub probe: Time,
}

impl Default for Mrc {
    fn default() -> Self {
        Self {
            entropies: 256,
            ecn_skips: 1,
            patience: 3,
            probe: Time::from_us(100),
        }
    }
}

impl Scheme for Mrc {
    fn check(&self) -> Result<(), InputError> {
        if !(2..=65_536).contains(&self.entropies) {
            let error = InputError::key("entropies", format!("nothing can be chosen among {}", self.entropies));
            return Err(error.help("`entropies` is from 2 to 65536"));
        }
        if !(1..=1_000).contains(&self.patience) {
            let error = InputError::key(
                "patience",
                format!("no answer comes within {} round trips", self.patience),
            );
            return Err(error.help("`patience` is from 1 to 1000"));
        }
        Ok(())
    }

    fn needs_packets(&self) -> bool {
        true
    }

    fn needs_acknowledgements(&self) -> bool {
        true
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        Ok(Placement::whole(problem.schedule, |_| Route::Dynamic))
    }
}
