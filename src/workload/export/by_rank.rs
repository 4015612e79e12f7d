//! What each host sends, receives and computes, and what of its own it waits for: all that a trace can say.

use super::exported::Inexpressible;
use crate::ids::{HostId, TaskId};
use crate::units::Time;
use crate::workload::{Action, Milestone, Schedule};

/// What a host does.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    Send {
        to: HostId,
        bytes: u64,
        step: u32,
        connection: TaskId,
    },
    Receive {
        from: HostId,
        bytes: u64,
    },
    /// Of no length: a join.
    Compute(Time),
}

/// An operation of a host.
#[derive(Debug)]
pub(super) struct Operation {
    pub task: TaskId,
    pub what: What,
    /// Tasks whose operation on the same host comes before: of a transfer, that of this end.
    pub after: Vec<TaskId>,
}

/// The operations of all hosts, each in order of task.
pub(super) fn by_rank(schedule: &Schedule, hosts: u32) -> Result<Vec<Vec<Operation>>, Inexpressible> {
    let causes = causes(schedule);
    let hosts_of = hosts_of_delays(schedule, &causes)?;
    let mut all: Vec<Vec<Operation>> = (0..hosts).map(|_| Vec::new()).collect();
    for (task, own) in (0..).map(TaskId).zip(&causes) {
        let entry = schedule.task(task);
        if !entry.earliest.is_zero() {
            let why = "its flows start at times of their own, which a trace does not have";
            return Err(Inexpressible::new(why, "take `--to cm` or `--to flows`"));
        }
        let mut add =
            |host: HostId, what: What, after: Vec<TaskId>| all[host.index()].push(Operation { task, what, after });
        match entry.action {
            Action::Transfer { src, dst, bytes } => {
                let what = What::Send {
                    to: dst,
                    bytes,
                    step: entry.step,
                    connection: entry.connection,
                };
                add(src, what, local(schedule, own, &hosts_of, src)?);
                add(dst, What::Receive { from: src, bytes }, Vec::new());
            }
            Action::Delay(time) => {
                if let Some(host) = hosts_of[task.index()] {
                    add(host, What::Compute(time), local(schedule, own, &hosts_of, host)?);
                }
            }
            Action::Trigger => {
                let why = "a sender has a window of messages, or a trigger starts one flow at a time, which a trace does not have";
                return Err(Inexpressible::new(why, "take `--to cm`, or a `window` of 0"));
            }
        }
    }
    Ok(all)
}

/// What each task waits for, in the order in which it was said.
pub(super) fn causes(schedule: &Schedule) -> Vec<Vec<(TaskId, Milestone)>> {
    let mut causes = vec![Vec::new(); schedule.tasks().len()];
    for before in (0..schedule.tasks().len()).map(TaskId::from) {
        for &(after, milestone) in schedule.successors(before) {
            causes[after.index()].push((before, milestone));
        }
    }
    causes
}

/// The host that knows of a milestone.
fn witness(schedule: &Schedule, (task, milestone): (TaskId, Milestone), hosts: &[Option<HostId>]) -> Option<HostId> {
    match (schedule.task(task).action, milestone) {
        (Action::Transfer { dst, .. }, Milestone::Delivered) => Some(dst),
        (Action::Transfer { src, .. }, Milestone::Sent) => Some(src),
        (Action::Delay(_), _) => hosts[task.index()],
        _ => None,
    }
}

/// The host of each computation, and of each join of what one host knows.
fn hosts_of_delays(
    schedule: &Schedule,
    causes: &[Vec<(TaskId, Milestone)>],
) -> Result<Vec<Option<HostId>>, Inexpressible> {
    let mut hosts = vec![None; schedule.tasks().len()];
    for span in schedule.spans().iter().filter(|span| span.compute.is_some()) {
        for (task, &host) in span.tasks.clone().map(TaskId).zip(span.ranks.iter()) {
            hosts[task.index()] = Some(host);
        }
    }
    for (task, own) in (0..).map(TaskId).zip(causes) {
        let joins = matches!(schedule.task(task).action, Action::Delay(_)) && hosts[task.index()].is_none();
        if !joins || own.is_empty() {
            continue;
        }
        let mut witnesses = own.iter().map(|&cause| witness(schedule, cause, &hosts));
        let first = witnesses.next().flatten();
        if first.is_some() && witnesses.all(|other| other == first) {
            hosts[task.index()] = first;
        } else if !schedule.successors(task).is_empty() {
            // What nobody waits for would change nothing.
            return Err(unknown(own));
        }
    }
    Ok(hosts)
}

/// What a host waits for, all of which must have happened there.
fn local(
    schedule: &Schedule,
    causes: &[(TaskId, Milestone)],
    hosts: &[Option<HostId>],
    host: HostId,
) -> Result<Vec<TaskId>, Inexpressible> {
    let known = |&cause: &(TaskId, Milestone)| witness(schedule, cause, hosts) == Some(host);
    match causes.iter().all(known) {
        true => Ok(causes.iter().map(|&(task, _)| task).collect()),
        false => Err(unknown(causes)),
    }
}

fn unknown(causes: &[(TaskId, Milestone)]) -> Inexpressible {
    let has = |milestone| causes.iter().any(|&(_, counted)| counted == milestone);
    let (why, help) = if has(Milestone::Acked) {
        ("a host waits for an acknowledgement", "take `--to cm`, or no `window`")
    } else if has(Milestone::Begun) {
        ("data are passed on as they arrive", "leave out `pipelined`")
    } else {
        (
            "something waits for what happens at several hosts",
            "leave out `pipelined` (in training, write `pipelined = false`), or take `--to cm`",
        )
    };
    Inexpressible::new(format!("{why}, which a trace does not have"), help)
}
