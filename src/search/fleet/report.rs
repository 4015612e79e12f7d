//! A fleet under every policy, and what that comes to.

use rayon::prelude::*;

use super::jobs::{FleetJob, Kinds, jobs};
use super::outages::link_events;
use super::pace::Pacer;
use super::queue::{Queue, Stay};
use crate::config::ConfigError;
use crate::experiment::{Engine, Experiment, FleetOptions, FleetPolicy, Network, Output, Point, Preparer};
use crate::input::InputError;
use crate::results::{FleetRow, Number};
use crate::topology::LinkEvent;

/// What a policy comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetSummary {
    /// The policy.
    pub policy: &'static str,
    /// Whether jobs were shifted.
    pub shifts: bool,
    /// Time in the fleet over the time alone: the mean over jobs, the 95th percentile and the largest.
    pub stretch: [Number; 3],
    /// Time on hosts over the time alone, the mean over jobs.
    pub slowdown: Number,
    /// Time spent waiting for hosts, the mean over jobs, in microseconds.
    pub wait_us: Number,
    /// When the last job was done, in microseconds.
    pub end_us: Number,
    /// Share of all hosts that had a job until then.
    pub used: Number,
}

/// What came of a fleet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FleetReport {
    /// A row for every job under every policy.
    pub rows: Vec<FleetRow>,
    /// One for every policy.
    pub policies: Vec<FleetSummary>,
}

/// A fleet on the fabric of a point.
struct Fleet<'a> {
    preparer: &'a Preparer<'a>,
    experiment: Experiment,
    network: &'a Network,
    kinds: Kinds,
    jobs: Vec<FleetJob>,
    events: Vec<LinkEvent>,
}

/// Simulates a fleet under all its policies, in fluid.
///
/// # Errors
/// A point that cannot be built or that the fluid cannot simulate, files of jobs or outages that cannot be used, jobs with more hosts
/// than there are, and outages that part hosts of a job.
pub fn fleet(preparer: &Preparer<'_>, point: Point) -> Result<FleetReport, ConfigError> {
    let plan = preparer.plan();
    let options = plan.fleet()?;
    let resolved = plan.resolve(point)?;
    let mut experiment = resolved.experiment.clone();
    experiment.engine = Engine::Flow;
    experiment.output = Output::default();
    let report = || -> Result<FleetReport, InputError> {
        experiment.check()?;
        let network = preparer.network(&experiment)?;
        let (files, seed) = (plan.files(), experiment.seed);
        let kinds = Kinds::of(&options, experiment.workload.as_ref())?;
        let fleet = Fleet {
            preparer,
            jobs: jobs(&options, &kinds, files, seed)?,
            events: link_events(options.outages.as_ref(), &network.fabric, files, seed)?,
            experiment: experiment.clone(),
            network: &network,
            kinds,
        };
        fleet.check()?;
        fleet.report(&options)
    };
    report().map_err(|error| plan.locate(&resolved, error))
}

impl Fleet<'_> {
    fn check(&self) -> Result<(), InputError> {
        let hosts = self.network.fabric.hosts();
        let large = self.jobs.iter().find(|job| job.hosts > hosts);
        large.map_or(Ok(()), |job| {
            let message = format!(
                "the job `{}` needs {} hosts, and the fabric has {hosts}",
                job.name, job.hosts
            );
            Err(InputError::key("fleet.jobs", message).help("make the job smaller, or the fabric larger"))
        })
    }

    fn report(&self, options: &FleetOptions) -> Result<FleetReport, InputError> {
        let each = options
            .policies
            .iter()
            .flat_map(|&policy| options.shifts.iter().map(move |&shifts| (policy, shifts)));
        let each: Vec<_> = each.collect();
        let reports = each.into_par_iter().map(|(policy, shifts)| self.under(policy, shifts));
        let mut all = FleetReport::default();
        for (rows, summary) in reports.collect::<Result<Vec<_>, _>>()? {
            all.rows.extend(rows);
            all.policies.push(summary);
        }
        Ok(all)
    }

    fn under(&self, policy: FleetPolicy, shifts: bool) -> Result<(Vec<FleetRow>, FleetSummary), InputError> {
        let fabric = &self.network.fabric;
        let mut pacer = Pacer::new(self.preparer, &self.experiment, fabric, &self.kinds, &self.jobs, shifts);
        let stays = Queue::new(&mut pacer, policy, &self.events).run()?;
        let mut rows = Vec::new();
        for (index, (job, stay)) in self.jobs.iter().zip(&stays).enumerate() {
            let alone = pacer.alone(index)?.0 as f64 * f64::from(job.rounds);
            rows.push(row(policy, shifts, job, &self.kinds.names[job.kind], stay, alone));
        }
        let summary = summary(policy, shifts, &rows, fabric.hosts());
        Ok((rows, summary))
    }
}

fn row(policy: FleetPolicy, shifts: bool, job: &FleetJob, kind: &str, stay: &Stay, alone: f64) -> FleetRow {
    let us = |ps: f64| Number::new(ps / 1e6);
    let arrival = job.arrival.0 as f64;
    FleetRow {
        policy: policy.name().to_owned(),
        shifts,
        job: job.name.clone(),
        kind: kind.to_owned(),
        hosts: job.hosts,
        rounds: job.rounds,
        arrival_us: us(arrival),
        start_us: us(stay.start),
        end_us: us(stay.end),
        alone_us: us(alone),
        slowdown: Number::new((stay.end - stay.start) / alone),
        stretch: Number::new((stay.end - arrival) / alone),
    }
}

fn summary(policy: FleetPolicy, shifts: bool, rows: &[FleetRow], hosts: u32) -> FleetSummary {
    let mean = |of: &dyn Fn(&FleetRow) -> f64| Number::new(rows.iter().map(of).sum::<f64>() / rows.len().max(1) as f64);
    let mut stretches: Vec<f64> = rows.iter().map(|row| row.stretch.value()).collect();
    stretches.sort_by(f64::total_cmp);
    // By nearest rank.
    let percentile = |percent: usize| {
        let rank = (stretches.len() * percent).div_ceil(100).max(1);
        Number::new(stretches.get(rank - 1).copied().unwrap_or(0.0))
    };
    let end = rows.iter().map(|row| row.end_us.value()).fold(0.0, f64::max);
    let stays = rows
        .iter()
        .map(|row| f64::from(row.hosts) * (row.end_us.value() - row.start_us.value()));
    FleetSummary {
        policy: policy.name(),
        shifts,
        stretch: [mean(&|row| row.stretch.value()), percentile(95), percentile(100)],
        slowdown: mean(&|row| row.slowdown.value()),
        wait_us: mean(&|row| row.start_us.value() - row.arrival_us.value()),
        end_us: Number::new(end),
        used: Number::new(stays.sum::<f64>() / (f64::from(hosts) * end).max(f64::MIN_POSITIVE)),
    }
}
