//! What is known about a plan without simulating: bounds, certificates, loads and predictions, of
//! every point and of every step of its collective.

use std::sync::atomic::AtomicBool;

use super::hashing::Hashing;
use super::point_key::key_of;
use super::points::rows_of_points;
use crate::config::ConfigError;
use crate::congestion::{self, Bounds};
use crate::experiment::{Experiment, Instance, Point, Prepared, Preparer};
use crate::loads::{Interval, WorstLink};
use crate::results::{BoundRow, Number, microseconds, ratio};
use crate::topology::Fabric;

/// The rows of all points, in order; fewer if `stop` becomes true.
///
/// # Errors
/// The first point that cannot be built.
pub fn bound(preparer: &Preparer<'_>, stop: &AtomicBool) -> Result<Vec<BoundRow>, ConfigError> {
    rows_of_points(preparer, stop, |point| point_rows(preparer, point))
}

fn point_rows(preparer: &Preparer<'_>, point: Point) -> Result<Vec<BoundRow>, ConfigError> {
    let Prepared { resolved, instance, .. } = point.prepare(preparer)?;
    let experiment = &resolved.experiment;
    let fabric = &instance.network.fabric;
    let mut template = BoundRow {
        hosts: fabric.hosts(),
        ..BoundRow::default()
    };
    template.identify(&key_of(preparer.plan(), point, &resolved));
    let assessment = congestion::assess(fabric, &instance.schedule, &instance.placement, experiment.framing());
    let assigned = assessment.assigned.as_ref();
    let mut whole = BoundRow {
        step: "all".into(),
        flows: instance.schedule.transfer_count() as u64,
        bytes: instance.schedule.transfers().map(|transfer| transfer.bytes).sum(),
        subflows: Some(assessment.subflows),
        predicted_us: assessment.predicted.map(microseconds),
        ..template.clone()
    };
    whole.bounds(&preparer.bounds(experiment, &instance));
    whole.congestion(fabric, assigned.map(|assigned| (assigned.worst, assigned.worst_fabric)));
    let hashing = Hashing::of(experiment, &instance, preparer.plan().files());
    if let Some(hashing) = &hashing {
        whole.expected(hashing.over_all, hashing.sampled_over_all_us);
    }
    let mut rows = vec![whole];
    if instance.schedule.steps() > 1 {
        rows.extend(step_rows(&template, experiment, &instance, hashing.as_ref()));
    }
    Ok(rows)
}

/// One row for every run of steps that are alike.
fn step_rows(
    template: &BoundRow,
    experiment: &Experiment,
    instance: &Instance,
    hashing: Option<&Hashing>,
) -> Vec<BoundRow> {
    let (fabric, schedule) = (&instance.network.fabric, &instance.schedule);
    let (best, routes) = (instance.network.at_best(), instance.network.routes());
    let bounds = congestion::bounds_by_step(&best, routes, schedule, experiment.framing());
    let congestion = congestion::congestion_by_step(fabric, schedule, &instance.placement);
    let mut runs: Vec<(usize, usize, BoundRow)> = Vec::new();
    for (step, known) in bounds.iter().enumerate() {
        let mut row = BoundRow {
            flows: known.transfers as u64,
            bytes: known.bytes,
            ..template.clone()
        };
        row.bounds(&known.bounds);
        row.congestion(
            fabric,
            congestion
                .as_ref()
                .map(|steps| (steps[step].worst, steps[step].worst_fabric)),
        );
        if let Some(hashing) = hashing {
            row.expected(hashing.by_step[step], hashing.sampled_by_step_us[step]);
        }
        match runs.last_mut() {
            Some((_, last, same)) if *same == row => *last = step,
            _ => runs.push((step, step, row)),
        }
    }
    let named = runs.into_iter().map(|(first, last, mut row)| {
        row.step = if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        };
        row
    });
    named.collect()
}

impl BoundRow {
    /// What hashing is expected to cost.
    fn expected(&mut self, limits: Option<Interval>, sampled_us: f64) {
        self.expected_lower_us = limits.map(|limits| Number::new(limits.lower));
        self.expected_upper_us = limits.map(|limits| Number::new(limits.upper));
        self.expected_sampled_us = Some(Number::new(sampled_us));
    }

    fn bounds(&mut self, bounds: &Bounds) {
        let parts = &bounds.parts;
        self.bound_us = Some(microseconds(bounds.cct));
        self.nic_us = Some(microseconds(parts.nic));
        self.pair_us = Some(microseconds(parts.pair));
        self.cut_us = Some(microseconds(parts.cut));
        self.fabric_us = Some(microseconds(parts.fabric));
        self.critical_path_us = Some(microseconds(parts.critical_path));
        self.optimal_fabric_congestion_us = Some(Number::new(bounds.optimal_fabric.lower));
        self.reached_fabric_congestion_us = Some(Number::new(bounds.optimal_fabric.upper));
    }

    /// The most congested of all links and of the switch-to-switch links; after the bounds.
    fn congestion(&mut self, fabric: &Fabric, worst: Option<(Option<WorstLink>, Option<WorstLink>)>) {
        let Some((any, between)) = worst else {
            return;
        };
        let time = |worst: Option<WorstLink>| Number::new(worst.map_or(0.0, |worst| worst.time_ps / 1e6));
        let name = |worst: Option<WorstLink>| worst.map(|worst| fabric.link_name(worst.link));
        let optimal = self.optimal_fabric_congestion_us.unwrap_or_default();
        self.congestion_us = Some(time(any));
        self.congested_link = name(any);
        self.fabric_congestion_us = Some(time(between));
        self.congested_fabric_link = name(between);
        self.congestion_ratio = ratio(time(between).value(), optimal.value());
    }
}
