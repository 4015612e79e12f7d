//! Where the conditions of the paper's theorem hold, its rule and the cut line load the fabric as
//! even spraying does (arXiv 2407.00550, section on equivalence).

use std::collections::BTreeMap;

use super::evidence::Evidence;
use super::finding::{Finding, us};
use crate::ids::NodeId;
use crate::placement::{Group, LoadBalancing};
use crate::routes::path_weights;
use crate::workload::Transfer;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let name = evidence.experiment.load_balancing.name();
    let check = format!("{name} congestion = spraying's");
    let (group, by_bytes) = match &evidence.experiment.load_balancing {
        LoadBalancing::Ethereal(spec) => (spec.group, false),
        LoadBalancing::CutLine(spec) => (spec.group, true),
        _ => return,
    };
    if let Some(condition) = broken_condition(evidence, group, by_bytes) {
        findings.push(Finding::skipped(check, condition));
        return;
    }
    let side = |assessment: &crate::congestion::Assessment| assessment.fabric_congestion_us().unwrap_or(0.0);
    let (found, expected) = (side(&evidence.assessment), side(&evidence.spraying));
    let tolerance = rounding_us(evidence);
    let holds = (found - expected).abs() <= tolerance;
    findings.push(
        Finding::new(check, holds)
            .figures(us(found), us(expected))
            .within(format!("{} (a byte per sub-flow of a link)", us(tolerance))),
    );
}

/// Cutting at whole bytes moves less than a byte between two paths at every cut.
fn rounding_us(evidence: &Evidence) -> f64 {
    let fabric = &evidence.network.fabric;
    let mut subflows = vec![0_u32; fabric.links().len()];
    for Transfer { task, src, dst, .. } in evidence.schedule.transfers() {
        for subflow in evidence.placement.of(task) {
            if let crate::routes::Route::Pinned(path) = subflow.route {
                for link in fabric.path(src.node(), dst.node(), path) {
                    subflows[link.index()] += 1;
                }
            }
        }
    }
    let times = fabric
        .link_ids()
        .filter(|&id| fabric.is_fabric_link(id) && subflows[id.index()] > 0)
        .map(|id| {
            let per_byte = 1.0 / fabric.link(id).rate.bytes_per_ps() / 1e6;
            f64::from(subflows[id.index()]) * per_byte
        });
    times.fold(1e-9, f64::max)
}

/// The first condition of the theorem that does not hold, in words.
fn broken_condition(evidence: &Evidence, group: Group, by_bytes: bool) -> Option<String> {
    let fabric = &evidence.network.fabric;
    let mut sizes: BTreeMap<(u32, NodeId, NodeId), u64> = BTreeMap::new();
    let mut evaluated: BTreeMap<(NodeId, NodeId), bool> = BTreeMap::new();
    for Transfer { task, src, dst, bytes } in evidence.schedule.transfers() {
        let (src, dst) = (src.node(), dst.node());
        let from = match group {
            Group::Host => src,
            Group::Leaf => fabric.edge(src),
        };
        let key = (evidence.schedule.task(task).step, from, fabric.edge(dst));
        if !by_bytes && *sizes.entry(key).or_insert(bytes) != bytes {
            return Some(format!(
                "condition fails: equal sizes within a group (flow {task} has {bytes} bytes, another of its group {})",
                sizes[&key]
            ));
        }
        let equal_paths = *evaluated
            .entry((fabric.edge(src), fabric.edge(dst)))
            .or_insert_with(|| {
                let weights = path_weights(fabric, src, dst);
                weights.windows(2).all(|pair| pair[0] == pair[1])
            });
        if !equal_paths {
            return Some(format!(
                "condition fails: equal path capacities between {} and {}",
                fabric.node(fabric.edge(src)).name,
                fabric.node(fabric.edge(dst)).name
            ));
        }
    }
    None
}
