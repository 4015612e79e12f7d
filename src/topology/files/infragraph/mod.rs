//! InfraGraph files, JSON or YAML: the topology of ASTRA-sim 3.0 and of Chakra.
//!
//! Devices with components and edges inside, instances of devices, and edges between them. XPUs are hosts; links without a bandwidth
//! join parts of one node, as a port and the chip behind it.

mod draw;
mod expand;
mod export;
mod model;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::{Files, InputError};
use crate::topology::blueprint::Blueprint;
use crate::topology::kind::Kind;
use model::Infrastructure;

/// A fabric from an InfraGraph file (`.yaml`, `.yml` or `.json`). Every XPU is a host; switches, network cards and other parts
/// that links with a bandwidth join pass packets on by the fewest hops. Links without a latency have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Infragraph {
    /// Path of the file.
    pub file: String,
}

impl Kind for Infragraph {
    fn draw(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint(files)
    }
}

impl Infragraph {
    /// Draws the fabric.
    pub fn blueprint(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        let text = files.read(&self.file)?;
        let error = |(message, help): expand::Wrong| InputError::file(&self.file, message).help(help);
        draw::draw(&self.read(&text)?).map_err(error)
    }

    fn read(&self, text: &str) -> Result<Infrastructure, InputError> {
        let json = text.trim_start().starts_with('{');
        let (read, help) = match json {
            true => (
                serde_json::from_str(text).map_err(|error| (error.line(), error.to_string())),
                "it is read as JSON, as it begins with a brace",
            ),
            false => (
                serde_yaml_ng::from_str(text).map_err(|error| {
                    let line = error.location().map_or(1, |at| at.line());
                    (line, error.to_string())
                }),
                "it is read as YAML, as it does not begin with a brace",
            ),
        };
        read.map_err(|(line, message)| InputError::line(&self.file, line.max(1), message).help(help))
    }
}
