//! Topology files of htsim (`.topo`): two or three tiers of switches of one kind each.
//!
//! ```text
//! Nodes 32
//! Tiers 2
//! Podsize 32
//! Tier 0
//! Downlink_speed_Gbps 100
//! Radix_Down 8
//! Radix_Up 2
//! Oversubscribed 4
//! Downlink_Latency_ns 1000
//! Tier 1
//! ...
//! ```
//!
//! Case does not matter in keys; lines that begin with `#` are comments. Tier 0 are the switches
//! above the hosts. Optional are `Queue_Up` and `Queue_Down` (bytes), `Bundle` (parallel links
//! below this tier), `Switch_Latency_ns`, and `Oversubscribed` where it is 1.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, Cable};
use super::fat_tree::FatTree;
use super::kind::Kind;
use super::leaf_spine::LeafSpine;
use crate::input::{Files, InputError};
use crate::units::{Bytes, Rate, Time};

/// A fabric described by a `.topo` file of htsim. Two tiers are a leaf-spine, three a fat-tree; the
/// nodes and cables have the names of these kinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Htsim {
    /// Path of the `.topo` file.
    pub file: String,
}

impl Kind for Htsim {
    fn draw(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint(files)
    }
}

impl Htsim {
    /// Draws the fabric, with the file's queue limits and switch latencies.
    pub fn blueprint(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        let text = files.read(&self.file)?;
        let topo = TopoFile::parse(&self.file, &text);
        topo.map_err(|error| other_kind(&self.file, &text).unwrap_or(error))?
            .blueprint()
    }
}

type OtherKind = (&'static str, &'static str, &'static [&'static str]);

/// Kinds of fabrics that forks of htsim also describe in `.topo` files: their name, how it is written there without
/// blanks, dashes and underscores, and the words of their keys where no name is written, all of them.
const OTHER_KINDS: &[OtherKind] = &[
    ("dragonfly+", "dragonflyplus", &[]),
    ("dragonfly", "dragonfly", &["p", "a", "h"]),
    ("slim fly", "slimfly", &["p", "q"]),
    ("HyperX", "hyperx", &[]),
    ("HammingMesh", "hammingmesh", &[]),
    ("torus", "torus", &[]),
    ("Jellyfish", "jellyfish", &[]),
    ("Xpander", "xpander", &[]),
    ("BCube", "bcube", &[]),
];

/// The error for a file of another kind, which says what it is by a name or by its keys. Comments and the file's name
/// count only where there are no tiers.
fn other_kind(file: &str, text: &str) -> Option<InputError> {
    let plain = |text: &str| text.to_lowercase().replace([' ', '-', '_'], "");
    let code: Vec<&str> = text.lines().filter_map(|line| line.split('#').next()).collect();
    let keys = || code.iter().filter_map(|line| line.split([' ', '\t', '=', ':']).next());
    let has_key = |key: &str| keys().any(|found| found.eq_ignore_ascii_case(key));
    let has_tiers = has_key("Tier");
    let base = Path::new(file).file_name().and_then(|name| name.to_str());
    let names = match has_tiers {
        true => plain(&code.join("\n")),
        false => plain(text) + "\n" + &plain(base.unwrap_or_default()),
    };
    let named = |(_, name, _): &&OtherKind| names.contains(name);
    let described =
        |(.., words): &&OtherKind| !has_tiers && !words.is_empty() && words.iter().all(|word| has_key(word));
    let mut kinds = OTHER_KINDS.iter();
    let kind = kinds.clone().find(named).or_else(|| kinds.find(described));
    kind.map(|(kind, ..)| {
        let message = format!("this describes a {kind}, and only tiers of switches are read from `.topo` files");
        InputError::file(file, message).help("describe its nodes and links as a `graph`")
    })
}

const HEADER: &[&str] = &["Nodes", "Tiers", "Podsize"];
const TIER: &[&str] = &[
    "Downlink_speed_Gbps",
    "Radix_Down",
    "Radix_Up",
    "Queue_Up",
    "Queue_Down",
    "Oversubscribed",
    "Bundle",
    "Switch_Latency_ns",
    "Downlink_Latency_ns",
];

/// Keys and values under one heading.
#[derive(Debug, Default)]
struct Section {
    /// `the header` or `Tier 1`.
    title: String,
    /// Line of the heading.
    line: usize,
    values: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: &'static str,
    value: u32,
    line: usize,
}

impl Section {
    fn find(&self, key: &str) -> Option<Entry> {
        self.values.iter().copied().find(|entry| entry.key == key)
    }

    fn value_or(&self, key: &str, default: u32) -> u32 {
        self.find(key).map_or(default, |entry| entry.value)
    }

    fn line_of(&self, key: &str) -> usize {
        self.find(key).map_or(self.line, |entry| entry.line)
    }

    /// A value that must be there, and not zero.
    fn need(&self, file: &str, key: &str) -> Result<u32, InputError> {
        match self.find(key) {
            Some(Entry { value: 0, line, .. }) => {
                Err(InputError::line(file, line, format!("`{key}` is 0")).help("it must be at least 1"))
            }
            Some(entry) => Ok(entry.value),
            None => Err(
                InputError::line(file, self.line, format!("{} has no `{key}`", self.title))
                    .help(format!("add a line `{key}` with its value")),
            ),
        }
    }
}

struct TopoFile<'a> {
    file: &'a str,
    header: Section,
    tiers: Vec<Section>,
}

impl<'a> TopoFile<'a> {
    fn parse(file: &'a str, text: &str) -> Result<Self, InputError> {
        let header = Section {
            title: "the header".into(),
            line: 1,
            values: Vec::new(),
        };
        let mut topo = Self {
            file,
            header,
            tiers: Vec::new(),
        };
        for (i, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            if let Some(key) = words.next() {
                topo.add(i + 1, key, &words.collect::<Vec<_>>())?;
            }
        }
        let tiers = topo.header.need(file, "Tiers")?;
        if !(2..=3).contains(&tiers) {
            let line = topo.header.line_of("Tiers");
            return Err(InputError::line(file, line, format!("`Tiers` is {tiers}")).help("it must be 2 or 3"));
        }
        if topo.tiers.len() != tiers as usize {
            let message = format!("{} of {tiers} tiers are described", topo.tiers.len());
            return Err(InputError::line(file, topo.header.line_of("Tiers"), message)
                .help("write one section per tier, beginning with `Tier 0`"));
        }
        Ok(topo)
    }

    fn add(&mut self, line: usize, key: &str, values: &[&str]) -> Result<(), InputError> {
        let error = |message: String| InputError::line(self.file, line, message);
        let &[value] = values else {
            return Err(error(format!("`{key}` is followed by {} values", values.len()))
                .help("every line is a key and a whole number"));
        };
        let value: u32 = value.parse().map_err(|_| {
            error(format!("`{value}` is not a whole number below 2^32")).help(format!("write `{key}` and a number"))
        })?;
        if key.eq_ignore_ascii_case("Tier") {
            if value as usize != self.tiers.len() {
                return Err(
                    error(format!("`Tier {value}` follows after {} tiers", self.tiers.len()))
                        .help("tiers are described in order, from `Tier 0`"),
                );
            }
            self.tiers.push(Section {
                title: format!("Tier {value}"),
                line,
                values: Vec::new(),
            });
            return Ok(());
        }
        let allowed = if self.tiers.is_empty() { HEADER } else { TIER };
        let section = self.tiers.last_mut().unwrap_or(&mut self.header);
        let Some(key) = allowed.iter().find(|k| k.eq_ignore_ascii_case(key)) else {
            let message = format!("unknown key `{key}` in {}", section.title);
            return Err(
                InputError::line(self.file, line, message).help(format!("keys there are {}", allowed.join(", ")))
            );
        };
        if let Some(earlier) = section.find(key) {
            let message = format!("`{key}` is set twice, first in line {}", earlier.line);
            return Err(InputError::line(self.file, line, message).help("remove one of the lines"));
        }
        section.values.push(Entry { key, value, line });
        Ok(())
    }

    fn blueprint(&self) -> Result<Blueprint, InputError> {
        let nodes = self.header.need(self.file, "Nodes")?;
        let pod_size = self.header.need(self.file, "Podsize")?;
        let hosts_per_tor = self.tiers[0].need(self.file, "Radix_Down")?;
        let bundle = self.tiers[0].value_or("Bundle", 1);
        self.agree(&self.tiers[0], "Bundle", bundle, 1, "a host has one link")?;
        let pods = self.quotient(&self.header, "Podsize", nodes, pod_size, "Nodes")?;
        let tors_per_pod = self.quotient(&self.tiers[0], "Radix_Down", pod_size, hosts_per_tor, "Podsize")?;
        let (aggs_per_pod, tor_parallel) = self.stage(1, tors_per_pod)?;
        let drawing = if self.tiers.len() == 2 {
            self.agree(&self.header, "Podsize", pod_size, nodes, "two tiers are a single pod")?;
            let fabric = LeafSpine {
                leaves: tors_per_pod,
                spines: aggs_per_pod,
                hosts_per_leaf: hosts_per_tor,
                host_link: self.cable(0)?,
                fabric_link: self.cable(1)?,
                parallel: tor_parallel,
            };
            fabric.blueprint()
        } else {
            let (group, core_parallel) = self.stage(2, pods)?;
            let fabric = FatTree {
                pods,
                tors_per_pod,
                aggs_per_pod,
                cores: group.saturating_mul(aggs_per_pod),
                hosts_per_tor,
                host_link: self.cable(0)?,
                tor_link: self.cable(1)?,
                core_link: self.cable(2)?,
                tor_parallel,
                core_parallel,
            };
            fabric.blueprint()
        };
        let mut drawing = drawing.map_err(|error| InputError::file(self.file, error.message).help(error.help))?;
        self.dress(&mut drawing);
        Ok(drawing)
    }

    /// Number of switches of tier `tier` above each switch below, and of parallel links to each.
    /// `below` switches of the lower tier hang on each of this one.
    fn stage(&self, tier: usize, below: u32) -> Result<(u32, u32), InputError> {
        let (lower, upper) = (&self.tiers[tier - 1], &self.tiers[tier]);
        let bundle = match upper.find("Bundle") {
            Some(_) => upper.need(self.file, "Bundle")?,
            None => 1,
        };
        let radix_up = lower.need(self.file, "Radix_Up")?;
        let above = self.quotient(lower, "Radix_Up", radix_up, bundle, &format!("Bundle` of `Tier {tier}"))?;
        let needed = u64::from(below) * u64::from(bundle);
        let radix_down = upper.need(self.file, "Radix_Down")?;
        let why = format!("{below} switches of tier {} hang on each, by {bundle} links", tier - 1);
        if u64::from(radix_down) != needed {
            let message = format!("`Radix_Down` is {radix_down} where it must be {needed}");
            return Err(InputError::line(self.file, upper.line_of("Radix_Down"), message).help(why));
        }
        self.check_oversubscription(tier)?;
        Ok((above, bundle))
    }

    /// `Oversubscribed` must say what radix and speeds say.
    fn check_oversubscription(&self, tier: usize) -> Result<(), InputError> {
        let (lower, upper) = (&self.tiers[tier - 1], &self.tiers[tier]);
        let capacity = |section: &Section, radix: &str, speed: &Section| -> Result<u64, InputError> {
            let speed = speed.need(self.file, "Downlink_speed_Gbps")?;
            Ok(u64::from(section.need(self.file, radix)?) * u64::from(speed))
        };
        let (down, up) = (
            capacity(lower, "Radix_Down", lower)?,
            capacity(lower, "Radix_Up", upper)?,
        );
        let claimed = lower.value_or("Oversubscribed", 1);
        if u128::from(up) * u128::from(claimed) != u128::from(down) {
            let message = format!(
                "{} has {down} Gbps down and {up} Gbps up, not {claimed} to 1",
                lower.title
            );
            let help = match down.is_multiple_of(up) {
                true => format!("write `Oversubscribed {}`", down / up),
                false => "speeds and radixes must give a whole ratio".to_owned(),
            };
            return Err(InputError::line(self.file, lower.line_of("Oversubscribed"), message).help(help));
        }
        Ok(())
    }

    /// `dividend / divisor`, which must be whole.
    fn quotient(&self, section: &Section, key: &str, dividend: u32, divisor: u32, of: &str) -> Result<u32, InputError> {
        if dividend == 0 || !dividend.is_multiple_of(divisor) {
            let message = match key {
                "Radix_Up" => format!("`{key}` is {dividend}, not a multiple of the `{of}`, {divisor}"),
                _ => format!("`{key}` is {divisor}, which does not divide `{of}`, {dividend}"),
            };
            let help = "all switches of a tier are alike";
            return Err(InputError::line(self.file, section.line_of(key), message).help(help));
        }
        Ok(dividend / divisor)
    }

    fn agree(&self, section: &Section, key: &str, value: u32, needed: u32, why: &str) -> Result<(), InputError> {
        if value != needed {
            let message = format!("`{key}` is {value} where it must be {needed}");
            return Err(InputError::line(self.file, section.line_of(key), message).help(why));
        }
        Ok(())
    }

    /// The links below a tier.
    fn cable(&self, tier: usize) -> Result<Cable, InputError> {
        let section = &self.tiers[tier];
        let delay = section.find("Downlink_Latency_ns").ok_or_else(|| {
            InputError::line(
                self.file,
                section.line,
                format!("{} has no `Downlink_Latency_ns`", section.title),
            )
            .help("add a line `Downlink_Latency_ns` with its value")
        })?;
        Ok(Cable {
            rate: Rate::from_gbps(u64::from(section.need(self.file, "Downlink_speed_Gbps")?)),
            delay: Time::from_ns(u64::from(delay.value)),
        })
    }

    /// Sets the switches' latencies and the limits of their output queues.
    fn dress(&self, drawing: &mut Blueprint) {
        let graph = &mut drawing.graph;
        let tier_of = |tier: u8| usize::from(tier).checked_sub(1).map(|t| &self.tiers[t]);
        for node in graph.node_weights_mut() {
            if let Some(section) = tier_of(node.tier) {
                node.latency = Time::from_ns(u64::from(section.value_or("Switch_Latency_ns", 0)));
            }
        }
        for edge in graph.edge_indices() {
            let Some((from, to)) = graph.edge_endpoints(edge) else {
                continue;
            };
            let key = if graph[to].tier > graph[from].tier {
                "Queue_Up"
            } else {
                "Queue_Down"
            };
            let queue = tier_of(graph[from].tier).map_or(0, |section| section.value_or(key, 0));
            graph[edge].queue = (queue > 0).then_some(Bytes(u64::from(queue)));
        }
    }
}
