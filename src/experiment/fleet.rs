//! The table `[fleet]`: jobs that come and go on one fabric, links that fail meanwhile, and how hosts are given out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, Entry};
use crate::units::{Rate, Time};
use crate::workload::Workload;

/// What `fabricsim fleet` simulates: many jobs, one after the other and side by side. Other commands leave it alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetOptions {
    /// The jobs.
    pub jobs: FleetJobs,
    /// What jobs do in each of their rounds, by name: `program`s. By default the experiment's own workload.
    #[serde(default)]
    pub kinds: BTreeMap<String, Workload>,
    /// Which hosts jobs get; every one is simulated. By default all.
    #[serde(default = "all_policies")]
    pub policies: Vec<FleetPolicy>,
    /// Whether jobs begin later so that their peaks keep apart; each is simulated. By default no.
    #[serde(default = "unshifted")]
    pub shifts: Vec<bool>,
    /// Links that fail meanwhile.
    #[serde(default)]
    pub outages: Option<FleetOutages>,
}

/// Jobs from a file, or drawn from the seed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FleetJobs {
    /// A CSV file with the columns `name,arrival,hosts,rounds`, and `kind` where there are several. Times have units.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// Without a file: how many jobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The mean time between two arrivals, which are exponentially distributed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Time>,
    /// How many hosts a job has: one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<u32>,
    /// How many rounds it does: one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<u32>,
}

/// Outages from a file, or drawn from the seed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FleetOutages {
    /// A CSV file with the columns `link,from,until`, and `rate` where the link is slow instead of down.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// Without a file: the mean time between two outages, which are exponentially distributed; each is of any cable between
    /// switches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Time>,
    /// How long each lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Time>,
    /// The rate of the link meanwhile; by default it is down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// Which of the free hosts a job gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FleetPolicy {
    /// The first.
    Packed,
    /// One of each leaf in turn.
    Spread,
    /// The fewest leaves: that with the fewest free hosts that has enough, else the emptiest first.
    ByLeaf,
    /// Any, drawn from the seed.
    Random,
    /// The same as `random`, with ranks in the order that `fabricsim order` finds.
    Ordered,
}

impl FleetPolicy {
    /// As in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Packed => "packed",
            Self::Spread => "spread",
            Self::ByLeaf => "by-leaf",
            Self::Random => "random",
            Self::Ordered => "ordered",
        }
    }
}

fn all_policies() -> Vec<FleetPolicy> {
    use FleetPolicy::{ByLeaf, Ordered, Packed, Random, Spread};
    vec![Packed, Spread, ByLeaf, Random, Ordered]
}

fn unshifted() -> Vec<bool> {
    vec![false]
}

/// Jobs that are drawn at most.
const MOST_JOBS: u32 = 100_000;

impl FleetOptions {
    /// Reads the table.
    ///
    /// # Errors
    /// Keys that are not there or missing, and values that make no sense together.
    pub fn read(table: &Entry) -> Result<Self, ConfigError> {
        let options: Self = table.read()?;
        options.check().map_err(|(key, message, help)| {
            let at = table.deepest(key);
            ConfigError::new(format!("fleet.{key}: {message}"))
                .help(help)
                .at_value(at)
        })?;
        Ok(options)
    }

    fn check(&self) -> Result<(), Wrong> {
        self.jobs.check()?;
        if let Some(outages) = &self.outages {
            outages.check()?;
        }
        if self.policies.is_empty() {
            return Err((
                "policies",
                "the list is empty".into(),
                "list at least one, or take it out",
            ));
        }
        if self.shifts.is_empty() {
            return Err((
                "shifts",
                "the list is empty".into(),
                "list `true`, `false` or both, or take it out",
            ));
        }
        for workload in self.kinds.values() {
            if !matches!(workload, Workload::Program(_)) {
                let message = format!("a kind of jobs is `{}`", workload.name());
                return Err(("kinds", message, "write it as a `program`, whose rounds can be counted"));
            }
        }
        Ok(())
    }
}

/// The key, what is wrong with it, and the remedy.
type Wrong = (&'static str, String, &'static str);

impl FleetJobs {
    fn check(&self) -> Result<(), Wrong> {
        let drawn = self.count.is_some() || self.every.is_some() || !self.hosts.is_empty() || !self.rounds.is_empty();
        match (!self.file.is_empty(), self.count) {
            (true, _) if drawn => Err((
                "jobs",
                "jobs come from a file and are drawn".into(),
                "take out `file`, or all other keys",
            )),
            (true, _) => Ok(()),
            (false, Some(count)) if !(1..=MOST_JOBS).contains(&count) => {
                Err(("jobs.count", format!("there are {count} jobs"), "draw 1 to 100000"))
            }
            (false, Some(_)) if self.every.is_some() && !self.hosts.is_empty() && !self.rounds.is_empty() => {
                match self.hosts.contains(&0) || self.hosts.contains(&1) || self.rounds.contains(&0) {
                    true => Err(("jobs", "a job has fewer than 2 hosts, or no round".into(), "raise it")),
                    false => Ok(()),
                }
            }
            _ => Err((
                "jobs",
                "it does not say which jobs there are".into(),
                "write `file`, or all of `count`, `every`, `hosts` and `rounds`",
            )),
        }
    }
}

impl FleetOutages {
    fn check(&self) -> Result<(), Wrong> {
        match (!self.file.is_empty(), self.every, self.lasts) {
            (true, None, None) if self.rate.is_none() => Ok(()),
            (false, Some(every), Some(lasts)) if !every.is_zero() && !lasts.is_zero() => Ok(()),
            _ => Err((
                "outages",
                "it does not say which outages there are".into(),
                "write `file` alone, or `every` and `lasts`, both above 0",
            )),
        }
    }
}
