//! How many times as fast the best scheme is as each of the others, over all that they were run on.

use std::collections::BTreeMap;

use super::math::Spread;
use crate::results::{ResultRow, Swept, cell};

/// What rows of one group have in common: everything but the scheme.
type Setting = Vec<String>;

/// The lines of the summary; none where there is only one scheme, or no setting that all have completed.
///
/// A scheme is a load balancing, or a transport where there is one load balancing. The figure is the geometric mean, over
/// all settings, of its completion time over that of the best scheme, with the standard deviation over them.
pub fn summary(rows: &[ResultRow], swept: &Swept) -> Option<String> {
    let schemes_by = |scheme: fn(&ResultRow) -> String| {
        let mut names: Vec<String> = Vec::new();
        for row in rows {
            let name = scheme(row);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    };
    let balancing: fn(&ResultRow) -> String = |row| row.load_balancing.clone();
    let transport: fn(&ResultRow) -> String = |row| row.transport.clone().unwrap_or_default();
    let (scheme, key) = match schemes_by(balancing).len() {
        0 => return None,
        1 => (transport, "transport"),
        _ => (balancing, "load_balancing"),
    };
    let names = schemes_by(scheme);
    if names.len() < 2 {
        return None;
    }
    let mut times: BTreeMap<Setting, BTreeMap<String, f64>> = BTreeMap::new();
    for row in rows {
        let time = row.cct_us.map(crate::results::Number::value).filter(|&us| us > 0.0);
        if let Some(us) = time {
            times
                .entry(setting(row, swept, key))
                .or_default()
                .insert(scheme(row), us);
        }
    }
    times.retain(|_, of| of.len() == names.len());
    if times.is_empty() {
        return None;
    }
    let ratios = |name: &str, to: &str| -> Spread { times.values().map(|of| of[name] / of[to]).collect() };
    let best = names.iter().min_by(|a, b| {
        let mean = |name: &str| ratios(name, &names[0]).geometric_mean();
        mean(a).total_cmp(&mean(b))
    })?;
    let mut others: Vec<(&String, Spread)> = names
        .iter()
        .filter(|name| *name != best)
        .map(|name| (name, ratios(name, best)))
        .collect();
    others.sort_by(|a, b| b.1.geometric_mean().total_cmp(&a.1.geometric_mean()));
    let (equal, slower): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, spread)| spread.is_one());
    let mut lines: Vec<String> = slower
        .iter()
        .map(|(name, spread)| {
            let (mean, deviation) = (spread.geometric_mean(), spread.deviation());
            format!("{mean:.2} \u{b1} {deviation:.2} times as fast as {name}")
        })
        .collect();
    if !equal.is_empty() {
        let names: Vec<&str> = equal.iter().map(|(name, _)| name.as_str()).collect();
        lines.push(format!("as fast as {}", names.join(", ")));
    }
    let settings = match times.len() {
        1 => "is".into(),
        n => format!("is, as the geometric mean over {n} settings,"),
    };
    Some(format!("{best} {settings}\n  {}", lines.join("\n  ")))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Number;

    fn row(point: u32, scheme: &str, size: u64, us: Option<f64>) -> ResultRow {
        ResultRow {
            point,
            load_balancing: scheme.into(),
            size_bytes: Some(size),
            cct_us: us.map(Number::new),
            ..ResultRow::default()
        }
    }

    /// By hand: ratios 2 and 8 have the geometric mean 4 and deviate from their mean of 5 by 3 * sqrt 2.
    #[test]
    fn ratios_are_averaged_geometrically() {
        let rows = [
            row(0, "ecmp", 1, Some(2.0)),
            row(1, "ethereal", 1, Some(1.0)),
            row(2, "ecmp", 2, Some(80.0)),
            row(3, "ethereal", 2, Some(10.0)),
            // Not all schemes have this one.
            row(4, "ecmp", 3, Some(1.0)),
            row(5, "ethereal", 3, None),
        ];
        insta::assert_snapshot!(summary(&rows, &Swept::default()).unwrap(), @r"
        ethereal is, as the geometric mean over 2 settings,
          4.00 ± 4.24 times as fast as ecmp
        ");
        assert_eq!(summary(&rows[..1], &Swept::default()), None);
    }
}
