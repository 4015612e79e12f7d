//! What is known about a plan without simulating: bounds, certificates, loads and predictions, of
//! every point and of every step of its collective.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::hashing::Hashing;
use super::measure::{self, microseconds, ratio};
use super::plan::{Plan, Point, Scene};
use super::record::{Number, ResultRow};
use super::spec::Experiment;
use crate::config::ConfigError;
use crate::congestion::{self, Bounds, Expected, WorstLink};
use crate::topology::Fabric;

/// One row of `fabricsim bound`: a point, or some steps of its collective by themselves.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundRow {
    pub point: u32,
    pub topology: String,
    pub hosts: u32,
    pub workload: String,
    pub size_bytes: Option<u64>,
    pub load_balancing: String,
    pub seed: u64,
    /// `all`, or the steps that the row holds for, each by itself: `3`, or `3-17` where they are alike.
    pub step: String,
    pub flows: u64,
    pub bytes: u64,
    /// Of the whole point.
    pub subflows: Option<u64>,
    /// No schedule of any load balancing can finish earlier: the largest of the five that follow.
    pub bound_us: Option<Number>,
    /// What one host must send or receive.
    pub nic_us: Option<Number>,
    /// What one edge switch must send to another.
    pub pair_us: Option<Number>,
    /// What must leave or enter some switches.
    pub cut_us: Option<Number>,
    /// What the fabric as a whole must carry.
    pub fabric_us: Option<Number>,
    /// The longest chain of dependent transfers.
    pub critical_path_us: Option<Number>,
    /// What the load balancing's own loads allow at best, of the whole point.
    pub predicted_us: Option<Number>,
    /// Largest bytes/capacity over all links, and where it is; empty where paths are chosen while
    /// packets travel.
    pub congestion_us: Option<Number>,
    pub congested_link: Option<String>,
    /// The same over switch-to-switch links.
    pub fabric_congestion_us: Option<Number>,
    pub congested_fabric_link: Option<String>,
    /// No fractional routing has less than the first, and one has no more than the second.
    pub optimal_fabric_congestion_us: Option<Number>,
    pub reached_fabric_congestion_us: Option<Number>,
    pub congestion_ratio: Option<Number>,
    /// Where flows hash onto paths: what the fabric congestion is expected to be over hash functions.
    /// Not less than the first and not more than the second, by their exact distribution where the
    /// fabric has one; the third is the mean over some draws.
    pub expected_lower_us: Option<Number>,
    pub expected_upper_us: Option<Number>,
    pub expected_sampled_us: Option<Number>,
}

/// The rows of all points, in order; fewer if `stop` becomes true.
pub fn bound(plan: &Plan, stop: &AtomicBool) -> Result<Vec<BoundRow>, ConfigError> {
    let rows: Vec<_> = plan
        .points()
        .par_iter()
        .filter(|_| !stop.load(Ordering::Relaxed))
        .map(|&point| point_rows(plan, point))
        .collect();
    let mut all = Vec::new();
    for rows in rows {
        all.extend(rows?);
    }
    Ok(all)
}

fn point_rows(plan: &Plan, point: Point) -> Result<Vec<BoundRow>, ConfigError> {
    let resolved = plan.resolve(point)?;
    let experiment = &resolved.experiment;
    let scene = plan.scene(experiment).map_err(|error| plan.locate(&resolved, error))?;
    let fabric = &scene.network.fabric;
    let mut named = ResultRow::default();
    measure::describe(point, &resolved, &mut named);
    let template = BoundRow {
        point: named.point,
        topology: named.topology,
        hosts: fabric.hosts(),
        workload: named.workload,
        size_bytes: named.size_bytes,
        load_balancing: named.load_balancing,
        seed: named.seed,
        ..BoundRow::default()
    };
    let assessment = congestion::assess(fabric, &scene.schedule, &scene.placement, experiment.framing());
    let assigned = assessment.assigned.as_ref();
    let mut whole = BoundRow {
        step: "all".into(),
        flows: scene.schedule.transfer_count() as u64,
        bytes: scene.schedule.transfers().map(|(.., bytes)| bytes).sum(),
        subflows: Some(assessment.subflows),
        predicted_us: assessment.predicted.map(microseconds),
        ..template.clone()
    };
    whole.bounds(&plan.bounds(experiment, &scene));
    whole.congestion(fabric, assigned.map(|assigned| (assigned.worst, assigned.worst_fabric)));
    let hashing = Hashing::of(experiment, &scene, plan.files());
    if let Some(hashing) = &hashing {
        whole.expected(hashing.over_all, hashing.sampled_over_all_us);
    }
    let mut rows = vec![whole];
    if scene.schedule.steps() > 1 {
        rows.extend(step_rows(&template, experiment, &scene, hashing.as_ref()));
    }
    Ok(rows)
}

/// One row for every run of steps that are alike.
fn step_rows(template: &BoundRow, experiment: &Experiment, scene: &Scene, hashing: Option<&Hashing>) -> Vec<BoundRow> {
    let (fabric, schedule) = (&scene.network.fabric, &scene.schedule);
    let (best, routes) = (scene.network.at_best(), scene.network.routes());
    let bounds = congestion::bounds_by_step(&best, routes, schedule, experiment.framing());
    let congestion = congestion::congestion_by_step(fabric, schedule, &scene.placement);
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
    fn expected(&mut self, limits: Option<Expected>, sampled_us: f64) {
        self.expected_lower_us = limits.map(|limits| Number::new(limits.lower_us));
        self.expected_upper_us = limits.map(|limits| Number::new(limits.upper_us));
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
        self.optimal_fabric_congestion_us = Some(Number::new(bounds.optimal_fabric.lower_us));
        self.reached_fabric_congestion_us = Some(Number::new(bounds.optimal_fabric.upper_us));
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
