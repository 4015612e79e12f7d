//! Heads and tails: the least time before each task of a schedule starts, and after it has ended.
//!
//! Both are longest paths through the dependencies, made stronger where many meet: all that a task
//! waits for must also fit through the resources it shares (one-machine bound), and so must all that
//! waits for it.

use std::collections::BTreeMap;

use super::one_machine::{Job, earliest_end};
use super::resources::{ResourceKind, Resources, WireTransfer};
use super::timeline::{self, Duration};
use crate::ids::{IdLists, TaskId};
use crate::workload::{Action, Milestone, Schedule};

/// Least times in picoseconds, by task; empty vectors stand for zeros.
#[derive(Debug, Default)]
pub(super) struct HeadsAndTails {
    /// From the beginning until a task starts.
    head: Vec<f64>,
    /// From the end of a task (delivery of a transfer) to the end of the collective. Negative
    /// infinity where nothing that takes time follows a join.
    tail: Vec<f64>,
}

impl HeadsAndTails {
    pub(super) fn new(schedule: &Schedule, resources: &Resources) -> Self {
        let tasks = schedule.tasks();
        let independent = (0..tasks.len()).all(|t| schedule.successors(TaskId::from(t)).is_empty());
        if independent && tasks.clone().all(|t| t.earliest.is_zero()) {
            return Self::default();
        }
        let graph = Graph::new(schedule, resources);
        let head = graph.heads();
        let tail = if independent { Vec::new() } else { graph.tails() };
        Self { head, tail }
    }

    /// Whether nothing lies before or after any task.
    pub(super) fn are_zero(&self) -> bool {
        self.head.is_empty() && self.tail.is_empty()
    }

    pub(super) fn head(&self, task: TaskId) -> f64 {
        self.head.get(task.index()).copied().unwrap_or(0.0)
    }

    pub(super) fn tail(&self, task: TaskId) -> f64 {
        self.tail.get(task.index()).copied().unwrap_or(0.0)
    }
}

/// A schedule with its edges in both directions and an order in which causes come first.
struct Graph<'a> {
    schedule: &'a Schedule,
    resources: &'a Resources,
    kinds: Vec<ResourceKind>,
    /// Predecessors of each task, each with the position of the edge among the successors of its beginning.
    into: IdLists<TaskId, (TaskId, u32)>,
    /// Tasks on cycles (which triggers can close without harm) come last, in order of id.
    order: Vec<TaskId>,
    /// How many of `order` are on no cycle and behind none.
    acyclic: usize,
}

impl<'a> Graph<'a> {
    fn new(schedule: &'a Schedule, resources: &'a Resources) -> Self {
        let count = schedule.tasks().len();
        let ids = || (0..count).map(TaskId::from);
        let causes = ids().flat_map(|task| {
            let successors = schedule.successors(task).iter().zip(0..);
            successors.map(move |(&(next, _), position)| (next, (task, position)))
        });
        let mut waiting: Vec<u32> = ids().map(|t| schedule.predecessors(t)).collect();
        let mut order: Vec<TaskId> = ids().filter(|t| waiting[t.index()] == 0).collect();
        let mut done = 0;
        while let Some(&task) = order.get(done) {
            done += 1;
            for &(next, _) in schedule.successors(task) {
                waiting[next.index()] -= 1;
                if waiting[next.index()] == 0 {
                    order.push(next);
                }
            }
        }
        order.extend(ids().filter(|t| waiting[t.index()] > 0));
        Self {
            schedule,
            resources,
            kinds: resources.kinds(),
            into: IdLists::grouped(count, causes),
            order,
            acyclic: done,
        }
    }

    fn into(&self, task: TaskId) -> &[(TaskId, u32)] {
        &self.into[task]
    }

    fn transfer(&self, task: TaskId) -> Option<WireTransfer> {
        self.resources.transfer(self.schedule.transfer(task)?)
    }

    /// Least time between the start and the end of a task.
    fn length(&self, task: TaskId) -> f64 {
        match self.schedule.task(task).action {
            Action::Transfer { .. } => self
                .transfer(task)
                .map_or(0.0, |transfer| self.resources.span(&transfer)),
            Action::Delay(duration) => duration.0 as f64,
            Action::Trigger => 0.0,
        }
    }

    /// Least time from the start of a task to one of its milestones.
    fn until(&self, task: TaskId, milestone: Milestone) -> f64 {
        match milestone {
            Milestone::Begun => self
                .transfer(task)
                .map_or(0.0, |transfer| self.resources.latency(&transfer)),
            Milestone::Sent => self
                .transfer(task)
                .map_or(0.0, |transfer| self.resources.sending(&transfer)),
            _ => self.length(task) + self.lag(task, milestone).unwrap_or(0.0),
        }
    }

    /// Least time from the end of a task to one of its milestones; none for the milestone before it, which may
    /// lie any time before.
    fn lag(&self, task: TaskId, milestone: Milestone) -> Option<f64> {
        match milestone {
            Milestone::Begun | Milestone::Sent => None,
            Milestone::Delivered => Some(0.0),
            Milestone::Acked => Some(
                self.transfer(task)
                    .map_or(0.0, |transfer| self.resources.acknowledgement(&transfer)),
            ),
        }
    }

    fn heads(&self) -> Vec<f64> {
        let mut head = self.best_case();
        let mut relayed: BTreeMap<TaskId, Vec<f64>> = BTreeMap::new();
        let mut times = Vec::new();
        let mut jobs = Vec::new();
        for &task in &self.order {
            times.clear();
            times.extend(self.into(task).iter().map(|&(before, position)| {
                let milestone = self.schedule.successors(before)[position as usize].1;
                match self.schedule.task(before).action {
                    // A trigger on a cycle: the best case has counted it.
                    Action::Trigger => relayed.get(&before).map_or(0.0, |r| r[position as usize]),
                    _ => head[before.index()] + self.until(before, milestone),
                }
            }));
            if self.schedule.task(task).action == Action::Trigger {
                // The first to come releases the first successor, and so on.
                times.sort_unstable_by(f64::total_cmp);
                times.resize(self.schedule.successors(task).len(), f64::INFINITY);
                relayed.insert(task, times.clone());
                continue;
            }
            let causes = self.into(task).iter().filter_map(|&(before, position)| {
                let milestone = self.schedule.successors(before)[position as usize].1;
                // Resources between the ends may still work on what has only been sent, or only begun to arrive.
                (!matches!(milestone, Milestone::Begun | Milestone::Sent)).then(|| (before, head[before.index()], 0.0))
            });
            let met = self.shared(causes, &mut jobs);
            let released = times.iter().copied().fold(met, f64::max);
            let earliest = self.schedule.task(task).earliest.0 as f64;
            head[task.index()] = head[task.index()].max(released).max(earliest);
        }
        head
    }

    /// When each transfer starts if every one takes no longer than it would alone. What relays
    /// release, on cycles too, can only be later: the milestones of a schedule never come earlier for
    /// others coming later.
    fn best_case(&self) -> Vec<f64> {
        let mut head = vec![0.0; self.order.len()];
        let mut tasks = self.schedule.tasks();
        if tasks.any(|task| task.action == Action::Trigger) {
            let duration = |task| Duration {
                begun: self.until(task, Milestone::Begun),
                sent: self.until(task, Milestone::Sent),
                delivered: self.until(task, Milestone::Delivered),
                acked: self.until(task, Milestone::Acked),
            };
            timeline::run(self.schedule, duration, |task, start, _| head[task.index()] = start);
        }
        head
    }

    /// The largest one-machine bound over transfers with the least times before and after each; 0
    /// for fewer than two. Tasks that are no transfers, or listed twice, do not count.
    fn shared(&self, tasks: impl Iterator<Item = (TaskId, f64, f64)> + Clone, jobs: &mut Vec<(u32, Job)>) -> f64 {
        if tasks.clone().nth(1).is_none() {
            return 0.0;
        }
        let mut transfers: Vec<_> = tasks
            .filter_map(|(task, before, after)| Some((task, self.transfer(task)?, before, after)))
            .collect();
        transfers.sort_by(|a, b| a.0.cmp(&b.0).then(a.2.total_cmp(&b.2)));
        transfers.dedup_by_key(|&mut (task, ..)| task);
        let mut end = 0.0_f64;
        let mut alike = Vec::new();
        for &kind in &self.kinds {
            jobs.clear();
            jobs.extend(transfers.iter().filter_map(|(_, transfer, before, after)| {
                let demand = self.resources.demand(kind, transfer)?;
                let job = Job {
                    head: before + demand.head,
                    work: transfer.wire / demand.rate,
                    tail: demand.tail + after,
                };
                Some((demand.resource, job))
            }));
            jobs.sort_by_key(|&(resource, _)| resource);
            // A single transfer is bounded by its span already.
            for resource in jobs.chunk_by(|a, b| a.0 == b.0).filter(|jobs| jobs.len() > 1) {
                alike.clear();
                alike.extend(resource.iter().map(|&(_, job)| job));
                end = end.max(earliest_end(&mut alike));
            }
        }
        end
    }

    fn tails(&self) -> Vec<f64> {
        let mut tail: Vec<f64> = self.schedule.tasks().map(|t| nothing_after(t.action)).collect();
        let mut known = vec![false; tail.len()];
        let mut jobs = Vec::new();
        for &task in self.order[..self.acyclic].iter().rev() {
            let successors = self.schedule.successors(task);
            known[task.index()] = true;
            if self.schedule.task(task).action == Action::Trigger {
                // Which successor a cause releases is open: the least of all counts, and only if
                // no cause comes in vain.
                let after = successors.iter().map(|&(next, _)| self.after(next, &tail, &known));
                let in_vain = successors.len() < self.schedule.predecessors(task) as usize;
                let least = after.fold(f64::INFINITY, f64::min);
                tail[task.index()] = if in_vain { f64::NEG_INFINITY } else { least };
                continue;
            }
            let waiting = successors
                .iter()
                .filter_map(|&(next, milestone)| Some((next, self.lag(task, milestone)?)));
            let longest = waiting.clone().map(|(next, lag)| lag + self.after(next, &tail, &known));
            let mut after = longest.fold(tail[task.index()], f64::max);
            let waiting = waiting.map(|(next, lag)| (next, lag, tail[next.index()]));
            after = after.max(self.shared(waiting, &mut jobs));
            tail[task.index()] = after;
        }
        tail
    }

    /// Least time from the release of a task to the end of the collective.
    fn after(&self, task: TaskId, tail: &[f64], known: &[bool]) -> f64 {
        if known[task.index()] {
            self.length(task) + tail[task.index()]
        } else {
            f64::NEG_INFINITY
        }
    }
}

/// What follows a task without successors: all may end with a transfer or with a delay that takes time, not with
/// what takes none.
fn nothing_after(action: Action) -> f64 {
    match action {
        Action::Transfer { .. } => 0.0,
        Action::Delay(time) if !time.is_zero() => 0.0,
        Action::Delay(_) | Action::Trigger => f64::NEG_INFINITY,
    }
}
