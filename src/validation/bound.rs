//! No simulation beats the bound.

use super::evidence::{Absent, Evidence, Run};
use super::finding::{Finding, us};
use crate::congestion::Bounds;

/// What rounding to whole picoseconds can take from a sum of exact times.
const ROUNDING_US: f64 = 1e-6;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let sides = [
        (
            "flow",
            &evidence.flow,
            &evidence.fluid_bounds,
            evidence.experiment.flow.early(),
        ),
        ("packet", &evidence.packet, &evidence.wire_bounds, 0.0),
    ];
    for (engine, run, bounds, early) in sides {
        findings.push(compare(engine, run, bounds, early));
    }
}

/// `early` is the fraction by which an engine with a tolerance may be early.
fn compare(engine: &str, run: &Result<Run, Absent>, bounds: &Bounds, early: f64) -> Finding {
    let check = format!("{engine} CCT >= bound");
    match run {
        Ok(run) => {
            let (cct, bound) = (run.outcome.cct.as_us(), bounds.cct.as_us());
            let holds = cct >= bound * (1.0 - early) - ROUNDING_US;
            let within = match early > 0.0 {
                true => format!("{early} relative, four times the tolerance"),
                false => "1 ps".to_owned(),
            };
            Finding::new(check, holds).figures(us(cct), us(bound)).within(within)
        }
        Err(why) => Finding::skipped(check, why),
    }
}
