//! One point: place, evaluate, simulate, and write down what came of it.

use std::sync::Arc;

use super::details::details;
use super::operations::{Operations, job_rows};
use super::point_key::key_of;
use crate::congestion::{self, Assessment, Bounds};
use crate::experiment::{Engine, Experiment, Instance, Point, Prepared, Preparer, Resolved};
use crate::flow_engine;
use crate::outcome::{Outcome, Stuck};
use crate::packet_engine::{self, Continue};
use crate::results::{Details, Number, ResultRow, Skipped, microseconds, ratio};
use crate::units::{Bytes, Time};
use crate::workload::{Schedule, Transfer};

/// What came of a point.
#[derive(Debug)]
pub struct Measured {
    /// Its row of `results.csv`.
    pub row: ResultRow,
    /// Rows of the files that were asked for.
    pub details: Details,
    /// Why there is no completion time.
    pub stuck: Option<Stuck>,
    /// The link that flow control held back for most of the run, if any: a pause storm.
    pub storm: Option<Storm>,
    /// What was skipped, where that was asked for.
    pub skipped: Option<Skipped>,
}

/// A link that was paused for more than half of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Storm {
    /// Its name.
    pub link: String,
    /// Share of the completion time.
    pub share: f64,
}

/// A point that is placed and evaluated, but not simulated.
#[derive(Debug)]
pub struct Evaluated {
    /// What the point resolves to.
    pub resolved: Resolved,
    /// What it is simulated on.
    pub instance: Instance,
    /// The same for each job alone, where that is asked for.
    alone: Vec<Instance>,
    /// Without what only a simulation tells.
    pub row: ResultRow,
    /// What bandwidths count: the bytes of the algorithm, and its factor to those of the bus.
    bandwidth: Option<(Bytes, Option<f64>)>,
    bounds: Arc<Bounds>,
    assessment: Assessment,
}

/// Judges the placement of a point that is prepared.
pub fn evaluate(preparer: &Preparer<'_>, point: Point, prepared: Prepared) -> Evaluated {
    let Prepared {
        resolved,
        instance,
        alone,
        ..
    } = prepared;
    let experiment = &resolved.experiment;
    let bounds = preparer.bounds(experiment, &instance);
    let fabric = &instance.network.fabric;
    let (schedule, placement, framing) = (&instance.schedule, &instance.placement, experiment.framing());
    let assessment = match &instance.equal_steps {
        Some(run) => congestion::assess_equal_steps(fabric, &run.steps, schedule, placement, framing),
        None => congestion::assess(fabric, schedule, placement, framing),
    };
    let mut row = ResultRow::default();
    row.identify(&key_of(preparer.plan(), point, &resolved));
    row.hosts = fabric.hosts();
    row.flows = instance.transfers();
    // An endless transfer has no completion that could be bounded.
    row.subflows = assessment.subflows;
    if instance
        .schedule
        .transfers()
        .all(|Transfer { bytes, .. }| bytes < Schedule::ENDLESS)
    {
        fill_evaluation(&mut row, &bounds, &assessment);
        let purpose = experiment
            .demand()
            .collective(row.hosts, preparer.plan().files(), experiment.seed);
        let best = instance.network.at_best();
        let least = purpose.map(|purpose| congestion::collective_bound(&best, &purpose, experiment.framing()));
        row.collective_bound_us = least.map(microseconds);
    }
    let bandwidth = experiment.demand().bandwidth(row.hosts, preparer.plan().files());
    Evaluated {
        resolved,
        instance,
        alone,
        row,
        bandwidth,
        bounds,
        assessment,
    }
}

impl Evaluated {
    /// The least congestion that any placement can have, in microseconds, over all links: that of the
    /// hosts' own links, which no placement changes, and the certified minimum of the fabric's.
    pub fn least_congestion_us(&self) -> Option<f64> {
        let loads = &self.assessment.assigned.as_ref()?.loads;
        let fabric = &self.instance.network.fabric;
        let own = fabric.link_ids().filter(|&id| !fabric.is_fabric_link(id));
        let times = own
            .map(|id| (loads[id.index()], fabric.link(id).rate))
            .filter(|(load, _)| *load > 0.0)
            .map(|(load, rate)| load / rate.bytes_per_ps() / 1e6);
        Some(times.fold(self.bounds.optimal_fabric.lower, f64::max))
    }

    /// Simulates it.
    pub fn simulate(self) -> Measured {
        self.simulate_watched(&|_| ())
    }

    /// The same, telling `progress` now and then which share of it is done.
    pub(super) fn simulate_watched(self, progress: &dyn Fn(f64)) -> Measured {
        let Self {
            resolved,
            instance,
            alone,
            mut row,
            bandwidth,
            bounds,
            assessment,
        } = self;
        let experiment = &resolved.experiment;
        let simulated = simulate(experiment, &instance, progress).and_then(|outcome| {
            let each = alone.iter().map(|instance| simulate(experiment, instance, &|_| ()));
            Ok((outcome, each.collect::<Result<Vec<_>, _>>()?))
        });
        match simulated {
            Ok((outcome, alone)) => {
                fill_outcome(&mut row, experiment, &bounds, &outcome);
                if instance.equal_steps.is_some() {
                    // The moments of steps that are not written down are not counted.
                    row.events = None;
                }
                if outcome.stopped.is_none() {
                    fill_bandwidths(&mut row, bandwidth, at_best(experiment, &bounds, outcome.cct));
                }
                let operations = Operations::of(&instance.schedule, &outcome);
                operations.fill(&mut row);
                let least = experiment
                    .demand()
                    .least_time_us()
                    .filter(|_| outcome.stopped.is_none());
                row.mfu = least.and_then(|least| ratio(least, outcome.cct.as_us()));
                let storm = storm(&instance, &outcome);
                let skipped = skipped(experiment, &outcome);
                let jobs = job_rows(&instance.schedule, &outcome, &alone);
                let ops = experiment
                    .output
                    .ops
                    .then(|| (operations.rows(), operations.timeline()));
                let mut details = details(experiment, &instance, &assessment, outcome);
                (details.ops, details.timeline) = ops.unzip();
                details.jobs = jobs;
                Measured {
                    row,
                    details,
                    stuck: None,
                    storm,
                    skipped,
                }
            }
            Err(stuck) => Measured {
                row,
                details: Details::default(),
                stuck: Some(stuck),
                storm: None,
                skipped: None,
            },
        }
    }
}

pub(super) fn simulate(experiment: &Experiment, instance: &Instance, progress: &dyn Fn(f64)) -> Result<Outcome, Stuck> {
    let (fabric, observe) = (&instance.network.fabric, instance.observe(experiment));
    if let Some(run) = &instance.equal_steps {
        let (first, placement) = (&instance.schedule, &instance.placement);
        let outcome = flow_engine::simulate_equal_steps(fabric, &run.steps, first, placement, &observe);
        return Ok(outcome.expect("preparing has looked whether it can"));
    }
    match experiment.engine {
        Engine::Flow => flow_engine::simulate(
            fabric,
            &instance.schedule,
            &instance.placement,
            &experiment.flow,
            &observe,
        ),
        Engine::Packet => packet_engine::simulate_watched(&instance.packet_setup(experiment), &mut |status| {
            progress(status.fraction());
            Continue::Yes
        }),
    }
}

fn storm(instance: &Instance, outcome: &Outcome) -> Option<Storm> {
    let (link, paused) = outcome.most_paused?;
    let share = paused.as_us() / outcome.end().as_us();
    (share > 0.5).then(|| Storm {
        link: instance.network.fabric.link_name(link),
        share,
    })
}

/// Which part of the run was skipped, and how well that is known.
fn skipped(experiment: &Experiment, outcome: &Outcome) -> Option<Skipped> {
    let asked = experiment.engine == Engine::Packet && experiment.packet.fast_forward.is_some();
    let all = outcome.ended.0.max(1) as f64;
    asked.then(|| Skipped {
        skipped: outcome.skipped.0 as f64 / all,
        error: outcome.skip_error.0 as f64 / all,
    })
}

/// What is known without simulating.
fn fill_evaluation(row: &mut ResultRow, bounds: &Bounds, assessment: &Assessment) {
    let optimal = bounds.optimal_fabric.lower;
    let fabric = assessment.fabric_congestion_us();
    row.bound_us = Some(microseconds(bounds.cct));
    row.predicted_us = assessment.predicted.map(microseconds);
    row.congestion_us = assessment.congestion_us().map(Number::new);
    row.fabric_congestion_us = fabric.map(Number::new);
    row.optimal_fabric_congestion_us = Some(Number::new(optimal));
    row.congestion_ratio = fabric.and_then(|fabric| ratio(fabric, optimal));
}

/// What the simulation says.
fn fill_outcome(row: &mut ResultRow, experiment: &Experiment, bounds: &Bounds, outcome: &Outcome) {
    if outcome.stopped.is_none() {
        fill_completion(row, experiment, bounds, outcome.cct);
    }
    if outcome.stopped.is_none() || outcome.fct.mean_us > 0.0 {
        row.fct_mean_us = Some(Number::new(outcome.fct.mean_us));
        row.fct_p99_us = Some(Number::new(outcome.fct.p99_us));
    }
    let counters = &outcome.counters;
    row.events = Some(counters.events);
    if experiment.engine == Engine::Packet {
        row.packets = Some(counters.packets);
        row.packet_hops = Some(counters.packet_hops);
        row.ecn_marks = Some(counters.ecn_marks);
        row.drops = Some(counters.drops);
        row.trims = Some(counters.trims);
        row.pauses = Some(counters.pauses);
        row.retransmits = Some(counters.retransmits);
    }
}

/// What a completion time says; a run that was stopped has none.
fn fill_completion(row: &mut ResultRow, experiment: &Experiment, bounds: &Bounds, cct: Time) {
    let cct = at_best(experiment, bounds, cct);
    row.cct_us = Some(microseconds(cct));
    row.cct_over_bound = ratio(cct.as_us(), bounds.cct.as_us());
}

/// Bytes per microsecond are 10^6 bytes per second.
fn fill_bandwidths(row: &mut ResultRow, counted: Option<(Bytes, Option<f64>)>, cct: Time) {
    let Some((bytes, factor)) = counted else { return };
    let gigabytes = bytes.0 as f64 / 1e3;
    row.algbw_gbytes = ratio(gigabytes, cct.as_us());
    row.busbw_gbytes = factor.and_then(|factor| ratio(gigabytes * factor, cct.as_us()));
}

/// A completion time that a tolerance made early is at best the bound, which the exact one is not below.
fn at_best(experiment: &Experiment, bounds: &Bounds, cct: Time) -> Time {
    let early = match experiment.engine {
        Engine::Flow => experiment.flow.early(),
        Engine::Packet => 0.0,
    };
    let explained = early > 0.0 && cct.as_us() >= bounds.cct.as_us() * (1.0 - early);
    if explained { cct.max(bounds.cct) } else { cct }
}

/// What rounding to whole picoseconds can take from a completion time, in microseconds, with the
/// rounding of the two figures themselves.
const ROUNDING_US: f64 = 1.1e-6;

/// Whether a row contradicts the bound: no scheme finishes earlier.
pub fn beats_the_bound(row: &ResultRow) -> bool {
    let figures = row.cct_us.zip(row.bound_us);
    figures.is_some_and(|(cct, bound)| cct.value() < bound.value() * (1.0 - 1e-12) - ROUNDING_US)
}
