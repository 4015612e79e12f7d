//! The same input gives the same outcome, to the last bit of every flow and link.

use super::evidence::Evidence;
use super::finding::Finding;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    for (engine, run) in [("flow", &evidence.flow), ("packet", &evidence.packet)] {
        let check = format!("{engine} repeats itself");
        findings.push(match run {
            Ok(run) => {
                let found = if run.repeats { "same outcome" } else { "another outcome" };
                Finding::new(check, run.repeats)
                    .figures(found, "same outcome")
                    .within("exact")
            }
            Err(why) => Finding::skipped(check, why),
        });
    }
}
