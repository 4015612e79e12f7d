//! Quantities with their units: [`Time`] in picoseconds, [`Bytes`], [`Rate`] in bits per second.
//!
//! All three are exact integers, so that a simulation adds up to the same bit on every machine. Sums and
//! products that do not fit are the largest value: nothing ever wraps around to a small one.
//! In text they are written with a unit (`"500ns"`, `"64KiB"`, `"100Gbps"`); this is the one place
//! that parses and prints them.

use std::borrow::Cow;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub, SubAssign};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Picoseconds in one second.
pub const PS_PER_SECOND: u64 = 1_000_000_000_000;

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The text has no number in front of its unit.
    #[error("`{text}` is not a {what}: write a number and a unit, such as \"{example}\"")]
    NoNumber {
        /// As it was written.
        text: String,
        /// What was expected.
        what: &'static str,
        /// One that is right.
        example: &'static str,
    },
    /// The unit is missing or unknown.
    #[error("`{text}` is not a {what}: {found}; units are {units}, as in \"{example}\"")]
    UnknownUnit {
        /// As it was written.
        text: String,
        /// What was expected.
        what: &'static str,
        /// What was there.
        found: String,
        /// The units that there are.
        units: String,
        /// One that is right.
        example: &'static str,
    },
    /// The number is negative, not finite, finer than the smallest unit, or too large.
    #[error("`{text}` is not a {what} that can be simulated: {reason}")]
    OutOfRange {
        /// As it was written.
        text: String,
        /// What was expected.
        what: &'static str,
        /// Why.
        reason: &'static str,
    },
}

struct Grammar {
    what: &'static str,
    example: &'static str,
    /// Unit suffixes with their size in base units.
    units: &'static [(&'static str, u64)],
    /// The suffix used when a bare number is written, if that is allowed.
    bare: Option<u64>,
}

impl Grammar {
    fn parse(&self, text: &str) -> Result<u64, QuantityError> {
        let trimmed = text.trim();
        let split = trimmed
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '+')))
            .unwrap_or(trimmed.len());
        let (number, unit) = (trimmed[..split].replace('_', ""), trimmed[split..].trim());
        if !number.contains(|c: char| c.is_ascii_digit()) {
            return Err(QuantityError::NoNumber {
                text: text.to_owned(),
                what: self.what,
                example: self.example,
            });
        }
        let scale = match self.units.iter().find(|(name, _)| *name == unit) {
            Some((_, scale)) => *scale,
            None if unit.is_empty() && self.bare.is_some() => self.bare.unwrap_or(1),
            None => return Err(self.unknown_unit(text, unit)),
        };
        self.scaled(text, &number, scale)
    }

    fn unknown_unit(&self, text: &str, unit: &str) -> QuantityError {
        let found = if unit.is_empty() {
            "it has no unit".to_owned()
        } else {
            format!("`{unit}` is no unit of it")
        };
        let names: Vec<_> = self.units.iter().map(|(name, _)| *name).collect();
        QuantityError::UnknownUnit {
            text: text.to_owned(),
            what: self.what,
            found,
            units: names.join(", "),
            example: self.example,
        }
    }

    /// Decimal digits are scaled as integers: "0.1us" is exactly 100 000 ps.
    fn scaled(&self, text: &str, number: &str, scale: u64) -> Result<u64, QuantityError> {
        let out_of_range = |reason| QuantityError::OutOfRange {
            text: text.to_owned(),
            what: self.what,
            reason,
        };
        if number.starts_with('-') {
            return Err(out_of_range("it is negative"));
        }
        let digits = number.strip_prefix('+').unwrap_or(number);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(QuantityError::NoNumber {
                text: text.to_owned(),
                what: self.what,
                example: self.example,
            });
        }
        let too_large = || out_of_range("it is too large");
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 18 {
            return Err(out_of_range("it is finer than the smallest unit"));
        }
        let whole: u128 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| too_large())?
        };
        let power = 10_u128.pow(fraction.len() as u32);
        let fraction: u128 = if fraction.is_empty() {
            0
        } else {
            fraction.parse().map_err(|_| too_large())?
        };
        let scaled = whole
            .checked_mul(power)
            .and_then(|w| w.checked_add(fraction))
            .and_then(|n| n.checked_mul(u128::from(scale)))
            .ok_or_else(too_large)?;
        if scaled % power != 0 {
            return Err(out_of_range("it is finer than the smallest unit"));
        }
        // i64::MAX leaves room for sums of quantities without overflow checks in inner loops.
        match u64::try_from(scaled / power) {
            Ok(value) if value <= i64::MAX as u64 => Ok(value),
            _ => Err(too_large()),
        }
    }

    /// The unit that makes the shortest text of a whole number, the largest of several.
    fn format(&self, value: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = |scale: &u64| value.is_multiple_of(*scale);
        let length = |name: &str, scale: u64| name.len() + (value / scale).ilog10() as usize;
        let fitting = self
            .units
            .iter()
            .filter(|(_, scale)| *scale <= value && exact(scale))
            .min_by_key(|&&(name, scale)| (length(name, scale), std::cmp::Reverse(scale)));
        match fitting {
            Some((name, scale)) => write!(f, "{}{name}", value / scale),
            None => {
                let (name, scale) = self.units[0];
                write!(f, "{}{name}", value / scale)
            }
        }
    }
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $grammar:ident) => {
        $(#[$doc])*
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0);
            /// More than any real quantity.
            pub const MAX: Self = Self(u64::MAX);

            /// Whether it is nothing.
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// The difference, or zero where `other` is larger.
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// The sum, or the largest value where it would not fit.
            pub const fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                self.saturating_add(other)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }

        impl Mul<u64> for $name {
            type Output = Self;
            fn mul(self, factor: u64) -> Self {
                Self(self.0.saturating_mul(factor))
            }
        }

        impl Div<u64> for $name {
            type Output = Self;
            fn div(self, divisor: u64) -> Self {
                Self(self.0 / divisor)
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Self::saturating_add)
            }
        }

        impl FromStr for $name {
            type Err = QuantityError;
            fn from_str(text: &str) -> Result<Self, QuantityError> {
                $grammar.parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $grammar.format(self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(f, "a {}, such as \"{}\"", $grammar.what, $grammar.example)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_u64<E: de::Error>(self, value: u64) -> Result<$name, E> {
                        self.visit_str(&value.to_string())
                    }
                    fn visit_i64<E: de::Error>(self, value: i64) -> Result<$name, E> {
                        self.visit_str(&value.to_string())
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let units: Vec<_> = $grammar.units.iter().map(|(name, _)| *name).collect();
                let pattern = format!(r"^\s*\+?[0-9._]+\s*({})\s*$", units.join("|"));
                let description = format!("A {}, such as \"{}\".", $grammar.what, $grammar.example);
                if $grammar.bare.is_some() {
                    json_schema!({
                        "description": description,
                        "anyOf": [{ "type": "string", "pattern": pattern }, { "type": "integer", "minimum": 0 }],
                    })
                } else {
                    json_schema!({ "description": description, "type": "string", "pattern": pattern })
                }
            }
        }
    };
}

const TIME: Grammar = Grammar {
    what: "time",
    example: "500ns",
    units: &[
        ("ps", 1),
        ("ns", 1_000),
        ("us", 1_000_000),
        ("ms", 1_000_000_000),
        ("s", PS_PER_SECOND),
    ],
    bare: None,
};

const BYTES: Grammar = Grammar {
    what: "size in bytes",
    example: "64KiB",
    units: &[
        ("B", 1),
        ("KB", 1_000),
        ("KiB", 1 << 10),
        ("MB", 1_000_000),
        ("MiB", 1 << 20),
        ("GB", 1_000_000_000),
        ("GiB", 1 << 30),
        ("TB", 1_000_000_000_000),
        ("TiB", 1 << 40),
    ],
    bare: Some(1),
};

const RATE: Grammar = Grammar {
    what: "rate",
    example: "100Gbps",
    units: &[
        ("bps", 1),
        ("Kbps", 1_000),
        ("Mbps", 1_000_000),
        ("Gbps", 1_000_000_000),
        ("Tbps", 1_000_000_000_000),
    ],
    bare: None,
};

quantity! {
    /// A point in simulated time or a duration, in picoseconds. One byte takes a whole number of
    /// them at every usual line rate: 80 at 100 Gb/s, 10 at 800 Gb/s.
    Time, TIME
}
quantity! {
    /// An amount of data in bytes.
    Bytes, BYTES
}
quantity! {
    /// A link or sending rate in bits per second.
    Rate, RATE
}

impl Bytes {
    /// From kibibytes, 1024 bytes each.
    pub const fn from_kib(kib: u64) -> Self {
        Self(kib.saturating_mul(1 << 10))
    }

    /// From mebibytes, 1024 KiB each.
    pub const fn from_mib(mib: u64) -> Self {
        Self(mib.saturating_mul(1 << 20))
    }
}

impl Time {
    /// The latest time that is simulated, 53 days: sums of a few such times still fit, and a clock that
    /// would pass it ends the run.
    pub const LATEST: Self = Self(1 << 62);

    /// From nanoseconds.
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns.saturating_mul(1_000))
    }

    /// From microseconds.
    pub const fn from_us(us: u64) -> Self {
        Self(us.saturating_mul(1_000_000))
    }

    /// In microseconds; exact up to 2^53 ps (2.5 hours).
    pub fn as_us(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// In seconds.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / PS_PER_SECOND as f64
    }
}

/// A time in picoseconds as it is told to people: `53 days`.
pub fn rough_time(ps: f64) -> String {
    let seconds = ps / PS_PER_SECOND as f64;
    let units = [
        (1e-6, "ns", 1e-9),
        (1e-3, "us", 1e-6),
        (1.0, "ms", 1e-3),
        (3_600.0, "s", 1.0),
        (86_400.0, "hours", 3_600.0),
        (365.0 * 86_400.0, "days", 86_400.0),
    ];
    let unit = units.into_iter().find(|&(below, ..)| seconds < below);
    let (_, name, unit) = unit.unwrap_or((f64::INFINITY, "years", 365.0 * 86_400.0));
    let number = seconds / unit;
    let digits = if number < 10.0 { 1 } else { 0 };
    format!("{number:.digits$} {name}")
}

impl Rate {
    /// From gigabits per second.
    pub const fn from_gbps(gbps: u64) -> Self {
        Self(gbps * 1_000_000_000)
    }

    /// In gigabits per second.
    pub fn as_gbps(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// In bytes per picosecond, the unit in which loads divide to times.
    pub fn bytes_per_ps(self) -> f64 {
        self.0 as f64 / (8.0 * PS_PER_SECOND as f64)
    }

    /// How long this rate needs for `bytes`, rounded up to a whole picosecond.
    ///
    /// A rate of zero never finishes: the answer is [`Time::MAX`].
    pub fn transmission_time(self, bytes: u64) -> Time {
        if self.0 == 0 {
            return Time::MAX;
        }
        let bits_ps = u128::from(bytes) * 8 * u128::from(PS_PER_SECOND);
        Time(u64::try_from(bits_ps.div_ceil(u128::from(self.0))).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_exact() {
        assert_eq!("500ns".parse(), Ok(Time(500_000)));
        assert_eq!("0.1us".parse(), Ok(Time(100_000)));
        assert_eq!("64KiB".parse(), Ok(Bytes(65_536)));
        assert_eq!("64 KB".parse(), Ok(Bytes(64_000)));
        assert_eq!("16.384MB".parse(), Ok(Bytes(16_384_000)));
        assert_eq!("4096".parse(), Ok(Bytes(4_096)));
        assert_eq!("400Gbps".parse(), Ok(Rate(400_000_000_000)));
        assert_eq!("1.6Tbps".parse(), Ok(Rate(1_600_000_000_000)));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "ns",
            "NaN us",
            "-1us",
            "1e9s",
            "0.1ps",
            "99999999999s",
            "5",
            "5 parsecs",
            "1.2.3us",
            "--1us",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
        let message = "10 Mbit".parse::<Rate>().unwrap_err().to_string();
        assert_eq!(
            message,
            "`10 Mbit` is not a rate: `Mbit` is no unit of it; units are bps, Kbps, Mbps, Gbps, Tbps, as in \"100Gbps\""
        );
    }

    #[test]
    fn what_does_not_fit_is_the_largest_value() {
        let large = Time(u64::MAX - 1);
        assert_eq!(large + Time(2), Time::MAX);
        assert_eq!(large * 2, Time::MAX);
        assert_eq!([large, large].into_iter().sum::<Time>(), Time::MAX);
        let mut sum = large;
        sum += large;
        assert_eq!(sum, Time::MAX);
        assert_eq!(Time::from_us(u64::MAX), Time::MAX);
        assert_eq!(Bytes(u64::MAX) + Bytes(1), Bytes::MAX);
        assert_eq!(Rate(u64::MAX) + Rate(1), Rate::MAX);
    }

    #[test]
    fn rough_times_are_for_people() {
        for (seconds, text) in [
            (2e-9, "2.0 ns"),
            (0.8, "800 ms"),
            (59.0, "59 s"),
            (7_200.0, "2.0 hours"),
            (1e6, "12 days"),
            (1e9, "32 years"),
        ] {
            assert_eq!(rough_time(seconds * 1e12), text);
        }
        assert_eq!(rough_time(Time::LATEST.0 as f64), "53 days");
    }

    #[test]
    fn display_parses_back() {
        for ps in [0, 1, 999, 1_000, 83_333, 500_000, 1_000_000_000, 123_456_789_012] {
            assert_eq!(Time(ps).to_string().parse(), Ok(Time(ps)));
            assert_eq!(Bytes(ps).to_string().parse(), Ok(Bytes(ps)));
            assert_eq!(Rate(ps).to_string().parse(), Ok(Rate(ps)));
        }
        assert_eq!(Bytes(65_536).to_string(), "64KiB");
        assert_eq!(Bytes(1_000_000).to_string(), "1MB");
        assert_eq!(Bytes(256_000).to_string(), "256KB");
        assert_eq!(Bytes(16_384_000).to_string(), "16384KB");
        assert_eq!(Time(500_000).to_string(), "500ns");
    }

    #[test]
    fn transmission_rounds_up() {
        assert_eq!(Rate::from_gbps(100).transmission_time(4_150), Time(332_000));
        assert_eq!(Rate(3).transmission_time(1), Time(2_666_666_666_667));
        assert_eq!(Rate(0).transmission_time(1), Time::MAX);
    }
}
