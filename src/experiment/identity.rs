//! What a point is named by: all that can change its results, and nothing else.

use std::path::Path;

use serde_json::Value;

use super::spec::{Engine, Experiment};
use crate::config::{FileStore, files_of, names_a_file};
use crate::results::RESULTS_VERSION;

/// Hash of a resolved experiment, of the contents of the files it names, and of the version of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity([u8; 16]);

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Identity {
    /// Whatever cannot change the result is left out: names, and the options of the other engine.
    pub(super) fn of(experiment: &Experiment, files: &FileStore) -> Self {
        let mut value = serde_json::to_value(experiment).unwrap_or_default();
        if let Some(table) = value.as_object_mut() {
            table.remove("name");
            if let Some(output) = table.get_mut("output").and_then(Value::as_object_mut) {
                output.remove("parquet");
            }
            if let Some(packet) = table.get_mut("packet").and_then(Value::as_object_mut) {
                packet.remove("threads");
            }
            let unused: &[&str] = match experiment.engine {
                Engine::Flow => &["transport", "packet", "switch"],
                Engine::Packet => &["flow"],
            };
            for key in unused {
                table.remove(*key);
            }
        }
        replace_files(&mut value, files);
        let text = format!("{RESULTS_VERSION}\n{value}");
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
        Self(hash)
    }
}

/// Puts the hash of its content in the place of every file's name.
fn replace_files(value: &mut Value, files: &FileStore) {
    match value {
        Value::Object(table) => {
            for (key, inner) in table {
                match inner {
                    Value::String(name) if names_a_file(key) => {
                        let names = files_of(key, name, files);
                        let hashes: Result<Vec<String>, String> = names
                            .iter()
                            .map(|name| Ok(files.hash(Path::new(name))?.to_hex().to_string()))
                            .collect();
                        if let Ok(hashes) = hashes {
                            *inner = hashes.join("").into();
                        }
                    }
                    inner => replace_files(inner, files),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| replace_files(inner, files)),
        _ => {}
    }
}
