//! Packets agree with the fluid, once the fluid carries headers and packets are stored and forwarded.

use std::collections::BTreeMap;

use super::evidence::Evidence;
use super::finding::{Finding, us};
use crate::ids::LinkId;
use crate::placement::{Choose, LoadBalancing};
use crate::routes::Route;
use crate::units::Time;
use crate::workload::Transfer;

/// What windows of one bandwidth-delay product and the round robin of packets add at most.
const TOLERANCE: f64 = 0.02;
/// The same where transfers wait for others: a late one delays all that follow, at every step anew.
const CHAINED: f64 = 0.06;
/// Where links or sub-flows are loaded unevenly: a queue shares its link by what arrives, that is by
/// windows, which is proportional fairness (Massoulié and Roberts, 1999; Mo and Walrand, 2000), and the
/// fluid by max-min fairness. The two are the same only where all have one bottleneck.
const UNEVEN: f64 = 0.1;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let check = "packet CCT ~ flow CCT";
    let (fluid, packet) = match (&evidence.wire_ccts, &evidence.packet) {
        (Ok(fluid), Ok(packet)) => (fluid.map(Time::as_us), packet.outcome.cct.as_us()),
        (Err(why), _) | (_, Err(why)) => {
            findings.push(Finding::skipped(check, why));
            return;
        }
    };
    // Sub-flows that are smaller than others have windows like theirs, but are done earlier: what they
    // get is between a share that is equal and one in proportion to their bytes.
    let (least, most) = (fluid[0].min(fluid[1]), fluid[0].max(fluid[1]));
    let (share, why) = if is_uneven(evidence) {
        (UNEVEN, "10 % with uneven loads")
    } else if is_chained(evidence) {
        (CHAINED, "6 % with dependencies")
    } else {
        (TOLERANCE, "2 %")
    };
    let (steps, per_step) = (f64::from(evidence.schedule.steps().max(1)), PerStep::of(evidence));
    let below = least * share + steps * (per_step.stored + per_step.spread);
    let above = most * (share + returned(evidence)) + steps * per_step.stored;
    // Queues behind random choices grow with the square root of the message (arXiv 2507.21372): by how
    // much they exceed the fluid is a finding, not an error.
    let random = is_random(evidence);
    let holds = packet >= least - below && (random || packet <= most + above);
    let rounds = rounds_us(evidence);
    if !holds && packet > most && packet <= most + above + rounds {
        // Nothing can be told: the difference is within what one packet of each sub-flow takes.
        findings.push(Finding::skipped(
            check,
            format!(
                "not comparable: packets take {}, the fluid {}, and one packet of every sub-flow that shares the queues of a path takes {}, more than the tolerance of {}: sub-flows of few packets are sent one after the other, while a fluid sends them at once",
                us(packet),
                us(most),
                us(rounds),
                us(above)
            ),
        ));
        return;
    }
    let expected = match most - least < 1e-6 {
        true => format!("{} with headers", us(most)),
        false => format!("{} to {} with headers", us(least), us(most)),
    };
    let within = match random {
        true => format!("not faster by more than {}", us(below)),
        false => format!("-{} +{}", us(below), us(above)),
    };
    findings.push(Finding::new(check, holds).figures(us(packet), expected).within(format!(
        "{within} ({why}; per step a packet per hop; below, what delays differ by; above, acknowledgements)"
    )));
}

/// The longest time that one packet of every sub-flow takes on the switches' links of one path, summed over
/// steps, in microseconds: the grain below which packets and a fluid share links differently.
fn rounds_us(evidence: &Evidence) -> f64 {
    let fabric = &evidence.network.fabric;
    let options = &evidence.experiment.packet;
    let mut by_step: BTreeMap<u32, BTreeMap<LinkId, u64>> = BTreeMap::new();
    let each = |visit: &mut dyn FnMut(u32, u64, &[LinkId])| {
        for Transfer { task, src, dst, .. } in evidence.schedule.transfers() {
            let step = evidence.schedule.task(task).step;
            for subflow in evidence.placement.of(task) {
                if let Route::Pinned(path) = subflow.route {
                    let packet = subflow.bytes.min(options.payload.0) + options.header.0;
                    visit(step, packet, &fabric.path(src.node(), dst.node(), path)[1..]);
                }
            }
        }
    };
    each(&mut |step, packet, path| {
        let round = by_step.entry(step).or_default();
        for &link in path {
            *round.entry(link).or_default() += packet;
        }
    });
    let mut longest: BTreeMap<u32, f64> = BTreeMap::new();
    each(&mut |step, _, path| {
        let times = path
            .iter()
            .map(|&id| by_step[&step][&id] as f64 / fabric.link(id).rate.bytes_per_ps() / 1e6);
        let longest = longest.entry(step).or_default();
        *longest = longest.max(times.sum());
    });
    longest.values().sum()
}

fn is_chained(evidence: &Evidence) -> bool {
    evidence
        .schedule
        .transfers()
        .any(|Transfer { task, .. }| evidence.schedule.predecessors(task) > 0)
}

/// Whether some fabric link carries more than another, or some pinned sub-flow is larger than another.
fn is_uneven(evidence: &Evidence) -> bool {
    let differ = |least: f64, most: f64| most > least * 1.01;
    let pinned = evidence
        .placement
        .subflows()
        .iter()
        .filter(|subflow| matches!(subflow.route, Route::Pinned(_)));
    let sizes = pinned.map(|subflow| subflow.bytes as f64);
    let (least, most) = sizes.fold((f64::INFINITY, 0.0_f64), |(least, most), size| {
        (least.min(size), most.max(size))
    });
    let Some(assigned) = &evidence.assessment.assigned else {
        return true;
    };
    let fabric = &evidence.network.fabric;
    let loads = fabric.link_ids().filter(|&id| fabric.is_fabric_link(id)).map(|id| {
        let rate = fabric.link(id).rate.bytes_per_ps();
        if rate > 0.0 {
            assigned.loads[id.index()] / rate
        } else {
            0.0
        }
    });
    let loads: Vec<f64> = loads.filter(|&load| load > 0.0).collect();
    let lightest = loads.iter().copied().fold(f64::INFINITY, f64::min);
    let heaviest = loads.iter().copied().fold(0.0, f64::max);
    differ(least, most) || differ(lightest, heaviest)
}

/// Whether packets of a flow choose among paths by chance, or by what others did before them.
fn is_random(evidence: &Evidence) -> bool {
    let even = evidence
        .placement
        .subflows()
        .iter()
        .any(|subflow| !matches!(subflow.route, Route::Pinned(_)));
    let permuted =
        matches!(&evidence.experiment.load_balancing, LoadBalancing::Spray(spec) if spec.choose == Choose::Permuted);
    even && !permuted
}

/// What acknowledgements take, as a share of what data take, of links that carry data both ways.
fn returned(evidence: &Evidence) -> f64 {
    let options = &evidence.experiment.packet;
    let subflows = evidence.placement.subflows();
    let packets: u64 = subflows
        .iter()
        .map(|subflow| subflow.bytes.div_ceil(options.payload.0))
        .sum();
    let payload: u64 = subflows.iter().map(|subflow| subflow.bytes).sum();
    let (packets, payload) = (packets as f64, payload as f64);
    packets * options.ack.0 as f64 / (payload + packets * options.header.0 as f64).max(1.0)
}

/// What only packets know, per step of the schedule, in microseconds.
struct PerStep {
    /// To store a full packet at every hop of the longest path.
    stored: f64,
    /// By how much propagation differs between paths: packets of the shortest are through before those
    /// of the longest meet them, while the fluid has both on every link at once.
    spread: f64,
}

impl PerStep {
    fn of(evidence: &Evidence) -> Self {
        let fabric = &evidence.network.fabric;
        let packet = &evidence.experiment.packet;
        let full = packet.payload.0 + packet.header.0;
        let rates = fabric.links().iter().map(|link| link.rate);
        let slowest = rates.filter(|rate| !rate.is_zero()).min();
        let per_hop = slowest.map_or(Time::ZERO, |rate| rate.transmission_time(full));
        let (mut hops, mut least, mut most) = (0, Time(u64::MAX), Time::ZERO);
        for Transfer { src, dst, .. } in evidence.schedule.transfers() {
            let path = fabric.path(src.node(), dst.node(), 0);
            let delay: Time = path.iter().map(|&id| fabric.link(id).delay).sum();
            hops = hops.max(path.len());
            (least, most) = (least.min(delay), most.max(delay));
        }
        Self {
            stored: per_hop.as_us() * hops as f64,
            spread: most.as_us() - least.min(most).as_us(),
        }
    }
}
