//! Two results folders, row by row: what became faster, slower, is new or gone.

use std::collections::BTreeMap;

use super::math::Spread;
use super::table::Table;
use crate::results::{Folder, FolderPoint, Number};

/// What a row is about: every setting but the seed, by name.
type Setting = Vec<(String, String)>;

/// One setting that both folders have.
#[derive(Debug)]
struct Matched {
    setting: Setting,
    /// Completion times by seed, in the first folder and in the second.
    times: Vec<(f64, f64)>,
}

impl Matched {
    fn ratios(&self) -> Spread {
        self.times.iter().map(|(before, after)| after / before).collect()
    }
}

/// The comparison of two folders.
#[derive(Debug, Default)]
pub struct Comparison {
    matched: Vec<Matched>,
    /// Settings and seeds that have a completion time in one of the folders only.
    pub gone: Vec<String>,
    /// Rows that only the second has.
    pub new: Vec<String>,
}

/// Matches the rows of two folders by all that they set.
pub fn compare(before: &Folder, after: &Folder) -> Comparison {
    let (mut left, mut right) = (times(before), times(after));
    let mut comparison = Comparison::default();
    for (setting, seeds) in std::mem::take(&mut left) {
        let mut others = right.remove(&setting).unwrap_or_default();
        let mut times = Vec::new();
        for (seed, before) in seeds {
            match others.remove(&seed) {
                Some(after) => times.push((before, after)),
                None => comparison.gone.push(named(&setting, seed)),
            }
        }
        comparison
            .new
            .extend(others.into_keys().map(|seed| named(&setting, seed)));
        if !times.is_empty() {
            comparison.matched.push(Matched { setting, times });
        }
    }
    for (setting, seeds) in right {
        comparison
            .new
            .extend(seeds.into_keys().map(|seed| named(&setting, seed)));
    }
    comparison
}

impl Comparison {
    /// Rows that both have: what they set where they differ, mean times, and the ratio with its least and largest over the seeds.
    pub fn table(&self) -> Table {
        let differs = |key: &str| {
            let value = |matched: &Matched| matched.setting.iter().find(|(name, _)| name == key).cloned();
            self.matched
                .iter()
                .any(|matched| value(matched) != value(&self.matched[0]))
        };
        let mut keys: Vec<&str> = Vec::new();
        for (key, _) in self.matched.iter().flat_map(|matched| &matched.setting) {
            if !keys.contains(&key.as_str()) && (key == "load_balancing" || differs(key)) {
                keys.push(key);
            }
        }
        let headings: Vec<&str> = keys
            .iter()
            .copied()
            .chain(["seeds", "before_us", "after_us", "ratio", "least", "largest"])
            .collect();
        let rows = self.matched.iter().map(|matched| {
            let set = |key: &&str| {
                let found = matched.setting.iter().find(|(name, _)| name == key);
                found.map(|(_, value)| value.clone()).unwrap_or_default()
            };
            let mean = |time: fn(&(f64, f64)) -> f64| {
                let sum: f64 = matched.times.iter().map(time).sum();
                Number::new(sum / matched.times.len() as f64).to_string()
            };
            let ratios = matched.times.iter().map(|(before, after)| after / before);
            let least = ratios.clone().fold(f64::INFINITY, f64::min);
            let largest = ratios.fold(0.0, f64::max);
            let figures = [
                matched.times.len().to_string(),
                mean(|time| time.0),
                mean(|time| time.1),
                format!("{:.4}", matched.ratios().geometric_mean()),
                format!("{least:.4}"),
                format!("{largest:.4}"),
            ];
            keys.iter().map(set).chain(figures).collect()
        });
        Table::new(&headings, rows.collect())
    }

    /// Settings that both have.
    pub fn settings(&self) -> usize {
        self.matched.len()
    }

    /// The geometric mean of all ratios of times, after over before.
    pub fn ratio(&self) -> f64 {
        let ratios: Spread = self
            .matched
            .iter()
            .map(|matched| matched.ratios().geometric_mean())
            .collect();
        ratios.geometric_mean()
    }

    /// Settings that take more than `percent` longer than before.
    pub fn slower(&self, percent: f64) -> usize {
        let limit = 1.0 + percent / 100.0;
        self.matched
            .iter()
            .filter(|matched| matched.ratios().geometric_mean() > limit)
            .count()
    }
}

/// Completion times by setting and seed.
fn times(folder: &Folder) -> BTreeMap<Setting, BTreeMap<u64, f64>> {
    let mut times: BTreeMap<Setting, BTreeMap<u64, f64>> = BTreeMap::new();
    for point in &folder.points {
        if let Some(us) = point.row.cct_us {
            times
                .entry(setting(point))
                .or_default()
                .insert(point.row.seed, us.value());
        }
    }
    times
}

fn setting(point: &FolderPoint) -> Setting {
    let row = &point.row;
    let own = [
        ("engine", row.engine.clone()),
        ("topology", row.topology.clone()),
        ("hosts", row.hosts.to_string()),
        ("workload", row.workload.clone()),
        (
            "size_bytes",
            row.size_bytes.map(|bytes| bytes.to_string()).unwrap_or_default(),
        ),
        ("load_balancing", row.load_balancing.clone()),
        ("transport", row.transport.clone().unwrap_or_default()),
    ];
    let known = |key: &str| key == "seed" || own.iter().any(|(name, _)| *name == key);
    // Sizes are a column already.
    let is_size = |key: &str| key.starts_with("workload.") && (key.ends_with(".size") || key.ends_with(".message"));
    let swept = point.swept.iter().chain(&point.options);
    let further: Vec<_> = swept.filter(|(key, _)| !known(key) && !is_size(key)).cloned().collect();
    own.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(further)
        .collect()
}

fn named(setting: &Setting, seed: u64) -> String {
    let values = setting
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={value}"));
    values.chain([format!("seed={seed}")]).collect::<Vec<_>>().join(" ")
}
