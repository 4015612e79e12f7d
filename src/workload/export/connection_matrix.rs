//! A schedule as a connection matrix of htsim: what waits for flows is a trigger that they pull.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use super::by_rank::causes;
use super::exported::{Exported, Inexpressible};
use crate::ids::TaskId;
use crate::workload::{Action, Milestone, Schedule};

/// What flows pull and what it starts: a set of milestones that all must have happened, or a trigger of the schedule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Pulled {
    All(Vec<(TaskId, Milestone)>),
    OneByOne(TaskId),
}

/// One file.
pub(super) fn write(schedule: &Schedule, hosts: u32) -> Result<Exported, Inexpressible> {
    let matrix = Matrix::of(schedule)?;
    let warnings = match matrix.left_out {
        0 => Vec::new(),
        count => vec![format!(
            "{count} dependencies on flows that have been sent are left out: a connection matrix has none"
        )],
    };
    Ok(Exported {
        files: vec![("schedule.cm".to_owned(), matrix.text(schedule, hosts).into_bytes())],
        warnings,
    })
}

#[derive(Default)]
struct Matrix {
    /// Numbers from 1, in the order in which they were found.
    triggers: BTreeMap<Pulled, u32>,
    order: Vec<Pulled>,
    /// By transfer, what starts it.
    started: HashMap<TaskId, u32>,
    /// By transfer and milestone, what it pulls.
    pulls: HashMap<(TaskId, Milestone), u32>,
    left_out: u64,
}

impl Matrix {
    fn of(schedule: &Schedule) -> Result<Self, Inexpressible> {
        if schedule.delay_count() > 0 {
            let why = "its hosts compute, which a connection matrix does not have";
            return Err(Inexpressible::new(why, "take `--to goal` or `--to chakra`"));
        }
        let causes = causes(schedule);
        let mut matrix = Self::default();
        for transfer in schedule.transfers() {
            let Some(pulled) = matrix.pulled(schedule, &causes, transfer.task)? else {
                continue;
            };
            if !schedule.task(transfer.task).earliest.is_zero() {
                let why = "a flow has a start and waits for others, and a connection matrix has one of the two";
                return Err(Inexpressible::new(why, "take `start` out"));
            }
            let number = matrix.number(pulled);
            matrix.started.insert(transfer.task, number);
        }
        for pulled in matrix.order.clone() {
            let number = matrix.triggers[&pulled];
            let by = match &pulled {
                Pulled::All(milestones) => milestones,
                Pulled::OneByOne(trigger) => &causes[trigger.index()],
            };
            for &(flow, milestone) in by {
                if matrix
                    .pulls
                    .insert((flow, milestone), number)
                    .is_some_and(|other| other != number)
                {
                    let why = "a flow releases several others that wait for different things, and a flow of a connection matrix pulls one trigger";
                    return Err(Inexpressible::new(why, "take `--to goal` or `--to chakra`"));
                }
            }
        }
        Ok(matrix)
    }

    fn number(&mut self, pulled: Pulled) -> u32 {
        let next = self.order.len() as u32 + 1;
        *self.triggers.entry(pulled.clone()).or_insert_with(|| {
            self.order.push(pulled);
            next
        })
    }

    /// What starts a transfer, if it waits for anything; joins are looked through.
    fn pulled(
        &mut self,
        schedule: &Schedule,
        causes: &[Vec<(TaskId, Milestone)>],
        transfer: TaskId,
    ) -> Result<Option<Pulled>, Inexpressible> {
        let mut milestones = Vec::new();
        let mut sent = 0;
        let mut open = vec![transfer];
        while let Some(task) = open.pop() {
            for &(before, milestone) in &causes[task.index()] {
                match (schedule.task(before).action, milestone) {
                    (Action::Delay(_), _) => open.push(before),
                    (Action::Trigger, _) if causes[transfer.index()].len() == 1 => {
                        return Ok(Some(Pulled::OneByOne(before)));
                    }
                    (Action::Transfer { .. }, Milestone::Delivered | Milestone::Acked) => {
                        milestones.push((before, milestone))
                    }
                    (Action::Transfer { .. }, Milestone::Sent) => sent += 1,
                    (Action::Transfer { .. }, Milestone::Begun) => {
                        let why = "data are passed on as they arrive, which a connection matrix does not have";
                        return Err(Inexpressible::new(why, "leave out `pipelined`"));
                    }
                    (Action::Trigger, _) => {
                        let why =
                            "a flow waits for a trigger and for others, and a connection matrix has one of the two";
                        return Err(Inexpressible::new(why, "take another format"));
                    }
                }
            }
        }
        if milestones.is_empty() && sent > 0 {
            let why = "a flow waits for another to be sent, which a connection matrix does not have";
            return Err(Inexpressible::new(why, "take `--to goal` or `--to chakra`"));
        }
        self.left_out += sent;
        milestones.sort_unstable();
        milestones.dedup();
        Ok((!milestones.is_empty()).then_some(Pulled::All(milestones)))
    }

    fn text(&self, schedule: &Schedule, hosts: u32) -> String {
        let mut text = format!("Nodes {hosts}\nConnections {}\n", schedule.transfer_count());
        // Writing to a text cannot fail.
        if !self.order.is_empty() {
            let _ = writeln!(text, "Triggers {}", self.order.len());
        }
        let mut messages: HashMap<TaskId, u32> = HashMap::new();
        let mut numbers: HashMap<TaskId, u32> = HashMap::new();
        for (number, transfer) in (1..).zip(schedule.transfers()) {
            let task = schedule.task(transfer.task);
            let first = task.connection;
            let message = messages.entry(first).or_default();
            numbers.insert(transfer.task, number);
            let id = numbers.get(&first).copied().unwrap_or(number);
            let _ = write!(text, "{}->{} id {id}", transfer.src.0, transfer.dst.0);
            match self.started.get(&transfer.task) {
                Some(trigger) => drop(write!(text, " trigger {trigger}")),
                None => drop(write!(text, " start {}", task.earliest.0)),
            }
            let _ = write!(text, " size {}", transfer.bytes);
            if *message > 0 {
                let _ = write!(text, " msg {message}");
            }
            *message += 1;
            for (milestone, key) in [
                (Milestone::Acked, "send_done_trigger"),
                (Milestone::Delivered, "recv_done_trigger"),
            ] {
                if let Some(trigger) = self.pulls.get(&(transfer.task, milestone)) {
                    let _ = write!(text, " {key} {trigger}");
                }
            }
            text.push('\n');
        }
        for (number, pulled) in (1..).zip(&self.order) {
            let kind = match pulled {
                Pulled::OneByOne(_) => "multishot".to_owned(),
                Pulled::All(milestones) if milestones.len() == 1 => "oneshot".to_owned(),
                Pulled::All(milestones) => format!("barrier count {}", milestones.len()),
            };
            let _ = writeln!(text, "trigger id {number} {kind}");
        }
        text
    }
}
