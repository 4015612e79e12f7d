//! From the tree to structs, by serde. Errors point at the characters they are about.
//!
//! Two rules make files shorter than the structs they fill: where one of several named tables is
//! expected, its name alone stands for the table without keys; where a table is expected that has a
//! key `file`, a text alone stands for that key. A third makes them portable: a text under a key
//! `file` becomes the path of the file that it names relative to the file it was written in.

use std::fmt::{self, Display};

use serde::de::{self, DeserializeOwned, DeserializeSeed, Expected, IntoDeserializer, Unexpected, Visitor};

use super::{ConfigError, ConfigValue, Entry, Origin, closest, names_a_file};

impl Entry {
    /// The struct that this tree describes.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        T::deserialize(Value(self)).map_err(|mut error| {
            error.path.reverse();
            let key = error.path.join(".");
            let message = if key.is_empty() {
                error.message
            } else {
                format!("{key}: {}", error.message)
            };
            let located = ConfigError::new(message).help(error.help);
            match error.at {
                Some((origin, Part::Key)) => located.at(&origin.source, origin.key),
                Some((origin, Part::Value)) => located.at(&origin.source, origin.value),
                None => located,
            }
        })
    }
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Key,
    Value,
}

/// An error on its way out of the tree.
#[derive(Debug)]
struct Error {
    message: String,
    help: String,
    at: Option<(Origin, Part)>,
    /// Keys from the innermost outwards.
    path: Vec<String>,
}

impl Error {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
            at: None,
            path: Vec::new(),
        }
    }

    /// The same error at these characters, unless it has a place already.
    fn or_at(mut self, entry: &Entry, part: Part) -> Self {
        self.at.get_or_insert_with(|| (entry.origin.clone(), part));
        self
    }

    fn under(mut self, key: impl Into<String>) -> Self {
        self.path.push(key.into());
        self
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What is valid instead of an unknown word: what it may have meant, else everything.
fn suggestion(word: &str, valid: &[&str], what: &str) -> String {
    if let Some(meant) = closest(word, valid.iter().copied()) {
        return format!("did you mean `{meant}`?");
    }
    let quoted: Vec<_> = valid.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => format!("there are no {what} here"),
        [one] => format!("the only one is {one}"),
        _ => format!("valid {what}: {}", quoted.join(", ")),
    }
}

/// serde's description of a type in the words of a file.
fn expectation(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let whole = |largest: u64| format!("a whole number from 0 to {largest}");
    match text.as_str() {
        "u8" => whole(u8::MAX.into()),
        "u16" => whole(u16::MAX.into()),
        "u32" => whole(u32::MAX.into()),
        "u64" | "usize" => "a whole number of at least 0".into(),
        "i64" => "a whole number".into(),
        "f64" => "a number".into(),
        "a string" => "a text in quotes".into(),
        "a boolean" => "true or false".into(),
        "a sequence" => "a list".into(),
        "a map" => "a table".into(),
        _ if text.starts_with("struct") => "a table".into(),
        _ if text.starts_with("enum") => "a name, or a table with a name,".into(),
        _ => text,
    }
}

fn found(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Str(value) => format!("the text \"{value}\""),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a table".into(),
        other => other.to_string(),
    }
}

impl de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(message.to_string(), "")
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(
            format!("{} is expected, not {}", expectation(expected), found(&unexpected)),
            "",
        )
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(
            format!("`{variant}` is not known"),
            suggestion(variant, expected, "names"),
        )
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(
            format!("the key `{field}` is not known"),
            suggestion(field, expected, "keys"),
        )
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(
            format!("the key `{field}` is missing"),
            "add it; docs/configuration.md describes every key",
        )
    }
}

/// How a value looks to serde's messages.
fn unexpected(node: &ConfigValue) -> Unexpected<'_> {
    match node {
        ConfigValue::Table(_) => Unexpected::Map,
        ConfigValue::List(_) => Unexpected::Seq,
        ConfigValue::Text(text) => Unexpected::Str(text),
        ConfigValue::Integer(n) => i64::try_from(*n).map_or(Unexpected::Unsigned(*n as u64), Unexpected::Signed),
        ConfigValue::Float(x) => Unexpected::Float(*x),
        ConfigValue::Boolean(b) => Unexpected::Bool(*b),
    }
}

/// A value of the tree as serde sees it.
#[derive(Clone, Copy)]
struct Value<'a>(&'a Entry);

impl<'de> de::Deserializer<'de> for Value<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let result = match &self.0.node {
            ConfigValue::Table(table) => visitor.visit_map(Pairs::new(table)),
            ConfigValue::List(list) => visitor.visit_seq(Elements { list, next: 0 }),
            ConfigValue::Text(text) => visitor.visit_str(text),
            ConfigValue::Integer(n) => match i64::try_from(*n) {
                Ok(n) => visitor.visit_i64(n),
                Err(_) => visitor.visit_u64(*n as u64),
            },
            ConfigValue::Float(x) => visitor.visit_f64(*x),
            ConfigValue::Boolean(b) => visitor.visit_bool(*b),
        };
        // A table's own characters are its whole extent; its key says the same more briefly.
        let part = if matches!(self.0.node, ConfigValue::Table(_)) {
            Part::Key
        } else {
            Part::Value
        };
        result.map_err(|error| error.or_at(self.0, part))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if matches!(self.0.node, ConfigValue::Text(_)) && fields.contains(&"file") {
            let table = [("file".to_owned(), self.0.clone())];
            return visitor
                .visit_map(Pairs::new(&table))
                .map_err(|error| error.or_at(self.0, Part::Value));
        }
        // A list would fill the fields by position.
        if let ConfigValue::List(_) = self.0.node {
            let error = de::Error::invalid_type(Unexpected::Seq, &"a table");
            return Err(Error::or_at(error, self.0, Part::Value));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let valid = || suggestion("", names, "names");
        match &self.0.node {
            ConfigValue::Text(name) => visitor.visit_enum(Choice {
                name,
                named_at: (self.0, Part::Value),
                content: &Entry::empty_table(self.0.origin.clone()),
            }),
            ConfigValue::Table(table) => {
                let unknown = table.iter().find(|(name, _)| !names.contains(&name.as_str()));
                match (unknown, table.as_slice()) {
                    (Some((name, entry)), _) => {
                        Err(Error::or_at(de::Error::unknown_variant(name, names), entry, Part::Key))
                    }
                    (None, [(name, content)]) => visitor.visit_enum(Choice {
                        name,
                        named_at: (content, Part::Key),
                        content,
                    }),
                    (None, []) => Err(Error::new("the table is empty", valid()).or_at(self.0, Part::Key)),
                    (None, [(first, _), (second, entry), ..]) => {
                        let message = format!("there is `{first}` already: `{second}` cannot stand beside it");
                        Err(Error::new(message, "exactly one of them is expected").or_at(entry, Part::Key))
                    }
                }
            }
            other => Err(de::Error::invalid_type(
                unexpected(other),
                &"a name, or a table with a name,",
            )),
        }
        .map_err(|error: Error| error.or_at(self.0, Part::Value))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// Keys and values of a table.
struct Pairs<'a> {
    table: &'a [(String, Entry)],
    next: usize,
}

impl<'a> Pairs<'a> {
    fn new(table: &'a [(String, Entry)]) -> Self {
        Self { table, next: 0 }
    }
}

impl<'de> de::MapAccess<'de> for Pairs<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, entry)) = self.table.get(self.next) else {
            return Ok(None);
        };
        let key = key.as_str().into_deserializer();
        seed.deserialize(key)
            .map(Some)
            .map_err(|error: Error| error.or_at(entry, Part::Key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, entry) = &self.table[self.next];
        self.next += 1;
        let result = match entry.text() {
            Some(name) if names_a_file(key) => {
                seed.deserialize(entry.locate(name).display().to_string().into_deserializer())
            }
            _ => seed.deserialize(Value(entry)),
        };
        result.map_err(|error: Error| error.or_at(entry, Part::Value).under(key))
    }
}

/// Elements of a list.
struct Elements<'a> {
    list: &'a [Entry],
    next: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(entry) = self.list.get(self.next) else {
            return Ok(None);
        };
        self.next += 1;
        seed.deserialize(Value(entry))
            .map(Some)
            .map_err(|error| error.or_at(entry, Part::Value).under((self.next - 1).to_string()))
    }
}

/// One of several named tables.
struct Choice<'a> {
    name: &'a str,
    named_at: (&'a Entry, Part),
    content: &'a Entry,
}

impl<'de, 'a> de::EnumAccess<'de> for Choice<'a> {
    type Error = Error;
    type Variant = Content<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content<'a>), Error> {
        let name = self.name.into_deserializer();
        let (entry, part) = self.named_at;
        let chosen = seed
            .deserialize(name)
            .map_err(|error: Error| error.or_at(entry, part))?;
        let content = Content {
            name: self.name,
            entry: self.content,
        };
        Ok((chosen, content))
    }
}

struct Content<'a> {
    name: &'a str,
    entry: &'a Entry,
}

impl<'de> de::VariantAccess<'de> for Content<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.entry.children() {
            [] => Ok(()),
            [(key, entry), ..] => Err(Error::new(format!("`{}` has no key `{key}`", self.name), "")
                .or_at(entry, Part::Key)
                .under(self.name)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(Value(self.entry))
            .map_err(|error| error.under(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_any(Value(self.entry), visitor).map_err(|error| error.under(self.name))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_struct(Value(self.entry), "", fields, visitor)
            .map_err(|error| error.under(self.name))
    }
}
