//! One line of the report.

use serde::Serialize;

use crate::results::PointRow;

/// How a comparison ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// It holds.
    #[serde(rename = "PASS")]
    Pass,
    /// It does not hold.
    #[serde(rename = "FAIL")]
    Fail,
    /// There is nothing to compare here.
    #[default]
    #[serde(rename = "skip")]
    Skip,
}

/// A comparison at one point: what was found, what it was held against, how closely.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What came of it.
    pub verdict: Verdict,
    /// Index in the plan.
    pub point: u32,
    /// The scheme at that point.
    pub load_balancing: String,
    /// What was compared, such as `flow CCT >= bound`.
    pub check: String,
    /// The figure under test, with its unit.
    pub found: String,
    /// What it was held against, with its unit.
    pub expected: String,
    /// How far apart they may be.
    pub tolerance: String,
    /// Why there was nothing to compare.
    pub reason: String,
}

impl PointRow for Finding {
    fn point(&self) -> u32 {
        self.point
    }
}

impl Finding {
    /// A comparison that was made.
    pub(super) fn new(check: impl Into<String>, holds: bool) -> Self {
        Self {
            check: check.into(),
            verdict: if holds { Verdict::Pass } else { Verdict::Fail },
            ..Self::default()
        }
    }

    /// A comparison that has no meaning here.
    pub(super) fn skipped(check: impl Into<String>, reason: impl ToString) -> Self {
        Self {
            check: check.into(),
            reason: reason.to_string(),
            ..Self::default()
        }
    }

    pub(super) fn figures(mut self, found: impl Into<String>, expected: impl Into<String>) -> Self {
        self.found = found.into();
        self.expected = expected.into();
        self
    }

    pub(super) fn within(mut self, tolerance: impl Into<String>) -> Self {
        self.tolerance = tolerance.into();
        self
    }
}

/// Microseconds to the picosecond.
pub(super) fn us(value: f64) -> String {
    format!("{value:.6} us")
}

/// Bytes; fractions only where there are some.
pub(super) fn bytes(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0} B")
    } else {
        format!("{value:.3} B")
    }
}
