//! How fast the jobs that run at a time make rounds: all of them together, in fluid.

use std::collections::{BTreeMap, HashMap};

use super::jobs::{FleetJob, Kinds};
use crate::experiment::{Experiment, Preparer};
use crate::ids::LinkId;
use crate::input::InputError;
use crate::rng::{index_below, stream};
use crate::runner::{self, NoProfile};
use crate::search::order::{self, Objective, Traffic};
use crate::search::over_time::shifts;
use crate::topology::{Fabric, Fault};
use crate::units::{Rate, Time};
use crate::workload::{HostRange, Job, JobHosts, Workload};

/// Rounds of the slowest job that are simulated, and of any job at most.
const ROUNDS: u64 = 4;
const MOST_ROUNDS: u64 = 64;

/// A job that runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Running {
    /// Its place among the jobs.
    pub job: usize,
    /// The host of each rank.
    pub hosts: Vec<u32>,
}

/// Simulates rounds.
pub(super) struct Pacer<'a> {
    pub preparer: &'a Preparer<'a>,
    pub experiment: &'a Experiment,
    pub fabric: &'a Fabric,
    pub kinds: &'a Kinds,
    pub jobs: &'a [FleetJob],
    /// Whether jobs begin later so that peaks keep apart.
    pub shifted: bool,
    /// How long a round takes alone, by kind and hosts.
    alone: HashMap<(usize, u32), Time>,
}

impl<'a> Pacer<'a> {
    pub(super) fn new(
        preparer: &'a Preparer<'a>,
        experiment: &'a Experiment,
        fabric: &'a Fabric,
        kinds: &'a Kinds,
        jobs: &'a [FleetJob],
        shifted: bool,
    ) -> Self {
        Self {
            preparer,
            experiment,
            fabric,
            kinds,
            jobs,
            shifted,
            alone: HashMap::new(),
        }
    }

    /// How long a round of a job takes alone, on the first hosts of the fabric as it was built.
    pub(super) fn alone(&mut self, job: usize) -> Result<Time, InputError> {
        let FleetJob { kind, hosts, .. } = self.jobs[job];
        if let Some(&time) = self.alone.get(&(kind, hosts)) {
            return Ok(time);
        }
        let first = Running {
            job,
            hosts: (0..hosts).collect(),
        };
        let experiment = self.beside(&[(&first, ROUNDS, Time::ZERO)], &BTreeMap::new());
        let time = Time(self.times(&experiment)?[0].0 / ROUNDS);
        self.alone.insert((kind, hosts), time);
        Ok(time)
    }

    /// How long a round of each job takes beside the others, where links have these rates.
    pub(super) fn rounds(
        &mut self,
        running: &[Running],
        rates: &BTreeMap<LinkId, Rate>,
    ) -> Result<Vec<f64>, InputError> {
        if running.is_empty() {
            return Ok(Vec::new());
        }
        let alone = running
            .iter()
            .map(|one| self.alone(one.job))
            .collect::<Result<Vec<_>, _>>()?;
        let longest = alone.iter().map(|time| time.0).max().unwrap_or(0);
        let counts = alone
            .iter()
            .map(|time| (longest * ROUNDS).div_ceil(time.0.max(1)).clamp(1, MOST_ROUNDS));
        let counts: Vec<u64> = counts.collect();
        let starts = match self.shifted {
            false => running
                .iter()
                .zip(&alone)
                .map(|(one, &period)| self.phase(one.job, period))
                .collect(),
            true => self.shifts(running, &counts, rates)?,
        };
        let each: Vec<_> = (running.iter().zip(&counts).zip(starts))
            .map(|((one, &count), start)| (one, count, start))
            .collect();
        let times = self.times(&self.beside(&each, rates))?;
        let rounds = times.iter().zip(&counts);
        Ok(rounds.map(|(time, &count)| time.0 as f64 / count as f64).collect())
    }

    /// Where in its period a job is when another one begins: anywhere, but for each job always the same.
    fn phase(&self, job: usize, period: Time) -> Time {
        let mut random = stream(self.experiment.seed, "fleet phases", job as u64);
        let part = index_below(rand::Rng::next_u64(&mut random), 1 << 16);
        Time(((u128::from(period.0) * u128::from(part)) >> 16) as u64)
    }

    fn shifts(
        &self,
        running: &[Running],
        counts: &[u64],
        rates: &BTreeMap<LinkId, Rate>,
    ) -> Result<Vec<Time>, InputError> {
        let each: Vec<_> = running
            .iter()
            .zip(counts)
            .map(|(one, &count)| (one, count, Time::ZERO))
            .collect();
        let experiment = self.beside(&each, rates);
        let (instance, _) = self.preparer.build(&experiment)?;
        let profiles = runner::profiles(self.preparer, &experiment, &instance).map_err(|error| match error {
            NoProfile::Input(error) => error,
            NoProfile::Stuck(stuck) => InputError::key("fleet", format!("a job does not end: {stuck}")),
        })?;
        let found = shifts(&profiles, experiment.seed);
        Ok(found
            .parts
            .iter()
            .map(|&parts| Time(profiles.part.0 * parts as u64))
            .collect())
    }

    /// The experiment of these jobs, each with so many rounds from a start on.
    fn beside(&self, running: &[(&Running, u64, Time)], rates: &BTreeMap<LinkId, Rate>) -> Experiment {
        let mut experiment = self.experiment.clone();
        let job = |&(one, rounds, start): &(&Running, u64, Time)| {
            let job = &self.jobs[one.job];
            let mut program = self.kinds.programs[job.kind].clone();
            program.repeat = rounds as u32;
            Job {
                name: job.name.clone(),
                hosts: JobHosts::Listed(one.hosts.iter().map(|&host| HostRange(host, host)).collect()),
                start,
                workload: Workload::Program(program),
            }
        };
        experiment.jobs = running.iter().map(job).collect();
        experiment.workload = None;
        let fault = |(&link, &rate): (&LinkId, &Rate)| Fault {
            link: Some(self.fabric.link_name(link)),
            rate: (!rate.is_zero()).then_some(rate),
            down: rate.is_zero(),
            ..Fault::default()
        };
        experiment.faults.extend(rates.iter().map(fault));
        experiment
    }

    fn times(&self, experiment: &Experiment) -> Result<Vec<Time>, InputError> {
        runner::job_times(self.preparer, experiment)
    }

    /// The hosts of a job in the order that loads links least.
    pub(super) fn ordered(&self, one: &Running) -> Result<Vec<u32>, InputError> {
        let mut sorted = one.clone();
        sorted.hosts.sort_unstable();
        let experiment = self.beside(&[(&sorted, 1, Time::ZERO)], &BTreeMap::new());
        let network = self.preparer.network(&experiment)?;
        let schedule = self.preparer.schedule(&experiment, &network)?;
        let traffic = Traffic::of_all(&schedule, &sorted.hosts);
        let found = order::order(
            &network.fabric,
            &traffic,
            &sorted.hosts,
            Objective::Bytes,
            experiment.seed,
        );
        Ok(found.hosts)
    }
}
