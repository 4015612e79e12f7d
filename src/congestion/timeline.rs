//! When each task of a schedule starts, if all transfers take times that are known beforehand.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::ids::TaskId;
use crate::workload::{Action, Due, Milestone, Progress, Schedule};

/// From the start of a transfer to its milestones, in picoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Duration {
    pub begun: f64,
    pub sent: f64,
    pub delivered: f64,
    pub acked: f64,
}

/// Runs a schedule: `duration` is asked once for each transfer, and `started` is told when it starts,
/// in picoseconds, and how long it takes; it is told the same of delays that take time.
pub(super) fn run(
    schedule: &Schedule,
    duration: impl Fn(TaskId) -> Duration,
    mut started: impl FnMut(TaskId, f64, Duration),
) {
    let (mut progress, mut due) = Progress::<f64>::new(schedule);
    let mut events: BinaryHeap<Event> = BinaryHeap::new();
    loop {
        for Due { at: start, task } in due.drain(..) {
            let mut event = |after: f64, milestone| {
                let at = start + after;
                events.push(Event { at, task, milestone });
            };
            if let Action::Delay(time) = schedule.task(task).action {
                event(0.0, Milestone::Delivered);
                if !time.is_zero() {
                    let delivered = time.0 as f64;
                    let duration = Duration {
                        delivered,
                        ..Duration::default()
                    };
                    started(task, start - delivered, duration);
                }
                continue;
            }
            let duration = duration(task);
            let Duration {
                begun,
                sent,
                delivered,
                acked,
            } = duration;
            for (after, milestone) in [
                (begun, Milestone::Begun),
                (sent, Milestone::Sent),
                (delivered, Milestone::Delivered),
                (acked, Milestone::Acked),
            ] {
                if schedule.awaits(task, milestone) {
                    event(after, milestone);
                }
            }
            started(task, start, duration);
        }
        let Some(Event { at, task, milestone }) = events.pop() else {
            return;
        };
        progress.happened(schedule, task, milestone, at, &mut due);
    }
}

/// A milestone of a task; the greatest is the one that comes first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Event {
    at: f64,
    task: TaskId,
    milestone: Milestone,
}

impl Eq for Event {}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |event: &Self| (event.task, event.milestone);
        other.at.total_cmp(&self.at).then_with(|| key(other).cmp(&key(self)))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
