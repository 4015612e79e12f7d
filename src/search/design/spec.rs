//! The table `[design]` of a design file; the rest of the file is as in an experiment, without fabric and workload.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::{ConfigDraft, ConfigError, Entry, FileStore, Setting};
use crate::units::{Rate, Time};
use crate::workload::Workload;

/// What is wanted, and what there is to build it from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DesignSpec {
    /// Hosts that are connected.
    pub hosts: u32,
    /// Kinds of fabrics.
    #[serde(default = "leaf_spine")]
    pub kinds: Vec<Kind>,
    /// Hosts under each leaf; by default every number that divides the hosts and fits a leaf.
    #[serde(default)]
    pub hosts_per_leaf: Vec<u32>,
    /// Spines; by default every number that fits a leaf.
    #[serde(default)]
    pub spines: Vec<u32>,
    /// Parallel cables of each leaf and spine.
    #[serde(default = "one")]
    pub parallel: Vec<u32>,
    /// Planes: each host has a port in each, and its data are divided among them.
    #[serde(default = "one")]
    pub planes: Vec<u32>,
    /// Propagation delay of all cables.
    #[serde(default = "delay")]
    pub delay: Time,
    /// Price of each port of a host.
    #[serde(default)]
    pub host_port_price: f64,
    /// Switches to choose from.
    pub switches: Vec<SwitchModel>,
    /// Cables between switches to choose from, with their transceivers.
    pub cables: Vec<Cabling>,
    /// Cables between hosts and leaves; by default as between switches.
    #[serde(default)]
    pub host_cables: Vec<Cabling>,
    /// What a design may cost.
    #[serde(default)]
    pub budget: Budget,
    /// What is sent; the time that counts is the sum of weight times least time.
    pub workloads: Vec<Weighted>,
    /// Failures that a design must survive.
    #[serde(default)]
    pub survive: Vec<Survive>,
    /// Designs whose least time is computed at most: if more are worth it, a genetic search chooses among them.
    #[serde(default = "evaluations")]
    pub evaluations: usize,
    /// Designs of the front that are simulated.
    #[serde(default = "confirm")]
    pub confirm: usize,
}

/// A kind of fabric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Two tiers.
    LeafSpine,
    /// Three tiers of one switch model, half of whose ports lead up.
    FatTree,
}

/// A switch that can be bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchModel {
    /// What the bill calls it.
    pub name: String,
    /// How many ports it has.
    pub ports: u32,
    /// Rate of each port.
    pub rate: Rate,
    /// In the catalogue's currency.
    pub price: f64,
    /// Watts.
    #[serde(default)]
    pub power: f64,
}

/// A cable that can be bought, with a transceiver at each end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cabling {
    /// The rate that it can carry.
    pub rate: Rate,
    /// In the catalogue's currency, with its transceivers.
    pub price: f64,
    /// Watts of both transceivers.
    #[serde(default)]
    pub power: f64,
}

/// The most that a design may take; no limit where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Price of all parts.
    pub money: Option<f64>,
    /// Watts.
    pub power: Option<f64>,
    /// All cables.
    pub cables: Option<u64>,
}

/// A workload and how much it counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighted {
    /// How much its time counts.
    #[serde(default = "weight")]
    pub weight: f64,
    /// What is sent.
    pub workload: Workload,
}

/// Failures at the worst place: all cables at one leaf, and whole spines.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Survive {
    /// Failed cables between one leaf and the tier above.
    pub cables: u32,
    /// Failed switches of the tier above the leaves.
    pub switches: u32,
    /// By how many times as long it may take then; however long where there is none.
    pub slowdown: Option<f64>,
}

fn leaf_spine() -> Vec<Kind> {
    vec![Kind::LeafSpine]
}

fn one() -> Vec<u32> {
    vec![1]
}

fn delay() -> Time {
    Time::from_ns(500)
}

fn weight() -> f64 {
    1.0
}

fn evaluations() -> usize {
    2_000
}

fn confirm() -> usize {
    3
}

/// A design file.
#[derive(Debug, Clone)]
pub struct DesignFile {
    /// Name of the file without folder and ending, or as written.
    pub name: String,
    /// The `[design]` table.
    pub spec: DesignSpec,
    /// The keys of the experiments.
    pub rest: Entry,
}

impl DesignFile {
    /// Reads a design file.
    ///
    /// # Errors
    /// A file that cannot be read, and whatever is wrong with its table `[design]`.
    pub fn read(path: &Path, settings: &[Setting], files: &FileStore) -> Result<Self, ConfigError> {
        let mut draft = ConfigDraft::load(path, settings, files)?;
        let Some(table) = draft.remove("design") else {
            return Err(ConfigError::new("design: the file says nowhere what is wanted")
                .help("add [design] with `hosts`, [[design.switches]], [[design.cables]] and [[design.workloads]]; docs/deciding.md has an example"));
        };
        for key in ["topology", "workload", "jobs", "sweep"] {
            if let Some(entry) = draft.root().child(key) {
                return Err(ConfigError::new(format!("{key}: a design file has none of its own"))
                    .help("[design] says what fabrics there are, and [[design.workloads]] what is sent")
                    .at_key(entry));
            }
        }
        let spec: DesignSpec = rooted(table.clone()).read::<Rooted>()?.design;
        spec.check().map_err(|(key, message, help)| {
            let at = table.deepest(&key);
            ConfigError::new(format!("design.{key}: {message}"))
                .help(help)
                .at_value(at)
        })?;
        let name = draft
            .root()
            .child("name")
            .and_then(Entry::text)
            .unwrap_or("design")
            .to_owned();
        Ok(Self {
            name,
            spec,
            rest: draft.root().clone(),
        })
    }
}

/// The table under its own name, so that errors say whole keys.
#[derive(Deserialize)]
struct Rooted {
    design: DesignSpec,
}

fn rooted(table: Entry) -> Entry {
    let mut root = Entry::empty_table(table.origin.clone());
    root.insert("design", table);
    root
}

type Refused = (String, String, &'static str);

impl DesignSpec {
    fn check(&self) -> Result<(), Refused> {
        let refuse = |key: &str, message: String, help| Err((key.to_owned(), message, help));
        if self.hosts < 2 {
            return refuse(
                "hosts",
                format!("there are {} hosts", self.hosts),
                "there must be at least 2",
            );
        }
        for (key, count) in [
            ("switches", self.switches.len()),
            ("cables", self.cables.len()),
            ("workloads", self.workloads.len()),
            ("kinds", self.kinds.len()),
            ("parallel", self.parallel.len()),
            ("planes", self.planes.len()),
        ] {
            if count == 0 {
                return refuse(key, "the list is empty".into(), "list at least one");
            }
        }
        for (key, list) in [
            ("hosts_per_leaf", &self.hosts_per_leaf),
            ("spines", &self.spines),
            ("parallel", &self.parallel),
            ("planes", &self.planes),
        ] {
            if let Some(place) = list.iter().position(|&count| count == 0 || count > 1 << 20) {
                let message = format!("{} is none that can be built", list[place]);
                return refuse(&format!("{key}.{place}"), message, "counts are from 1 to 1048576");
            }
        }
        let amounts = self.switches.iter().map(|model| [model.price, model.power]);
        let amounts = amounts.chain(
            self.cables
                .iter()
                .chain(&self.host_cables)
                .map(|cable| [cable.price, cable.power]),
        );
        let is_bad = |amount: &f64| !(amount.is_finite() && *amount >= 0.0);
        if amounts
            .flatten()
            .chain([self.host_port_price])
            .any(|amount| is_bad(&amount))
        {
            return refuse(
                "switches",
                "a price or power is below 0 or no number".into(),
                "write 0 where it does not count",
            );
        }
        if let Some(place) = self
            .switches
            .iter()
            .position(|model| model.ports < 2 || model.rate == Rate::ZERO)
        {
            let message = format!("`{}` connects nothing", self.switches[place].name);
            return refuse(
                &format!("switches.{place}"),
                message,
                "a switch has at least 2 ports, and a rate",
            );
        }
        if let Some(place) = self
            .workloads
            .iter()
            .position(|one| !(one.weight.is_finite() && one.weight > 0.0))
        {
            return refuse(
                &format!("workloads.{place}.weight"),
                "it is not above 0".into(),
                "take the workload out, or raise it",
            );
        }
        if self.evaluations == 0 {
            return refuse("evaluations", "it is 0".into(), "it must be at least 1");
        }
        Ok(())
    }
}
