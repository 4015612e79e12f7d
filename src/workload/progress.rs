//! Which tasks may start: the bookkeeping of dependencies that both engines share.

use super::schedule::{Milestone, Schedule};
use super::task_list::Action;
use crate::ids::{Endpoint, TaskId};
use crate::units::Time;

/// What an engine counts time in: whole picoseconds, or fractions of them.
pub trait Clock: Copy + PartialOrd {
    /// The beginning.
    const START: Self;

    /// A time written in a schedule.
    fn at(time: Time) -> Self;

    /// This much later.
    fn after(self, wait: Time) -> Self;

    /// The later of two times.
    fn latest(self, other: Self) -> Self {
        if self < other { other } else { self }
    }
}

impl Clock for Time {
    const START: Self = Self::ZERO;

    fn at(time: Time) -> Self {
        time
    }

    fn after(self, wait: Time) -> Self {
        self.saturating_add(wait)
    }
}

/// In picoseconds.
impl Clock for f64 {
    const START: Self = 0.0;

    fn at(time: Time) -> Self {
        time.0 as Self
    }

    fn after(self, wait: Time) -> Self {
        self + wait.0 as Self
    }
}

/// Something an engine must do at a time: start a transfer, or report the end of a delay by
/// [`Progress::happened`] with [`Milestone::Delivered`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due<C = Time> {
    /// When it is due.
    pub at: C,
    /// The task.
    pub task: TaskId,
}

/// How far a schedule has come.
#[derive(Debug, Clone)]
pub struct Progress<C = Time> {
    /// Predecessors still to happen before a task starts; for relays, how often they have passed on.
    counters: Vec<u32>,
    /// The latest milestone of those that have happened.
    latest: Vec<C>,
    /// Joins that have happened, and when, whose successors have yet to hear of it; empty between calls.
    joined: Vec<(TaskId, C)>,
}

impl<C: Clock> Progress<C> {
    /// The beginning, and what is due without any predecessor, in order of task.
    pub fn new<E: Endpoint>(schedule: &Schedule<E>) -> (Self, Vec<Due<C>>) {
        let needed = |t| match schedule.task(t).action {
            Action::Trigger => 0,
            _ => schedule.predecessors(t),
        };
        let ids = || (0..schedule.tasks().len()).map(TaskId::from);
        // Where nothing waits, nothing is counted.
        let waiting = if schedule.dependencies() == 0 {
            0
        } else {
            schedule.tasks().len()
        };
        let mut progress = Self {
            counters: ids().take(waiting).map(needed).collect(),
            latest: vec![C::START; waiting],
            joined: Vec::new(),
        };
        let mut due = Vec::new();
        for root in ids().filter(|&t| needed(t) == 0 && schedule.task(t).action != Action::Trigger) {
            progress.begin(schedule, root, &mut due);
            progress.settle(schedule, &mut due);
        }
        (progress, due)
    }

    /// Notes that a milestone of a task has happened at a time and appends what becomes due: not before the latest of
    /// all that it has waited for. Engines report every milestone of a transfer that somebody waits for, each once, and
    /// `Delivered` of a delay.
    pub fn happened<E: Endpoint>(
        &mut self,
        schedule: &Schedule<E>,
        task: TaskId,
        milestone: Milestone,
        at: C,
        due: &mut Vec<Due<C>>,
    ) {
        self.tell(schedule, task, milestone, at, due);
        self.settle(schedule, due);
    }

    /// Lets joins happen, and the joins that these release, until none is left.
    fn settle<E: Endpoint>(&mut self, schedule: &Schedule<E>, due: &mut Vec<Due<C>>) {
        while let Some((join, at)) = self.joined.pop() {
            self.tell(schedule, join, Milestone::Delivered, at, due);
        }
    }

    fn tell<E: Endpoint>(
        &mut self,
        schedule: &Schedule<E>,
        task: TaskId,
        milestone: Milestone,
        at: C,
        due: &mut Vec<Due<C>>,
    ) {
        for &(next, counted) in schedule.successors(task) {
            if counted == milestone {
                self.release(schedule, next, at, due);
            }
        }
    }

    fn release<E: Endpoint>(&mut self, schedule: &Schedule<E>, mut task: TaskId, at: C, due: &mut Vec<Due<C>>) {
        while schedule.task(task).action == Action::Trigger {
            let turn = &mut self.counters[task.index()];
            let Some(&(next, _)) = schedule.successors(task).get(*turn as usize) else {
                return;
            };
            *turn += 1;
            task = next;
        }
        let latest = &mut self.latest[task.index()];
        *latest = latest.latest(at);
        let waiting = &mut self.counters[task.index()];
        *waiting -= 1;
        if *waiting == 0 {
            self.begin(schedule, task, due);
        }
    }

    fn begin<E: Endpoint>(&mut self, schedule: &Schedule<E>, task: TaskId, due: &mut Vec<Due<C>>) {
        let released = self.latest.get(task.index()).copied().unwrap_or(C::START);
        let at = released.latest(C::at(schedule.task(task).earliest));
        match schedule.task(task).action {
            Action::Delay(Time::ZERO) if at == released => self.joined.push((task, at)),
            Action::Delay(duration) => due.push(Due {
                at: at.after(duration),
                task,
            }),
            _ => due.push(Due { at, task }),
        }
    }
}
