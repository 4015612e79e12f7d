//! Times in files, which are written with less care than in an experiment.

use crate::units::Time;

/// A decimal number, also with an exponent (`1e6`), in `unit`, or a time with a unit of its own (`10us`); to the
/// nearest picosecond. `None` for what is no time that can be simulated.
pub(super) fn parse_time(text: &str, unit: &str) -> Option<Time> {
    if let Ok(exact) = text.parse() {
        return Some(exact);
    }
    if let Ok(exact) = format!("{text}{unit}").parse() {
        return Some(exact);
    }
    let one: Time = format!("1{unit}").parse().ok()?;
    let ps = text.parse::<f64>().ok()? * one.0 as f64;
    (0.0..i64::MAX as f64).contains(&ps).then(|| Time(ps.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_unit_of_their_file() {
        for (text, unit, expected) in [
            ("0.000000", "ps", Some(0)),
            ("1e6", "ps", Some(1_000_000)),
            ("40", "us", Some(40_000_000)),
            ("0.1", "us", Some(100_000)),
            ("2.5e-3", "s", Some(2_500_000_000)),
            ("0.4", "ps", Some(0)),
            ("1.5", "ps", Some(2)),
            ("10us", "ns", Some(10_000_000)),
            ("9223372036854775807", "ps", Some(i64::MAX as u64)),
            ("9223372036854775808", "ps", None),
            ("1e19", "ps", None),
            ("-5", "ps", None),
            ("-1e-9", "us", None),
            ("NaN", "us", None),
            ("inf", "us", None),
            ("", "us", None),
            ("soon", "us", None),
        ] {
            assert_eq!(parse_time(text, unit), expected.map(Time), "{text} in {unit}");
        }
    }
}
