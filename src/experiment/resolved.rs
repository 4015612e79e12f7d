//! A plan written as one experiment file: every default filled in that some point uses, nothing inherited or referred to.

use std::path::Path;

use toml::{Table, Value};

use super::plan::Plan;
use super::spec::Experiment;
use crate::config::{ConfigError, absolute, names_a_file};

impl Plan {
    /// The experiment as text that reads back to the same points, from any folder. The values of
    /// swept keys are those of the first point, but for swept choices; `[sweep]` holds the others.
    pub fn resolved(&self) -> Result<String, ConfigError> {
        let first = self.resolve(self.points()[0])?.experiment;
        let plain = |error: &dyn std::fmt::Display| ConfigError::new(format!("it cannot be written as TOML: {error}"));
        let table = Table::try_from(&first).map_err(|error| plain(&error))?;
        let mut table = Value::Table(table);
        absolute_files(&mut table);
        for key in self.ignored_keys() {
            remove(&mut table, key);
        }
        let mut sweep = Table::new();
        for axis in self.sweep().axes() {
            let names_a_file = matches!(axis.path.as_slice(), [key] if key == "topology" || key == "workload");
            // What the sweep sets whole, by names that stand for defaults, would have its options refused as lost.
            if matches!(axis.path.as_slice(), [key] if key == "load_balancing" || key == "transport") {
                remove(&mut table, &axis.path[0]);
            }
            let values = axis.values.iter().map(|value| value.to_toml(names_a_file));
            sweep.insert(axis.key(), Value::Array(values.collect()));
        }
        if let (Value::Table(table), false) = (&mut table, sweep.is_empty()) {
            table.insert("sweep".into(), Value::Table(sweep));
        }
        let text = toml::to_string(&table).map_err(|error| plain(&error))?;
        Ok(text.replacen("[packet]\n", &format!("[packet]\n{}", self.derived(&first)), 1))
    }

    /// What keys of the packet engine that are left out come to, as a comment.
    fn derived(&self, first: &Experiment) -> String {
        if first.packet.ack_priority.is_some() {
            return String::new();
        }
        let axes = self.sweep().axes();
        let differs = axes
            .iter()
            .any(|axis| matches!(axis.path[0].as_str(), "transport" | "switch"));
        match differs {
            true => "# ack_priority: true where switches trim\n".into(),
            false => {
                let comes_first = first.packet.control_first(&first.transport, &first.switch);
                format!("# ack_priority = {comes_first}\n")
            }
        }
    }
}

/// Takes the value of a dotted key out, if there is one.
fn remove(table: &mut Value, key: &str) {
    match (table, key.split_once('.')) {
        (Value::Table(table), Some((first, rest))) => {
            if let Some(inner) = table.get_mut(first) {
                remove(inner, rest);
            }
        }
        (Value::Table(table), None) => drop(table.remove(key)),
        _ => {}
    }
}

fn absolute_files(value: &mut Value) {
    match value {
        Value::Table(table) => {
            for (key, inner) in table.iter_mut() {
                match inner {
                    Value::String(name) if names_a_file(key) => *name = absolute(Path::new(name)),
                    inner => absolute_files(inner),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(absolute_files),
        _ => {}
    }
}
