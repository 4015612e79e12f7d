//! What a fidelity says of a candidate: bounds, or a simulation with a share of every message.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rayon::prelude::*;

use super::hyperband::{Evaluator, Fidelity, Verdict};
use super::space::{Config, Dimension, Space};
use crate::config::{ConfigError, Entry};
use crate::experiment::{Engine, Experiment, Output, Point, Preparer, Resolved, TuneAxis, TuneObjective, Tuning};
use crate::results::{Details, Record, ResultRow, Store};
use crate::runner;
use crate::units::{Bytes, Time};

/// Picoseconds in a microsecond.
const PS_PER_US: f64 = 1e6;
/// A run goes on for so much longer than the best took: how much worse it is says where not to look.
const CURIOUS: f64 = 1.2;

/// Looks at candidates of an experiment. What was simulated is kept in a folder, and found there again.
pub struct Tuner<'a> {
    preparer: &'a Preparer<'a>,
    point: Point,
    space: Space,
    objective: TuneObjective,
    within: f64,
    store: Store,
    pool: rayon::ThreadPool,
    stop: &'a AtomicBool,
    tally: Mutex<Tally>,
}

/// What was simulated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packet hops, or events of the flow engine, of each run by its name, and whether it was there already.
    runs: BTreeMap<String, (u64, bool)>,
    /// Why a candidate could not be run: the first of the reasons.
    impossible: Option<String>,
    error: Option<String>,
}

impl Tally {
    /// Runs, those of them that were there already, and their packet hops or events.
    pub fn sums(&self) -> (usize, usize, u64) {
        let reused = self.runs.values().filter(|(_, reused)| *reused).count();
        (self.runs.len(), reused, self.runs.values().map(|(hops, _)| hops).sum())
    }

    /// Why the first of the candidates that can not be run can not.
    pub fn impossible(&self) -> Option<&str> {
        self.impossible.as_deref()
    }
}

impl<'a> Tuner<'a> {
    /// For the first point of a plan, so many runs at a time (0 for as many as there are processors).
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn new(
        preparer: &'a Preparer<'a>,
        tuning: &Tuning,
        store: Store,
        jobs: usize,
        stop: &'a AtomicBool,
    ) -> io::Result<Self> {
        store.create()?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .build()
            .map_err(io::Error::other)?;
        Ok(Self {
            preparer,
            point: preparer.plan().points()[0],
            space: Space::new(tuning.axes.clone()),
            objective: tuning.options.objective,
            within: tuning.options.within,
            store,
            pool,
            stop,
            tally: Mutex::default(),
        })
    }

    /// What is searched.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Where results are kept.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What has been simulated and what has not been, so far.
    pub fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first error of a file that could not be written.
    pub fn failure(&self) -> Option<String> {
        self.tally().error
    }

    /// Looks at every value of every key once, with the others as they are written: what is misspelt is known before
    /// anything runs.
    ///
    /// # Errors
    /// A key or value that no experiment has, or an experiment that does not end.
    pub fn check(&self) -> Result<(), ConfigError> {
        let plan = self.preparer.plan();
        let written = plan.resolve(self.point)?;
        if written.experiment.packet.stop.is_some() {
            let error =
                ConfigError::new("packet.stop: a run that is stopped has no completion time that could be tuned");
            return Err(error.help("take it out"));
        }
        for (index, axis) in self.space.axes().iter().enumerate() {
            let numbers = match self.space.dimensions()[index] {
                Dimension::Choice(count) | Dimension::Ordered(count) => (0..count).map(f64::from).collect(),
                Dimension::Range => vec![0.0, 1.0],
            };
            let mut first = None;
            let beside = self.beside(axis);
            let works = numbers.into_iter().any(|number| {
                let own = (axis.path.as_slice(), axis.value(number));
                let tried = plan.variant(std::slice::from_ref(&own)).or_else(|error| {
                    // A table may need several of its keys, all of which are searched.
                    let all: Vec<_> = beside.iter().cloned().chain([own]).collect();
                    plan.variant(&all).map_err(|_| error)
                });
                tried
                    .map_err(|error| first.get_or_insert(error).message.clone())
                    .is_ok()
            });
            if let (false, Some(error)) = (works, first) {
                return Err(error);
            }
        }
        Ok(())
    }

    /// The other keys of an axis's table that are searched, each with its first value.
    fn beside(&self, axis: &TuneAxis) -> Vec<(&[String], Entry)> {
        let table = |path: &[String]| path[..path.len() - 1].to_vec();
        let others = self.space.axes().iter();
        let others = others.filter(|other| other.path != axis.path && table(&other.path) == table(&axis.path));
        let first = others.filter(|other| other.path.len() > 1);
        first.map(|other| (other.path.as_slice(), other.value(0.0))).collect()
    }

    /// The experiment of a candidate.
    ///
    /// # Errors
    /// Values that do not fit together.
    pub fn resolve(&self, config: &Config) -> Result<Resolved, ConfigError> {
        let settings = self.space.settings(config);
        let settings: Vec<(&[String], Entry)> = settings
            .into_iter()
            .map(|(axis, value)| (axis.path.as_slice(), value))
            .collect();
        let mut resolved = self.preparer.plan().variant(&settings)?;
        resolved.experiment.output = Output::default();
        Ok(resolved)
    }

    fn look(&self, config: &Config, fidelity: Fidelity, incumbent: Option<f64>) -> Verdict {
        if self.stop.load(Ordering::Relaxed) {
            return Verdict::Impossible;
        }
        let looked = self.resolve(config).and_then(|resolved| match fidelity {
            Fidelity::Screen => self.screen(resolved, incumbent),
            Fidelity::Share(share) => self.simulate(resolved, share, incumbent),
        });
        looked.unwrap_or_else(|error| {
            let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.impossible.get_or_insert_with(|| error.to_string());
            Verdict::Impossible
        })
    }

    /// Bounds.
    fn screen(&self, resolved: Resolved, incumbent: Option<f64>) -> Result<Verdict, ConfigError> {
        let prepared = self.preparer.prepare(resolved)?;
        let timed = !prepared.instance.network.events.is_empty();
        let row = runner::evaluate(self.preparer, self.point, prepared).row;
        let number = |cell: Option<crate::results::Number>| cell.unwrap_or_default().value();
        // What a placement puts on a link takes its time there, unless faults change the placement.
        let placed = if timed { 0.0 } else { number(row.congestion_us) };
        let floor = number(row.bound_us).max(placed);
        let beaten = self.objective == TuneObjective::Cct && incumbent.is_some_and(|best| floor >= best);
        Ok(if beaten {
            Verdict::NotBelow(floor)
        } else {
            Verdict::Score(floor)
        })
    }

    /// A share of every message; in full, not much longer than the best so far took.
    fn simulate(&self, mut resolved: Resolved, share: f64, incumbent: Option<f64>) -> Result<Verdict, ConfigError> {
        let experiment = &mut resolved.experiment;
        let whole = share >= 1.0 || !scale(experiment, share);
        let clock =
            incumbent.filter(|_| whole && self.objective == TuneObjective::Cct && experiment.engine == Engine::Packet);
        if let Some(best) = clock {
            // A run that has gone on for as long is not better.
            experiment.packet.stop = Some(Time((CURIOUS * best * PS_PER_US).round() as u64));
        }
        match (self.run(resolved)?, clock) {
            (Verdict::NotBelow(_), Some(best)) => Ok(Verdict::NotBelow(best)),
            (Verdict::NotBelow(_), None) => Ok(Verdict::Impossible),
            (verdict, _) => Ok(verdict),
        }
    }

    /// Simulates an experiment, unless that has been done.
    fn run(&self, resolved: Resolved) -> Result<Verdict, ConfigError> {
        let hash = self.preparer.plan().hash_of(&resolved.experiment);
        let found = self.store.load(&hash);
        let reused = found.is_some();
        let row = match found {
            Some(record) => record.row,
            None => self.measure(resolved, &hash)?,
        };
        let work = row.packet_hops.or(row.events).unwrap_or(0);
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.runs.entry(hash).or_insert((work, reused));
        drop(tally);
        Ok(self.verdict(&row))
    }

    fn measure(&self, resolved: Resolved, hash: &str) -> Result<ResultRow, ConfigError> {
        let began = Instant::now();
        let prepared = self.preparer.prepare(resolved)?;
        let measured = runner::evaluate(self.preparer, self.point, prepared).simulate();
        let mut row = measured.row;
        if measured.stuck.is_some() {
            (row.cct_us, row.events) = (None, None);
        }
        let wall = began.elapsed().as_secs_f64();
        let saved = self
            .store
            .save(hash, &Record::new(row.clone(), wall, wall), Details::default());
        if let Err(error) = saved {
            let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.error.get_or_insert_with(|| error.to_string());
        }
        Ok(row)
    }

    /// A row without completion time was stopped by the clock, if its events were counted, and else has flows that never end.
    fn verdict(&self, row: &ResultRow) -> Verdict {
        let cell = match self.objective {
            TuneObjective::Cct => row.cct_us,
            TuneObjective::FctMean => row.cct_us.and(row.fct_mean_us),
            TuneObjective::FctP99 => row.cct_us.and(row.fct_p99_us),
        };
        match cell {
            Some(value) => Verdict::Score(value.value()),
            None if row.events.is_some() => Verdict::NotBelow(0.0),
            None => Verdict::Impossible,
        }
    }
}

impl Evaluator for Tuner<'_> {
    fn evaluate(&self, candidates: &[Config], fidelity: Fidelity, incumbent: Option<f64>) -> Vec<Verdict> {
        let look = || {
            candidates
                .par_iter()
                .map(|config| self.look(config, fidelity, incumbent))
                .collect()
        };
        self.pool.install(look)
    }

    fn canonical(&self, config: &Config) -> Config {
        self.space.canonical(config)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.failure().is_some()
    }

    /// Where no key changes what is sent over what, the bound of one is that of all.
    fn floor(&self) -> Option<f64> {
        let keeps = |path: &[String]| match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["transport" | "switch" | "load_balancing", ..] => true,
            ["packet", "payload" | "header"] => false,
            ["packet", ..] => true,
            _ => false,
        };
        if self.objective != TuneObjective::Cct || !self.space.axes().iter().all(|axis| keeps(&axis.path)) {
            return None;
        }
        let prepared = self.point.prepare(self.preparer).ok()?;
        let bounds = self.preparer.bounds(&prepared.resolved.experiment, &prepared.instance);
        Some(bounds.cct.as_us() * (1.0 + self.within))
    }
}

/// Makes every message so much shorter; `false` where a workload says nowhere how long they are.
fn scale(experiment: &mut Experiment, share: f64) -> bool {
    let least = Bytes(1);
    if let Some(workload) = &mut experiment.workload {
        return workload.shorten(share, least);
    }
    let mut all = experiment.jobs.clone();
    let done = all.iter_mut().all(|job| job.workload.shorten(share, least));
    if done {
        experiment.jobs = all;
    }
    done
}
