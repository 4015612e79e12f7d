//! What the points of an experiment differ in.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

/// Keys of the experiment file, and for each point the value of each: a number, true or false, or a text; null where a
/// point has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Swept {
    /// In the order of the sweep.
    pub keys: Vec<String>,
    /// By point, then by key.
    pub values: Vec<Vec<Arc<Value>>>,
}

impl Swept {
    /// The values of a point.
    pub fn of(&self, point: u32) -> &[Arc<Value>] {
        self.values.get(point as usize).map_or(&[], Vec::as_slice)
    }
}

/// A value as CSV and tables show it.
pub fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}
