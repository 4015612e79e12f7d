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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::congestion::{assess, bounds_over};
    use crate::input::NoFiles;
    use crate::placement::LoadBalancing;
    use crate::topology::{Cable, LeafSpine, LinkChange};
    use crate::units::Rate;
    use crate::workload::Workload;

    fn close(a: f64, b: f64, unit: f64) -> bool {
        (a - b).abs() <= unit + 1e-11 * a.abs().max(b.abs())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        /// The critical path, the least congestion, and what is assigned and predicted are those of the schedule that is written
        /// down. No other part of its bound is larger where the steps are predicted to take no longer than the critical path.
        #[test]
        fn the_first_step_tells_what_all_steps_tell(
            (leaves, spines, per_leaf) in (1_u32..5, 1_u32..4, 1_u32..5),
            rate in prop::sample::select(vec![50_u64, 100, 100, 230, 400]),
            delay in 0_u64..3_000,
            kind in prop::sample::select(vec!["all-reduce", "reduce-scatter", "all-gather"]),
            chunks in prop::sample::select(vec![1_u64, 1, 3]),
            piece in prop::sample::select(vec![1_u64, 4_096, 1_000_003]),
            map in prop::sample::select(vec!["in-order", "strided", "random"]),
            scheme in prop::sample::select(vec!["spray", "weighted-spray", "ecmp", "greedy"]),
            slow in prop::option::weighted(0.3, 0_usize..64),
        ) {
            let cable = |gbps, ns| Cable { rate: Rate::from_gbps(gbps), delay: Time::from_ns(ns) };
            let mut spec = LeafSpine::uniform(leaves, spines, per_leaf, cable(100, 500));
            spec.fabric_link = cable(rate, delay);
            let mut fabric = Fabric::compile(&spec.blueprint().unwrap());
            prop_assume!(fabric.hosts() >= 2);
            if let Some(at) = slow {
                let link = crate::ids::LinkId::from(at % fabric.links().len());
                fabric = fabric.with(&[LinkChange { link, rate: Rate::from_gbps(37) }]);
            }
            let size = piece * chunks * u64::from(fabric.hosts());
            let workload: Workload = serde_json::from_value(serde_json::json!({
                kind: { "size": size, "chunks": chunks, "rank_map": map }
            })).unwrap();
            let scheme: LoadBalancing = serde_json::from_value(serde_json::json!({ scheme: {} })).unwrap();
            let Some(steps) = workload.equal_steps(fabric.hosts(), &NoFiles, 1, 0).unwrap() else {
                return Ok(());
            };
            let schedule = workload.schedule(fabric.hosts(), &NoFiles, 1).unwrap();
            let first = steps.first();
            prop_assert_eq!(steps.transfers(), schedule.transfer_count() as u64);
            let placement = |schedule| scheme.place(&fabric, schedule, &NoFiles, 1).unwrap();
            let (all, one) = (placement(&schedule), placement(&first));
            let framing = Framing::Fluid;

            let (written, told) = (
                assess(&fabric, &schedule, &all, framing),
                assess_equal_steps(&fabric, &steps, &first, &one, framing),
            );
            prop_assert_eq!(written.subflows, told.subflows);
            let (a, b) = (written.assigned.unwrap(), told.assigned.unwrap());
            prop_assert!(a.loads.iter().zip(&b.loads).all(|(&a, &b)| close(a, b, 0.0)));
            if let Some(predicted) = told.predicted {
                prop_assert!(close(predicted.0 as f64, written.predicted.unwrap().0 as f64, 1.0));
            }

            let written = bounds_over(&fabric, RouteSet::EqualCost, &schedule, framing);
            if let Some(bounds) = bounds_of_equal_steps(&fabric, &steps, &first, framing) {
                let picoseconds = |time: Time| time.0 as f64;
                prop_assert!(close(picoseconds(bounds.cct), picoseconds(written.parts.critical_path), 1.0));
                prop_assert!(close(bounds.optimal_fabric.lower, written.optimal_fabric.lower, 0.0));
                if told.predicted.is_some_and(|predicted| picoseconds(predicted) <= 1.0 + picoseconds(bounds.cct)) {
                    prop_assert!(close(picoseconds(bounds.cct), picoseconds(written.cct), 1.0));
                }
            }
        }
    }
}
