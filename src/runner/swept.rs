//! What the sweep sets, as results have it.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::config::{ConfigValue, Entry};
use crate::experiment::{Axis, Plan};
use crate::results::Swept;

/// The swept keys of a plan with their values; a table or list is the text that a file has in one line.
pub fn swept(plan: &Plan) -> Swept {
    let axes = plan.sweep().axes();
    let values: Vec<Vec<Arc<Value>>> = axes
        .iter()
        .map(|axis| axis.values.iter().map(|value| Arc::new(value_of(value))).collect())
        .collect();
    let of_point = |point: usize| {
        let indices = plan.sweep().indices(point).zip(&values);
        indices.map(|((_, index), values)| Arc::clone(&values[index])).collect()
    };
    Swept {
        keys: axes.iter().map(Axis::key).collect(),
        values: (0..plan.points().len()).map(of_point).collect(),
    }
}

/// The options inside tables that are swept whole, such as `workload.shift.offset`, in order of appearance.
pub(super) fn options(plan: &Plan) -> Swept {
    let mut columns = Columns::default();
    let axes = plan.sweep().axes().iter();
    let set: Vec<Vec<Options>> = axes
        .map(|axis| axis.values.iter().map(|value| columns.of(&axis.key(), value)).collect())
        .collect();
    let nothing = Arc::new(Value::Null);
    let of_point = |point: usize| {
        let mut values = vec![Arc::clone(&nothing); columns.keys.len()];
        for ((_, index), set) in plan.sweep().indices(point).zip(&set) {
            for (column, value) in &set[index] {
                values[*column] = Arc::clone(value);
            }
        }
        values
    };
    let values = match columns.keys.is_empty() {
        true => Vec::new(),
        false => (0..plan.points().len()).map(of_point).collect(),
    };
    Swept {
        keys: columns.keys,
        values,
    }
}

/// What a swept value sets: columns and their values.
type Options = Vec<(usize, Arc<Value>)>;

/// The options that were met.
#[derive(Default)]
struct Columns {
    keys: Vec<String>,
    by_key: HashMap<String, usize>,
}

impl Columns {
    /// The options inside a value of a key.
    fn of(&mut self, key: &str, value: &Entry) -> Options {
        let mut leaves = Vec::new();
        collect(key, value, &mut leaves);
        leaves
            .into_iter()
            .map(|(key, value)| {
                let next = self.keys.len();
                let column = *self.by_key.entry(key.clone()).or_insert(next);
                if column == next {
                    self.keys.push(key);
                }
                (column, Arc::new(value))
            })
            .collect()
    }
}

/// The options below a key; none of a value that is no table and no list of tables.
fn collect(key: &str, value: &Entry, leaves: &mut Vec<(String, Value)>) {
    let mut inner = |name: &str, inner: &Entry| {
        let key = format!("{key}.{name}");
        let before = leaves.len();
        collect(&key, inner, leaves);
        if leaves.len() == before {
            leaves.push((key, value_of(inner)));
        }
    };
    match &value.node {
        ConfigValue::Table(table) => table.iter().for_each(|(name, value)| inner(name, value)),
        ConfigValue::List(list) if list.iter().all(|value| matches!(value.node, ConfigValue::Table(_))) => {
            (0..)
                .zip(list.iter())
                .for_each(|(at, value): (usize, _)| inner(&at.to_string(), value));
        }
        _ => {}
    }
}

fn value_of(entry: &Entry) -> Value {
    match &entry.node {
        ConfigValue::Integer(n) => i64::try_from(*n).map_or_else(|_| Value::from(*n as u64), Value::from),
        ConfigValue::Float(x) => Value::from(*x),
        ConfigValue::Boolean(yes) => Value::from(*yes),
        _ => Value::from(entry.to_string()),
    }
}
