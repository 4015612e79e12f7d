//! Which tasks may start: the bookkeeping of dependencies that both engines share.

use super::schedule::{Action, Moment, Schedule};
use crate::ids::TaskId;
use crate::units::Time;

/// Something an engine must do at a time: start a transfer, or report the end of a delay by
/// [`Progress::happened`] with [`Moment::Delivered`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    pub at: Time,
    pub task: TaskId,
}

/// How far a schedule has come.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Predecessors still to happen before a task starts; for relays, how often they have passed on.
    counters: Vec<u32>,
    /// Joins that have happened and whose successors have yet to hear of it; empty between calls.
    joined: Vec<TaskId>,
}

impl Progress {
    /// The beginning, and what is due without any predecessor, in order of task.
    pub fn new(schedule: &Schedule) -> (Self, Vec<Due>) {
        let needed = |t| match schedule.task(t).action {
            Action::Relay => 0,
            _ => schedule.predecessors(t),
        };
        let ids = || (0..schedule.tasks().len()).map(TaskId::from);
        let mut progress = Self {
            counters: ids().map(needed).collect(),
            joined: Vec::new(),
        };
        let mut due = Vec::new();
        for root in ids().filter(|&t| needed(t) == 0 && schedule.task(t).action != Action::Relay) {
            progress.begin(schedule, root, Time::ZERO, &mut due);
            progress.settle(schedule, Time::ZERO, &mut due);
        }
        (progress, due)
    }

    /// Notes that a moment of a task has happened at `now` and appends what becomes due, not
    /// before `now`. Engines report every moment of a transfer that somebody waits for, each once, and
    /// `Delivered` of a delay.
    pub fn happened(&mut self, schedule: &Schedule, task: TaskId, moment: Moment, now: Time, due: &mut Vec<Due>) {
        self.tell(schedule, task, moment, now, due);
        self.settle(schedule, now, due);
    }

    /// Lets joins happen, and the joins that these release, until none is left.
    fn settle(&mut self, schedule: &Schedule, now: Time, due: &mut Vec<Due>) {
        while let Some(join) = self.joined.pop() {
            self.tell(schedule, join, Moment::Delivered, now, due);
        }
    }

    fn tell(&mut self, schedule: &Schedule, task: TaskId, moment: Moment, now: Time, due: &mut Vec<Due>) {
        for &(next, counted) in schedule.successors(task) {
            if counted == moment {
                self.release(schedule, next, now, due);
            }
        }
    }

    fn release(&mut self, schedule: &Schedule, mut task: TaskId, now: Time, due: &mut Vec<Due>) {
        while schedule.task(task).action == Action::Relay {
            let turn = &mut self.counters[task.index()];
            let Some(&(next, _)) = schedule.successors(task).get(*turn as usize) else {
                return;
            };
            *turn += 1;
            task = next;
        }
        let waiting = &mut self.counters[task.index()];
        *waiting -= 1;
        if *waiting == 0 {
            self.begin(schedule, task, now, due);
        }
    }

    fn begin(&mut self, schedule: &Schedule, task: TaskId, now: Time, due: &mut Vec<Due>) {
        let at = now.max(schedule.task(task).earliest);
        match schedule.task(task).action {
            Action::Delay(Time::ZERO) if at == now => self.joined.push(task),
            Action::Delay(duration) => due.push(Due {
                at: at + duration,
                task,
            }),
            _ => due.push(Due { at, task }),
        }
    }
}
