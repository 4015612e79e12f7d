//! An experiment before it is read: one tree, merged from a file, the files it extends, the
//! arguments of `--set`, and the topology and workload files it names.

use std::path::Path;
use std::sync::Arc;

use super::{ConfigError, ConfigValue, Entry, FileStore, MAX_DEPTH, Origin, Source};

/// One `--set key.path=value`.
#[derive(Debug, Clone)]
pub struct Setting {
    path: Vec<String>,
    value: Entry,
}

impl Setting {
    /// Reads `key.path=value`: a value of TOML, or else a bare text. File names in it are relative to `dir`.
    pub fn parse(argument: &str, dir: &Path) -> Result<Self, ConfigError> {
        let shown = |text: &str| Source::argument("--set", text, dir);
        let bare = |argument: &str, value: Option<&str>| {
            let error = ConfigError::new(match value {
                Some(_) => "the key before `=` is empty",
                None => "`=` is missing",
            });
            Err(error
                .help("write `--set key.path=value`, such as `--set seed=2`")
                .at(&shown(argument), 0..argument.len()))
        };
        let Some((key, value)) = argument.split_once('=') else {
            return bare(argument, None);
        };
        let path = split_path(key);
        if path.iter().any(String::is_empty) {
            return bare(argument, Some(value));
        }
        if path.len() > MAX_DEPTH {
            return Err(too_deep(path.len()).at(&shown(argument), 0..key.len()));
        }
        let value = parse_value(&shown(argument), key.len(), value.trim());
        Ok(Self { path, value })
    }
}

/// Refuses a path of more parts than any key has.
pub fn too_deep(parts: usize) -> ConfigError {
    ConfigError::new(format!("the key has {parts} parts, more than {MAX_DEPTH}"))
        .help("docs/configuration.md describes every key; quotes keep a dot inside a part")
}

/// A value of TOML, or a bare text. Its place is the whole argument, `key_length` of which are key.
fn parse_value(source: &Arc<Source>, key_length: usize, text: &str) -> Entry {
    let whole = Origin {
        source: Arc::clone(source),
        key: 0..key_length,
        value: key_length + 1..source.text.len(),
    };
    let document = Source::argument("", format!("value = {text}"), &source.dir);
    let parsed = Entry::parse(&document)
        .ok()
        .filter(|document| document.children().len() == 1)
        .and_then(|mut document| document.remove("value"));
    let node = parsed.map_or_else(|| ConfigValue::Text(Arc::from(text)), |entry| moved(entry, &whole).node);
    Entry { node, origin: whole }
}

/// The same value as written at another place.
fn moved(mut entry: Entry, origin: &Origin) -> Entry {
    entry.node = match entry.node {
        ConfigValue::Table(table) => {
            let moved = table
                .iter()
                .map(|(key, value)| (key.clone(), moved(value.clone(), origin)));
            ConfigValue::Table(Arc::new(moved.collect()))
        }
        ConfigValue::List(list) => ConfigValue::List(Arc::new(
            list.iter().map(|value| moved(value.clone(), origin)).collect(),
        )),
        node => node,
    };
    entry.origin = origin.clone();
    entry
}

/// The keys of a dotted path; quotes keep a dot inside a key.
pub fn split_path(dotted: &str) -> Vec<String> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for c in dotted.trim().chars() {
        match c {
            '"' | '\'' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            c => parts.last_mut().expect("there is a part").push(c),
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// A merged tree whose `topology` and `workload` may still be names of files.
#[derive(Debug, Clone)]
pub struct ConfigDraft {
    root: Entry,
    /// The experiment file itself.
    file: Arc<Source>,
    /// Faults that the topology's file lists beside its table.
    file_faults: Option<Entry>,
    opened: Opened,
}

/// Who says what a value is; each overrides those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// A file that the experiment file extends, or nobody.
    Inherited,
    /// The experiment file.
    Written,
    /// An argument of the command line.
    Argument,
}

/// Names, without folder and ending, of the files whose tables stand in a tree.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    /// The topology file, where it is one.
    pub topology: Option<String>,
    /// The workload file, where it is one.
    pub workload: Option<String>,
}

impl Opened {
    fn name_of(&mut self, key: &str) -> &mut Option<String> {
        if key == "topology" {
            &mut self.topology
        } else {
            &mut self.workload
        }
    }
}

impl ConfigDraft {
    /// Reads an experiment file and what it extends, and applies settings in order.
    pub fn load(path: &Path, settings: &[Setting], files: &FileStore) -> Result<Self, ConfigError> {
        let source = files.read(path).map_err(|why| {
            let error = ConfigError::new(format!("{}: {why}", path.display()));
            if path.is_file() {
                return error;
            }
            error.help("name an experiment file, such as experiments/quickstart.toml")
        })?;
        let mut draft = Self {
            root: load(&source, &mut Vec::new(), files)?,
            file: Arc::clone(&source),
            file_faults: None,
            opened: Opened::default(),
        };
        if draft.root.child("name").is_none() {
            let name = ConfigValue::Text(Arc::from(source.stem.as_deref().unwrap_or("experiment")));
            let origin = draft.root.origin.clone();
            draft.root.insert("name", Entry { node: name, origin });
        }
        for setting in settings {
            draft.replace_sweep(setting)?;
            draft.set(&setting.path, setting.value.clone(), files)?;
        }
        Ok(draft)
    }

    /// A setting of a swept key is meant instead of its sweep.
    fn replace_sweep(&mut self, setting: &Setting) -> Result<(), ConfigError> {
        let Some(sweep) = self.root.child("sweep").cloned() else {
            return Ok(());
        };
        for (path, keys) in swept_paths(&sweep) {
            if path.starts_with(&setting.path) {
                self.root
                    .remove_path(&[&["sweep".to_owned()], keys.as_slice()].concat());
            } else if setting.path.starts_with(&path) {
                let message = format!("{}: `{}` is swept", setting.path.join("."), path.join("."));
                return Err(ConfigError::new(message)
                    .help(format!(
                        "the sweep would replace this value: set `{}` or `sweep.{}`",
                        path.join("."),
                        path.join(".")
                    ))
                    .at_key(&setting.value));
            }
        }
        Ok(())
    }

    /// The merged tree.
    pub fn root(&self) -> &Entry {
        &self.root
    }

    /// The experiment file.
    pub fn file(&self) -> &Path {
        Path::new(&self.file.name)
    }

    /// Who says what a value is.
    pub fn layer(&self, entry: &Entry) -> Layer {
        let source = &entry.origin.source;
        if source.stem.is_none() {
            Layer::Argument
        } else if Arc::ptr_eq(source, &self.file) {
            Layer::Written
        } else {
            Layer::Inherited
        }
    }

    /// Takes a key out of the root.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        self.root.remove(key)
    }

    /// Sets the value of a key path. A path that leads into a topology or workload file changes the
    /// table that the file holds.
    pub fn set(&mut self, path: &[String], value: Entry, files: &FileStore) -> Result<(), ConfigError> {
        match path {
            [key] if key == "topology" || key == "workload" => {
                *self.opened.name_of(key) = None;
                if key == "topology" {
                    self.file_faults = None;
                }
            }
            [key, _, ..] if key == "topology" || key == "workload" => self.open(key, files)?,
            _ => {}
        }
        self.root.set(path, value);
        Ok(())
    }

    /// The complete tree: files opened, their faults put before the experiment's own.
    pub fn finish(mut self, files: &FileStore) -> Result<(Entry, Opened), ConfigError> {
        self.open("topology", files)?;
        self.open("workload", files)?;
        if let Some(file_faults) = self.file_faults {
            let own = self.root.child("faults").map(|own| &own.node);
            let joined = match (&file_faults.node, own) {
                (ConfigValue::List(first), Some(ConfigValue::List(second))) => {
                    ConfigValue::List(Arc::new(first.iter().chain(second.iter()).cloned().collect()))
                }
                (_, Some(_)) => return Ok((self.root, self.opened)),
                (first, None) => first.clone(),
            };
            let origin = file_faults.origin;
            self.root.insert("faults", Entry { node: joined, origin });
        }
        Ok((self.root, self.opened))
    }

    /// Replaces the name of a topology or workload file by the table it holds.
    fn open(&mut self, key: &str, files: &FileStore) -> Result<(), ConfigError> {
        let Some(named) = self.root.child(key) else {
            return Ok(());
        };
        let Some(name) = named.text() else {
            return Ok(());
        };
        let source = files.read(&named.locate(name)).map_err(|why| {
            ConfigError::new(format!("{key}: {name}: {why}"))
                .help(format!(
                    "`{key}` is a file, relative to the file that names it, or a table such as [{key}.{}]",
                    if key == "topology" { "leaf-spine" } else { "all-to-all" }
                ))
                .at_value(named)
        })?;
        let mut table = Entry::parse(&source)?;
        if key == "topology" {
            self.file_faults = table.remove("faults");
        }
        self.root.insert(key, table);
        self.opened.name_of(key).clone_from(&source.stem);
        Ok(())
    }
}

/// The swept keys: their paths in the experiment, and their paths in the table `sweep`.
fn swept_paths(sweep: &Entry) -> Vec<(Vec<String>, Vec<String>)> {
    let mut found = Vec::new();
    for (key, entry) in sweep.children() {
        let path = split_path(key);
        match entry.node {
            ConfigValue::Table(_) => found.extend(swept_paths(entry).into_iter().map(|(inner, keys)| {
                let keys = [std::slice::from_ref(key), keys.as_slice()].concat();
                ([path.as_slice(), inner.as_slice()].concat(), keys)
            })),
            _ => found.push((path, vec![key.clone()])),
        }
    }
    found
}

/// A file with what it extends. `above` are the files that led here.
fn load(source: &Arc<Source>, above: &mut Vec<Arc<Source>>, files: &FileStore) -> Result<Entry, ConfigError> {
    let mut tree = Entry::parse(source)?;
    let Some(extends) = tree.remove("extends") else {
        return Ok(tree);
    };
    let refuse = |why: String| ConfigError::new(format!("extends: {why}")).at_value(&extends);
    let Some(name) = extends.text() else {
        return Err(refuse(
            "a text in quotes is expected, the name of another experiment file".into(),
        ));
    };
    above.push(Arc::clone(source));
    let base = files
        .read(&source.dir.join(name))
        .map_err(|why| refuse(format!("{name}: {why}")).help("the name is relative to the file that extends"))?;
    if let Some(start) = above.iter().position(|file| *file == base) {
        let circle: Vec<_> = above[start..]
            .iter()
            .chain([&base])
            .map(|file| file.name.as_str())
            .collect();
        return Err(refuse("the files extend each other in a circle".into()).help(circle.join(" -> ")));
    }
    let mut merged = load(&base, above, files)?;
    // A name is the results folder: inherited, it would mix two experiments.
    merged.remove("name");
    // A key that this file sets is not swept any more, unless it sweeps it itself.
    if let Some(sweep) = merged.child("sweep").cloned() {
        for (path, keys) in swept_paths(&sweep) {
            if tree.sets(&path) {
                merged.remove_path(&[&["sweep".to_owned()], keys.as_slice()].concat());
            }
        }
    }
    let own_origin = tree.origin.clone();
    merged.merge(tree);
    merged.origin = own_origin;
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_toml_or_bare_text() {
        let setting = |text| Setting::parse(text, Path::new("")).unwrap();
        assert!(matches!(setting("seed=3").value.node, ConfigValue::Integer(3)));
        assert!(matches!(setting("a.b = [1, 2]").value.node, ConfigValue::List(_)));
        assert!(matches!(setting("a.b={ x = 1 }").value.node, ConfigValue::Table(_)));
        assert_eq!(setting("load_balancing=spray").value.text(), Some("spray"));
        assert_eq!(setting("w=\"64KiB\"").value.text(), Some("64KiB"));
        assert_eq!(setting("w=64KiB").value.text(), Some("64KiB"));
        assert_eq!(setting("a=b=c").value.text(), Some("b=c"));
        assert_eq!(setting("a.\"b.c\"=1").path, ["a", "b.c"]);
        for wrong in ["seed", "=3", "a..b=3"] {
            assert!(Setting::parse(wrong, Path::new("")).is_err(), "{wrong}");
        }
    }
}
