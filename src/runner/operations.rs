//! What the operations of a program and several jobs did in a run.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::outcome::{Outcome, TaskTimes};
use crate::results::{JobRow, Number, OpRow, ResultRow, TimelineRow, microseconds, ratio};
use crate::units::Time;
use crate::workload::{Action, JobSpan, Schedule, Span};

/// Hosts of a timeline: at most, and where fewer would stand for all.
const MOST_HOSTS: usize = 64;
const FEW_HOSTS: usize = 8;

/// The operations of a program and when each rank was at them.
pub(super) struct Operations<'a> {
    schedule: &'a Schedule,
    spans: Vec<Parts>,
    /// By host that takes part.
    busy: BTreeMap<u32, Busy>,
}

/// When each rank of a group was at an operation: rank (as its host) and from when until when, in order of host.
type Parts = Vec<(u32, TaskTimes)>;

/// What a host does.
#[derive(Default)]
struct Busy {
    /// Computations, one after the other, and the time of all before each.
    computes: Vec<TaskTimes>,
    before: Vec<Time>,
    communicates: Vec<TaskTimes>,
}

impl<'a> Operations<'a> {
    /// From when every task was under way.
    pub(super) fn of(schedule: &'a Schedule, outcome: &Outcome) -> Self {
        let parts = |span: &Span| parts(schedule, &outcome.tasks, span);
        // Without tasks nothing is known.
        let known = if outcome.tasks.is_empty() {
            &[]
        } else {
            schedule.spans()
        };
        let spans: Vec<Parts> = known.iter().map(parts).collect();
        let mut busy: BTreeMap<u32, Busy> = BTreeMap::new();
        for (span, parts) in known.iter().zip(&spans) {
            for host in span.ranks.iter() {
                busy.entry(host.0).or_default();
            }
            for &(host, interval) in parts {
                let busy = busy.entry(host).or_default();
                match span.compute {
                    Some(_) => busy.computes.push(interval),
                    None => busy.communicates.push(interval),
                }
            }
        }
        busy.values_mut().for_each(Busy::settle);
        Self { schedule, spans, busy }
    }

    /// The columns of the results about programs.
    pub(super) fn fill(&self, row: &mut ResultRow) {
        let hosts = self.busy.len() as f64;
        if hosts > 0.0 {
            let mean = |time: &dyn Fn(&Busy) -> Time| {
                let all: u128 = self.busy.values().map(|busy| u128::from(time(busy).0)).sum();
                Some(Number::new(all as f64 / hosts / 1e6))
            };
            row.compute_us = mean(&|busy| busy.computed_until(Time::MAX));
            row.exposed_us = mean(&Busy::exposed);
        }
    }

    /// A row for every operation and group.
    pub(super) fn rows(&self) -> Vec<OpRow> {
        let spans = self.schedule.spans().iter().zip(&self.spans);
        spans.map(|(span, parts)| self.row(span, parts)).collect()
    }

    /// When the hosts that stand for all of them were at their operations.
    pub(super) fn timeline(&self) -> Vec<TimelineRow> {
        let shown = self.representatives();
        let spans = self.schedule.spans().iter().zip(&self.spans);
        let mut rows: Vec<TimelineRow> = spans
            .flat_map(|(span, parts)| {
                let job = self.schedule.job_of(span).map(|job| job.name.to_string());
                let parts = parts.iter().filter(|(host, _)| shown.contains(host));
                parts.map(move |&(host, interval)| TimelineRow {
                    host,
                    op: span.name.to_string(),
                    job: job.clone().unwrap_or_default(),
                    group: span.group,
                    purpose: span.purpose.to_string(),
                    start_us: microseconds(interval.start),
                    end_us: microseconds(interval.end),
                })
            })
            .collect();
        // The order within a host is that of the program.
        rows.sort_by_key(|row| row.host);
        rows
    }

    /// The first host of each kind: those that take part in the same operations are alike, as those of a pipeline stage.
    /// Where there are few kinds, some more hosts, spread evenly.
    fn representatives(&self) -> BTreeSet<u32> {
        let mut kinds: HashMap<u32, Vec<&str>> = HashMap::new();
        for (span, _) in self.schedule.spans().iter().zip(&self.spans) {
            for host in span.ranks.iter() {
                kinds.entry(host.0).or_default().push(&span.name);
            }
        }
        let mut known = HashSet::new();
        let firsts = self.busy.keys().filter(|host| known.insert(kinds.get(host)));
        let mut shown: BTreeSet<u32> = firsts.copied().take(MOST_HOSTS).collect();
        let step = self.busy.len().div_ceil(FEW_HOSTS).max(1);
        let spread = self.busy.keys().step_by(step);
        let room = FEW_HOSTS.saturating_sub(shown.len());
        let more: Vec<u32> = spread
            .filter(|host| !shown.contains(host))
            .take(room)
            .copied()
            .collect();
        shown.extend(more);
        shown
    }

    fn row(&self, span: &Span, parts: &Parts) -> OpRow {
        let mean = |time: &dyn Fn(&(u32, TaskTimes)) -> Time| {
            let all: u128 = parts.iter().map(|part| u128::from(time(part).0)).sum();
            Number::new(all as f64 / span.ranks.len() as f64 / 1e6)
        };
        let exposed = |&(host, interval): &(u32, TaskTimes)| match span.compute {
            Some(_) => Time::ZERO,
            None => self.busy[&host].uncovered(interval),
        };
        let start = parts.iter().map(|(_, interval)| interval.start).min();
        let end = parts.iter().map(|(_, interval)| interval.end).max();
        let job = self.schedule.job_of(span).map(|job| job.name.to_string());
        OpRow {
            op: span.name.to_string(),
            job: job.unwrap_or_default(),
            group: span.group,
            ranks: span.ranks.len() as u32,
            bytes: span.bytes,
            start_us: microseconds(start.unwrap_or(Time::ZERO)),
            end_us: microseconds(end.unwrap_or(Time::ZERO)),
            busy_us: mean(&|(_, interval)| interval.end - interval.start),
            exposed_us: mean(&exposed),
        }
    }
}

/// When each rank of a group was at an operation.
fn parts(schedule: &Schedule, tasks: &[TaskTimes], span: &Span) -> Parts {
    let own = span.tasks.start as usize..span.tasks.end as usize;
    if span.compute.is_some() {
        let parts = span.ranks.iter().map(|host| host.0).zip(tasks[own].iter().copied());
        return parts.collect();
    }
    let mut parts: HashMap<u32, TaskTimes> = HashMap::new();
    for (task, &interval) in schedule.tasks_in(span.tasks.clone()).zip(&tasks[own]) {
        if let Action::Transfer { src, dst, .. } = task.action {
            for host in [src, dst] {
                let part = parts.entry(host.0).or_insert(interval);
                part.start = part.start.min(interval.start);
                part.end = part.end.max(interval.end);
            }
        }
    }
    let mut parts: Parts = parts.into_iter().collect();
    parts.sort_unstable_by_key(|&(host, _)| host);
    parts
}

impl Busy {
    fn settle(&mut self) {
        self.computes.sort_unstable_by_key(|interval| interval.start);
        let mut all = Time::ZERO;
        for interval in &self.computes {
            self.before.push(all);
            all += interval.end - interval.start;
        }
        self.communicates.sort_unstable_by_key(|interval| interval.start);
    }

    /// How much it has computed by a time.
    fn computed_until(&self, time: Time) -> Time {
        let begun = self.computes.partition_point(|interval| interval.start < time);
        let Some(last) = begun.checked_sub(1) else {
            return Time::ZERO;
        };
        let interval = self.computes[last];
        self.before[last] + (interval.end.min(time) - interval.start)
    }

    /// How much of an interval it does not compute.
    fn uncovered(&self, interval: TaskTimes) -> Time {
        let computed = self.computed_until(interval.end) - self.computed_until(interval.start);
        (interval.end - interval.start).saturating_sub(computed)
    }

    /// For how long it communicates and computes nothing, whatever it communicates at a time.
    fn exposed(&self) -> Time {
        let (mut exposed, mut until) = (Time::ZERO, Time::ZERO);
        for &TaskTimes { start, end } in &self.communicates {
            let start = start.max(until);
            if end > start {
                exposed += self.uncovered(TaskTimes { start, end });
                until = end;
            }
        }
        exposed
    }
}

/// When the last transfer or computation of a job ends.
fn end_of(schedule: &Schedule, job: &JobSpan, outcome: &Outcome) -> Time {
    let tasks = &outcome.tasks[job.tasks.start as usize..job.tasks.end as usize];
    let own = schedule.tasks_in(job.tasks.clone()).zip(tasks);
    let ends = own.filter(|(task, _)| !matches!(task.action, Action::Trigger | Action::Delay(Time::ZERO)));
    ends.map(|(_, interval)| interval.end).max().unwrap_or(job.start)
}

/// When each job may begin and when it ends, where tasks were observed.
pub(super) fn job_ends<'a>(schedule: &'a Schedule, outcome: &'a Outcome) -> impl Iterator<Item = (Time, Time)> + 'a {
    let jobs = schedule.jobs().iter();
    jobs.map(|job| (job.start, end_of(schedule, job, outcome)))
}

/// A row for every job, if there are any: how long it takes beside the others, and alone.
pub(super) fn job_rows(schedule: &Schedule, outcome: &Outcome, alone: &[Outcome]) -> Option<Vec<JobRow>> {
    if schedule.jobs().is_empty() || outcome.stopped.is_some() {
        return None;
    }
    let rows = schedule.jobs().iter().enumerate().map(|(index, job)| {
        let time = |outcome: &Outcome| end_of(schedule, job, outcome).saturating_sub(job.start);
        let (cct, alone) = (time(outcome), alone.get(index).map(time));
        JobRow {
            job: job.name.to_string(),
            ranks: job.ranks,
            start_us: microseconds(job.start),
            cct_us: microseconds(cct),
            alone_us: alone.map(microseconds),
            slowdown: alone.and_then(|alone| ratio(cct.as_us(), alone.as_us())),
        }
    });
    Some(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start: u64, end: u64) -> TaskTimes {
        TaskTimes {
            start: Time(start),
            end: Time(end),
        }
    }

    #[test]
    fn what_computation_covers_is_not_exposed() {
        let mut busy = Busy {
            computes: vec![interval(30, 40), interval(10, 20)],
            communicates: vec![interval(35, 50), interval(0, 15), interval(12, 14), interval(45, 60)],
            ..Busy::default()
        };
        busy.settle();
        assert_eq!(busy.uncovered(interval(0, 100)), Time(80));
        assert_eq!(busy.uncovered(interval(12, 18)), Time(0));
        assert_eq!(busy.uncovered(interval(15, 35)), Time(10));
        // 0 to 10, and 40 to 60.
        assert_eq!(busy.exposed(), Time(30));
        assert_eq!(busy.computed_until(Time::MAX), Time(20));
    }
}
