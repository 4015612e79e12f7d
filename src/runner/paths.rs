//! Which way every flow went, and which one it waited for.

use smallvec::SmallVec;

use crate::congestion::Assessment;
use crate::experiment::Instance;
use crate::ids::{LinkId, TaskId};
use crate::outcome::{FlowRecord, Outcome};
use crate::placement::Subflow;
use crate::results::PathRow;
use crate::routes::Route;
use crate::units::Time;
use crate::workload::{Action, Milestone, Schedule};

/// A row for every flow.
pub(super) fn path_rows(instance: &Instance, assessment: &Assessment, outcome: &Outcome) -> Vec<PathRow> {
    let (fabric, schedule) = (&instance.network.fabric, &instance.schedule);
    let causes = causes(schedule, &outcome.flows);
    let loads = assessment.assigned.as_ref().map(|assigned| assigned.loads.as_slice());
    let busy = |link: LinkId| {
        let load = loads.map_or(0.0, |loads| loads[link.index()]);
        load / fabric.link(link).rate.bytes_per_ps()
    };
    let rows = outcome.flows.iter().filter_map(|flow| {
        let transfer = schedule.transfer(flow.task)?;
        let subflows = instance.placement.of(flow.task);
        let (src, dst) = (transfer.src.node(), transfer.dst.node());
        let path_of = |subflow: &Subflow| match subflow.route {
            Route::Pinned(index) if index.0 < fabric.path_count(src, dst) => Some(fabric.path(src, dst, index)),
            _ => None,
        };
        let largest = subflows.iter().reduce(|a, b| if b.bytes > a.bytes { b } else { a });
        let path = largest.and_then(path_of);
        let all = subflows.iter().filter_map(path_of).flatten();
        let busiest = all.reduce(|a, b| if busy(b) > busy(a) { b } else { a });
        let names: Vec<String> = path.iter().flatten().map(|&link| fabric.link_name(link)).collect();
        Some(PathRow {
            flow: flow.task.0,
            after: causes[flow.task.index()].map(|task| task.0),
            links: names.join(" "),
            busiest_link: busiest.map(|link| fabric.link_name(link)),
        })
    });
    rows.collect()
}

/// A flow's milestone that happened.
type Cause = (Time, TaskId);

/// By task: the flow whose milestone was the last that it waited for, directly or through delays and triggers.
fn causes(schedule: &Schedule, flows: &[FlowRecord]) -> Vec<Option<TaskId>> {
    let count = schedule.tasks().len();
    let mut records: Vec<Option<&FlowRecord>> = vec![None; count];
    flows.iter().for_each(|flow| records[flow.task.index()] = Some(flow));
    let mut causes: Vec<SmallVec<[Cause; 1]>> = vec![SmallVec::new(); count];
    let mut left: Vec<u32> = (0..count)
        .map(|task| schedule.predecessors(TaskId::from(task)))
        .collect();
    let mut ready: Vec<TaskId> = (0..count)
        .map(TaskId::from)
        .filter(|task| left[task.index()] == 0)
        .collect();
    while let Some(task) = ready.pop() {
        let is_trigger = schedule.task(task).action == Action::Trigger;
        let mut own = std::mem::take(&mut causes[task.index()]);
        own.sort_unstable();
        for (place, &(next, milestone)) in schedule.successors(task).iter().enumerate() {
            // What is no flow hands on what it waited for itself: a trigger one after the other.
            let cause = match records[task.index()] {
                Some(flow) => Some((happened(flow, milestone), task)),
                None if is_trigger => own.get(place).copied(),
                None => own.last().copied(),
            };
            let cause = cause.map(|cause| before_start(cause, records[next.index()]));
            let known = &mut causes[next.index()];
            if schedule.task(next).action == Action::Trigger {
                known.extend(cause);
            } else if let Some(later) = cause.filter(|cause| known.first().is_none_or(|known| cause > known)) {
                known.clear();
                known.push(later);
            }
            left[next.index()] -= 1;
            if left[next.index()] == 0 {
                ready.push(next);
            }
        }
        causes[task.index()] = own;
    }
    let last = |causes: SmallVec<[Cause; 1]>| causes.last().map(|&(_, task)| task);
    causes.into_iter().map(last).collect()
}

/// A cause cannot come after what it lets start: where it seems so, its last byte was sent before, nobody knows when, and
/// one that came exactly then is to blame instead.
fn before_start((time, task): Cause, next: Option<&FlowRecord>) -> Cause {
    match next {
        Some(next) if time > next.start => (Time(next.start.0.saturating_sub(1)), task),
        _ => (time, task),
    }
}

/// When a milestone of a flow happened; when its last byte was sent is not recorded, and lies before it was delivered.
fn happened(flow: &FlowRecord, milestone: Milestone) -> Time {
    match milestone {
        Milestone::Begun => flow.start,
        Milestone::Sent | Milestone::Delivered => flow.delivered,
        Milestone::Acked => flow.acked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Reached;
    use crate::workload::ScheduleBuilder;

    /// Two transfers, a join of both, and one behind it; by hand.
    #[test]
    fn the_last_one_is_to_blame_through_joins() {
        let mut builder = ScheduleBuilder::default();
        let flows: Vec<TaskId> = (0..2).map(|n| builder.transfer(n, 2, 10, 0)).collect();
        let join = builder.delay(Time::ZERO);
        let behind = builder.transfer(2, 3, 10, 1);
        for &flow in &flows {
            builder.depend(flow, Milestone::Delivered, join);
        }
        builder.depend(join, Milestone::Delivered, behind);
        let schedule = builder.build();
        let record = |task: TaskId, delivered: u64| FlowRecord {
            task,
            reached: Reached::Acked,
            delivered_bytes: 10,
            start: Time::ZERO,
            delivered: Time(delivered),
            acked: Time(delivered + 5),
            ideal: Time(1),
            subflows: 1,
            paths: 1,
            retransmits: 0,
            reordered: 0,
            extent: 0,
        };
        for (ends, to_blame) in [([7, 9], 1), ([9, 7], 0)] {
            let records = [record(flows[0], ends[0]), record(flows[1], ends[1]), record(behind, 20)];
            let causes = causes(&schedule, &records);
            assert_eq!(causes[behind.index()], Some(flows[to_blame]));
            assert_eq!(causes[flows[0].index()], None);
        }
    }
}
