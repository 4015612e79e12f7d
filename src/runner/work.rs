//! The points of a plan, several at a time: equal ones once, and those that another process runs left to it.

use std::cell::Cell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use rayon::prelude::*;

use super::budget::Budget;
use super::claim::Claims;
use super::fabric::Fabrics;
use super::measure::{self, Measured, Storm};
use super::options::{RunError, RunOptions, RunProgress};
use super::point_key::key_of;
use crate::allocation::keep_what_is_given_back;
use crate::config::ConfigError;
use crate::experiment::{Axis, Memory, Plan, Point, Prepared, Preparer};
use crate::outcome::Stuck;
use crate::results::{Record, Store};

/// Time between two looks at what another process runs.
const LOOK: Duration = Duration::from_millis(100);

/// Points that are prepared before anything is written, of those that differ in more than their seeds: what is wrong
/// with a small plan is known at once, and a large one does not wait for it.
const PREPARED_FIRST: usize = 32;

/// A point that is done.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub record: Record,
    pub stuck: Option<Stuck>,
    pub storm: Option<Storm>,
    pub reused: bool,
}

/// Equal points, in the plan's order.
struct Task {
    hash: String,
    points: Vec<Point>,
    /// What is there of them already.
    found: Option<Record>,
}

/// All that is to be done, and how far it is.
pub(super) struct Work<'a> {
    preparer: &'a Preparer<'a>,
    options: &'a RunOptions<'a>,
    store: &'a Store,
    claims: Claims<'a>,
    pool: rayon::ThreadPool,
    budget: Budget,
    fabrics: Fabrics,
    tasks: Vec<Task>,
    tally: Tally<'a>,
    results: Mutex<Vec<Option<Done>>>,
    failure: Mutex<Option<RunError>>,
}

/// Adds up what the points tell of themselves.
struct Tally<'a> {
    points: AtomicUsize,
    thousandths: AtomicU64,
    progress: &'a (dyn Fn(RunProgress) + Sync),
}

impl Tally<'_> {
    /// A point that had come to `before` thousandths has come to `now`.
    fn add(&self, before: u64, now: u64, points: usize) {
        let points = self.points.fetch_add(points, Ordering::Relaxed) + points;
        let thousandths = self.thousandths.fetch_add(now - before, Ordering::Relaxed) + now - before;
        (self.progress)(RunProgress { points, thousandths });
    }
}

/// How many points are worked on at a time where `wanted` are asked for (0: as many as possible, with the threads that each takes). Those
/// that are simulated among them are as many as there is memory for.
fn jobs(plan: &Plan, wanted: usize) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let most = processors.min(plan.points().len()).max(1);
    match wanted {
        0 => (processors / threads(plan)).clamp(1, most),
        wanted => wanted.min(most),
    }
}

/// Threads that the first point of a plan is divided among, and as a rule all of them.
fn threads(plan: &Plan) -> usize {
    let first = plan.points().first().and_then(|&point| plan.resolve(point).ok());
    first.map_or(1, |first| first.experiment.threads() as usize)
}

impl<'a> Work<'a> {
    /// Looks which points are there already.
    pub(super) fn of(
        preparer: &'a Preparer<'a>,
        options: &'a RunOptions<'a>,
        store: &'a Store,
    ) -> Result<Self, RunError> {
        let plan = preparer.plan();
        keep_what_is_given_back();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs(plan, options.jobs))
            .build()
            .map_err(io::Error::other)?;
        let mut tasks = tasks(plan);
        if let Some(shard) = options.shard {
            // Equal points are run once, by who has the first of them.
            tasks.retain(|task| shard.has(task.points[0].index));
        }
        pool.install(|| {
            tasks
                .par_iter_mut()
                .for_each(|task| task.found = store.load(&task.hash))
        });
        Ok(Self {
            preparer,
            options,
            store,
            claims: Claims::of(store),
            pool,
            budget: Budget::of(Memory::free()),
            fabrics: Fabrics::default(),
            tasks,
            tally: Tally {
                points: AtomicUsize::new(0),
                thousandths: AtomicU64::new(0),
                progress: options.progress,
            },
            results: Mutex::new(plan.points().iter().map(|_| None).collect()),
            failure: Mutex::new(None),
        })
    }

    /// Points that are to be done.
    pub(super) fn points(&self) -> usize {
        self.tasks.iter().map(|task| task.points.len()).sum()
    }

    /// Points that are there already.
    pub(super) fn kept(&self) -> usize {
        let kept = self.tasks.iter().filter(|task| task.found.is_some());
        kept.map(|task| task.points.len()).sum()
    }

    /// Prepares the first of the points that are missing and differ in more than their seeds.
    ///
    /// # Errors
    /// The first of them that cannot be built.
    pub(super) fn prepare_first(&self) -> Result<(), ConfigError> {
        let sweep = self.preparer.plan().sweep();
        let is_seed = |axis: &Axis| axis.path == ["seed"];
        let mut known = HashSet::new();
        let first: Vec<Point> = self
            .tasks
            .iter()
            .filter(|task| task.found.is_none())
            .map(|task| task.points[0])
            .filter(|point| {
                let indices = sweep.indices(point.index as usize);
                let but_seed = indices.filter(|(axis, _)| !is_seed(axis)).map(|(_, index)| index);
                known.insert(but_seed.collect::<Vec<_>>())
            })
            .take(PREPARED_FIRST)
            .collect();
        let prepared: Vec<_> = self.pool.install(|| {
            first
                .into_par_iter()
                .filter(|_| self.goes_on())
                .map(|point| self.prepare(point).map(drop))
                .collect()
        });
        prepared.into_iter().collect()
    }

    fn prepare(&self, point: Point) -> Result<Prepared, ConfigError> {
        let prepared = point.prepare_run(self.preparer);
        for warning in self.preparer.warnings() {
            (self.options.warn)(&warning);
        }
        prepared
    }

    /// Does it. What came of every point, `None` for those that were not begun; and what ended it early.
    pub(super) fn run(self) -> (Vec<Option<Done>>, Option<RunError>) {
        let (next, waiting) = (AtomicUsize::new(0), Mutex::new(VecDeque::new()));
        let work = || {
            while let Some(task) = self.tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                if !self.goes_on() {
                    return;
                }
                if !self.attempt(task) {
                    lock(&waiting).push_back(task);
                }
            }
            while let Some(task) = self.goes_on().then(|| lock(&waiting).pop_front()).flatten() {
                if !self.attempt(task) {
                    lock(&waiting).push_back(task);
                    std::thread::sleep(LOOK);
                }
            }
        };
        self.pool.scope(|scope| {
            for _ in 0..self.pool.current_num_threads() {
                scope.spawn(|_| work());
            }
        });
        let failure = self.failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        let results = self.results.into_inner().unwrap_or_else(PoisonError::into_inner);
        (results, failure)
    }

    fn goes_on(&self) -> bool {
        !self.options.stop.load(Ordering::Relaxed) && lock(&self.failure).is_none()
    }

    /// Does a task, unless another process is at it.
    fn attempt(&self, task: &Task) -> bool {
        let equal = task.points.len() as u64;
        let told = Cell::new(0);
        let part = |share: f64| {
            // The last thousandth comes with the record.
            let now = ((share * 1e3) as u64).clamp(told.get(), 999);
            self.tally.add(told.replace(now) * equal, now * equal, 0);
        };
        match self.done(task, &part) {
            Ok(None) => return false,
            Ok(Some(done)) => {
                let mut results = lock(&self.results);
                for (point, done) in task.points.iter().zip(done) {
                    results[point.index as usize] = Some(done);
                }
            }
            Err(error) => drop(lock(&self.failure).get_or_insert(error)),
        }
        self.tally.add(told.get() * equal, 1_000 * equal, task.points.len());
        true
    }

    /// What comes of each of a task's points; `None` while another process is at it.
    fn done(&self, task: &Task, progress: &dyn Fn(f64)) -> Result<Option<Vec<Done>>, RunError> {
        if let Some(record) = &task.found {
            return self.each(task, &reused(record.clone())).map(Some);
        }
        let Some(_claim) = self.claims.point(&task.hash)? else {
            return Ok(None);
        };
        // Another process may have done it meanwhile.
        let done = match self.store.load(&task.hash) {
            Some(record) => reused(record),
            None => self.measure(task, progress)?,
        };
        self.each(task, &done).map(Some)
    }

    fn measure(&self, task: &Task, progress: &dyn Fn(f64)) -> Result<Done, RunError> {
        let (cpu, wall) = (ThreadTime::now(), Instant::now());
        let prepared = self.prepare(task.points[0])?;
        let preparing = (cpu.elapsed(), wall.elapsed());
        let _share = self.budget.take(prepared.memory);
        let (network, experiment) = (&prepared.instance.network, &prepared.resolved.experiment);
        let fabric = self.fabrics.keep(self.store, network, experiment)?;
        let (cpu, wall) = (ThreadTime::now(), Instant::now());
        let evaluated = measure::evaluate(self.preparer, task.points[0], prepared);
        let Measured {
            row,
            details,
            stuck,
            storm,
            skipped,
        } = evaluated.simulate_watched(progress);
        let (cpu, wall) = (preparing.0 + cpu.elapsed(), preparing.1 + wall.elapsed());
        let mut record = Record::new(row, cpu.as_secs_f64(), wall.as_secs_f64());
        record.fabric = fabric;
        record.fast_forward = skipped;
        if stuck.is_none() {
            self.store.save(&task.hash, &record, details)?;
        }
        Ok(Done {
            record,
            stuck,
            storm,
            reused: false,
        })
    }

    /// The same for each of the equal points, under its own index and names.
    fn each(&self, task: &Task, done: &Done) -> Result<Vec<Done>, RunError> {
        let one = |&point: &Point| {
            let mut done = done.clone();
            if done.reused || point != task.points[0] {
                // Neither the index nor the names of files are part of the hash.
                let plan = self.preparer.plan();
                done.record.row.identify(&key_of(plan, point, &plan.resolve(point)?));
            }
            Ok(done)
        };
        task.points.iter().map(one).collect()
    }
}

fn reused(record: Record) -> Done {
    Done {
        record,
        stuck: None,
        storm: None,
        reused: true,
    }
}

/// The points of a plan, equal ones together, in the order of the first of each.
fn tasks(plan: &Plan) -> Vec<Task> {
    let mut tasks: Vec<Task> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for &point in plan.points() {
        let hash = point.hash();
        let at = *known.entry(hash.clone()).or_insert(tasks.len());
        match tasks.get_mut(at) {
            Some(task) => task.points.push(point),
            None => tasks.push(Task {
                hash,
                points: vec![point],
                found: None,
            }),
        }
    }
    tasks
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
