//! In which part every task of a schedule begins.

use super::ids::PartId;
use crate::ids::{HostId, Id, IdVec, TaskId};
use crate::workload::{Action, Milestone, Schedule};

/// By task the part in which it begins, if all that it waits for happens there. None where some task waits for what happens in another
/// part: it would have to begin there at once.
pub(super) fn homes(schedule: &Schedule, part: impl Fn(HostId) -> PartId) -> Option<IdVec<TaskId, PartId>> {
    let tasks = || (0..schedule.tasks().len()).map(TaskId::from);
    let mut homes: IdVec<TaskId, PartId> = tasks()
        .map(|task| match schedule.task(task).action {
            Action::Transfer { src, .. } => part(src),
            _ => PartId::NONE,
        })
        .collect();
    let place = |homes: &IdVec<TaskId, PartId>, task, milestone| match schedule.task(task).action {
        Action::Transfer { dst, .. } if matches!(milestone, Milestone::Begun | Milestone::Delivered) => part(dst),
        _ => homes[task],
    };
    // Delays, joins and triggers belong where their neighbors are: what one round finds may be what another waits for.
    let mut open: Vec<TaskId> = tasks().filter(|&task| is_open(schedule, task)).collect();
    while !open.is_empty() {
        for task in tasks() {
            for &(next, milestone) in schedule.successors(task) {
                if homes[next] == PartId::NONE {
                    homes[next] = place(&homes, task, milestone);
                }
            }
        }
        for task in tasks().rev().filter(|&task| is_open(schedule, task)) {
            let mut known = schedule.successors(task).iter().map(|&(next, _)| homes[next]);
            if let (PartId::NONE, Some(part)) = (homes[task], known.find(|&part| part != PartId::NONE)) {
                homes[task] = part;
            }
        }
        let before = open.len();
        open.retain(|&task| homes[task] == PartId::NONE);
        if open.len() == before {
            // What hangs together with no transfer may be anywhere, as long as it is in one place.
            open.drain(..).for_each(|task| homes[task] = PartId(0));
        }
    }
    let together = tasks().all(|task| {
        let next = schedule.successors(task).iter();
        next.copied()
            .all(|(next, milestone)| place(&homes, task, milestone) == homes[next])
    });
    together.then_some(homes)
}

/// Whether a task is not at a host by itself.
fn is_open(schedule: &Schedule, task: TaskId) -> bool {
    !matches!(schedule.task(task).action, Action::Transfer { .. })
}
