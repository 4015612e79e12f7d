//! The payload bytes that crossed every link are those that the placement assigned.

use super::evidence::{Absent, Evidence, Run};
use super::finding::{Finding, bytes};
use crate::placement::{Choose, LoadBalancing};
use crate::routes::Route;

/// A fluid is a sum of fractions in floating point.
const FLUID: f64 = 1e-9;
/// Standard deviations that a randomly sprayed load may stray; beyond 6 lies one load in 5 * 10^8.
const SIGMAS: f64 = 6.0;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let pinned = evidence
        .placement
        .subflows()
        .iter()
        .all(|subflow| matches!(subflow.route, Route::Pinned(_)));
    let payload = evidence.experiment.packet.payload.0 as f64;
    findings.push(compare(evidence, "flow", &evidence.flow, "1e-9 relative", |assigned| {
        assigned * FLUID
    }));
    if !evidence.network.events.is_empty() {
        let why = "links change while the packets travel";
        findings.push(Finding::skipped("packet link bytes = assigned", why));
    } else if matches!(&evidence.experiment.load_balancing, LoadBalancing::Spray(spec) if spec.choose == Choose::RoundRobin)
    {
        let why = "the turns of a switch may fall in with the order of destinations";
        findings.push(Finding::skipped("packet link bytes = assigned", why));
    } else if pinned {
        findings.push(compare(evidence, "packet", &evidence.packet, "exact", |_| 0.5));
    } else {
        // A link's load is a sum of independent packets: its variance is at most mean times payload.
        findings.push(compare(
            evidence,
            "packet",
            &evidence.packet,
            "6 sigma of random choice",
            |assigned| SIGMAS * (assigned.max(payload) * payload).sqrt(),
        ));
    }
}

fn compare(
    evidence: &Evidence,
    engine: &str,
    run: &Result<Run, Absent>,
    within: &str,
    tolerance: impl Fn(f64) -> f64,
) -> Finding {
    let check = format!("{engine} link bytes = assigned");
    let (run, assigned) = match (run, &evidence.assessment.assigned) {
        (Ok(run), Some(assigned)) => (run, &assigned.loads),
        (Err(why), _) => return Finding::skipped(check, why),
        (_, None) => return Finding::skipped(check, "the scheme assigns nothing beforehand"),
    };
    // How far beyond its tolerance a link is; the worst one is shown.
    let excess = |link: &usize| (run.outcome.links[*link].bytes - assigned[*link]).abs() - tolerance(assigned[*link]);
    let links = 0..assigned.len();
    let Some(worst) = links.max_by(|a, b| excess(a).total_cmp(&excess(b))) else {
        return Finding::skipped(check, "the fabric has no links");
    };
    let name = evidence.network.fabric.link_name(worst.into());
    Finding::new(check, excess(&worst) <= 0.0)
        .figures(
            format!("{} on {name}", bytes(run.outcome.links[worst].bytes)),
            bytes(assigned[worst]),
        )
        .within(within)
}
