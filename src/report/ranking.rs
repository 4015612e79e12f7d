//! Which scheme is the fastest, and how many times as fast as each of the others, over all that they were run on.

use std::collections::BTreeMap;

use super::math::Spread;
use crate::results::{Number, ResultRow, Swept, cell};

/// What rows of one group have in common: everything but the scheme.
type Setting = Vec<String>;

/// Schemes in order of their times. A scheme is a load balancing, or a transport where there is one load balancing.
#[derive(Debug)]
pub(super) struct Ranking {
    pub best: String,
    /// The others, the slowest first: their times over those of the best, in every setting that all have completed.
    pub others: Vec<(String, Spread)>,
    /// Times of the best over the bound, in those settings.
    pub over_bound: Spread,
    /// Whether schemes are transports.
    pub of_transports: bool,
    pub settings: usize,
}

/// A completion time, and what it is over the bound.
type Time = (f64, Option<f64>);

impl Ranking {
    /// None where there is only one scheme, or no setting that all have completed.
    pub(super) fn of(rows: &[&ResultRow], swept: &Swept) -> Option<Self> {
        let of_transports = names(rows, |row| row.load_balancing.clone()).len() == 1;
        let scheme = |row: &ResultRow| match of_transports {
            true => row.transport.clone().unwrap_or_default(),
            false => row.load_balancing.clone(),
        };
        let key = if of_transports { "transport" } else { "load_balancing" };
        let names = names(rows, scheme);
        if names.len() < 2 {
            return None;
        }
        let mut times: BTreeMap<Setting, BTreeMap<String, Time>> = BTreeMap::new();
        for row in rows {
            if let Some(us) = row.cct_us.map(Number::value).filter(|&us| us > 0.0) {
                let of_setting = times.entry(setting(row, swept, key)).or_default();
                of_setting.insert(scheme(row), (us, row.cct_over_bound.map(Number::value)));
            }
        }
        times.retain(|_, of| of.len() == names.len());
        if times.is_empty() {
            return None;
        }
        let ratios = |name: &str, to: &str| -> Spread { times.values().map(|of| of[name].0 / of[to].0).collect() };
        let best = names.iter().min_by(|a, b| {
            let mean = |name: &str| ratios(name, &names[0]).geometric_mean();
            mean(a).total_cmp(&mean(b))
        })?;
        let mut others: Vec<(String, Spread)> = names
            .iter()
            .filter(|name| *name != best)
            .map(|name| (name.clone(), ratios(name, best)))
            .collect();
        others.sort_by(|a, b| b.1.geometric_mean().total_cmp(&a.1.geometric_mean()));
        Some(Self {
            others,
            over_bound: times.values().filter_map(|of| of[best].1).collect(),
            of_transports,
            settings: times.len(),
            best: best.clone(),
        })
    }
}

/// The names of the rows, each once, in order of appearance.
fn names(rows: &[&ResultRow], name: impl Fn(&ResultRow) -> String) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        let name = name(row);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn setting(row: &ResultRow, swept: &Swept, scheme: &str) -> Setting {
    let own = [
        row.engine.clone(),
        row.topology.clone(),
        row.workload.clone(),
        row.seed.to_string(),
    ];
    let size = row.size_bytes.map(|bytes| bytes.to_string());
    let values = swept.keys.iter().zip(swept.of(row.point));
    let values = values.filter(|(key, _)| *key != scheme);
    own.into_iter()
        .chain(size)
        .chain(values.map(|(_, value)| cell(value).into_owned()))
        .collect()
}
