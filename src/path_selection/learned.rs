//! Weights of paths that training learns from one iteration to the next.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dynamic::{Dynamic, QueuePairPaths};
use super::learner::{Learner, Method};
use super::random::Random;
use super::weighted::Weighted;
use crate::input::InputError;

/// Options of `learned`. The workload has run `iterations` times before, each time with the weights that the last one's
/// marks have left, and what is measured is the next time. Weights are by source and destination leaf, and made of what
/// the senders see: of each path, how many of their packets came back marked. Of the fabric they know nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Learned {
    /// Iterations before the one that is measured. Default 20.
    pub iterations: u32,
    /// How weights follow from marks. Default `mirror-descent`.
    pub method: Method,
    /// How fast; of `policy-gradient`, the length of the first step. Default 5, of `policy-gradient` 0.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// How many standard deviations chance is granted before weights move (`mirror-descent`). Default 5.
    pub caution: f64,
}

impl Default for Learned {
    fn default() -> Self {
        Self {
            iterations: 20,
            method: Method::MirrorDescent,
            rate: None,
            caution: 5.0,
        }
    }
}

impl Learned {
    fn rate(&self) -> f64 {
        self.rate.unwrap_or(match self.method {
            Method::MirrorDescent | Method::Multiplicative => 5.0,
            Method::PolicyGradient => 0.5,
        })
    }
}

impl<H: From<Weighted> + From<Random>, S> Dynamic<H, S> for Learned {
    fn check(&self) -> Result<(), InputError> {
        if self.iterations > 10_000 {
            let error = InputError::key("iterations", format!("`iterations` is {}", self.iterations));
            return Err(error.help("it must be at most 10000: each is simulated"));
        }
        for (key, value, most) in [("rate", self.rate(), 1e3), ("caution", self.caution, 1e3)] {
            if !(0.0..=most).contains(&value) {
                let error = InputError::key(key, format!("`{key}` is {value:?}"));
                return Err(error.help(format!("it must be between 0 and {most}")));
            }
        }
        Ok(())
    }

    fn needs_acknowledgements(&self) -> bool {
        true
    }

    fn rehearsals(&self) -> u32 {
        self.iterations
    }

    fn learner(&self) -> Option<Learner> {
        Some(Learner::new(self.method, self.rate(), self.caution))
    }

    fn selector(&self, queue_pair: &QueuePairPaths<'_>) -> Option<H> {
        let (paths, salt) = (queue_pair.paths, queue_pair.salt);
        Some(match queue_pair.weights {
            Some(weights) => Weighted::new(weights, salt).into(),
            None => Random::new(paths, salt).into(),
        })
    }
}
