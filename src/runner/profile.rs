//! What each of several jobs puts on the links over time, were it alone: by the fluid.

use std::collections::BTreeMap;

use super::operations::job_ends;
use crate::experiment::{Experiment, Instance, Preparer};
use crate::flow_engine;
use crate::ids::LinkId;
use crate::input::InputError;
use crate::loads::LinkLoads;
use crate::outcome::{Observe, Outcome, Stuck};
use crate::placement::Placement;
use crate::topology::Fabric;
use crate::units::Time;
use crate::workload::{Schedule, Transfer, Workload};

/// Parts of the shortest period, which start times are told in.
const PARTS: u64 = 64;
/// Parts of the whole time at most.
const MOST_PARTS: u64 = 1 << 12;

/// One job alone, from its own start on.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// When it starts, as written.
    pub start: Time,
    /// How long it takes.
    pub time: Time,
    /// How long each of its rounds takes, the mean.
    pub period: Time,
    /// The share of each link that it uses, part by part.
    pub links: BTreeMap<LinkId, Vec<f64>>,
}

/// The profiles of all jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiles {
    /// The length of a part.
    pub part: Time,
    /// By job.
    pub jobs: Vec<Profile>,
}

/// Why there are no profiles.
#[derive(Debug)]
pub enum NoProfile {
    /// A job that cannot be placed alone.
    Input(InputError),
    /// A job that does not end.
    Stuck(Stuck),
}

/// Simulates every job of an experiment alone, in fluid.
///
/// # Errors
/// [`NoProfile`] of the first job that has none.
pub fn profiles(preparer: &Preparer<'_>, experiment: &Experiment, instance: &Instance) -> Result<Profiles, NoProfile> {
    let fabric = &instance.network.fabric;
    let mut alone = Vec::new();
    for index in 0..experiment.jobs.len() {
        let schedule = instance.schedule.only(index);
        let placement = preparer.place(experiment, &instance.network, &schedule);
        let placement = placement.map_err(NoProfile::Input)?;
        let observe = Observe {
            tasks: true,
            ..Observe::default()
        };
        let outcome = flow_engine::simulate(fabric, &schedule, &placement, &experiment.flow, &observe);
        alone.push((schedule, placement, outcome.map_err(NoProfile::Stuck)?));
    }
    let times = || {
        alone
            .iter()
            .zip(&experiment.jobs)
            .map(|((_, _, outcome), job)| (outcome.cct.saturating_sub(job.start), rounds(&job.workload)))
    };
    let periods = times().map(|(time, rounds)| Time(time.0 / u64::from(rounds)));
    let shortest = periods.min().unwrap_or(Time::ZERO).0;
    let longest = times().map(|(time, _)| time.0).max().unwrap_or(0);
    let part = Time((shortest / PARTS).max(longest / MOST_PARTS).max(1));
    let jobs = alone
        .iter()
        .zip(times())
        .zip(&experiment.jobs)
        .map(|((of, (time, rounds)), job)| Profile {
            name: job.name.clone(),
            start: job.start,
            time,
            period: Time(time.0 / u64::from(rounds)),
            links: usage(fabric, of, job.start, part),
        });
    Ok(Profiles {
        part,
        jobs: jobs.collect(),
    })
}

/// How often a workload does the same.
fn rounds(workload: &Workload) -> u32 {
    match workload {
        Workload::Program(program) => program.repeat.max(1),
        Workload::Training(training) => training.steps.max(1),
        _ => 1,
    }
}

/// The share of each link that a job uses, part by part from its start: the bytes of a transfer are spread evenly over the
/// time that it takes.
fn usage(
    fabric: &Fabric,
    (schedule, placement, outcome): &(Schedule, Placement, Outcome),
    start: Time,
    part: Time,
) -> BTreeMap<LinkId, Vec<f64>> {
    let since = |time: Time| time.saturating_sub(start).0 as f64 / part.0 as f64;
    let parts = since(outcome.cct).ceil() as usize;
    let mut sent = vec![Vec::new(); parts];
    for transfer in schedule.transfers() {
        let times = outcome.tasks[transfer.task.index()];
        let (from, until) = (since(times.start), since(times.end));
        let (first, last) = (
            from as usize,
            (until.ceil() as usize).clamp(from as usize + 1, parts.max(1)),
        );
        for (at, of_part) in (first..last).zip(sent.iter_mut().skip(first)) {
            let overlap = (until.min(at as f64 + 1.0) - from.max(at as f64)).max(0.0);
            let share = if until > from { overlap / (until - from) } else { 1.0 };
            of_part.push((transfer, share));
        }
    }
    let mut links: BTreeMap<LinkId, Vec<f64>> = BTreeMap::new();
    let mut loads = LinkLoads::new(fabric);
    let (mut before, mut used) = (Vec::new(), Vec::new());
    for (at, of_part) in sent.into_iter().enumerate() {
        // In most parts the same is sent as in the one before.
        if of_part != before {
            used = shares(fabric, placement, &mut loads, &of_part, part);
            before = of_part;
        }
        for &(id, share) in &used {
            links.entry(id).or_insert_with(|| vec![0.0; parts])[at] = share;
        }
    }
    links
}

/// The share of each link that these shares of transfers use in a part.
fn shares(
    fabric: &Fabric,
    placement: &Placement,
    loads: &mut LinkLoads<'_>,
    sent: &[(Transfer, f64)],
    part: Time,
) -> Vec<(LinkId, f64)> {
    for &(transfer, share) in sent {
        // The fluid has sent it: no route of it is chosen by packets.
        _ = placement.load(loads, transfer, &|bytes| bytes as f64 * share);
    }
    loads.finish();
    let capacity = |id| fabric.link(id).rate.bytes_per_ps() * part.0 as f64;
    let used = fabric.link_ids().filter(|&id| loads.of(id) > 0.0);
    let used = used.map(|id| (id, loads.of(id) / capacity(id))).collect();
    loads.clear();
    used
}

/// How long each job of an experiment takes beside the others, in fluid.
///
/// # Errors
/// An experiment that cannot be built or that the fluid cannot simulate, and jobs that do not end.
pub fn job_times(preparer: &Preparer<'_>, experiment: &Experiment) -> Result<Vec<Time>, InputError> {
    let (instance, _) = preparer.build(experiment)?;
    let observe = Observe {
        tasks: true,
        ..Observe::default()
    };
    let (fabric, schedule) = (&instance.network.fabric, &instance.schedule);
    let outcome = flow_engine::simulate(fabric, schedule, &instance.placement, &experiment.flow, &observe);
    let outcome = outcome.map_err(|stuck| InputError::key("jobs", format!("a job does not end: {stuck}")))?;
    Ok(job_ends(schedule, &outcome)
        .map(|(start, end)| end.saturating_sub(start))
        .collect())
}

/// How long a schedule takes in fluid.
///
/// # Errors
/// [`Stuck`] where some flow does not end.
pub fn fluid_time(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    experiment: &Experiment,
) -> Result<Time, Stuck> {
    let observe = Observe::default();
    flow_engine::simulate(fabric, schedule, placement, &experiment.flow, &observe).map(|outcome| outcome.cct)
}
