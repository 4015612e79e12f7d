//! Bounds and congestion of every step of a schedule for itself, as if it were alone.

use std::collections::BTreeMap;

use super::bounds::{Bounds, bounds_over};
use super::framing::Framing;
use super::pairs::RouteSet;
use crate::ids::TaskId;
use crate::loads::{LinkLoads, WorstLink};
use crate::placement::Placement;
use crate::rng::mix;
use crate::topology::Fabric;
use crate::workload::{Schedule, ScheduleBuilder, Transfer};

/// One step without placement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepBounds {
    /// Number of transfers.
    pub transfers: usize,
    /// Payload bytes of all transfers together.
    pub bytes: u64,
    /// Bounds of the step alone, all its transfers starting together.
    pub bounds: Bounds,
}

/// What a placement assigns to the links in one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepCongestion {
    /// The most congested of all links.
    pub worst: Option<WorstLink>,
    /// The most congested switch-to-switch link.
    pub worst_fabric: Option<WorstLink>,
}

/// The bounds of every step, by step. Steps with the same transfers are solved once.
pub fn bounds_by_step(fabric: &Fabric, routes: RouteSet, schedule: &Schedule, framing: Framing) -> Vec<StepBounds> {
    let mut known: BTreeMap<[u64; 3], StepBounds> = BTreeMap::new();
    let steps = schedule.transfers_by_step().into_iter().map(|step| {
        let found = known.entry(fingerprint(schedule, &step));
        *found.or_insert_with(|| {
            let mut builder = ScheduleBuilder::default();
            let mut total = 0;
            for Transfer { src, dst, bytes, .. } in step.iter().filter_map(|&task| schedule.transfer(task)) {
                builder.transfer(src.0, dst.0, bytes, 0);
                total += bytes;
            }
            StepBounds {
                transfers: step.len(),
                bytes: total,
                bounds: bounds_over(fabric, routes, &builder.build(), framing),
            }
        })
    });
    steps.collect()
}

/// The steps of a schedule that differ in their transfers, each with how often it occurs.
pub(super) fn distinct_steps(schedule: &Schedule) -> Vec<(u32, Vec<TaskId>)> {
    let mut place: BTreeMap<[u64; 3], usize> = BTreeMap::new();
    let mut distinct: Vec<(u32, Vec<TaskId>)> = Vec::new();
    for step in schedule.transfers_by_step() {
        let known = *place.entry(fingerprint(schedule, &step)).or_insert(distinct.len());
        match distinct.get_mut(known) {
            Some((times, _)) => *times += 1,
            None => distinct.push((1, step)),
        }
    }
    distinct
}

/// The congestion of every step, by step; `None` where some sub-flow is routed dynamically.
pub fn congestion_by_step(fabric: &Fabric, schedule: &Schedule, placement: &Placement) -> Option<Vec<StepCongestion>> {
    let mut loads = LinkLoads::new(fabric);
    let steps = schedule.transfers_by_step().into_iter().map(|step| {
        loads.clear();
        for task in step {
            placement.load(&mut loads, schedule.transfer(task)?, &|bytes| bytes as f64)?;
        }
        loads.finish();
        Some(StepCongestion {
            worst: loads.worst(|_| true),
            worst_fabric: loads.worst(|id| fabric.is_fabric_link(id)),
        })
    });
    steps.collect()
}

/// A hash of a step's transfers in any order: their number and two sums of mixed values.
fn fingerprint(schedule: &Schedule, step: &[TaskId]) -> [u64; 3] {
    let mut print = [step.len() as u64, 0, 0];
    for Transfer { src, dst, bytes, .. } in step.iter().filter_map(|&task| schedule.transfer(task)) {
        let one = mix(mix(u64::from(src.0) << 32 | u64::from(dst.0)) ^ bytes);
        print[1] = print[1].wrapping_add(one);
        print[2] = print[2].wrapping_add(mix(one ^ 0x5bd1_e995_9e37_79b9));
    }
    print
}
