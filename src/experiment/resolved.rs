//! A plan written as one experiment file: every default filled in, nothing inherited or referred to.

use std::path;

use toml::{Table, Value};

use super::config::{ConfigError, Entry, Node};
use super::plan::Plan;

impl Plan {
    /// The experiment as text that reads back to the same points, from any folder. The values of
    /// swept keys are those of the first point; `[sweep]` holds the others.
    pub fn resolved(&self) -> Result<String, ConfigError> {
        let first = self.experiment(self.points()[0])?;
        let plain = |error: &dyn std::fmt::Display| ConfigError::new(format!("it cannot be written as TOML: {error}"));
        let mut table = Table::try_from(&first).map_err(|error| plain(&error))?;
        table.insert("name".into(), Value::String(self.name().to_owned()));
        let mut table = Value::Table(table);
        absolute_files(&mut table);
        let mut sweep = Table::new();
        for axis in self.sweep().axes() {
            let names_a_file = matches!(axis.path.as_slice(), [key] if key == "topology" || key == "workload");
            let values = axis.values.iter().map(|value| to_toml(value, names_a_file));
            sweep.insert(axis.key(), Value::Array(values.collect()));
        }
        if let (Value::Table(table), false) = (&mut table, sweep.is_empty()) {
            table.insert("sweep".into(), Value::Table(sweep));
        }
        toml::to_string(&table).map_err(|error| plain(&error))
    }
}

/// A value as it was written, but for the names of files.
fn to_toml(entry: &Entry, names_a_file: bool) -> Value {
    match &entry.node {
        Node::Table(table) => {
            let inner = table
                .iter()
                .map(|(key, value)| (key.clone(), to_toml(value, key == "file")));
            Value::Table(inner.collect())
        }
        Node::List(list) => Value::Array(list.iter().map(|value| to_toml(value, false)).collect()),
        Node::Text(name) if names_a_file => Value::String(absolute(&entry.locate(name).display().to_string())),
        Node::Text(text) => Value::String(text.to_string()),
        Node::Integer(n) => Value::Integer(i64::try_from(*n).unwrap_or(i64::MAX)),
        Node::Float(x) => Value::Float(*x),
        Node::Boolean(b) => Value::Boolean(*b),
    }
}

fn absolute_files(value: &mut Value) {
    match value {
        Value::Table(table) => {
            for (key, inner) in table.iter_mut() {
                match inner {
                    Value::String(name) if key == "file" => *name = absolute(name),
                    inner => absolute_files(inner),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(absolute_files),
        _ => {}
    }
}

fn absolute(name: &str) -> String {
    path::absolute(name).map_or_else(|_| name.to_owned(), |path| path.display().to_string())
}
