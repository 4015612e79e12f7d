//! The completion time at flow level is the one that link loads predict, where that is known exactly.
//!
//! Where flows of one size start together, the flows of the most congested link all end when that has
//! drained, as no flow has a lower rate than theirs; all others have ended by then. The last arrival is one path
//! delay later: at least the longest delay of the flows of that link, at most the longest of all.

use std::collections::BTreeMap;

use super::evidence::Evidence;
use super::finding::{Finding, us};
use crate::flow_engine::Weights;
use crate::ids::{HostId, LinkId};
use crate::routes::Route;
use crate::topology::{Fabric, Path};
use crate::units::Time;
use crate::workload::Transfer;

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
    let (least, most) = Limits::of(evidence).us();
    let holds = cct >= least * (1.0 - TOLERANCE) && cct <= most * (1.0 + TOLERANCE);
    // Between them the prediction itself is no more than an estimate.
    let exact = most - least <= most * TOLERANCE;
    let expected = match exact {
        true => us(predicted),
        false => format!("{} to {}, as delays differ", us(least), us(most)),
    };
    let holds = holds && (!exact || (cct - predicted).abs() <= predicted * TOLERANCE);
    findings.push(
        Finding::new(check, holds)
            .figures(us(cct), expected)
            .within("1e-6 relative"),
    );
}

/// When the most congested links have drained, and the longest delays after that.
struct Limits {
    drained_us: f64,
    /// Of sub-flows on these links.
    there: Time,
    /// Of all.
    anywhere: Time,
}

impl Limits {
    fn of(evidence: &Evidence) -> Self {
        let fabric = &evidence.network.fabric;
        let assigned = evidence.assessment.assigned.as_ref();
        let worst = assigned
            .and_then(|assigned| assigned.worst)
            .map_or(0.0, |worst| worst.time_ps);
        let is_worst = |id: LinkId| {
            let load = assigned.map_or(0.0, |assigned| assigned.loads[id.index()]);
            load / fabric.link(id).rate.bytes_per_ps() >= worst * (1.0 - TOLERANCE)
        };
        let (mut there, mut anywhere) = (Time::ZERO, Time::ZERO);
        // Sub-flows that are spread over all paths of one pair are alike.
        let mut known: BTreeMap<(HostId, HostId), (Time, bool)> = BTreeMap::new();
        for Transfer { task, src, dst, .. } in evidence.schedule.transfers() {
            for subflow in evidence.placement.of(task) {
                let (a, b) = (src.node(), dst.node());
                let (delay, meets) = match subflow.route {
                    Route::Pinned(path) => seen(fabric, std::iter::once(fabric.path(a, b, path)), is_worst),
                    _ => *known
                        .entry((src, dst))
                        .or_insert_with(|| seen(fabric, fabric.paths(a, b), is_worst)),
                };
                anywhere = anywhere.max(delay);
                there = if meets { there.max(delay) } else { there };
            }
        }
        Self {
            drained_us: worst / 1e6,
            there,
            anywhere,
        }
    }

    fn us(&self) -> (f64, f64) {
        (
            self.drained_us + self.there.as_us(),
            self.drained_us + self.anywhere.as_us(),
        )
    }
}

/// The longest delay of some paths, and whether one of them crosses a link of a kind.
fn seen(fabric: &Fabric, paths: impl Iterator<Item = Path>, is_worst: impl Fn(LinkId) -> bool) -> (Time, bool) {
    paths.fold((Time::ZERO, false), |(longest, meets), path| {
        let delay = fabric.path_delay(&path);
        (longest.max(delay), meets || path.iter().any(|&id| is_worst(id)))
    })
}

/// Why the prediction is only an estimate here, if it is.
fn inexact(evidence: &Evidence) -> Option<&'static str> {
    let options = &evidence.experiment.flow;
    if options.weights != Weights::Size || options.tolerance != 0.0 {
        return Some("exact only with sub-flows weighted by size and tolerance 0");
    }
    let one_start = evidence.schedule.transfers().all(|Transfer { task, .. }| {
        evidence.schedule.predecessors(task) == 0 && evidence.schedule.task(task).earliest == Time::ZERO
    });
    if !one_start {
        return Some("an estimate where transfers wait for others");
    }
    // Every flow weighs one, however large.
    let mut sizes = evidence.schedule.transfers().map(|transfer| transfer.bytes);
    let first = sizes.next();
    if sizes.any(|bytes| Some(bytes) != first) {
        return Some("exact only for flows of one size");
    }
    None
}
