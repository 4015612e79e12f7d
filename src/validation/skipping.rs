//! What `packet.fast_forward` skips takes as long as it would have taken.

use super::evidence::Evidence;
use super::finding::{Finding, us};

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let Some(options) = evidence.experiment.packet.fast_forward else {
        return;
    };
    let check = "packet CCT with fast_forward = without";
    findings.push(match &evidence.skipping {
        Ok([without, with]) => {
            let (found, expected) = (with.as_us(), without.as_us());
            Finding::new(check, (found - expected).abs() <= options.error * expected)
                .figures(us(found), us(expected))
                .within(format!("{} %", options.error * 100.0))
        }
        Err(why) => Finding::skipped(check, why),
    });
}
