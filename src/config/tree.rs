//! Values with the characters they came from.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::source::{absolute, names_a_file, tidy};
use super::{ConfigError, FileStore, Source};
use crate::input::{InputError, Place};

/// Where a value was written.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The text that it stands in.
    pub source: Arc<Source>,
    /// Characters of the key.
    pub key: Range<usize>,
    /// Characters of the value.
    pub value: Range<usize>,
}

/// A value and where it was written. Cheap to clone: what it holds is shared.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The value.
    pub node: ConfigValue,
    /// Where it was written.
    pub origin: Origin,
}

/// A value of TOML.
#[derive(Debug, Clone)]
pub enum ConfigValue {
    /// Keys in the order of the file.
    Table(Arc<Vec<(String, Entry)>>),
    /// An array.
    List(Arc<Vec<Entry>>),
    /// A string.
    Text(Arc<str>),
    /// Between the smallest i64 and the largest u64.
    Integer(i128),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
}

/// Most parts of a key path: no key lies as deep, and what follows paths may recurse.
pub const MAX_DEPTH: usize = 64;

/// The keys under which exactly one of several tables, or a name, may stand: writing one replaces another.
const CHOICES: &[&str] = &["topology", "workload", "load_balancing", "transport"];

impl Entry {
    /// The values of a TOML document.
    pub fn parse(source: &Arc<Source>) -> Result<Self, ConfigError> {
        let table = DeTable::parse(&source.text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            let message = match error.message() {
                text if text.contains("recurs") => "values are nested too deeply".to_owned(),
                text => text.replace('\n', "; "),
            };
            ConfigError::new(message).at(source, span)
        })?;
        let span = 0..0;
        convert_table(source, table.get_ref()).map(|node| Self {
            node,
            origin: Origin {
                source: Arc::clone(source),
                key: span.clone(),
                value: span,
            },
        })
    }

    /// An empty table in place of another value.
    pub fn empty_table(origin: Origin) -> Self {
        let node = ConfigValue::Table(Arc::default());
        Self { node, origin }
    }

    /// The value of a key.
    pub fn child(&self, key: &str) -> Option<&Self> {
        match &self.node {
            ConfigValue::Table(table) => table.iter().find(|(name, _)| name == key).map(|(_, entry)| entry),
            ConfigValue::List(list) => list.get(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The keys and values of a table; none of other values.
    pub fn children(&self) -> &[(String, Self)] {
        match &self.node {
            ConfigValue::Table(table) => table,
            _ => &[],
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.node {
            ConfigValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a dotted key, or of as much of it as there is.
    pub fn deepest(&self, key: &str) -> &Self {
        let mut found = self;
        for part in key.split('.') {
            match found.child(part) {
                Some(child) => found = child,
                None => break,
            }
        }
        found
    }

    /// The first text anywhere below that names the file with this path.
    pub fn find_file(&self, path: &str) -> Option<&Self> {
        match &self.node {
            ConfigValue::Text(name) if self.locate(name) == Path::new(path) => Some(self),
            ConfigValue::Table(table) => table.iter().find_map(|(_, entry)| entry.find_file(path)),
            ConfigValue::List(list) => list.iter().find_map(|entry| entry.find_file(path)),
            _ => None,
        }
    }

    /// The path of a file that this value names: relative to the file that names it. An argument's
    /// names are relative to the working folder, and where nothing lies there, to the experiment's.
    pub fn locate(&self, name: &str) -> PathBuf {
        let source = &self.origin.source;
        if source.stem.is_none() && Path::new(name).exists() {
            return PathBuf::from(name);
        }
        tidy(&source.dir.join(name))
    }

    /// As it was written, but with the absolute paths of the files that it names.
    pub fn to_toml(&self, is_a_path: bool) -> toml::Value {
        use toml::Value;
        match &self.node {
            ConfigValue::Table(table) => {
                let inner = table
                    .iter()
                    .map(|(key, value)| (key.clone(), value.to_toml(names_a_file(key))));
                Value::Table(inner.collect())
            }
            ConfigValue::List(list) => Value::Array(list.iter().map(|value| value.to_toml(false)).collect()),
            ConfigValue::Text(name) if is_a_path => Value::String(absolute(&self.locate(name))),
            ConfigValue::Text(text) => Value::String(text.to_string()),
            // Whole numbers of TOML end at 2^63 - 1.
            ConfigValue::Integer(n) => i64::try_from(*n).map_or_else(|_| Value::String(n.to_string()), Value::Integer),
            ConfigValue::Float(x) => Value::Float(*x),
            ConfigValue::Boolean(b) => Value::Boolean(*b),
        }
    }

    /// Takes a key out of a table.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        let ConfigValue::Table(table) = &mut self.node else {
            return None;
        };
        let position = table.iter().position(|(name, _)| name == key)?;
        Some(Arc::make_mut(table).remove(position).1)
    }

    /// Takes the value of a key path out.
    pub fn remove_path(&mut self, path: &[String]) {
        match path {
            [] => {}
            [key] => drop(self.remove(key)),
            [key, rest @ ..] => {
                if let Some(mut child) = self.child(key).cloned() {
                    child.remove_path(rest);
                    self.insert(key, child);
                }
            }
        }
    }

    /// Whether there is a value at a key path, or a name or list on the way to it.
    pub fn sets(&self, path: &[String]) -> bool {
        match (path, &self.node) {
            ([], _) => true,
            ([key, rest @ ..], ConfigValue::Table(_)) => self.child(key).is_some_and(|child| child.sets(rest)),
            _ => true,
        }
    }

    /// The value of a key path.
    pub fn at_path(&self, path: &[String]) -> Option<&Self> {
        path.iter().try_fold(self, |entry, key| entry.child(key))
    }

    /// Whether two values are the same characters of the same source.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.origin.source, &other.origin.source) && self.origin.value == other.origin.value
    }

    /// Puts a value under a key of a table, in the place of the one that was there.
    pub fn insert(&mut self, key: &str, value: Self) {
        if let ConfigValue::Table(table) = &mut self.node {
            let table = Arc::make_mut(table);
            match table.iter_mut().find(|(name, _)| name == key) {
                Some((_, entry)) => *entry = value,
                None => table.push((key.to_owned(), value)),
            }
        }
    }

    /// Sets the value of a key path, making tables on the way.
    pub fn set(&mut self, path: &[String], value: Self) {
        self.set_below(path, value, false);
    }

    fn set_below(&mut self, path: &[String], value: Self, exclusive: bool) {
        let [key, rest @ ..] = path else {
            *self = value;
            return;
        };
        if let (ConfigValue::List(list), Ok(index)) = (&mut self.node, key.parse::<usize>())
            && let Some(element) = Arc::make_mut(list).get_mut(index)
        {
            return element.set_below(rest, value, false);
        }
        if !matches!(self.node, ConfigValue::Table(_)) {
            *self = Self::empty_table(value.origin.clone());
        }
        if exclusive {
            self.keep_only(key);
        }
        let mut child = self
            .child(key)
            .cloned()
            .unwrap_or_else(|| Self::empty_table(value.origin.clone()));
        child.set_below(rest, value, !exclusive && CHOICES.contains(&key.as_str()));
        self.insert(key, child);
    }

    /// Lets `over` have precedence key by key.
    pub fn merge(&mut self, over: Self) {
        self.merge_below(over, false);
    }

    fn merge_below(&mut self, over: Self, exclusive: bool) {
        let (ConfigValue::Table(_), ConfigValue::Table(table)) = (&self.node, &over.node) else {
            *self = over;
            return;
        };
        if let [(only, _)] = table.as_slice()
            && exclusive
        {
            self.keep_only(only);
        }
        for (key, value) in table.iter() {
            match self.child(key).cloned() {
                Some(mut child) => {
                    child.merge_below(value.clone(), CHOICES.contains(&key.as_str()));
                    self.insert(key, child);
                }
                None => self.insert(key, value.clone()),
            }
        }
    }

    fn keep_only(&mut self, key: &str) {
        if let ConfigValue::Table(table) = &mut self.node {
            Arc::make_mut(table).retain(|(name, _)| name == key);
        }
    }
}

/// Errors about values.
impl ConfigError {
    /// The same error at a value.
    #[must_use]
    pub fn at_value(self, entry: &Entry) -> Self {
        self.at(&entry.origin.source, entry.origin.value.clone())
    }

    /// The same error at a value's key.
    #[must_use]
    pub fn at_key(self, entry: &Entry) -> Self {
        self.at(&entry.origin.source, entry.origin.key.clone())
    }

    /// An error of a lower module about the tree `root`.
    pub fn from_input(error: InputError, root: &Entry, files: &FileStore) -> Self {
        match &error.place {
            Place::Key(key) => {
                let found = root.deepest(key);
                Self::new(format!("{key}: {}", error.message)).at_value(found)
            }
            Place::Line { file, line } => match files.read(Path::new(file)) {
                Ok(source) => Self::new(&error.message).at(&source, source.line(*line)),
                Err(_) => Self::new(format!("{file}:{line}: {}", error.message)),
            },
            Place::File(file) => {
                let named = Self::new(format!("{file}: {}", error.message));
                match root.find_file(file) {
                    Some(entry) => named.at_value(entry),
                    None => named,
                }
            }
        }
        .help(error.help)
    }
}

impl fmt::Display for Entry {
    /// Inline, and a text without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            ConfigValue::Text(text) => f.write_str(text),
            ConfigValue::Table(table) => {
                let inner: Vec<_> = table.iter().map(|(key, value)| format!("{key} = {value}")).collect();
                write!(f, "{{ {} }}", inner.join(", "))
            }
            ConfigValue::List(list) => {
                let inner: Vec<_> = list.iter().map(Self::to_string).collect();
                write!(f, "[{}]", inner.join(", "))
            }
            ConfigValue::Integer(n) => n.fmt(f),
            ConfigValue::Float(x) => x.fmt(f),
            ConfigValue::Boolean(b) => b.fmt(f),
        }
    }
}

fn convert_table(source: &Arc<Source>, table: &DeTable<'_>) -> Result<ConfigValue, ConfigError> {
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        entries.push((key.get_ref().to_string(), convert(source, key.span(), value)?));
    }
    Ok(ConfigValue::Table(Arc::new(entries)))
}

fn convert(source: &Arc<Source>, key: Range<usize>, value: &Spanned<DeValue<'_>>) -> Result<Entry, ConfigError> {
    let refuse = |message: &str| ConfigError::new(message).at(source, value.span());
    let node = match value.get_ref() {
        DeValue::String(text) => ConfigValue::Text(Arc::from(text.as_ref())),
        DeValue::Integer(integer) => i128::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|n| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(n))
            .map(ConfigValue::Integer)
            .ok_or_else(|| refuse("the number is too large").help("whole numbers have at most 64 bits"))?,
        DeValue::Float(float) => ConfigValue::Float(
            float
                .as_str()
                .parse()
                .map_err(|_| refuse("this is not a number that can be used"))?,
        ),
        DeValue::Boolean(boolean) => ConfigValue::Boolean(*boolean),
        DeValue::Datetime(_) => {
            return Err(refuse("a date has no meaning in an experiment").help("write text in quotes"));
        }
        DeValue::Array(list) => {
            let elements = list.iter().map(|element| convert(source, element.span(), element));
            ConfigValue::List(Arc::new(elements.collect::<Result<_, _>>()?))
        }
        DeValue::Table(table) => convert_table(source, table)?,
    };
    let origin = Origin {
        source: Arc::clone(source),
        key,
        value: value.span(),
    };
    Ok(Entry { node, origin })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parse(text: &str) -> Entry {
        Entry::parse(&Source::argument("test", text, Path::new(""))).unwrap()
    }

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn values_know_their_characters() {
        let text = "a = 1\n[b.c]\nd = \"x\"\n";
        let tree = parse(text);
        let d = tree.deepest("b.c.d");
        assert_eq!(&text[d.origin.value.clone()], "\"x\"");
        assert_eq!(&text[d.origin.key.clone()], "d");
        assert_eq!(&text[tree.deepest("b.c").origin.key.clone()], "c");
    }

    #[test]
    fn a_choice_replaces_another() {
        let mut tree = parse("[workload.all-to-all]\nmessage = 1\nranks = 2\n[flow]\nx = 1");
        tree.merge(parse("[workload.all-to-all]\nmessage = 3\n[flow]\ny = 2"));
        assert_eq!(
            tree.to_string(),
            "{ workload = { all-to-all = { message = 3, ranks = 2 } }, flow = { x = 1, y = 2 } }"
        );
        tree.merge(parse("[workload.shift]\nmessage = 4"));
        assert_eq!(
            tree.to_string(),
            "{ workload = { shift = { message = 4 } }, flow = { x = 1, y = 2 } }"
        );
        tree.set(&path("workload.incast.message"), parse("v = 5").deepest("v").clone());
        assert_eq!(
            tree.to_string(),
            "{ workload = { incast = { message = 5 } }, flow = { x = 1, y = 2 } }"
        );
    }

    #[test]
    fn setting_reaches_into_lists_and_names() {
        let mut tree = parse("transport = \"dctcp\"\nfaults = [{ link = \"a\" }, { link = \"b\" }]");
        let value = parse("v = true").deepest("v").clone();
        tree.set(&path("faults.1.down"), value.clone());
        tree.set(&path("transport.swift.x"), value);
        assert_eq!(
            tree.to_string(),
            "{ transport = { swift = { x = true } }, faults = [{ link = a }, { link = b, down = true }] }"
        );
    }
}
