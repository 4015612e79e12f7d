//! Every flow finishes.

use super::evidence::{Absent, Evidence};
use super::finding::Finding;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let flows = evidence.schedule.transfer_count();
    for (engine, run) in [("flow", &evidence.flow), ("packet", &evidence.packet)] {
        let check = format!("{engine} finishes");
        let (holds, found) = match run {
            Ok(_) => (true, format!("{flows} flows")),
            Err(Absent::Stuck(what)) => (false, what.clone()),
            Err(Absent::NotSimulated(why)) => {
                findings.push(Finding::skipped(check, why));
                continue;
            }
        };
        let expected = format!("{flows} flows");
        findings.push(Finding::new(check, holds).figures(found, expected).within("exact"));
    }
}
