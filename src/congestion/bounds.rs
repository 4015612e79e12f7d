//! Lower bounds of the collective completion time that no load balancing and no transport can beat.

use super::dependencies::HeadsAndTails;
use super::framing::Framing;
use super::optimal::{least_congestion, optimal_fabric_congestion};
use super::pairs::RouteSet;
use super::resources::{ResourceKind, Resources, WireTransfer};
use crate::ids::TaskId;
use crate::loads::Interval;
use crate::topology::Fabric;
use crate::units::Time;
use crate::workload::{Action, Schedule};

/// The parts of the bound; each holds for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// What every host must send and receive over its own links.
    pub nic: Time,
    /// What one edge must send to another over all their paths.
    pub pair: Time,
    /// What must leave or enter an edge (leaf cut) or a set of nodes (server, pod) over all its links.
    pub cut: Time,
    /// What the whole fabric must carry, however it is routed over equal-cost paths, the cables of hosts with
    /// several included.
    pub fabric: Time,
    /// The longest chain of dependent transfers and computations, each transfer alone on its best paths.
    pub critical_path: Time,
}

impl Parts {
    /// The parts with their names.
    pub fn named(&self) -> [(&'static str, Time); 5] {
        [
            ("nic", self.nic),
            ("pair", self.pair),
            ("cut", self.cut),
            ("fabric", self.fabric),
            ("critical path", self.critical_path),
        ]
    }
}

/// What a fabric and a schedule alone say about completion time and congestion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// No load balancing and no transport completes earlier: the largest of the parts.
    pub cct: Time,
    /// What it is the largest of.
    pub parts: Parts,
    /// The least congestion of the switch-to-switch links over all fractional routings, in payload
    /// bytes over capacity, in microseconds.
    pub optimal_fabric: Interval,
}

/// The bounds of a schedule on a fabric, all of whose transfers have a path.
///
/// They hold for as long as the fabric stays as it is; for others see [`bounds_over`].
pub fn bounds(fabric: &Fabric, schedule: &Schedule, framing: Framing) -> Bounds {
    bounds_over(fabric, RouteSet::EqualCost, schedule, framing)
}

/// The same for routes of a kind. Where faults come and go, pass the fabric in which every link has the
/// highest rate it ever gets, and [`RouteSet::Any`] if faults open routes that this one does not have.
pub fn bounds_over(fabric: &Fabric, routes: RouteSet, schedule: &Schedule, framing: Framing) -> Bounds {
    let resources = Resources::new(fabric, routes, schedule, framing);
    let around = HeadsAndTails::new(schedule, &resources);
    let jobs = || {
        schedule.transfers().filter_map(|transfer| {
            let wire = resources.transfer(transfer)?;
            Some((wire, around.head(transfer.task), around.tail(transfer.task)))
        })
    };
    let (mut nic, mut pair, mut cut) = (0.0_f64, 0.0_f64, 0.0_f64);
    let kinds = resources.kinds();
    // Where nothing waits, what a resource has to do is soon said, and all kinds are seen to at once.
    let at_once = if around.are_zero() { kinds.len() } else { 1 };
    for kinds in kinds.chunks(at_once) {
        for (kind, bound) in kinds.iter().zip(resources.bounds(kinds, jobs())) {
            let part = match kind {
                ResourceKind::NicOut | ResourceKind::NicIn => &mut nic,
                ResourceKind::Pair => &mut pair,
                ResourceKind::CutOut(_) | ResourceKind::CutIn(_) => &mut cut,
            };
            *part = part.max(bound);
        }
    }
    let (mut longest, mut around_edges) = (0.0_f64, None);
    for (transfer, head, tail) in jobs() {
        longest = longest.max(head + resources.span(&transfer) + tail);
        around_edges = least_around(&resources, around_edges, (transfer, head, tail));
    }
    let delays = schedule
        .tasks()
        .enumerate()
        .filter_map(|(index, task)| match task.action {
            Action::Delay(time) if !time.is_zero() => {
                let id = TaskId::from(index);
                Some(around.head(id) + time.0 as f64 + around.tail(id))
            }
            _ => None,
        });
    let critical = delays.fold(longest, f64::max);
    let mut optimal_fabric = optimal_fabric_congestion(fabric, &resources.between_edges);
    let mut least = optimal_fabric.lower;
    match routes {
        RouteSet::EqualCost if resources.some_host_chooses() => {
            least = least.max(least_congestion(fabric, &resources.between_edges));
        }
        RouteSet::EqualCost => {}
        RouteSet::Any => (least, optimal_fabric.lower) = (0.0, 0.0),
    }
    let parts = Parts {
        nic: whole(nic),
        pair: whole(pair),
        cut: whole(cut),
        fabric: whole(routed(&resources, around_edges, least * 1e6)),
        critical_path: whole(critical),
    };
    let cct = parts.named().iter().map(|&(_, time)| time).max().unwrap_or(Time::ZERO);
    Bounds {
        cct,
        parts,
        optimal_fabric,
    }
}

/// All traffic between edges, which keeps some link between them busy for `congestion`
/// picoseconds of payload, with the least time before and after.
fn routed(resources: &Resources, around: Option<(f64, f64)>, congestion: f64) -> f64 {
    around.map_or(0.0, |(head, tail)| {
        head + congestion * resources.framing.overhead() + tail
    })
}

/// The least time before and after the way of one more transfer between edges, and of those before.
fn least_around(
    resources: &Resources,
    so_far: Option<(f64, f64)>,
    (transfer, before, after): (WireTransfer, f64, f64),
) -> Option<(f64, f64)> {
    let Some((first, last)) = resources.ends(&transfer) else {
        return so_far;
    };
    let (head, tail) = (before + first, last + after);
    Some(so_far.map_or((head, tail), |(before, after)| (head.min(before), tail.min(after))))
}

/// A bound in whole picoseconds, rounded up as the engines round, but for what rounding can have added.
pub(super) fn whole(ps: f64) -> Time {
    Time((ps * (1.0 - 1e-11)).ceil() as u64)
}
