//! Packet spraying: the bytes of every flow on all paths alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::dynamic::{Dynamic, QueuePairPaths, Switches};
use super::permuted::Permuted;
use super::random::Random;
use super::round_robin::RoundRobin;
use crate::routes::Route;

/// How the next packet's path is chosen; matters to the packet engine only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Choose {
    /// A uniformly random path per packet.
    #[default]
    Random,
    /// Every switch takes each of its next links once a round, in a new random order every round.
    RoundRobin,
    /// The host walks a random permutation of the paths, a new one after each round.
    Permuted,
}

/// Options of `spray`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Spray {
    /// How the next packet's path is chosen (packet engine). Default `random`.
    pub choose: Choose,
}

impl<H: From<Random> + From<Permuted>, S: From<RoundRobin>> Dynamic<H, S> for Spray {
    fn route(&self) -> Route {
        Route::Even
    }

    fn selector(&self, queue_pair: &QueuePairPaths<'_>) -> Option<H> {
        let (paths, salt) = (queue_pair.paths, queue_pair.salt);
        match self.choose {
            Choose::Random => Some(Random::new(paths, salt).into()),
            Choose::Permuted => Some(Permuted::new(paths, salt).into()),
            Choose::RoundRobin => None,
        }
    }

    fn in_switch(&self, switches: &Switches<'_>) -> Option<S> {
        (self.choose == Choose::RoundRobin).then(|| {
            let draws = Draws::new(switches.nodes, switches.salt);
            RoundRobin::new(switches.hops, draws).into()
        })
    }
}
