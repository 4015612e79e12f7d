//! What a placement assigns to the links, added up a second time.
//!
//! This calculation is independent on purpose: it knows nothing of [`loads`](crate::loads), on which placements, bounds
//! and engines rely, but walks along every path of every pair and adds what the route gives it. Do not make it share
//! code with what it is held against.

use std::collections::BTreeMap;

use super::evidence::Evidence;
use super::finding::{Finding, bytes};
use crate::ids::NodeId;
use crate::routes::{Route, path_weights};
use crate::workload::Transfer;

/// Both sides are sums of fractions in floating point.
const ROUNDING: f64 = 1e-9;
/// Paths walked along at most: seconds.
const MOST_PATHS: u64 = 20_000_000;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let check = "assigned link bytes = path by path";
    let Some(assigned) = &evidence.assessment.assigned else {
        findings.push(Finding::skipped(check, "the scheme assigns nothing beforehand"));
        return;
    };
    let Some(walked) = link_bytes(evidence) else {
        findings.push(Finding::skipped(check, "there are too many paths to walk along"));
        return;
    };
    let excess = |&link: &usize| (assigned.loads[link] - walked[link]).abs() - ROUNDING * walked[link];
    let worst = (0..walked.len()).max_by(|a, b| excess(a).total_cmp(&excess(b)));
    let Some(worst) = worst else {
        findings.push(Finding::skipped(check, "the fabric has no links"));
        return;
    };
    let name = evidence.network.fabric.link_name(worst.into());
    findings.push(
        Finding::new(check, excess(&worst) <= 0.0)
            .figures(
                format!("{} on {name}", bytes(assigned.loads[worst])),
                bytes(walked[worst]),
            )
            .within("1e-9 relative"),
    );
}

/// Payload bytes by link id; `None` where that would take too long.
fn link_bytes(evidence: &Evidence) -> Option<Vec<f64>> {
    let (fabric, placement) = (&evidence.network.fabric, &evidence.placement);
    let mut pinned: BTreeMap<(NodeId, NodeId, u32), u64> = BTreeMap::new();
    let mut spread: BTreeMap<(NodeId, NodeId, bool), u64> = BTreeMap::new();
    for Transfer { task, src, dst, .. } in evidence.schedule.transfers() {
        let (src, dst) = (src.node(), dst.node());
        for subflow in placement.of(task) {
            match subflow.route {
                Route::Pinned(path) => *pinned.entry((src, dst, path.0)).or_default() += subflow.bytes,
                Route::Even => *spread.entry((src, dst, false)).or_default() += subflow.bytes,
                Route::Weighted => *spread.entry((src, dst, true)).or_default() += subflow.bytes,
                Route::Dynamic => return None,
            }
        }
    }
    let paths = spread
        .keys()
        .map(|&(src, dst, _)| u64::from(fabric.path_count(src, dst)));
    if paths.sum::<u64>() > MOST_PATHS {
        return None;
    }
    let mut on_link = vec![0.0; fabric.links().len()];
    let mut walk = |src, dst, path, bytes: f64| {
        for link in fabric.path(src, dst, path) {
            on_link[link.index()] += bytes;
        }
    };
    for ((src, dst, path), bytes) in pinned {
        walk(src, dst, path, bytes as f64);
    }
    for ((src, dst, weighted), bytes) in spread {
        let weights = match weighted {
            true => path_weights(fabric, src, dst),
            false => vec![1; fabric.path_count(src, dst) as usize],
        };
        let whole: u64 = weights.iter().sum();
        for (path, weight) in (0..).zip(weights) {
            walk(src, dst, path, bytes as f64 * weight as f64 / whole as f64);
        }
    }
    Some(on_link)
}
