//! Runs the points of a plan, several at a time, and writes the results folder.

use std::cell::Cell;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use cpu_time::ThreadTime;

use super::config::ConfigError;
use super::manifest::Manifest;
use super::measure::{self, Measured, Storm};
use super::plan::{MODEL, Plan, Point};
use super::record::{ResultRow, TimingRow};
use super::store::{Record, Store};
use crate::outcome::Stuck;

/// How to run.
pub struct RunOptions<'a> {
    /// The results folder.
    pub out: PathBuf,
    /// Points at a time; 0 for as many as there are processors.
    pub jobs: usize,
    /// Once true, no further point is begun.
    pub stop: &'a AtomicBool,
    /// Called when a point is done, and now and then while one is simulated.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Points that are done.
    pub points: usize,
    /// The same in thousandths, with the parts of points that are being simulated.
    pub thousandths: u64,
}

/// Adds up what the points tell of themselves.
struct Tally<'a> {
    points: AtomicUsize,
    thousandths: AtomicU64,
    progress: &'a (dyn Fn(Progress) + Sync),
}

impl Tally<'_> {
    /// A point that had come to `before` thousandths has come to `now`.
    fn add(&self, before: u64, now: u64, points: usize) {
        let points = self.points.fetch_add(points, Ordering::Relaxed) + points;
        let thousandths = self.thousandths.fetch_add(now - before, Ordering::Relaxed) + now - before;
        (self.progress)(Progress { points, thousandths });
    }
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// A row for every point that was run or found, in the plan's order.
    pub rows: Vec<ResultRow>,
    /// Points whose flows did not all finish; their rows have no completion time.
    pub stuck: Vec<(Point, Stuck)>,
    /// Points in which flow control held a link back most of the time; those that were there already are not looked at.
    pub storms: Vec<(Point, Storm)>,
    /// Points that were there already.
    pub reused: usize,
    /// Points that were not begun.
    pub left: usize,
}

/// Why a run ended without results.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The results folder cannot be written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A point cannot be built: a file changed after the plan was validated.
    #[error("{0}")]
    Config(Box<ConfigError>),
}

impl From<ConfigError> for RunError {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}

/// A point that is done.
struct Done {
    record: Record,
    stuck: Option<Stuck>,
    storm: Option<Storm>,
    reused: bool,
}

/// Runs all points that are not in the results folder yet, and writes `results.csv`, `points.csv`,
/// `timings.csv` and `manifest.json`. Points are begun in the plan's order; what is written does
/// not depend on how many run at a time.
pub fn run(plan: &Plan, options: &RunOptions<'_>) -> Result<Report, RunError> {
    let store = Store::open(&options.out)?;
    let mut manifest = Manifest::begin(plan)?;
    let done = run_points(plan, options, &store)?;

    let mut report = Report::default();
    let mut timings = Vec::new();
    for (point, done) in plan.points().iter().zip(done) {
        let Some(done) = done else {
            report.left += 1;
            continue;
        };
        timings.push(TimingRow {
            point: point.index,
            cpu_s: done.record.cpu_s,
            wall_s: done.record.wall_s,
        });
        report.rows.push(done.record.row);
        report.reused += usize::from(done.reused);
        report.storms.extend(done.storm.map(|storm| (*point, storm)));
        report.stuck.extend(done.stuck.map(|stuck| (*point, stuck)));
    }
    store.write_rows("results.csv", &report.rows)?;
    store.write_rows("timings.csv", &timings)?;
    manifest.end(&report);
    manifest.write(plan, &store)?;
    Ok(report)
}

/// What came of every point; `None` for those that were not begun.
fn run_points(plan: &Plan, options: &RunOptions<'_>, store: &Store) -> Result<Vec<Option<Done>>, RunError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs)
        .build()
        .map_err(io::Error::other)?;
    let next = AtomicUsize::new(0);
    let tally = Tally {
        points: AtomicUsize::new(0),
        thousandths: AtomicU64::new(0),
        progress: options.progress,
    };
    let results: Mutex<Vec<Option<Done>>> = Mutex::new(plan.points().iter().map(|_| None).collect());
    let failure: Mutex<Option<RunError>> = Mutex::new(None);
    let work = || {
        while !options.stop.load(Ordering::Relaxed) && lock(&failure).is_none() {
            let Some(&point) = plan.points().get(next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            let told = Cell::new(0);
            let part = |share: f64| {
                // The last thousandth comes with the record.
                let now = ((share * 1e3) as u64).clamp(told.get(), 999);
                tally.add(told.replace(now), now, 0);
            };
            match run_point(plan, store, point, &part) {
                Ok(done) => lock(&results)[point.index as usize] = Some(done),
                Err(error) => drop(lock(&failure).get_or_insert(error)),
            }
            tally.add(told.get(), 1_000, 1);
        }
    };
    pool.scope(|scope| {
        for _ in 0..pool.current_num_threads() {
            scope.spawn(|_| work());
        }
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run_point(plan: &Plan, store: &Store, point: Point, progress: &dyn Fn(f64)) -> Result<Done, RunError> {
    let hash = point.hash();
    if let Some(mut record) = store.load(&hash) {
        measure::identify(plan, point, &mut record.row)?;
        return Ok(Done {
            record,
            stuck: None,
            storm: None,
            reused: true,
        });
    }
    let (cpu, wall) = (ThreadTime::now(), Instant::now());
    let Measured {
        row,
        details,
        stuck,
        storm,
    } = measure::measure(plan, point, progress)?;
    let record = Record {
        model: MODEL.to_owned(),
        row,
        cpu_s: cpu.elapsed().as_secs_f64(),
        wall_s: wall.elapsed().as_secs_f64(),
    };
    if stuck.is_none() {
        store.save(&hash, &record, details)?;
    }
    Ok(Done {
        record,
        stuck,
        storm,
        reused: false,
    })
}
