//! Start shifts of an experiment's jobs, predicted from what each does alone and confirmed by the fluid.

use serde::Serialize;
use toml::Value;

use super::shifts::shifts;
use crate::config::ConfigError;
use crate::experiment::{Engine, Experiment, Point, Preparer, Resolved};
use crate::input::InputError;
use crate::results::{JobRow, Number, microseconds};
use crate::runner::{self, NoProfile};
use crate::units::Time;

/// One job of a plan over time, with times in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShiftedJob {
    /// Its name.
    pub job: String,
    /// How long each of its rounds takes alone.
    pub period_us: Number,
    /// By how much later it is to begin.
    pub shift_us: Number,
    /// When that is.
    pub start_us: Number,
    /// How long it takes alone.
    pub alone_us: Number,
    /// How long beside the others as written, simulated.
    pub written_us: Number,
    /// How long beside the others when shifted, by what is asked of links.
    pub predicted_us: Number,
    /// The same, simulated.
    pub shifted_us: Number,
}

/// When the jobs of an experiment are to begin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShiftReport {
    /// In the order of the file.
    pub jobs: Vec<ShiftedJob>,
    #[serde(skip)]
    starts: Vec<Time>,
}

/// Finds start shifts for the jobs of a point, all in fluid.
///
/// # Errors
/// An experiment without several jobs, or one that the fluid cannot simulate.
pub fn shifted(preparer: &Preparer<'_>, point: Point) -> Result<ShiftReport, ConfigError> {
    let plan = preparer.plan();
    let mut resolved = plan.resolve(point)?;
    let experiment = &mut resolved.experiment;
    experiment.engine = Engine::Flow;
    experiment.output = crate::experiment::Output::default();
    let located = |error| plan.locate(&resolved, error);
    if resolved.experiment.jobs.len() < 2 {
        let message = "there are no jobs whose starts could be moved apart";
        return Err(located(InputError::key("workload", message).help(
            "write several [[jobs]] with `name`, `hosts` and a workload, or announce outages: [[faults]] with `from` or `until`",
        )));
    }
    let prepared = preparer.prepare(resolved.clone())?;
    let found = runner::profiles(preparer, &resolved.experiment, &prepared.instance);
    let profiles = found.map_err(|error| match error {
        NoProfile::Input(error) => located(error),
        NoProfile::Stuck(stuck) => located(InputError::key("jobs", format!("a job alone does not end: {stuck}"))),
    })?;
    let found = shifts(&profiles, resolved.experiment.seed);
    let shift = |job: usize| Time(profiles.part.0 * found.parts[job] as u64);
    let mut starts = Vec::new();
    let mut moved = resolved.clone();
    for (index, job) in moved.experiment.jobs.iter_mut().enumerate() {
        job.start = Time(job.start.0.saturating_add(shift(index).0));
        starts.push(job.start);
    }
    let (written, later) = (times(preparer, point, resolved)?, times(preparer, point, moved)?);
    let jobs = profiles.jobs.iter().enumerate().map(|(index, profile)| {
        let lost = found.excess[index] * profiles.part.as_us();
        ShiftedJob {
            job: profile.name.clone(),
            period_us: microseconds(profile.period),
            shift_us: microseconds(shift(index)),
            start_us: microseconds(starts[index]),
            alone_us: microseconds(profile.time),
            written_us: written[index].cct_us,
            predicted_us: Number::new(profile.time.as_us() + lost),
            shifted_us: later[index].cct_us,
        }
    });
    Ok(ShiftReport {
        jobs: jobs.collect(),
        starts,
    })
}

/// How long each job takes beside the others.
fn times(preparer: &Preparer<'_>, point: Point, resolved: Resolved) -> Result<Vec<JobRow>, ConfigError> {
    let unfinished = |experiment: &Experiment| {
        let names: Vec<_> = experiment.jobs.iter().map(|job| job.name.as_str()).collect();
        InputError::key("jobs", format!("not all of {} come to an end", names.join(", ")))
    };
    let prepared = preparer.prepare(resolved.clone())?;
    let measured = runner::evaluate(preparer, point, prepared).simulate();
    let rows = measured.details.jobs.filter(|_| measured.stuck.is_none());
    rows.ok_or_else(|| preparer.plan().locate(&resolved, unfinished(&resolved.experiment)))
}

/// The experiment of a point, with the starts of a report: a file that stands for itself.
///
/// # Errors
/// As [`Plan::resolve`](crate::experiment::Plan::resolve).
pub fn shifted_experiment(preparer: &Preparer<'_>, point: Point, report: &ShiftReport) -> Result<String, ConfigError> {
    let plan = preparer.plan();
    let mut root = plan.resolve(point)?.tree.to_toml(false);
    if let Value::Table(root) = &mut root {
        root.insert("name".into(), Value::String(format!("{}-over-time", plan.name())));
    }
    let jobs = root.get_mut("jobs").and_then(Value::as_array_mut);
    for (job, start) in jobs.into_iter().flatten().zip(&report.starts) {
        if let Value::Table(job) = job {
            job.insert("start".into(), Value::String(format!("{}ps", start.0)));
        }
    }
    toml::to_string(&root).map_err(|error| ConfigError::new(format!("the experiment cannot be written: {error}")))
}
