//! What all workloads share: how many ranks take part, and on which hosts they live.

use std::collections::BTreeSet;
use std::fmt;

use rand::seq::SliceRandom;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::rank_file::RankFile;
use crate::input::{Files, InputError};
use crate::rng;

/// Declares the struct of a workload with its own keys and the two that every workload takes.
macro_rules! ranked {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            /// Number of ranks that take part, at least 2; by default as many as there are hosts.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub ranks: Option<u32>,
            /// Which host each rank lives on: "in-order" (rank r on host r), "strided" (neighboring
            /// ranks far apart), "random" (drawn from the seed), a list of hosts, one per rank, or
            /// `{ file = "rank-map.json" }`, as `fabricsim order` writes it.
            #[serde(default)]
            pub rank_map: $crate::workload::RankMap,
        }

        impl $crate::workload::ranks::Ranked for $name {
            fn ranks(&self) -> Option<u32> {
                self.ranks
            }

            fn rank_map(&self) -> &$crate::workload::RankMap {
                &self.rank_map
            }
        }
    };
}
pub(super) use ranked;

/// A workload whose ranks live on hosts.
pub trait Ranked {
    /// Number of ranks, where it is written.
    fn ranks(&self) -> Option<u32>;

    /// Where the ranks live.
    fn rank_map(&self) -> &RankMap;
}

/// Which host each rank lives on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RankMap {
    /// Rank `r` on host `r`.
    #[default]
    InOrder,
    /// Ranks 0, 1, 2, ... on hosts 0, k, 2k, ..., then 1, k + 1, ..., where k is the smallest power
    /// of two that is at least the square root of the number of hosts: in a fabric of as many leaves
    /// as hosts per leaf, neighboring ranks are never under one leaf.
    Strided,
    /// On hosts drawn from the seed.
    Random,
    /// Rank `r` on the host in place `r` of the list.
    Hosts(Vec<u32>),
    /// The same from a file.
    File(RankFile),
}

const NAMES: [(&str, RankMap); 3] = [
    ("in-order", RankMap::InOrder),
    ("strided", RankMap::Strided),
    ("random", RankMap::Random),
];

impl RankMap {
    /// The number of ranks on `hosts` hosts, `ranks` of them being asked for.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn count(&self, ranks: Option<u32>, hosts: u32, files: &dyn Files) -> Result<u32, InputError> {
        let listed = |list: &[u32]| u32::try_from(list.len()).unwrap_or(u32::MAX);
        match (self, ranks) {
            (_, Some(ranks)) => Ok(ranks),
            (Self::Hosts(list), None) => Ok(listed(list)),
            (Self::File(file), None) => Ok(listed(&file.read(files)?)),
            _ => Ok(hosts),
        }
    }

    /// The host of each of `ranks` ranks; `None` where rank `r` lives on host `r`.
    ///
    /// # Errors
    /// More ranks than hosts, fewer than 2, or a list or file that does not name one host for each.
    pub(super) fn hosts(
        &self,
        ranks: u32,
        hosts: u32,
        files: &dyn Files,
        seed: u64,
    ) -> Result<Option<Vec<u32>>, InputError> {
        if hosts < 2 {
            let message = format!("a workload needs at least 2 hosts, and there is {hosts}");
            return Err(InputError::key("", message).help("take a larger fabric"));
        }
        if ranks < 2 {
            let message = format!("there must be at least 2 ranks, and there are {ranks}");
            return Err(InputError::key("ranks", message).help(format!("from 2 to {hosts} fit the fabric")));
        }
        if ranks > hosts {
            return Err(
                InputError::key("ranks", format!("{ranks} ranks do not fit on {hosts} hosts"))
                    .help("every rank lives on a host of its own"),
            );
        }
        let mut map: Vec<u32> = match self {
            Self::InOrder => return Ok(None),
            Self::Strided => strided(hosts).collect(),
            Self::Random => {
                let mut map: Vec<u32> = (0..hosts).collect();
                map.shuffle(&mut rng::stream(seed, "rank_map", 0));
                map
            }
            Self::Hosts(list) => {
                check_list(list, ranks, hosts)?;
                list.clone()
            }
            Self::File(file) => {
                let list = file.read(files)?;
                check_list(&list, ranks, hosts)
                    .map_err(|error| InputError::file(&file.file, error.message).help(error.help))?;
                list
            }
        };
        map.truncate(ranks as usize);
        Ok(Some(map))
    }
}

/// Hosts in an order in which neighbors are far apart.
pub(super) fn strided(hosts: u32) -> impl Iterator<Item = u32> {
    let root = hosts.isqrt();
    let stride = (root + u32::from(root * root < hosts)).next_power_of_two();
    (0..stride).flat_map(move |first| (first..hosts).step_by(stride as usize))
}

fn check_list(list: &[u32], ranks: u32, hosts: u32) -> Result<(), InputError> {
    let wrong = |message: String| InputError::key("rank_map", message);
    if list.len() != ranks as usize {
        return Err(wrong(format!("{} hosts are listed for {ranks} ranks", list.len())).help("list one host per rank"));
    }
    let mut seen = BTreeSet::new();
    for (rank, &host) in list.iter().enumerate() {
        if host >= hosts {
            return Err(
                wrong(format!("rank {rank} is on host {host}, and there is no such host"))
                    .help(format!("hosts are numbered 0 to {}", hosts - 1)),
            );
        }
        if !seen.insert(host) {
            return Err(wrong(format!("host {host} is listed twice")).help("every rank lives on a host of its own"));
        }
    }
    Ok(())
}

impl Serialize for RankMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Hosts(list) => list.serialize(serializer),
            Self::File(file) => file.serialize(serializer),
            named => {
                let name = NAMES.iter().find(|(_, map)| map == named).map(|(name, _)| *name);
                serializer.serialize_str(name.unwrap_or_default())
            }
        }
    }
}

impl<'de> Deserialize<'de> for RankMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = RankMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"in-order\", \"strided\", \"random\", a list of hosts or a file with one")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RankMap, E> {
                let known = NAMES.into_iter().find(|(name, _)| *name == text);
                known
                    .map(|(_, map)| map)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<RankMap, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(RankMap::Hosts)
            }

            fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<RankMap, A::Error> {
                RankFile::deserialize(MapAccessDeserializer::new(keys)).map(RankMap::File)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for RankMap {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RankMap".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Which host each rank lives on.",
            "anyOf": [
                { "type": "string", "enum": NAMES.map(|(name, _)| name) },
                { "type": "array", "items": { "type": "integer", "minimum": 0 }, "uniqueItems": true },
                generator.subschema_for::<RankFile>(),
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::NoFiles;

    #[test]
    fn strided_ranks_leave_their_leaf() {
        let map = RankMap::Strided.hosts(256, 256, &NoFiles, 1).unwrap().unwrap();
        assert!(map.windows(2).all(|pair| pair[0] / 16 != pair[1] / 16));
        assert_eq!(
            RankMap::Strided.hosts(5, 7, &NoFiles, 1).unwrap().unwrap(),
            [0, 4, 1, 5, 2]
        );
    }

    #[test]
    fn every_map_places_every_rank_on_a_host_of_its_own() {
        for hosts in [2, 3, 12, 48, 97, 256] {
            for map in [RankMap::Strided, RankMap::Random] {
                let mut places = map.hosts(hosts, hosts, &NoFiles, 5).unwrap().unwrap();
                places.sort_unstable();
                assert!(places.into_iter().eq(0..hosts), "{map:?} on {hosts}");
            }
        }
        let random = |seed| RankMap::Random.hosts(9, 64, &NoFiles, seed).unwrap();
        assert_eq!(random(1), random(1));
        assert_ne!(random(1), random(2));
    }

    #[test]
    fn unusable_maps_are_refused() {
        let list = |hosts: &[u32]| RankMap::Hosts(hosts.to_vec());
        let error = |map: RankMap, ranks| map.hosts(ranks, 4, &NoFiles, 1).unwrap_err().to_string();
        insta::assert_snapshot!(error(RankMap::InOrder, 5), @"ranks: 5 ranks do not fit on 4 hosts (every rank lives on a host of its own)");
        insta::assert_snapshot!(error(RankMap::InOrder, 1), @"ranks: there must be at least 2 ranks, and there are 1 (from 2 to 4 fit the fabric)");
        insta::assert_snapshot!(error(list(&[0, 1]), 3), @"rank_map: 2 hosts are listed for 3 ranks (list one host per rank)");
        insta::assert_snapshot!(error(list(&[0, 4]), 2), @"rank_map: rank 1 is on host 4, and there is no such host (hosts are numbered 0 to 3)");
        insta::assert_snapshot!(error(list(&[3, 0, 3]), 3), @"rank_map: host 3 is listed twice (every rank lives on a host of its own)");
        assert_eq!(list(&[3, 0, 1]).count(None, 4, &NoFiles).unwrap(), 3);
    }

    #[test]
    fn maps_are_read_as_they_are_written() {
        for map in [
            RankMap::InOrder,
            RankMap::Strided,
            RankMap::Random,
            RankMap::Hosts(vec![2, 0]),
            RankMap::File(RankFile {
                file: "map.json".into(),
            }),
        ] {
            let text = serde_json::to_string(&map).unwrap();
            assert_eq!(serde_json::from_str::<RankMap>(&text).unwrap(), map);
        }
        let error = serde_json::from_str::<RankMap>("\"sideways\"").unwrap_err().to_string();
        insta::assert_snapshot!(error, @r#"invalid value: string "sideways", expected "in-order", "strided", "random", a list of hosts or a file with one at line 1 column 10"#);
    }
}
