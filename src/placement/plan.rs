//! A placement read from a file.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{Placement, PlanFile, Problem, Scheme};
use crate::input::InputError;

/// Options of `plan`: `{ plan = { file = "plan.json" } }`, or in an experiment file `{ plan = "plan.json" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedPaths {
    /// A plan.json, as `fabricsim place` writes it, made for the same workload.
    pub file: String,
}

impl Scheme for PlannedPaths {
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

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the schema only")]
struct Table {
    /// A plan.json, as `fabricsim place` writes it.
    file: String,
}

impl JsonSchema for PlannedPaths {
    fn schema_name() -> Cow<'static, str> {
        "PlannedPaths".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}
