//! The steps of a schedule, counted from its dependencies.

use super::progress::Progress;
use super::schedule::{Milestone, Schedule};
use super::task_list::Action;
use crate::ids::{Endpoint, TaskId};
use crate::units::Time;

impl<E: Endpoint> Schedule<E> {
    /// Transfers that can never start, in order of id: a cycle, or a trigger that is never pulled.
    pub fn never_start(&self) -> Vec<TaskId> {
        let generations = self.generations();
        let tasks = self.transfers().map(|transfer| transfer.task);
        tasks.filter(|task| generations[task.index()].is_none()).collect()
    }

    /// The same schedule with its steps counted from the dependencies: what can start at the beginning
    /// is step 0, what can start when step 0 is done is step 1, and so on.
    ///
    /// # Errors
    /// The transfers that can never start, in order of id.
    pub fn step_by_generation(self) -> Result<Self, Vec<TaskId>> {
        let stuck = self.never_start();
        if !stuck.is_empty() {
            return Err(stuck);
        }
        let steps = self.generations().into_iter().map(Option::unwrap_or_default);
        Ok(self.with_steps(steps))
    }

    /// For every task, how many rounds of transfers lie before it; `None` if it never starts. Joins and
    /// relays that take no time have none either.
    pub fn generations(&self) -> Vec<Option<u32>> {
        let mut generations = vec![None; self.tasks().len()];
        let (mut progress, mut due) = Progress::new(self);
        for round in 0.. {
            if due.is_empty() {
                break;
            }
            let mut later = Vec::new();
            while let Some(next) = due.pop() {
                generations[next.task.index()] = Some(round);
                // What a delay releases belongs to the delay's own round.
                let (milestones, released): (&[Milestone], _) = match self.task(next.task).action {
                    Action::Delay(_) => (&[Milestone::Delivered], &mut due),
                    _ => (
                        &[
                            Milestone::Begun,
                            Milestone::Sent,
                            Milestone::Delivered,
                            Milestone::Acked,
                        ],
                        &mut later,
                    ),
                };
                for &milestone in milestones {
                    progress.happened(self, next.task, milestone, Time::ZERO, released);
                }
            }
            due = later;
        }
        generations
    }
}
