//! No simulation beats the bound.

use super::evidence::{Absent, Evidence, Run};
use super::finding::{Finding, us};
use crate::congestion::Bounds;

/// What rounding to whole picoseconds can take from a sum of exact times.
const ROUNDING_US: f64 = 1e-6;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let sides = [
        ("flow", &evidence.flow, &evidence.fluid_bounds),
        ("packet", &evidence.packet, &evidence.wire_bounds),
    ];
    for (engine, run, bounds) in sides {
        findings.push(compare(engine, run, bounds));
    }
}

fn compare(engine: &str, run: &Result<Run, Absent>, bounds: &Bounds) -> Finding {
    let check = format!("{engine} CCT >= bound");
    match run {
        Ok(run) => {
            let (cct, bound) = (run.outcome.cct.as_us(), bounds.cct.as_us());
            let holds = cct >= bound - ROUNDING_US;
            Finding::new(check, holds).figures(us(cct), us(bound)).within("1 ps")
        }
        Err(why) => Finding::skipped(check, why),
    }
}
