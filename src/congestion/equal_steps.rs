//! The same answers for equal steps around a ring, from their first step alone.

use super::assess::{Assessment, Assigned, worst_fabric_link};
use super::bounds::{Bounds, Parts, whole};
use super::framing::Framing;
use super::optimal::optimal_fabric_congestion;
use super::pairs::RouteSet;
use super::predict::first_step;
use super::resources::Resources;
use super::timeline::Duration;
use crate::loads::worst_link;
use crate::placement::Placement;
use crate::topology::Fabric;
use crate::units::Time;
use crate::workload::{EqualSteps, Schedule};

/// The longest chain of dependent transfers of equal steps, each alone on its best paths: what [`bounds`] has as its critical
/// path. None where connections differ in more than their delays.
///
/// The other parts of the bound are left at zero. None of them is larger where a run meets this one, as no bound is above what
/// a run has come to.
///
/// [`bounds`]: super::bounds()
pub fn bounds_of_equal_steps(
    fabric: &Fabric,
    steps: &EqualSteps,
    first: &Schedule,
    framing: Framing,
) -> Option<Bounds> {
    let resources = Resources::new(fabric, RouteSet::EqualCost, &steps.together(), framing);
    let least = |transfer| {
        let wire = resources.transfer(transfer)?;
        Some(Duration {
            sent: resources.sending(&wire),
            delivered: resources.span(&wire),
            ..Duration::default()
        })
    };
    let least: Option<Vec<Duration>> = first.transfers().map(least).collect();
    let critical_path = whole(end(steps, &least?)?);
    Some(Bounds {
        cct: critical_path,
        parts: Parts {
            critical_path,
            ..Parts::default()
        },
        optimal_fabric: optimal_fabric_congestion(fabric, &resources.between_edges),
    })
}

/// Assesses the placement of equal steps, of which the first is placed as all are; as [`assess`] does what is written down.
///
/// [`assess`]: super::assess()
pub fn assess_equal_steps(
    fabric: &Fabric,
    steps: &EqualSteps,
    first: &Schedule,
    placement: &Placement,
    framing: Framing,
) -> Assessment {
    let times = f64::from(steps.steps());
    let assigned = placement.link_loads(fabric, first).map(|mut loads| {
        loads.iter_mut().for_each(|load| *load *= times);
        Assigned {
            worst: worst_link(fabric, &loads, fabric.link_ids()),
            worst_fabric: worst_fabric_link(fabric, &loads),
            loads,
        }
    });
    let predicted = assigned
        .as_ref()
        .and_then(|_| first_step(fabric, first, placement, framing))
        .and_then(|durations| end(steps, &durations));
    Assessment {
        subflows: placement.subflows().len() as u64 * u64::from(steps.steps()),
        assigned,
        predicted: predicted.map(|end| Time(end.round() as u64)),
    }
}

/// When the last transfer is delivered, if that of each rank takes so long in every step; none where they are not sent in one
/// and the same time.
fn end(steps: &EqualSteps, durations: &[Duration]) -> Option<f64> {
    let sending = durations.first()?.sent;
    if durations.iter().any(|duration| duration.sent != sending) {
        return None;
    }
    let delays: Vec<f64> = durations.iter().map(|duration| duration.delivered - sending).collect();
    let ends = steps.ends(sending, &delays)?;
    Some(ends.into_iter().fold(0.0, f64::max))
}
