//! Packet spraying in proportion to weights of the paths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entropic_weights::{PathWeights, entropic_weights};
use super::subflows::in_proportion;
use super::{Placement, Problem, Scheme, Subflow};
use crate::ids::PathIndex;
use crate::input::InputError;
use crate::routes::{PathEnds, Route};
use crate::workload::Transfer;

/// Options of `weighted-spray`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WeightedSpray {
    /// Where the weights come from. Default: what the paths can carry.
    #[serde(skip_serializing_if = "is_default")]
    pub weights: Weights,
    /// With entropic weights: how evenly they are spread, as against how little they load the most loaded link. Default
    /// 0.05.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// With entropic weights: entries of a switch's table for one destination, which the weights of its paths add up to.
    /// Default 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<u32>,
}

/// Where the weights come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// What the paths can carry, whatever is sent.
    #[default]
    Capacity,
    /// An entropic transport plan of all that is sent, in whole entries of a table.
    Entropic,
}

fn is_default(weights: &Weights) -> bool {
    *weights == Weights::default()
}

/// Most entries of a table.
const MOST_ENTRIES: u32 = 65_536;

impl WeightedSpray {
    /// The weights of the switches' tables, where they are entropic.
    pub(super) fn tables(&self, problem: &Problem<'_>) -> Result<Option<Vec<PathWeights>>, InputError> {
        match self.weights {
            Weights::Capacity => Ok(None),
            Weights::Entropic => {
                let (epsilon, table) = (self.epsilon.unwrap_or(0.05), self.table.unwrap_or(64));
                entropic_weights(problem, epsilon, table).map(Some)
            }
        }
    }
}

impl Scheme for WeightedSpray {
    fn check(&self) -> Result<(), InputError> {
        for (key, written) in [("epsilon", self.epsilon.is_some()), ("table", self.table.is_some())] {
            if written && self.weights == Weights::Capacity {
                return Err(InputError::key(key, format!("weights by capacity have no `{key}`"))
                    .help("write `weights = \"entropic\"`, or take it out"));
            }
        }
        if let Some(epsilon) = self.epsilon
            && !(1e-3..=1.0).contains(&epsilon)
        {
            return Err(
                InputError::key("epsilon", format!("`epsilon` is {epsilon:?}")).help("it must be between 1e-3 and 1")
            );
        }
        match self.table {
            Some(table) if !(1..=MOST_ENTRIES).contains(&table) => {
                Err(InputError::key("table", format!("`table` is {table}"))
                    .help(format!("it must be between 1 and {MOST_ENTRIES}")))
            }
            _ => Ok(()),
        }
    }

    fn repeats(&self) -> bool {
        self.weights == Weights::Capacity
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let Some(tables) = self.tables(problem)? else {
            return Ok(Placement::whole(problem.schedule, |_| Route::Weighted));
        };
        let mut ends = PathEnds::new(problem.fabric);
        let of_pair: std::collections::HashMap<_, _> =
            tables.iter().map(|one| ((one.from, one.to), &one.weights)).collect();
        Ok(Placement::split(
            problem.schedule,
            |Transfer { src, dst, bytes, .. }, subflows| {
                let whole = [(Route::Pinned(PathIndex(0)), bytes)];
                let parts = match of_pair.get(&ends.of(src.node(), dst.node())) {
                    // Hosts of one switch have one path.
                    None => whole.to_vec(),
                    Some(weights) => (0..)
                        .map(PathIndex)
                        .map(Route::Pinned)
                        .zip(in_proportion(bytes, weights))
                        .collect(),
                };
                let some = parts.into_iter().filter(|&(_, bytes)| bytes > 0);
                subflows.extend(some.map(|(route, bytes)| Subflow { route, bytes }));
            },
        ))
    }
}
