//! Runs the points of a plan, several at a time, and writes the results folder.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use cpu_time::ThreadTime;

use super::config::ConfigError;
use super::manifest::Manifest;
use super::measure::{self, Measured};
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
    /// Called when a point is done, with its number of all that are.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// A row for every point that was run or found, in the plan's order.
    pub rows: Vec<ResultRow>,
    /// Points whose flows did not all finish; their rows have no completion time.
    pub stuck: Vec<(Point, Stuck)>,
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
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Mutex<Vec<Option<Done>>> = Mutex::new(plan.points().iter().map(|_| None).collect());
    let failure: Mutex<Option<RunError>> = Mutex::new(None);
    let work = || {
        while !options.stop.load(Ordering::Relaxed) && lock(&failure).is_none() {
            let Some(&point) = plan.points().get(next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            match run_point(plan, store, point) {
                Ok(done) => lock(&results)[point.index as usize] = Some(done),
                Err(error) => drop(lock(&failure).get_or_insert(error)),
            }
            (options.progress)(finished.fetch_add(1, Ordering::Relaxed) + 1);
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

fn run_point(plan: &Plan, store: &Store, point: Point) -> Result<Done, RunError> {
    let hash = point.hash();
    if let Some(mut record) = store.load(&hash) {
        measure::identify(plan, point, &mut record.row)?;
        return Ok(Done {
            record,
            stuck: None,
            reused: true,
        });
    }
    let (cpu, wall) = (ThreadTime::now(), Instant::now());
    let Measured { row, details, stuck } = measure::measure(plan, point)?;
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
        reused: false,
    })
}
