//! Runs the points of a plan, several at a time, and writes the results folder.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::folder;
use super::manifest::Manifest;
use super::measure::Storm;
use super::plan::{Plan, Point};
use super::record::{ResultRow, TimingRow};
use super::store::Store;
use super::work::Work;
use crate::config::ConfigError;
use crate::outcome::Stuck;

/// How to run.
pub struct RunOptions<'a> {
    /// The results folder.
    pub out: PathBuf,
    /// Replace the results of another experiment.
    pub force: bool,
    /// Points at a time; 0 for as many as possible. Never more than there are points, processors, and memory for.
    pub jobs: usize,
    /// Once true, no further point is begun.
    pub stop: &'a AtomicBool,
    /// Called when a point is done, and now and then while one is simulated.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    /// Called once, before any point is run.
    pub begun: &'a (dyn Fn(Begun) + Sync),
}

/// What a run finds and does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Whether the folder held other points, as those of the experiment before it was changed.
    pub changed: bool,
    /// Points that are there and stay.
    pub kept: usize,
    /// Points that are not there.
    pub missing: usize,
    /// Points that were there and belong to the experiment no more.
    pub dropped: usize,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Points that are done.
    pub points: usize,
    /// The same in thousandths, with the parts of points that are being simulated.
    pub thousandths: u64,
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

/// Runs all points that are not in the results folder yet, and writes `results.csv`, `points.csv`,
/// `timings.csv` and `manifest.json`. Points are begun in the plan's order; what is written does
/// not depend on how many run at a time, nor on how many processes share the folder.
pub fn run(plan: &Plan, options: &RunOptions<'_>) -> Result<Report, RunError> {
    folder::check_apart(plan, &options.out)?;
    let mut manifest = Manifest::begin(plan)?;
    let store = Store::open(&options.out)?;
    let visit = folder::enter(plan, &store, &manifest, options.force)?;
    let work = Work::of(plan, options, &store)?;
    (options.begun)(Begun {
        changed: visit.changed,
        kept: work.kept(),
        missing: plan.points().len() - work.kept(),
        dropped: visit.dropped,
    });
    let done = work.run()?;

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
    let _lock = folder::lock(&store)?;
    if report.left > 0 {
        // They were drawn from more rows than there are now.
        folder::remove_plots(store.dir())?;
    }
    store.write_rows("results.csv", &report.rows)?;
    store.write_rows("timings.csv", &timings)?;
    manifest.end(&report);
    manifest.write(plan, &store)?;
    Ok(report)
}
