//! The predicted completion time is the flow engine's where the prediction is exact.

use super::evidence::Evidence;
use super::finding::{Finding, us};
use crate::flow_engine::Weights;
use crate::units::Time;

const TOLERANCE: f64 = 1e-6;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let check = "flow CCT = prediction";
    let (run, predicted) = match (&evidence.flow, evidence.assessment.predicted) {
        (Ok(run), Some(predicted)) => (run, predicted.as_us()),
        (Err(why), _) => {
            findings.push(Finding::skipped(check, why));
            return;
        }
        (_, None) => {
            findings.push(Finding::skipped(check, "the scheme assigns nothing beforehand"));
            return;
        }
    };
    if let Some(why) = inexact(evidence) {
        findings.push(Finding::skipped(check, why));
        return;
    }
    let cct = run.outcome.cct.as_us();
    let holds = (cct - predicted).abs() <= predicted * TOLERANCE;
    findings.push(
        Finding::new(check, holds)
            .figures(us(cct), us(predicted))
            .within("1e-6 relative"),
    );
}

/// Why the prediction is only an estimate here, if it is.
fn inexact(evidence: &Evidence) -> Option<&'static str> {
    let options = &evidence.experiment.flow;
    if options.weights != Weights::Size || options.tolerance != 0.0 {
        return Some("exact only with sub-flows weighted by size and tolerance 0");
    }
    let one_start = evidence.schedule.transfers().all(|(task, ..)| {
        evidence.schedule.predecessors(task) == 0 && evidence.schedule.task(task).earliest == Time::ZERO
    });
    if !one_start {
        return Some("an estimate where transfers wait for others");
    }
    // Every flow weighs one, however large.
    let mut sizes = evidence.schedule.transfers().map(|(.., bytes)| bytes);
    let first = sizes.next();
    if sizes.any(|bytes| Some(bytes) != first) {
        return Some("exact only for flows of one size");
    }
    None
}
