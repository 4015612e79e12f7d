//! How the collectives of a file are carried out: one algorithm for all that have it, or one for each.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::input::InputError;
use crate::workload::{Algorithm, AllToAllAlgorithm, BroadcastAlgorithm, CollectiveName, ReduceAlgorithm};

/// Algorithms of the collectives of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Algorithms {
    /// The default of each.
    #[default]
    Default,
    /// This one for all that have it, and the default of each for the others.
    One(String),
    /// By collective; the default of each that is not there.
    Each(Each),
}

/// An algorithm for each collective that has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Each {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_reduce: Option<Algorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduce_scatter: Option<Algorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_gather: Option<Algorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_to_all: Option<AllToAllAlgorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<BroadcastAlgorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduce: Option<ReduceAlgorithm>,
}

fn named<T: de::DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

impl Algorithms {
    /// What is written, where it is nothing but the default.
    pub fn is_default(&self) -> bool {
        *self == Self::Default
    }

    fn choose<T: de::DeserializeOwned + Default>(&self, each: impl Fn(&Each) -> Option<T>) -> T {
        match self {
            Self::Default => None,
            Self::One(name) => named(name),
            Self::Each(table) => each(table),
        }
        .unwrap_or_default()
    }

    /// Of an all-reduce, a reduce-scatter or an all-gather.
    pub fn of_three(&self, collective: CollectiveName) -> Algorithm {
        self.choose(|each| match collective {
            CollectiveName::ReduceScatter => each.reduce_scatter,
            CollectiveName::AllGather => each.all_gather,
            _ => each.all_reduce,
        })
    }

    /// What carries out an all-to-all.
    pub fn of_all_to_all(&self) -> AllToAllAlgorithm {
        self.choose(|each| each.all_to_all)
    }

    /// What carries out a broadcast.
    pub fn of_broadcast(&self) -> BroadcastAlgorithm {
        self.choose(|each| each.broadcast)
    }

    /// What carries out a reduction.
    pub fn of_reduce(&self) -> ReduceAlgorithm {
        self.choose(|each| each.reduce)
    }

    /// Refuses a name that no collective knows.
    pub fn check(&self) -> Result<(), InputError> {
        let Self::One(name) = self else { return Ok(()) };
        let known = named::<Algorithm>(name).is_some()
            || named::<AllToAllAlgorithm>(name).is_some()
            || named::<BroadcastAlgorithm>(name).is_some()
            || named::<ReduceAlgorithm>(name).is_some();
        if known {
            return Ok(());
        }
        let message = format!("no collective has an algorithm `{name}`");
        Err(InputError::key("algorithm", message).help(
            "write \"ring\", \"direct\" or another of docs/workloads.md, or a table such as { all-reduce = \"ring\" }",
        ))
    }
}

impl Serialize for Algorithms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Default => serializer.serialize_none(),
            Self::One(name) => serializer.serialize_str(name),
            Self::Each(each) => each.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Algorithms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Algorithms;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of an algorithm, or a table of them by collective")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Algorithms, E> {
                Ok(Algorithms::One(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Algorithms, A::Error> {
                Each::deserialize(MapAccessDeserializer::new(map)).map(Algorithms::Each)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Algorithms {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Algorithms".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let three = generator.subschema_for::<Algorithm>();
        json_schema!({
            "description": "How collectives are carried out: one algorithm for all that have it, or a table by collective.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": {
                        "all-reduce": three.clone(),
                        "reduce-scatter": three.clone(),
                        "all-gather": three,
                        "all-to-all": generator.subschema_for::<AllToAllAlgorithm>(),
                        "broadcast": generator.subschema_for::<BroadcastAlgorithm>(),
                        "reduce": generator.subschema_for::<ReduceAlgorithm>(),
                    },
                    "additionalProperties": false,
                },
            ],
        })
    }
}
