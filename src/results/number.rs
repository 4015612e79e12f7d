//! Numbers as results hold them.
//!
//! Every number is written by one rule, so that the files are the same byte for byte wherever they
//! are made: rounded to six decimals (a picosecond, where the unit is a microsecond), without
//! trailing zeros, whole numbers without a point.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::Time;

/// A number as results hold it: rounded to six decimals when it is made.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Number(f64);

impl Number {
    /// The nearest number with six decimals.
    pub fn new(value: f64) -> Self {
        // Printing rounds exactly, to even on ties, on every machine; multiplying by 1e6 would not.
        let rounded = format!("{value:.6}").parse().unwrap_or(value);
        Self(if rounded == 0.0 { 0.0 } else { rounded })
    }

    /// Its value.
    pub fn value(self) -> f64 {
        self.0
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::new(value)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Whole numbers are exact in f64 up to here.
        const WHOLE: f64 = 9_007_199_254_740_992.0;
        if self.0.fract() == 0.0 && self.0.abs() < WHOLE {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self)
    }
}

/// A time as results hold it.
pub fn microseconds(time: Time) -> Number {
    Number::new(time.as_us())
}

/// A quotient; none by zero.
pub fn ratio(value: f64, unit: f64) -> Option<Number> {
    (unit > 0.0).then(|| Number::new(value / unit))
}
