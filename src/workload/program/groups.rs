//! Which ranks work together in an operation.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::input::InputError;

/// Who takes part in an operation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Groups {
    /// One group of all ranks.
    #[default]
    All,
    /// All ranks in groups of one size.
    Sized(Sized),
    /// The ranks of each group; ranks that are in none do not take part.
    Listed(Vec<Vec<u32>>),
}

/// Groups of `size` ranks, each `stride` after the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sized {
    pub size: u32,
    #[serde(default = "crate::input::one")]
    pub stride: u32,
}

impl Groups {
    /// The groups among `ranks` ranks, of at least `least` each.
    ///
    /// # Errors
    /// Groups that are too small, do not divide the ranks, overlap, or hold ranks that are not there.
    pub fn of(&self, ranks: u32, least: u32) -> Result<Vec<Vec<u32>>, InputError> {
        let groups = match self {
            Self::All => vec![(0..ranks).collect()],
            Self::Sized(sized) => sized.of(ranks)?,
            Self::Listed(groups) => {
                check_list(groups, ranks)?;
                groups.clone()
            }
        };
        match groups.iter().position(|group| (group.len() as u32) < least) {
            Some(small) => {
                let key = match self {
                    Self::Listed(_) => format!("groups.{small}"),
                    _ => "groups".to_owned(),
                };
                let message = format!("a group of {} has nobody to communicate with", groups[small].len());
                Err(InputError::key(key, message).help(format!("a group has at least {least} ranks")))
            }
            None => Ok(groups),
        }
    }
}

impl Sized {
    fn of(self, ranks: u32) -> Result<Vec<Vec<u32>>, InputError> {
        let Self { size, stride } = self;
        for (key, count) in [("groups.size", size), ("groups.stride", stride)] {
            if count == 0 {
                let name = &key["groups.".len()..];
                return Err(InputError::key(key, format!("`{name}` is 0")).help("it must be at least 1"));
            }
        }
        let block = u64::from(size) * u64::from(stride);
        if !u64::from(ranks).is_multiple_of(block) {
            let what = if stride == 1 {
                format!("groups of {size}")
            } else {
                format!("groups of {size} with a stride of {stride}")
            };
            let message = format!("{what} do not divide {ranks} ranks evenly");
            return Err(InputError::key("groups", message)
                .help("`size` times `stride` must divide the ranks, or list the groups"));
        }
        let starts = (0..ranks)
            .step_by(block as usize)
            .flat_map(|first| first..first + stride);
        Ok(starts
            .map(|first| (0..size).map(|member| first + member * stride).collect())
            .collect())
    }
}

fn check_list(groups: &[Vec<u32>], ranks: u32) -> Result<(), InputError> {
    if groups.is_empty() {
        return Err(
            InputError::key("groups", "there is no group").help("list the ranks of each group, as in [[0, 1], [2, 3]]")
        );
    }
    let mut seen = std::collections::BTreeMap::new();
    for (number, group) in groups.iter().enumerate() {
        let wrong = |message: String| InputError::key(format!("groups.{number}"), message);
        if group.is_empty() {
            return Err(wrong("the group is empty".to_owned()).help("list its ranks, or take it out"));
        }
        for &rank in group {
            if rank >= ranks {
                return Err(
                    wrong(format!("there is no rank {rank}")).help(format!("ranks are numbered 0 to {}", ranks - 1))
                );
            }
            match seen.insert(rank, number) {
                Some(first) if first == number => {
                    return Err(wrong(format!("rank {rank} is listed twice")).help("a rank is in a group once"));
                }
                Some(first) => {
                    return Err(wrong(format!("rank {rank} is in group {first} already"))
                        .help("groups of one operation do not overlap: make it two operations"));
                }
                None => {}
            }
        }
    }
    Ok(())
}

impl Serialize for Groups {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_none(),
            Self::Sized(sized) => sized.serialize(serializer),
            Self::Listed(groups) => groups.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Groups {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Groups;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table with `size`, or a list of lists of ranks")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Groups, A::Error> {
                Sized::deserialize(MapAccessDeserializer::new(map)).map(Groups::Sized)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Groups, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(Groups::Listed)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Groups {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Groups".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Who takes part in an operation: all ranks in groups of `size`, each rank `stride` (1 by default) after the one before, or the ranks of each group.",
            "anyOf": [
                {
                    "type": "object",
                    "properties": {
                        "size": { "type": "integer", "minimum": 1 },
                        "stride": { "type": "integer", "minimum": 1, "default": 1 },
                    },
                    "additionalProperties": false,
                },
                { "type": "array", "items": { "type": "array", "items": { "type": "integer", "minimum": 0 } } },
            ],
        })
    }
}
