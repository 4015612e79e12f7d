//! Placements held against the optimum, against what other schemes would send, and against a simulation.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use cpu_time::ThreadTime;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::measure::{self, Judged, ratio};
use super::plan::{Plan, Point, Resolved};
use super::record::Number;
use crate::config::ConfigError;
use crate::outcome::Stuck;
use crate::placement::{
    self, Ecmp, Ethereal, Judgement, LoadBalancing, OptimalTransport, PlanFile, Route, Spray, WeightedSpray,
};

/// One row of `fabricsim place`: the placement of a point, or of another scheme beside it. The columns from
/// `worst_step` to `piece_bound_us` are about the step of the largest congestion.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaceRow {
    pub point: u32,
    pub topology: String,
    pub hosts: u32,
    pub workload: String,
    pub size_bytes: Option<u64>,
    pub load_balancing: String,
    pub seed: u64,
    pub flows: u64,
    /// Pieces; one that is spread counts once for every path. This and the next two are sums over the steps.
    pub subflows: Option<u64>,
    /// Those of the paper's rule.
    pub ethereal_subflows: Option<u64>,
    /// Those of spraying: every flow on all its paths.
    pub spray_subflows: Option<u64>,
    /// The most pieces of one flow.
    pub max_pieces: Option<u32>,
    pub worst_step: Option<u32>,
    /// Largest bytes/capacity over the links between which paths choose.
    pub step_congestion_us: Option<Number>,
    /// No routing of the step has less: certified.
    pub step_optimal_us: Option<Number>,
    /// The quotient of the two.
    pub step_ratio: Option<Number>,
    /// No placement with at most `max_pieces` pieces per flow has less.
    pub piece_bound_us: Option<Number>,
    /// The price of a path is the sum of bytes/capacity over its links: how much less bytes would pay on average if pairs
    /// exchanged paths, the mean over the steps.
    pub monge_gap_us: Option<Number>,
    /// How much less if every pair took its cheapest path, at the same prices; the mean over the steps.
    pub regret_us: Option<Number>,
    /// CPU seconds that the placement takes.
    pub place_s: Option<Number>,
    /// As in results.csv, over the whole schedule; so are the next four.
    pub congestion_us: Option<Number>,
    pub fabric_congestion_us: Option<Number>,
    pub optimal_fabric_congestion_us: Option<Number>,
    pub bound_us: Option<Number>,
    pub predicted_us: Option<Number>,
    /// What simulated it, if anything did.
    pub engine: Option<String>,
    pub cct_us: Option<Number>,
    pub cct_over_predicted: Option<Number>,
    pub cct_over_bound: Option<Number>,
}

/// What to do besides placing and judging.
#[derive(Debug, Clone, Copy)]
pub struct PlaceOptions<'a> {
    /// Simulate, beside the schemes that everybody has.
    pub verify: bool,
    /// Make the plan file of the only point.
    pub plan_file: bool,
    /// Begin no further point once it is true.
    pub stop: &'a AtomicBool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct PlaceReport {
    pub rows: Vec<PlaceRow>,
    /// Simulations that did not finish, by point and scheme.
    pub stuck: Vec<(String, Stuck)>,
    /// Schemes that were left out, and why.
    pub notes: Vec<String>,
    pub plan_file: Option<PlanFile>,
    /// Whether it ended before all was done.
    pub stopped: bool,
}

/// Places and judges the points of a plan, in its order.
///
/// # Errors
/// Where a point cannot be judged.
pub fn place(plan: &Plan, options: PlaceOptions<'_>) -> Result<PlaceReport, ConfigError> {
    let mut seen: HashSet<String> = plan.points().iter().map(|point| point.hash()).collect();
    let mut tasks: Vec<(Point, Option<LoadBalancing>)> = Vec::new();
    for &point in plan.points() {
        tasks.push((point, None));
        for peer in peers().into_iter().filter(|_| options.verify) {
            // Points that differ in nothing but the scheme share their peers.
            let mut experiment = plan.resolve(point)?.experiment;
            experiment.load_balancing = peer.clone();
            if seen.insert(plan.name_of(&experiment)) {
                tasks.push((point, Some(peer)));
            }
        }
    }
    let reports: Vec<_> = tasks
        .into_par_iter()
        .filter(|_| !options.stop.load(Ordering::Relaxed))
        .map(|(point, peer)| place_point(plan, point, peer, options))
        .collect::<Result<_, _>>()?;
    let report = reports.into_iter().fold(PlaceReport::default(), PlaceReport::and);
    Ok(PlaceReport {
        stopped: options.stop.load(Ordering::Relaxed),
        ..report
    })
}

/// What a plan is held against in a simulation.
fn peers() -> [LoadBalancing; 4] {
    [
        LoadBalancing::Ecmp(Ecmp::default()),
        LoadBalancing::Spray(Spray::default()),
        LoadBalancing::WeightedSpray(WeightedSpray::default()),
        LoadBalancing::Ethereal(Ethereal::default()),
    ]
}

fn place_point(
    plan: &Plan,
    point: Point,
    peer: Option<LoadBalancing>,
    options: PlaceOptions<'_>,
) -> Result<PlaceReport, ConfigError> {
    let mut resolved = plan.resolve(point)?;
    let is_peer = peer.is_some();
    if let Some(peer) = peer {
        resolved.experiment.load_balancing = peer;
        if let Err(error) = plan.check(&resolved.experiment) {
            let label = resolved.experiment.load_balancing.label();
            return Ok(PlaceReport {
                notes: vec![format!("point {}: {label} is left out: {error}", point.index)],
                ..PlaceReport::default()
            });
        }
    }
    let judged = measure::judge_resolved(plan, point, resolved)?;
    let judgement = judgement(plan, &judged)?;
    let mut report = PlaceReport {
        rows: vec![PlaceRow::new(&judged, judgement.as_ref())],
        ..PlaceReport::default()
    };
    report.rows[0].place_s = Some(Number::new(time_to_place(plan, &judged)?));
    if options.plan_file && !is_peer {
        report.plan_file = Some(plan_file(plan, &judged, judgement.as_ref())?);
    }
    if options.verify {
        let measured = judged.simulate();
        report.rows[0].verified(&measured.row);
        let name = format!("point {}, {}", point.index, report.rows[0].load_balancing);
        report.stuck.extend(measured.stuck.map(|stuck| (name, stuck)));
    }
    Ok(report)
}

/// Step by step against the optimum; `None` where paths are chosen while packets travel.
fn judgement(plan: &Plan, judged: &Judged) -> Result<Option<Judgement>, ConfigError> {
    let scene = &judged.scene;
    if scene
        .placement
        .pieces()
        .iter()
        .any(|piece| piece.route == Route::Dynamic)
    {
        return Ok(None);
    }
    let solver = match &judged.resolved.experiment.load_balancing {
        LoadBalancing::OptimalTransport(spec) => spec.clone(),
        _ => OptimalTransport::default(),
    };
    placement::judge(&scene.network.fabric, &scene.schedule, &scene.placement, &solver)
        .map(Some)
        .map_err(|error| locate(plan, &judged.resolved, error))
}

fn locate(plan: &Plan, resolved: &Resolved, error: crate::input::InputError) -> ConfigError {
    let name = resolved.experiment.load_balancing.name();
    plan.locate(resolved, error.under(&format!("load_balancing.{name}")))
}

/// CPU seconds of placing once more: the first time was shared with other points.
fn time_to_place(plan: &Plan, judged: &Judged) -> Result<f64, ConfigError> {
    let (scene, experiment) = (&judged.scene, &judged.resolved.experiment);
    let start = ThreadTime::now();
    experiment
        .load_balancing
        .place(&scene.network.fabric, &scene.schedule, plan.files(), experiment.seed)
        .map_err(|error| locate(plan, &judged.resolved, error))?;
    Ok(start.elapsed().as_secs_f64())
}

fn plan_file(plan: &Plan, judged: &Judged, judgement: Option<&Judgement>) -> Result<PlanFile, ConfigError> {
    let scene = &judged.scene;
    let file = PlanFile::from_placement(&scene.network.fabric, &scene.schedule, &scene.placement)
        .map_err(|error| locate(plan, &judged.resolved, error))?;
    Ok(PlanFile {
        congestion: judged.row.congestion_us.map(Number::value),
        bound: judged.least_congestion_us().map(|bound| Number::new(bound).value()),
        monge_gap: judgement.map(|j| Number::new(j.monge_gap_us()).value()),
        ..file
    })
}

impl PlaceReport {
    /// Both, one behind the other.
    fn and(mut self, other: Self) -> Self {
        self.rows.extend(other.rows);
        self.stuck.extend(other.stuck);
        self.notes.extend(other.notes);
        self.plan_file = self.plan_file.or(other.plan_file);
        self
    }
}

impl PlaceRow {
    fn new(judged: &Judged, judgement: Option<&Judgement>) -> Self {
        let known = judged.row.clone();
        let row = Self {
            point: known.point,
            topology: known.topology,
            hosts: known.hosts,
            workload: known.workload,
            size_bytes: known.size_bytes,
            load_balancing: known.load_balancing,
            seed: known.seed,
            flows: known.flows,
            congestion_us: known.congestion_us,
            fabric_congestion_us: known.fabric_congestion_us,
            optimal_fabric_congestion_us: known.optimal_fabric_congestion_us,
            bound_us: known.bound_us,
            predicted_us: known.predicted_us,
            ..Self::default()
        };
        let Some((all, worst)) = judgement.and_then(|j| Some((j, j.worst()?))) else {
            return row;
        };
        Self {
            subflows: Some(all.subflows()),
            ethereal_subflows: Some(all.steps.iter().map(|s| s.ethereal_subflows).sum()),
            spray_subflows: Some(all.steps.iter().map(|s| s.spray_subflows).sum()),
            max_pieces: Some(worst.max_pieces),
            worst_step: Some(worst.step),
            step_congestion_us: Some(Number::new(worst.congestion_us)),
            step_optimal_us: Some(Number::new(worst.optimum_us)),
            step_ratio: ratio(worst.congestion_us, worst.optimum_us),
            piece_bound_us: Some(Number::new(worst.bound_for_pieces_us)),
            monge_gap_us: Some(Number::new(all.monge_gap_us())),
            regret_us: Some(Number::new(all.regret_us())),
            ..row
        }
    }

    /// What the simulation says.
    fn verified(&mut self, row: &super::record::ResultRow) {
        self.engine = Some(row.engine.clone());
        self.cct_us = row.cct_us;
        self.cct_over_bound = row.cct_over_bound;
        let both = row.cct_us.zip(self.predicted_us);
        self.cct_over_predicted = both.and_then(|(cct, predicted)| ratio(cct.value(), predicted.value()));
    }
}
