//! A topology in a file of its own.

use std::fmt;

use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::faults::Fault;
use super::table::Topology;

/// What a topology file holds: one table named after the kind of fabric, as under `topology` in an
/// experiment, and the faults that the fabric has in every experiment.
///
/// ```toml
/// [leaf-spine]
/// leaves = 4
/// # ...
///
/// [[faults]]
/// link = "leaf0-spine0"
/// down = true
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TopologyFile {
    /// The fabric.
    pub topology: Topology,
    /// In force before those of the experiment, which may change the same links again.
    pub faults: Vec<Fault>,
}

const FAULTS: &str = "faults";

impl<'de> Deserialize<'de> for TopologyFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FileVisitor)
    }
}

struct FileVisitor;

impl<'de> Visitor<'de> for FileVisitor {
    type Value = TopologyFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one table named after a kind of topology ({})", kinds())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TopologyFile, A::Error> {
        let (mut topology, mut faults) = (None, None);
        while let Some(Key(key)) = map.next_key()? {
            if key == FAULTS {
                faults = Some(map.next_value()?);
            } else if topology.is_some() {
                map.next_value::<Second>()?;
            } else {
                topology = Some(Topology::deserialize(de::value::MapAccessDeserializer::new(
                    OneEntry {
                        key: Some(key),
                        map: &mut map,
                    },
                ))?);
            }
        }
        Ok(TopologyFile {
            topology: topology.ok_or_else(|| {
                de::Error::custom(format!("there is no table named after a kind of topology: {}", kinds()))
            })?,
            faults: faults.unwrap_or_default(),
        })
    }
}

fn kinds() -> String {
    let names: Vec<_> = Topology::ALL.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// A top-level key. It is checked as it is read, so that an unknown one is an error at its place.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = String::deserialize(deserializer)?;
        if key == FAULTS || Topology::ALL.iter().any(|(name, _)| *name == key) {
            return Ok(Self(key));
        }
        Err(de::Error::custom(format!(
            "unknown key `{key}`: a topology file holds one of {}, and `faults`",
            kinds()
        )))
    }
}

/// A table after the first topology: an error at its place.
struct Second;

impl<'de> Deserialize<'de> for Second {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("this is a second topology; a file holds one"))
    }
}

/// The entry at hand of a larger map, as a map of its own.
struct OneEntry<'a, A> {
    key: Option<String>,
    map: &'a mut A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for OneEntry<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.key.take() {
            Some(key) => seed.deserialize(key.into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
