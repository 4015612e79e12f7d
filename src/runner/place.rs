//! Placements held against the optimum, against what other schemes would send, and against a simulation.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::measure::{self, Evaluated};
use super::point_key::key_of;
use crate::config::ConfigError;
use crate::experiment::{Plan, Point, Prepared, Preparer, Resolved};
use crate::input::InputError;
use crate::outcome::Stuck;
use crate::placement::{
    self, Ecmp, Ethereal, Evaluation, LoadBalancing, OptimalTransport, PathWeights, PlanFile, Spray, WeightedSpray,
};
use crate::results::{Number, PlaceRow, ResultRow, WeightRow, ratio};
use crate::routes::Route;

/// What to do besides placing and judging.
#[derive(Debug, Clone, Copy)]
pub struct PlaceOptions<'a> {
    /// Simulate, beside the schemes that everybody has.
    pub verify: bool,
    /// Make the plan file of the only point.
    pub plan_file: bool,
    /// Make the tables of weights of the only point.
    pub weights: bool,
    /// Begin no further point once it is true.
    pub stop: &'a AtomicBool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct PlaceReport {
    /// Rows of `placements.csv`.
    pub rows: Vec<PlaceRow>,
    /// Simulations that did not finish, by point and scheme.
    pub stuck: Vec<(String, Stuck)>,
    /// Schemes that were left out, and why.
    pub notes: Vec<String>,
    /// The placement of an experiment with one point.
    pub plan_file: Option<PlanFile>,
    /// Tables of weights, where the scheme has such.
    pub weights: Option<Vec<WeightRow>>,
    /// Whether it ended before all was done.
    pub stopped: bool,
}

/// Places and judges the points of a plan, in its order.
///
/// # Errors
/// Where a point cannot be evaluated.
pub fn place(preparer: &Preparer<'_>, options: PlaceOptions<'_>) -> Result<PlaceReport, ConfigError> {
    let plan = preparer.plan();
    let mut seen: HashSet<String> = plan.points().iter().map(|point| point.hash()).collect();
    let mut tasks: Vec<(Point, Option<LoadBalancing>)> = Vec::new();
    for &point in plan.points() {
        tasks.push((point, None));
        for peer in peers().into_iter().filter(|_| options.verify) {
            // Points that differ in nothing but the scheme share their peers.
            let mut experiment = plan.resolve(point)?.experiment;
            experiment.load_balancing = peer.clone();
            if seen.insert(plan.hash_of(&experiment)) {
                tasks.push((point, Some(peer)));
            }
        }
    }
    let reports: Vec<_> = tasks
        .into_par_iter()
        .filter(|_| !options.stop.load(Ordering::Relaxed))
        .map(|(point, peer)| place_point(preparer, point, peer, options))
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
    preparer: &Preparer<'_>,
    point: Point,
    peer: Option<LoadBalancing>,
    options: PlaceOptions<'_>,
) -> Result<PlaceReport, ConfigError> {
    let plan = preparer.plan();
    let mut resolved = plan.resolve(point)?;
    let is_peer = peer.is_some();
    if let Some(peer) = peer {
        resolved.experiment.load_balancing = peer;
    }
    let (instance, memory) = match preparer.build(&resolved.experiment) {
        Ok(built) => built,
        Err(error) if is_peer => return Ok(PlaceReport::without(point, &resolved, &error)),
        Err(error) => return Err(plan.locate(&resolved, error)),
    };
    let prepared = Prepared {
        resolved,
        instance,
        alone: Vec::new(),
        memory,
    };
    let evaluated = measure::evaluate(preparer, point, prepared);
    let evaluation = evaluation(plan, &evaluated)?;
    let mut report = PlaceReport {
        rows: vec![row_of(plan, point, &evaluated, evaluation.as_ref())],
        ..PlaceReport::default()
    };
    report.rows[0].place_s = Some(Number::new(evaluated.instance.placed_in.as_secs_f64()));
    if options.plan_file && !is_peer {
        report.plan_file = Some(plan_file(plan, &evaluated, evaluation.as_ref())?);
    }
    if options.weights && !is_peer {
        report.weights = weights(plan, &evaluated)?;
    }
    if options.verify {
        let measured = evaluated.simulate();
        verify(&mut report.rows[0], &measured.row);
        let name = format!("point {}, {}", point.index, report.rows[0].load_balancing);
        report.stuck.extend(measured.stuck.map(|stuck| (name, stuck)));
    }
    Ok(report)
}

/// Step by step against the optimum; `None` where paths are chosen while packets travel.
fn evaluation(plan: &Plan, evaluated: &Evaluated) -> Result<Option<Evaluation>, ConfigError> {
    let instance = &evaluated.instance;
    if instance
        .placement
        .subflows()
        .iter()
        .any(|subflow| subflow.route == Route::Dynamic)
    {
        return Ok(None);
    }
    let solver = match &evaluated.resolved.experiment.load_balancing {
        LoadBalancing::OptimalTransport(spec) => spec.clone(),
        _ => OptimalTransport::default(),
    };
    placement::evaluate(
        &instance.network.fabric,
        &instance.schedule,
        &instance.placement,
        &solver,
    )
    .map(Some)
    .map_err(|error| locate(plan, &evaluated.resolved, error))
}

fn locate(plan: &Plan, resolved: &Resolved, error: InputError) -> ConfigError {
    let name = resolved.experiment.load_balancing.name();
    plan.locate(resolved, error.under(&format!("load_balancing.{name}")))
}

fn plan_file(plan: &Plan, evaluated: &Evaluated, evaluation: Option<&Evaluation>) -> Result<PlanFile, ConfigError> {
    let instance = &evaluated.instance;
    let file = PlanFile::from_placement(&instance.network.fabric, &instance.schedule, &instance.placement)
        .map_err(|error| locate(plan, &evaluated.resolved, error))?;
    Ok(PlanFile {
        congestion: evaluated.row.congestion_us.map(Number::value),
        bound: evaluated.least_congestion_us().map(|bound| Number::new(bound).value()),
        monge_gap: evaluation.map(|j| Number::new(j.monge_gap_us()).value()),
        ..file
    })
}

/// The tables of switches, entry by entry.
fn weights(plan: &Plan, evaluated: &Evaluated) -> Result<Option<Vec<WeightRow>>, ConfigError> {
    let (instance, experiment) = (&evaluated.instance, &evaluated.resolved.experiment);
    let fabric = &instance.network.fabric;
    let tables = experiment
        .load_balancing
        .tables(fabric, &instance.schedule, plan.files(), experiment.seed)
        .map_err(|error| locate(plan, &evaluated.resolved, error))?;
    let name = |node| fabric.node(node).name.clone();
    let rows = |table: PathWeights| {
        let paths = fabric.paths(table.hosts.0, table.hosts.1);
        let through = move |path: crate::topology::Path| {
            let switches = path
                .iter()
                .map(|&id| fabric.link(id).to)
                .filter(|node| node.0 >= fabric.hosts());
            switches.map(name).collect::<Vec<_>>().join("/")
        };
        let used = table.weights.into_iter().zip(paths).filter(|(entries, _)| *entries > 0);
        let row = move |(entries, path)| WeightRow {
            switch: name(table.from),
            destination: name(table.to),
            path: through(path),
            entries,
        };
        used.map(row).collect::<Vec<_>>()
    };
    Ok(tables.map(|tables| tables.into_iter().flat_map(rows).collect()))
}

impl PlaceReport {
    /// A peer is left out where it cannot be.
    fn without(point: Point, resolved: &Resolved, error: &InputError) -> Self {
        let label = resolved.experiment.load_balancing.label();
        Self {
            notes: vec![format!("point {}: {label} is left out: {error}", point.index)],
            ..Self::default()
        }
    }

    /// Both, one behind the other.
    fn and(mut self, other: Self) -> Self {
        self.rows.extend(other.rows);
        self.stuck.extend(other.stuck);
        self.notes.extend(other.notes);
        self.plan_file = self.plan_file.or(other.plan_file);
        self.weights = self.weights.or(other.weights);
        self
    }
}

fn row_of(plan: &Plan, point: Point, evaluated: &Evaluated, evaluation: Option<&Evaluation>) -> PlaceRow {
    let known = &evaluated.row;
    let mut row = PlaceRow {
        hosts: known.hosts,
        flows: known.flows,
        congestion_us: known.congestion_us,
        fabric_congestion_us: known.fabric_congestion_us,
        optimal_fabric_congestion_us: known.optimal_fabric_congestion_us,
        bound_us: known.bound_us,
        predicted_us: known.predicted_us,
        ..PlaceRow::default()
    };
    row.identify(&key_of(plan, point, &evaluated.resolved));
    let Some((all, worst)) = evaluation.and_then(|j| Some((j, j.worst()?))) else {
        return row;
    };
    PlaceRow {
        subflows: Some(all.subflows()),
        ethereal_subflows: Some(all.steps.iter().map(|s| s.ethereal_subflows).sum()),
        spray_subflows: Some(all.steps.iter().map(|s| s.spray_subflows).sum()),
        max_pieces: Some(worst.max_pieces),
        worst_step: Some(worst.step),
        step_congestion_us: Some(Number::new(worst.congestion_us)),
        step_optimal_us: Some(Number::new(worst.optimum_us)),
        step_ratio: ratio(worst.congestion_us, worst.optimum_us),
        piece_bound_us: Some(Number::new(worst.bound_for_subflows_us)),
        monge_gap_us: Some(Number::new(all.monge_gap_us())),
        regret_us: Some(Number::new(all.regret_us())),
        ..row
    }
}

/// What the simulation says.
fn verify(row: &mut PlaceRow, simulated: &ResultRow) {
    row.engine = Some(simulated.engine.clone());
    row.cct_us = simulated.cct_us;
    row.cct_over_bound = simulated.cct_over_bound;
    let both = simulated.cct_us.zip(row.predicted_us);
    row.cct_over_predicted = both.and_then(|(cct, predicted)| ratio(cct.value(), predicted.value()));
}
