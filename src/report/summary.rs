//! How many times as fast the best scheme is as each of the others, over all that they were run on.

use super::ranking::Ranking;
use crate::results::{ResultRow, Swept};

/// The lines of the summary; none where there is only one scheme, or no setting that all have completed.
///
/// A scheme is a load balancing, or a transport where there is one load balancing. The figure is the geometric mean, over
/// all settings, of its completion time over that of the best scheme, with the standard deviation over them.
pub fn summary(rows: &[ResultRow], swept: &Swept) -> Option<String> {
    let rows: Vec<&ResultRow> = rows.iter().collect();
    let ranking = Ranking::of(&rows, swept)?;
    let (equal, slower): (Vec<_>, Vec<_>) = ranking.others.iter().partition(|(_, spread)| spread.is_one());
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
    let settings = match ranking.settings {
        1 => "is".into(),
        n => format!("is, as the geometric mean over {n} settings,"),
    };
    Some(format!("{} {settings}\n  {}", ranking.best, lines.join("\n  ")))
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
