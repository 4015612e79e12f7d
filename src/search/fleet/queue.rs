//! The events of a fleet in order: jobs come, wait their turn, make rounds and are done; links change.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::jobs::FleetJob;
use super::pace::{Pacer, Running};
use super::policy::hosts_for;
use crate::experiment::FleetPolicy;
use crate::ids::LinkId;
use crate::input::InputError;
use crate::topology::LinkEvent;
use crate::units::Rate;

/// Rounds that rounding may leave of a job that is done.
const NOTHING: f64 = 1e-9;

/// When a job had its hosts, in picoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Stay {
    pub start: f64,
    pub end: f64,
}

/// A fleet under one policy.
pub(super) struct Queue<'a, 'p> {
    pacer: &'p mut Pacer<'a>,
    policy: FleetPolicy,
    events: &'p [LinkEvent],
    now: f64,
    free: BTreeSet<u32>,
    waiting: VecDeque<usize>,
    running: Vec<Running>,
    /// Rounds that are left to each of them.
    left: Vec<f64>,
    /// Of links that are not as they were built.
    rates: BTreeMap<LinkId, Rate>,
    stays: Vec<Stay>,
}

impl<'a, 'p> Queue<'a, 'p> {
    pub(super) fn new(pacer: &'p mut Pacer<'a>, policy: FleetPolicy, events: &'p [LinkEvent]) -> Self {
        let (hosts, jobs) = (pacer.fabric.hosts(), pacer.jobs.len());
        Self {
            pacer,
            policy,
            events,
            now: 0.0,
            free: (0..hosts).collect(),
            waiting: VecDeque::new(),
            running: Vec::new(),
            left: Vec::new(),
            rates: BTreeMap::new(),
            stays: vec![Stay::default(); jobs],
        }
    }

    /// Runs until all jobs are done. Jobs begin in order of arrival: none overtakes one that waits for hosts.
    pub(super) fn run(mut self) -> Result<Vec<Stay>, InputError> {
        let (mut arrived, mut changed) = (0, 0);
        loop {
            let jobs: &'a [FleetJob] = self.pacer.jobs;
            while jobs.get(arrived).is_some_and(|job| job.arrival.0 as f64 <= self.now) {
                self.waiting.push_back(arrived);
                arrived += 1;
            }
            while let Some(event) = self.events.get(changed).filter(|event| event.at.0 as f64 <= self.now) {
                self.change(*event);
                changed += 1;
            }
            self.begin()?;
            let rounds = self.pacer.rounds(&self.running, &self.rates)?;
            let ends = rounds
                .iter()
                .zip(&self.left)
                .map(|(round, left)| self.now + round * left);
            let end = ends.fold(f64::INFINITY, f64::min);
            let arrival = jobs.get(arrived).map_or(f64::INFINITY, |job| job.arrival.0 as f64);
            let next = end.min(arrival);
            if next == f64::INFINITY {
                return Ok(self.stays);
            }
            let change = self
                .events
                .get(changed)
                .map_or(f64::INFINITY, |event| event.at.0 as f64);
            self.pass(next.min(change), &rounds, next == end && end <= change);
        }
    }

    fn change(&mut self, event: LinkEvent) {
        let change = event.change;
        match change.rate == self.pacer.fabric.link(change.link).rate {
            true => self.rates.remove(&change.link),
            false => self.rates.insert(change.link, change.rate),
        };
    }

    /// Gives hosts to those that wait, as far as there are enough.
    fn begin(&mut self) -> Result<(), InputError> {
        while let Some(&job) = self.waiting.front() {
            let free: Vec<u32> = self.free.iter().copied().collect();
            let FleetJob { hosts, rounds, .. } = self.pacer.jobs[job];
            let draw = (self.pacer.experiment.seed, job as u64);
            let Some(hosts) = hosts_for(self.policy, self.pacer.fabric, &free, hosts as usize, draw) else {
                break;
            };
            self.waiting.pop_front();
            hosts.iter().for_each(|host| _ = self.free.remove(host));
            let mut one = Running { job, hosts };
            if self.policy == FleetPolicy::Ordered {
                one.hosts = self.pacer.ordered(&one)?;
            }
            self.stays[job].start = self.now;
            self.running.push(one);
            self.left.push(f64::from(rounds));
        }
        Ok(())
    }

    /// Time goes on to an event; where that is the end of a job, it is done.
    fn pass(&mut self, until: f64, rounds: &[f64], ends: bool) {
        let time = until - self.now;
        for (left, round) in self.left.iter_mut().zip(rounds) {
            *left -= time / round;
        }
        self.now = until;
        let least = self.left.iter().copied().fold(f64::INFINITY, f64::min);
        let bar = if ends { least.max(0.0) + NOTHING } else { NOTHING };
        for at in (0..self.running.len())
            .rev()
            .filter(|&at| self.left[at] <= bar)
            .collect::<Vec<_>>()
        {
            let one = self.running.remove(at);
            self.left.remove(at);
            self.free.extend(&one.hosts);
            self.stays[one.job].end = until;
        }
    }
}
