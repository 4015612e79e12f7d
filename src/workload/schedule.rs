//! A directed acyclic graph of transfers, delays and joins.

use std::ops::Range;
use std::sync::Arc;

use super::purpose::Purpose;
use super::short_lists::ShortLists;
use super::task_list::{Action, Task, TaskList};
use crate::ids::{Endpoint, HostId, IdLists, RankId, TaskId};
use crate::units::Time;

/// Which milestone of a predecessor counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Milestone {
    /// The first of its data have reached the receiver, which may pass them on.
    Begun,
    /// The last byte has left the sender (for the first time, where some are sent again): its queue pair
    /// is free for the next transfer.
    Sent,
    /// The last byte has reached the receiver; a delay has ended.
    Delivered,
    /// The last acknowledgement has reached the sender.
    Acked,
}

/// A transfer: between hosts, a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer<E = HostId> {
    /// Its task.
    pub task: TaskId,
    /// Who sends.
    pub src: E,
    /// Who receives.
    pub dst: E,
    /// Payload.
    pub bytes: u64,
}

/// What one group of ranks does in one operation of a program: where its tasks are in the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span<E = HostId> {
    /// The operation, with its round from the second on.
    pub name: Arc<str>,
    /// What it is for.
    pub purpose: Purpose,
    /// The group, counted from 0 within the operation.
    pub group: u32,
    /// Its ranks: each as itself, or as the host that it lives on.
    pub ranks: Arc<[E]>,
    /// How long every rank computes; none for a communication. The tasks are one delay for each rank then, in order.
    pub compute: Option<Time>,
    /// What its transfers add up to.
    pub bytes: u64,
    /// Ids of its tasks.
    pub tasks: Range<u32>,
}

/// One of several workloads: where its tasks are in the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSpan {
    /// As the experiment file names it.
    pub name: Arc<str>,
    /// How many ranks it has.
    pub ranks: u32,
    /// It does nothing before.
    pub start: Time,
    /// Ids of its tasks.
    pub tasks: Range<u32>,
}

/// Tasks and what each of them releases. Task ids are indices; a transfer's id is its flow's. A collective is written
/// between ranks; [`Schedule::on_hosts`] makes of it what engines and placements take, a schedule between hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule<E: Endpoint = HostId> {
    tasks: TaskList<E>,
    /// Empty where nothing waits.
    successors: IdLists<TaskId, (TaskId, Milestone)>,
    /// Empty where nothing waits.
    predecessors: Vec<u32>,
    warnings: Vec<String>,
    spans: Vec<Span<E>>,
    jobs: Vec<JobSpan>,
    /// It stands for a part of a schedule whose transfers do not start together.
    staggered: bool,
}

impl Schedule {
    /// The size of a transfer that never ends: it sends until the run is stopped (`packet.stop`). Far above what a
    /// run can carry, and small enough that sums of many fit.
    pub const ENDLESS: u64 = 1 << 50;
}

impl<E: Endpoint> Schedule<E> {
    /// All tasks by id.
    #[inline]
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = Task<E>> + DoubleEndedIterator + Clone + '_ {
        self.tasks.iter(0..self.tasks.len())
    }

    /// Tasks in a row.
    pub fn tasks_in(&self, ids: Range<u32>) -> impl ExactSizeIterator<Item = Task<E>> + Clone + '_ {
        self.tasks.iter(ids.start as usize..ids.end as usize)
    }

    /// One task.
    #[inline]
    pub fn task(&self, id: TaskId) -> Task<E> {
        self.tasks.get(id)
    }

    /// What a task does.
    #[inline]
    pub fn action(&self, id: TaskId) -> Action<E> {
        self.tasks.action(id)
    }

    /// What should be said about how it came about: inputs that may mean something else.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The operations of a program, for each of their groups; none of other workloads.
    pub fn spans(&self) -> &[Span<E>] {
        &self.spans
    }

    /// Whether all transfers of a workload, or of each job, start at one time and wait for nothing.
    pub fn starts_together(&self) -> bool {
        let of_job = |tasks: Range<u32>| {
            let transfers = || {
                let ids = (tasks.start..tasks.end).map(TaskId);
                ids.filter(|&id| matches!(self.action(id), Action::Transfer { .. }))
            };
            let mut starts = transfers().map(|id| self.task(id).earliest);
            let first = starts.next();
            starts.all(|start| Some(start) == first) && transfers().all(|id| self.predecessors(id) == 0)
        };
        let all = 0..self.tasks.len() as u32;
        !self.staggered
            && match self.jobs.as_slice() {
                [] => of_job(all),
                jobs => jobs.iter().all(|job| of_job(job.tasks.clone())),
            }
    }

    /// The jobs, where there are several workloads.
    pub fn jobs(&self) -> &[JobSpan] {
        &self.jobs
    }

    /// The job of an operation, where there are jobs.
    pub fn job_of(&self, span: &Span<E>) -> Option<&JobSpan> {
        self.jobs.iter().find(|job| job.tasks.contains(&span.tasks.start))
    }

    /// Several workloads beside each other: name, number of ranks and start of each, and its schedule. Steps of all
    /// count from 0.
    pub(super) fn of_jobs(jobs: Vec<(&str, u32, Time, Self)>) -> Self {
        let mut all = ScheduleBuilder::<E>::default().build();
        for (name, ranks, start, job) in jobs {
            let first = all.tasks.len() as u32;
            let moved = |task: TaskId| TaskId(task.0 + first);
            all.jobs.push(JobSpan {
                name: name.into(),
                ranks,
                start,
                tasks: first..first + job.tasks.len() as u32,
            });
            for (id, task) in (0..).map(TaskId).zip(job.tasks()) {
                all.tasks.push(Task {
                    earliest: task.earliest.saturating_add(start),
                    connection: moved(task.connection),
                    ..task
                });
                let successors = job.successors(id).iter();
                all.successors
                    .push(successors.map(|&(next, milestone)| (moved(next), milestone)));
                all.predecessors.push(job.predecessors(id));
            }
            all.warnings.extend(job.warnings);
            all.spans.extend(job.spans.into_iter().map(|span| Span {
                tasks: span.tasks.start + first..span.tasks.end + first,
                ..span
            }));
        }
        if all.successors.values().is_empty() {
            (all.successors, all.predecessors) = (IdLists::new(), Vec::new());
        }
        all
    }

    /// The same with one job alone: what others do takes no time and no link. Tasks keep their ids.
    #[must_use]
    pub fn only(&self, job: usize) -> Self {
        let mut alone = self.clone();
        alone.staggered = !self.starts_together();
        let own = self.jobs[job].tasks.clone();
        for id in (0..alone.tasks.len() as u32).filter(|id| !own.contains(id)).map(TaskId) {
            if alone.action(id) != Action::Trigger {
                alone.tasks.set_action(id, Action::Delay(Time::ZERO));
                alone.tasks.set_earliest(id, Time::ZERO);
            }
        }
        alone
    }

    /// What a task releases, in the order in which it was written, with the milestone that counts.
    #[inline]
    pub fn successors(&self, id: TaskId) -> &[(TaskId, Milestone)] {
        if self.predecessors.is_empty() {
            return &[];
        }
        &self.successors[id]
    }

    /// Whether some task waits for this milestone of a task.
    pub fn awaits(&self, id: TaskId, milestone: Milestone) -> bool {
        self.successors(id).iter().any(|&(_, counted)| counted == milestone)
    }

    /// Number of predecessors of a task.
    pub fn predecessors(&self, id: TaskId) -> u32 {
        self.predecessors.get(id.index()).copied().unwrap_or(0)
    }

    /// The transfers, in order of their ids.
    #[inline]
    pub fn transfers(&self) -> impl Iterator<Item = Transfer<E>> + '_ {
        let ids = (0..self.tasks.len()).map(TaskId::from);
        ids.filter_map(|id| self.transfer(id))
    }

    /// A task as a transfer; `None` where it is another.
    #[inline]
    pub fn transfer(&self, task: TaskId) -> Option<Transfer<E>> {
        match self.action(task) {
            Action::Transfer { src, dst, bytes } => Some(Transfer { task, src, dst, bytes }),
            _ => None,
        }
    }

    /// Whether some transfer never ends.
    pub fn has_endless(&self) -> bool {
        self.transfers().any(|transfer| transfer.bytes == Schedule::ENDLESS)
    }

    /// Number of dependencies.
    pub fn dependencies(&self) -> usize {
        self.successors.values().len()
    }

    /// Number of transfers.
    pub fn transfer_count(&self) -> usize {
        self.transfers().count()
    }

    /// Number of delays that take time: computations.
    pub fn delay_count(&self) -> usize {
        let takes_time = |task: &Task<E>| matches!(task.action, Action::Delay(time) if !time.is_zero());
        self.tasks().filter(takes_time).count()
    }

    /// Number of steps: one more than the largest step of a transfer.
    pub fn steps(&self) -> u32 {
        self.transfers()
            .map(|transfer| self.task(transfer.task).step + 1)
            .max()
            .unwrap_or(0)
    }

    /// The transfers of each step, by step; tasks in order of their id.
    pub fn transfers_by_step(&self) -> Vec<Vec<TaskId>> {
        let mut steps = vec![Vec::new(); self.steps() as usize];
        for Transfer { task, .. } in self.transfers() {
            steps[self.task(task).step as usize].push(task);
        }
        steps
    }

    /// The same schedule with other steps, by task.
    pub(super) fn with_steps(mut self, steps: impl IntoIterator<Item = u32>) -> Self {
        for (step, id) in steps.into_iter().zip(0..self.tasks.len()) {
            self.tasks.set_step(TaskId::from(id), step);
        }
        self
    }
}

impl Schedule<RankId> {
    /// The same schedule between hosts: rank `r` lives on host `hosts[r]`.
    #[must_use]
    pub fn on_hosts(self, hosts: &[HostId]) -> Schedule {
        let place = |rank: RankId| hosts[rank.index()];
        let mut lists = ShortLists::default();
        let of_hosts = |span: Span<RankId>| Span {
            ranks: match *span.ranks {
                [one] => lists.get(&[place(one)]),
                [one, other] => lists.get(&[one, other].map(place)),
                _ => span.ranks.iter().map(|&rank| place(rank)).collect(),
            },
            name: span.name,
            purpose: span.purpose,
            group: span.group,
            compute: span.compute,
            bytes: span.bytes,
            tasks: span.tasks,
        };
        Schedule {
            tasks: self.tasks.between(place),
            spans: self.spans.into_iter().map(of_hosts).collect(),
            successors: self.successors,
            predecessors: self.predecessors,
            warnings: self.warnings,
            jobs: self.jobs,
            staggered: self.staggered,
        }
    }
}

/// Collects tasks and dependencies into a [`Schedule`].
#[derive(Debug)]
pub struct ScheduleBuilder<E: Endpoint = HostId> {
    tasks: TaskList<E>,
    edges: Vec<(TaskId, TaskId, Milestone)>,
    warnings: Vec<String>,
    spans: Vec<Span<E>>,
}

impl<E: Endpoint> Default for ScheduleBuilder<E> {
    fn default() -> Self {
        Self {
            tasks: TaskList::default(),
            edges: Vec::new(),
            warnings: Vec::new(),
            spans: Vec::new(),
        }
    }
}

impl<E: Endpoint> ScheduleBuilder<E> {
    /// Makes room for that many more tasks and dependencies.
    pub fn reserve(&mut self, tasks: usize, edges: usize) {
        // The first knows best; further ones may be many and small.
        if self.tasks.len() == 0 {
            self.tasks.reserve_exact(tasks);
            self.edges.reserve_exact(edges);
        } else {
            self.tasks.reserve(tasks);
            self.edges.reserve(edges);
        }
    }

    /// Number of tasks so far.
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// All dependencies so far: what is waited for, what waits, and for which milestone.
    pub fn edges(&self) -> &[(TaskId, TaskId, Milestone)] {
        &self.edges
    }

    /// Adds a task that does not start before `earliest`, a transfer on a connection of its own.
    pub fn add(&mut self, action: Action<E>, earliest: Time, step: u32) -> TaskId {
        let id = TaskId::from(self.tasks.len());
        self.tasks.push(Task {
            action,
            earliest,
            step,
            connection: id,
        });
        id
    }

    /// Adds a transfer of `bytes` on a connection of its own.
    pub fn transfer(&mut self, src: impl Into<E>, dst: impl Into<E>, bytes: u64, step: u32) -> TaskId {
        self.add(Action::transfer(src, dst, bytes), Time::ZERO, step)
    }

    /// Lets a transfer use the connection whose first transfer is `first`.
    pub fn connect(&mut self, transfer: TaskId, first: TaskId) {
        self.tasks.set_connection(transfer, first);
    }

    /// Lets a transfer carry more.
    pub fn extend(&mut self, transfer: TaskId, more: u64) {
        self.tasks.extend(transfer, more);
    }

    /// One task so far.
    pub fn task(&self, id: TaskId) -> Task<E> {
        self.tasks.get(id)
    }

    /// Adds a delay; of zero length it joins its predecessors.
    pub fn delay(&mut self, duration: Time) -> TaskId {
        self.add(Action::Delay(duration), Time::ZERO, 0)
    }

    /// Adds a trigger.
    pub fn trigger(&mut self) -> TaskId {
        self.add(Action::Trigger, Time::ZERO, 0)
    }

    /// Adds an operation of a group.
    pub fn span(&mut self, span: Span<E>) {
        self.spans.push(span);
    }

    /// What the transfers among some tasks add up to.
    pub fn bytes(&self, tasks: Range<u32>) -> u64 {
        let sizes = self.tasks.iter(tasks.start as usize..tasks.end as usize);
        let bytes = |task: Task<E>| match task.action {
            Action::Transfer { bytes, .. } => bytes,
            _ => 0,
        };
        sizes.map(bytes).sum()
    }

    /// Adds something that should be said.
    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Lets `after` wait for a milestone of `before`.
    pub fn depend(&mut self, before: TaskId, milestone: Milestone, after: TaskId) {
        self.edges.push((before, after, milestone));
    }

    /// The schedule. Successors keep the order in which their dependencies were added.
    pub fn build(self) -> Schedule<E> {
        let Self {
            tasks,
            edges,
            warnings,
            spans,
        } = self;
        // Where nothing waits, there is nothing to be said of it.
        let waiting = if edges.is_empty() { 0 } else { tasks.len() };
        let mut predecessors = vec![0_u32; waiting];
        for &(_, after, _) in &edges {
            predecessors[after.index()] += 1;
        }
        let released = edges
            .iter()
            .map(|&(before, after, milestone)| (before, (after, milestone)));
        let successors = IdLists::grouped(waiting, released);
        Schedule {
            tasks,
            successors,
            predecessors,
            warnings,
            spans,
            jobs: Vec::new(),
            staggered: false,
        }
    }
}
