//! Settings that change nothing. One that no point of the plan uses is a mistake: it is refused where it was written,
//! before anything runs.

use std::sync::atomic::{AtomicBool, Ordering};

use super::spec::Engine;
use super::sweep::{Axis, Sweep};
use crate::config::{ConfigDraft, ConfigError, ConfigValue, Entry, FileStore, Layer};

/// Keys that an engine does not look at.
const IGNORED_BY_FLOW: &[&str] = &["transport", "packet", "switch", "load_balancing.spray.choose"];
const IGNORED_BY_PACKET: &[&str] = &["flow"];

/// What the points of a plan make use of.
#[derive(Debug)]
pub(super) struct Usage {
    flow: AtomicBool,
    packet: AtomicBool,
    /// By swept key and value: whether some point has it.
    values: Vec<Vec<AtomicBool>>,
}

impl Usage {
    /// Before any point is known.
    pub(super) fn of(sweep: &Sweep) -> Self {
        let none = |axis: &Axis| axis.values.iter().map(|_| AtomicBool::new(false)).collect();
        Self {
            flow: AtomicBool::new(false),
            packet: AtomicBool::new(false),
            values: sweep.axes().iter().map(none).collect(),
        }
    }

    /// Looks which of the values that the sweep set at a point are still there after the last one.
    pub(super) fn note_values(&self, sweep: &Sweep, point: usize, set: &ConfigDraft, files: &FileStore) {
        for ((axis, index), known) in sweep.indices(point).zip(&self.values) {
            if known[index].load(Ordering::Relaxed) {
                continue;
            }
            let (value, there) = (&axis.values[index], set.root().at_path(&axis.path));
            if there.is_some_and(|there| survives(value, there) || opened(axis, value, there, files)) {
                known[index].store(true, Ordering::Relaxed);
            }
        }
    }

    /// A point is simulated by this engine.
    pub(super) fn note_engine(&self, engine: Engine) {
        let used = match engine {
            Engine::Flow => &self.flow,
            Engine::Packet => &self.packet,
        };
        used.store(true, Ordering::Relaxed);
    }

    /// The keys that the engines of all points ignore, and the engine that would not.
    pub(super) fn ignored(&self) -> (&'static [&'static str], Engine) {
        match (self.flow.load(Ordering::Relaxed), self.packet.load(Ordering::Relaxed)) {
            (true, false) => (IGNORED_BY_FLOW, Engine::Packet),
            (false, true) => (IGNORED_BY_PACKET, Engine::Flow),
            _ => (&[], Engine::Flow),
        }
    }

    /// Refuses swept values that another swept key replaces at every point.
    pub(super) fn check_sweep(&self, sweep: &Sweep) -> Result<(), ConfigError> {
        for (i, (axis, known)) in sweep.axes().iter().zip(&self.values).enumerate() {
            let unused = known.iter().position(|used| !used.load(Ordering::Relaxed));
            let Some(unused) = unused else { continue };
            let later = &sweep.axes()[i + 1..];
            let other = later.iter().rev().find(|other| other.path[0] == axis.path[0]);
            let other = other.map_or_else(|| axis.key(), Axis::key);
            return Err(ConfigError::new(format!(
                "sweep.{}: no point has this value: `{other}`, swept below it, replaces it",
                axis.key()
            ))
            .help(format!(
                "take one of the two out, or write options inside the values, such as `{}`",
                "transport = [\"dctcp\", { dcqcn = { gain = 0.1 } }]"
            ))
            .at_value(&axis.values[unused]));
        }
        Ok(())
    }

    /// Refuses options of a choice that is swept by its name, which stands for all options at their defaults.
    pub(super) fn check_names(draft: &ConfigDraft, sweep: &Sweep) -> Result<(), ConfigError> {
        for axis in sweep.axes() {
            let Some(table) = draft.root().at_path(&axis.path) else {
                continue;
            };
            let named = axis
                .values
                .iter()
                .filter_map(Entry::text)
                .find_map(|name| Some((name, table.child(name)?)));
            let Some((name, options)) = named else { continue };
            let lost = options.children().first().map(|(_, option)| option);
            if let Some(lost) = lost.filter(|lost| draft.layer(lost) >= draft.layer(&axis.values[0])) {
                let key = axis.key();
                return Err(ConfigError::new(format!(
                    "{key}.{name}: `{name}` among the values of sweep.{key} replaces these options by the defaults"
                ))
                .help(format!("write them there: `{key} = [{{ {name} = {{ ... }} }}, ...]`"))
                .at_key(lost));
            }
        }
        Ok(())
    }

    /// Refuses keys that no point's engine looks at. One that was written before another layer chose the engine, as in a
    /// file that is extended or whose engine `--set` changes, is left alone.
    pub(super) fn check_engine(&self, draft: &ConfigDraft, sweep: &Sweep) -> Result<(), ConfigError> {
        let (ignored, other) = self.ignored();
        let is_engine = |axis: &&Axis| axis.path == ["engine"];
        let chosen = match sweep.axes().iter().find(is_engine) {
            Some(axis) => Some(&axis.values[0]),
            None => draft.root().child("engine"),
        };
        let chosen = chosen.map_or(Layer::Inherited, |entry| draft.layer(entry));
        for key in ignored {
            let path: Vec<String> = key.split('.').map(str::to_owned).collect();
            let swept = sweep.axes().iter().filter_map(|axis| within(axis, &path));
            let set = draft.root().at_path(&path).and_then(|entry| latest(draft, entry));
            for entry in swept.chain(set) {
                let layer = draft.layer(entry);
                if layer > Layer::Inherited && layer >= chosen {
                    return Err(unused(key, other, entry));
                }
            }
        }
        Ok(())
    }
}

fn unused(key: &str, other: Engine, entry: &Entry) -> ConfigError {
    let (engine, name) = match other {
        Engine::Flow => ("packet", other.name()),
        Engine::Packet => ("flow", other.name()),
    };
    ConfigError::new(format!(
        "{key}: the {engine} engine does not use it, and no point has another"
    ))
    .help(format!("write `engine = \"{name}\"`, or take this out"))
    .at_key(entry)
}

/// The value of a swept key that lies at a path, below it, or holds it.
fn within<'a>(axis: &'a Axis, path: &[String]) -> Option<&'a Entry> {
    if axis.path.starts_with(path) {
        return axis.values.first();
    }
    let rest = path.strip_prefix(axis.path.as_slice())?;
    axis.values.iter().find_map(|value| value.at_path(rest))
}

/// The part of a value that was said last.
fn latest<'a>(draft: &ConfigDraft, entry: &'a Entry) -> Option<&'a Entry> {
    let inner = entry.children().iter().filter_map(|(_, inner)| latest(draft, inner));
    inner.chain([entry]).max_by_key(|entry| draft.layer(entry))
}

/// Whether something of a value is still where it was put: of a name, too, where options were added to it.
fn survives(value: &Entry, there: &Entry) -> bool {
    match value.children() {
        [] => value.is_same(there) || value.text().is_some_and(|name| there.child(name).is_some()),
        children => children
            .iter()
            .any(|(key, inner)| there.child(key).is_some_and(|there| survives(inner, there))),
    }
}

/// Whether a value names the topology or workload file whose table is there.
fn opened(axis: &Axis, value: &Entry, there: &Entry, files: &FileStore) -> bool {
    let ConfigValue::Text(name) = &value.node else {
        return false;
    };
    matches!(axis.path.as_slice(), [key] if key == "topology" || key == "workload")
        && files
            .read(&value.locate(name))
            .is_ok_and(|file| std::sync::Arc::ptr_eq(&file, &there.origin.source))
}
