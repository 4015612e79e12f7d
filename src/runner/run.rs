//! Runs the points of a plan, several at a time, and writes the results folder.

use super::enter;
use super::manifest::Description;
use super::measure::Storm;
use super::options::{Begun, RunError, RunOptions};
use super::work::{Done, Work};
use crate::experiment::{Plan, Point, Preparer};
use crate::outcome::Stuck;
use crate::results::{ResultRow, Store, TimingRow, remove_plots};

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
    /// Points of other shards, which are not looked at.
    pub elsewhere: usize,
}

/// Runs all points that are not in the results folder yet, and writes `results.csv`, `points.csv`,
/// `timings.csv` and `manifest.json`. Points are begun in the plan's order; what is written does
/// not depend on how many run at a time, nor on how many processes share the folder.
///
/// # Errors
/// A folder that cannot be used, or a point that cannot be built: of the missing points that differ in more than their
/// seeds, the first are prepared before anything is written, and every other one when its turn comes.
pub fn run(preparer: &Preparer<'_>, options: &RunOptions<'_>) -> Result<Report, RunError> {
    let plan = preparer.plan();
    enter::check_apart(plan, &options.out)?;
    let mut description = Description::begin(plan)?;
    let store = Store::at(&options.out);
    enter::check_same(plan, &store, options.force)?;
    let work = Work::of(preparer, options, &store)?;
    work.prepare_first()?;
    let visit = enter::enter(plan, &store, &description, options.force)?;
    let kept = work.kept();
    (options.begun)(Begun {
        changed: visit.changed,
        kept,
        missing: work.points() - kept,
        dropped: visit.dropped,
    });
    let own = work.points();
    let (done, failure) = work.run();

    let (mut report, timings) = Report::of(plan, done);
    if options.shard.is_some() {
        // Whoever merges the shards writes the folder's own files.
        report.elsewhere = plan.points().len() - own;
        report.left -= report.elsewhere;
        return failure.map_or(Ok(report), Err);
    }
    let _lock = enter::lock(&store)?;
    if report.left > 0 || visit.changed || report.reused < report.rows.len() {
        // They were drawn from other rows than there are now.
        remove_plots(store.dir())?;
    }
    store.write_points("results.csv", &report.rows, &description.points.swept)?;
    if description.manifest.wants_parquet() {
        store.write_parquet("results.parquet", &report.rows, &description.points.swept)?;
    }
    store.write_rows("timings.csv", &timings)?;
    let stuck = report.stuck.iter().map(|(point, _)| point.index);
    description.end(report.rows.len(), stuck.collect());
    description.write(&store)?;
    match failure {
        Some(error) => Err(error),
        None => Ok(report),
    }
}

impl Report {
    /// What came of every point; `None` of those that were not begun.
    fn of(plan: &Plan, done: Vec<Option<Done>>) -> (Self, Vec<TimingRow>) {
        let (mut report, mut timings) = (Self::default(), Vec::new());
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
        (report, timings)
    }
}
