//! How a load balancing is called in results.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The name, and in parentheses the options that differ from their defaults: `ecmp-split(ways=4)`.
/// Options come by name, with a space between two.
pub(super) fn label<T: Serialize + DeserializeOwned>(name: &str, scheme: &T) -> String {
    let defaults = serde_json::from_value::<T>(json!({ name: {} })).map_or_else(|_| Map::new(), |d| options(&d));
    let mut chosen: Vec<String> = options(scheme)
        .into_iter()
        .filter(|(key, value)| defaults.get(key) != Some(value) && !value.is_null())
        .map(|(key, value)| format!("{key}={}", shown(&key, &value)))
        .collect();
    chosen.sort_unstable();
    match chosen.as_slice() {
        [] => name.to_owned(),
        _ => format!("{name}({})", chosen.join(" ")),
    }
}

/// The options in full.
fn options(scheme: &impl Serialize) -> Map<String, Value> {
    let value = serde_json::to_value(scheme).unwrap_or_default();
    let table = value.as_object().and_then(|outer| outer.values().next());
    table.and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The value of an option. A file is named without its folder, which is another on every machine.
fn shown(key: &str, value: &Value) -> String {
    if let Some(file) = value.get("file") {
        return shown("file", file);
    }
    let text = text(value);
    let name = Path::new(&text).file_name().and_then(|name| name.to_str());
    match name {
        Some(name) if key == "file" => name.to_owned(),
        _ => text,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join("/"),
        other => other.to_string(),
    }
}
