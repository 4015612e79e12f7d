//! No placement is below the certified optimum.

use super::evidence::Evidence;
use super::finding::{Finding, us};

/// Loads and certificate are floating-point sums.
const ROUNDING: f64 = 1e-9;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let check = "fabric congestion >= certified optimum";
    let Some(found) = evidence.assessment.fabric_congestion_us() else {
        findings.push(Finding::skipped(check, "the scheme assigns nothing beforehand"));
        return;
    };
    if !evidence.network.events.is_empty() {
        findings.push(Finding::skipped(check, "links change their rates meanwhile"));
        return;
    }
    let optimum = evidence.fluid_bounds.optimal_fabric.lower;
    let holds = found >= optimum * (1.0 - ROUNDING);
    findings.push(
        Finding::new(check, holds)
            .figures(us(found), us(optimum))
            .within("1e-9 relative"),
    );
}
