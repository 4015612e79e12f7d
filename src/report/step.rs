//! Where the time of a program goes: computing, communication that is not hidden behind it, and waiting.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::results::{Number, OpRow, ResultRow, TimelineRow};

/// The parts of the completion time of a program, the mean over its ranks; they add up to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Step {
    /// What is done, and for how long in microseconds: `compute`, then what communication that is not hidden is for, then
    /// `bubble`, the rest, in which a rank does nothing.
    pub parts: Vec<(String, f64)>,
}

/// The order in which purposes are told.
pub(super) const PURPOSES: [&str; 8] = [
    "compute",
    "tensor",
    "context",
    "expert",
    "pipeline",
    "data",
    "communication",
    "bubble",
];

impl Step {
    /// `None` where the point is no program that was done.
    ///
    /// `exposed_us` of the point counts a moment once; where several operations are exposed at a time, they share it as they
    /// share the sum of what each is exposed.
    pub(super) fn of(row: &ResultRow, ops: &[OpRow], timeline: &[TimelineRow]) -> Option<Self> {
        let [cct, compute, exposed] = [row.cct_us?, row.compute_us?, row.exposed_us?].map(Number::value);
        let purpose: BTreeMap<&str, &str> = timeline
            .iter()
            .map(|row| (row.op.as_str(), row.purpose.as_str()))
            .collect();
        let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
        for op in ops {
            let purpose = purpose.get(op.op.as_str()).copied().unwrap_or("communication");
            if purpose != "compute" {
                *weights.entry(purpose).or_default() += f64::from(op.ranks) * op.exposed_us.value();
            }
        }
        let all: f64 = weights.values().sum();
        let of = |name: &str| match name {
            "compute" => compute,
            "bubble" => (cct - compute - exposed).max(0.0),
            name => weights
                .get(name)
                .map_or(0.0, |weight| exposed * weight / all.max(f64::MIN_POSITIVE)),
        };
        let parts = PURPOSES.iter().map(|&name| (name.to_owned(), of(name)));
        Some(Self {
            parts: parts.filter(|(_, us)| *us > 0.0).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_completion_time() {
        let number = |value| Some(Number::new(value));
        let row = ResultRow {
            cct_us: number(100.0),
            compute_us: number(50.0),
            exposed_us: number(30.0),
            ..ResultRow::default()
        };
        let op = |op: &str, ranks, exposed| OpRow {
            op: op.into(),
            ranks,
            exposed_us: Number::new(exposed),
            ..OpRow::default()
        };
        let ops = [op("forward", 4, 0.0), op("sum", 4, 30.0), op("hand on", 2, 30.0)];
        let timeline =
            [("forward", "compute"), ("sum", "data"), ("hand on", "pipeline")].map(|(op, purpose)| TimelineRow {
                op: op.into(),
                purpose: purpose.into(),
                ..TimelineRow::default()
            });
        let parts = Step::of(&row, &ops, &timeline).unwrap().parts;
        let expected = [("compute", 50.0), ("pipeline", 10.0), ("data", 20.0), ("bubble", 20.0)];
        assert_eq!(parts, expected.map(|(name, us)| (name.to_owned(), us)));
    }
}
