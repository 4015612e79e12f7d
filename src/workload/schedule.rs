//! A directed acyclic graph of transfers, delays and joins.

use super::progress::Progress;
use crate::ids::TaskId;
use crate::units::Time;

/// What a task does once it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Moves `bytes` (at least 1) from one endpoint to another: a flow. Endpoints are ranks as a
    /// collective builds them, and hosts once [`Schedule::on_hosts`] has placed the ranks.
    Transfer { src: u32, dst: u32, bytes: u64 },
    /// Waits; of zero length it is a join of its predecessors.
    Delay(Time),
    /// Passes on: the first predecessor that happens releases the first successor, the second the
    /// second, and so on. It has no moment of its own.
    Relay,
}

/// When a task starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// When all its predecessors have happened; without any, at the beginning.
    All,
    /// When that many of its predecessors have happened (at least 1).
    Count(u32),
}

/// Which moment of a predecessor counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// The last byte has reached the receiver; a delay has ended.
    Delivered,
    /// The last acknowledgement has reached the sender.
    Acked,
}

/// A node of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    pub action: Action,
    pub start: Start,
    /// It does not start before this time.
    pub earliest: Time,
    /// Step of the collective, from 0: transfers of one step are placed as one batch.
    pub step: u32,
}

/// Tasks and what each of them releases. Task ids are indices; a transfer's id is its flow's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    tasks: Vec<Task>,
    /// Successors of task `t`: `successors[offsets[t]..offsets[t + 1]]`.
    offsets: Vec<u32>,
    successors: Vec<(TaskId, Moment)>,
    predecessors: Vec<u32>,
}

impl Schedule {
    /// All tasks by id.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// One task.
    pub fn task(&self, id: TaskId) -> &Task {
        &self.tasks[id.index()]
    }

    /// What a task releases, in the order in which it was written, with the moment that counts.
    pub fn successors(&self, id: TaskId) -> &[(TaskId, Moment)] {
        &self.successors[self.offsets[id.index()] as usize..self.offsets[id.index() + 1] as usize]
    }

    /// Number of predecessors of a task.
    pub fn predecessors(&self, id: TaskId) -> u32 {
        self.predecessors[id.index()]
    }

    /// The transfers: id, source, destination, bytes.
    pub fn transfers(&self) -> impl Iterator<Item = (TaskId, u32, u32, u64)> + '_ {
        self.tasks.iter().enumerate().filter_map(|(t, task)| match task.action {
            Action::Transfer { src, dst, bytes } => Some((TaskId::from(t), src, dst, bytes)),
            _ => None,
        })
    }

    /// Number of transfers.
    pub fn transfer_count(&self) -> usize {
        self.transfers().count()
    }

    /// Number of steps: one more than the largest step of a transfer.
    pub fn steps(&self) -> u32 {
        self.transfers()
            .map(|(id, ..)| self.task(id).step + 1)
            .max()
            .unwrap_or(0)
    }

    /// The same schedule between hosts: rank `r` lives on host `hosts[r]`.
    #[must_use]
    pub fn on_hosts(mut self, hosts: &[u32]) -> Self {
        for task in &mut self.tasks {
            if let Action::Transfer { src, dst, .. } = &mut task.action {
                *src = hosts[*src as usize];
                *dst = hosts[*dst as usize];
            }
        }
        self
    }

    /// Tasks that can never start, in order of id: a cycle, or a trigger that is never pulled.
    pub fn never_start(&self) -> Vec<TaskId> {
        let (mut progress, mut due) = Progress::new(self);
        let mut reached = vec![false; self.tasks.len()];
        while let Some(next) = due.pop() {
            reached[next.task.index()] = true;
            for moment in [Moment::Delivered, Moment::Acked] {
                progress.happened(self, next.task, moment, Time::ZERO, &mut due);
            }
        }
        (0..self.tasks.len())
            .filter(|&t| !reached[t] && matches!(self.tasks[t].action, Action::Transfer { .. }))
            .map(TaskId::from)
            .collect()
    }
}

/// Collects tasks and dependencies into a [`Schedule`].
#[derive(Debug, Default)]
pub struct ScheduleBuilder {
    tasks: Vec<Task>,
    edges: Vec<(TaskId, TaskId, Moment)>,
}

impl ScheduleBuilder {
    /// Adds a task.
    pub fn add(&mut self, task: Task) -> TaskId {
        self.tasks.push(task);
        TaskId::from(self.tasks.len() - 1)
    }

    /// Adds a transfer of `bytes` that starts when all its predecessors have happened.
    pub fn transfer(&mut self, src: u32, dst: u32, bytes: u64, step: u32) -> TaskId {
        let action = Action::Transfer { src, dst, bytes };
        self.add(Task {
            action,
            start: Start::All,
            earliest: Time::ZERO,
            step,
        })
    }

    /// Adds a delay; of zero length it joins its predecessors.
    pub fn delay(&mut self, duration: Time) -> TaskId {
        self.add(Task {
            action: Action::Delay(duration),
            start: Start::All,
            earliest: Time::ZERO,
            step: 0,
        })
    }

    /// Lets `after` wait for a moment of `before`.
    pub fn depend(&mut self, before: TaskId, moment: Moment, after: TaskId) {
        self.edges.push((before, after, moment));
    }

    /// The schedule. Successors keep the order in which their dependencies were added.
    pub fn build(self) -> Schedule {
        let Self { tasks, mut edges } = self;
        edges.sort_by_key(|&(before, ..)| before);
        let mut offsets = vec![0_u32; tasks.len() + 1];
        let mut predecessors = vec![0; tasks.len()];
        for &(before, after, _) in &edges {
            offsets[before.index() + 1] += 1;
            predecessors[after.index()] += 1;
        }
        for t in 0..tasks.len() {
            offsets[t + 1] += offsets[t];
        }
        let successors = edges.into_iter().map(|(_, after, moment)| (after, moment)).collect();
        Schedule {
            tasks,
            offsets,
            successors,
            predecessors,
        }
    }
}
