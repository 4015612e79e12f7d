//! A placement read from a file.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Placement, PlanFile, Problem, Scheme};
use crate::input::InputError;

/// Options of `plan`: `{ plan = "plan.json" }` or `{ plan = { file = "plan.json" } }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// A plan.json, as `fabricsim place` writes it, made for the same workload.
    pub file: String,
}

impl Scheme for Plan {
    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let text = problem.files.read(&self.file)?;
        PlanFile::parse(&self.file, &text)?.placement(&self.file, problem.fabric, problem.schedule)
    }
}

/// The two ways to write it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the schema only")]
enum Written {
    /// A plan.json, as `fabricsim place` writes it.
    File(String),
    /// The same in a table.
    Table(Table),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Table {
    /// A plan.json, as `fabricsim place` writes it.
    file: String,
}

impl JsonSchema for Plan {
    fn schema_name() -> Cow<'static, str> {
        "Plan".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for Plan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Plan;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file such as \"plan.json\"")
            }

            fn visit_str<E: de::Error>(self, file: &str) -> Result<Plan, E> {
                Ok(Plan { file: file.to_owned() })
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Plan, M::Error> {
                let Table { file } = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Plan { file })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
