//! Nothing appears and nothing vanishes: what hosts send arrives, and switches pass on what they get.

use super::evidence::{Evidence, Run};
use super::finding::{Finding, bytes};
use crate::workload::Transfer;

/// Fluids are sums of fractions; packets are whole.
const FLUID: f64 = 1e-9;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    for (engine, run, relative) in [("flow", &evidence.flow, FLUID), ("packet", &evidence.packet, 0.0)] {
        let check = format!("{engine} conserves bytes");
        match run {
            Ok(_) if engine == "packet" && !evidence.network.events.is_empty() => {
                findings.push(Finding::skipped(check, "packets are lost on links that go down"));
            }
            Ok(run) => findings.push(compare(evidence, check, run, relative)),
            Err(why) => findings.push(Finding::skipped(check, why)),
        }
    }
}

/// Every host receives and sends what the schedule says, every switch as much out as in.
fn compare(evidence: &Evidence, check: String, run: &Run, relative: f64) -> Finding {
    let fabric = &evidence.network.fabric;
    let nodes = fabric.nodes().len();
    let (mut surplus, mut passed) = (vec![0.0; nodes], vec![0.0; nodes]);
    for (id, record) in fabric.link_ids().zip(&run.outcome.links) {
        let link = fabric.link(id);
        surplus[link.to.index()] += record.bytes;
        surplus[link.from.index()] -= record.bytes;
        passed[link.to.index()] += record.bytes;
    }
    for Transfer {
        src, dst, bytes: size, ..
    } in evidence.schedule.transfers()
    {
        surplus[src.index()] += size as f64;
        surplus[dst.index()] -= size as f64;
        passed[src.index()] += size as f64;
    }
    let excess = |node: &usize| surplus[*node].abs() - relative * passed[*node];
    let worst = (0..nodes).max_by(|a, b| excess(a).total_cmp(&excess(b))).unwrap_or(0);
    let tolerance = if relative == 0.0 { "exact" } else { "1e-9 relative" };
    Finding::new(check, excess(&worst) <= 0.0)
        .figures(
            format!("{} too many at {}", bytes(surplus[worst]), fabric.nodes()[worst].name),
            format!("0 B of {}", bytes(passed[worst])),
        )
        .within(tolerance)
}
