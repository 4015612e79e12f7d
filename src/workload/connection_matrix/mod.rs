//! The connection matrices (`.cm` files) of htsim, with their triggers.

mod parse;
#[cfg(test)]
mod tests;
mod time_unit;

use std::collections::{BTreeMap, HashMap};

use parse::{Flow, Matrix, Start, Trigger, TriggerKind, parse};

pub use time_unit::TimeUnit;

use super::schedule_writer::ScheduleWriter;
use super::{Action, Kind, Milestone, Schedule};
use crate::ids::{RankId, TaskId};
use crate::input::{Files, InputError};
use crate::units::Time;

super::ranks::ranked! {
    /// A connection matrix of htsim: flows that start at a time, or when other flows pull a trigger. Its
    /// nodes are the ranks. Priorities (`prio`) are read and have no effect, and messages (`msg`) are flows
    /// of their own.
    pub struct ConnectionMatrix {
        /// The `.cm` file.
        pub file: String,
        /// The unit of `start` in the file: "ps" (default), as in csg-htsim, or "us", as in htsim_uec.
        #[serde(default)]
        pub start_unit: TimeUnit,
    }
}

impl Kind for ConnectionMatrix {
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, _seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let matrix = parse(&self.file, &files.read(&self.file)?, self.start_unit)?;
        if matrix.nodes > ranks {
            let message = format!("the file has {} nodes, and there are {ranks} ranks", matrix.nodes);
            return Err(
                InputError::line(&self.file, matrix.nodes_line, message).help("take a larger fabric, or more `ranks`")
            );
        }
        let mut connections = HashMap::new();
        for flow in &matrix.flows {
            let earliest = match flow.start {
                Start::At(time) => time,
                Start::Trigger(_) => Time::ZERO,
            };
            let Flow { src, dst, bytes, .. } = *flow;
            let (src, dst) = (RankId(src), RankId(dst));
            let transfer = draft.schedule.add(Action::Transfer { src, dst, bytes }, earliest, 0);
            if let Some(id) = flow.id {
                let first = *connections.entry((id, src, dst)).or_insert(transfer);
                draft.schedule.connect(transfer, first);
            }
        }
        if let Some(warning) = self.doubt(&matrix.flows) {
            draft.schedule.warn(warning);
        }
        let wires = Wire::all(&self.file, &matrix)?;
        for (id, wire) in &wires {
            wire.connect(&self.file, *id, &matrix, draft)?;
        }
        let steps = std::mem::take(&mut draft.schedule).build().step_by_generation();
        draft.replace(steps.map_err(|stuck| circle(&self.file, &matrix, &wires, &stuck))?);
        Ok(())
    }

    fn is_drawn(&self) -> bool {
        false
    }
}

impl ConnectionMatrix {
    /// Why the starts of the flows look as if they were in another unit.
    fn doubt(&self, flows: &[Flow]) -> Option<String> {
        let starts = || {
            flows.iter().filter_map(|flow| match flow.start {
                Start::At(time) => Some(time.0).filter(|&time| time > 0),
                Start::Trigger(_) => None,
            })
        };
        let (first, last) = (starts().min()?, starts().max()?);
        let sizes = flows
            .iter()
            .map(|flow| flow.bytes)
            .filter(|&bytes| bytes < Schedule::ENDLESS);
        let largest = sizes.max().unwrap_or(0);
        let (unit, other) = (
            self.start_unit.name(),
            if self.start_unit == TimeUnit::Ps { "us" } else { "ps" },
        );
        let what = match self.start_unit {
            // Before a cable of 30 cm is crossed, or a thousandth of the largest flow has been sent at 1 Tb/s.
            TimeUnit::Ps if last < 1_000.max(largest.saturating_mul(8) / 1_000) => {
                "all flows start practically at once"
            }
            // Later than 0.1 s and than a thousand times as long as the largest flow takes at 100 Gb/s.
            TimeUnit::Us if first > 100_000_000_000.max(largest.saturating_mul(80_000)) => "flows start very late",
            _ => return None,
        };
        let shown = if self.start_unit == TimeUnit::Ps { last } else { first } / self.start_unit.time().0;
        Some(format!(
            "{}: with starts such as {shown} in {unit}, {what}; if they are in {other} (htsim_uec reads us, csg-htsim ps), set start_unit = \"{other}\"",
            self.file
        ))
    }
}

/// A trigger with what pulls it and what it starts, in the order of the file.
struct Wire<'a> {
    trigger: &'a Trigger,
    pulls: Vec<(TaskId, Milestone)>,
    targets: Vec<TaskId>,
}

impl<'a> Wire<'a> {
    /// All triggers that are declared, by id.
    fn all(file: &str, matrix: &'a Matrix) -> Result<BTreeMap<u32, Self>, InputError> {
        let wire = |trigger| Self {
            trigger,
            pulls: Vec::new(),
            targets: Vec::new(),
        };
        let mut wires: BTreeMap<u32, Self> = matrix
            .triggers
            .iter()
            .map(|(&id, trigger)| (id, wire(trigger)))
            .collect();
        for (task, flow) in matrix.flows.iter().enumerate() {
            let task = TaskId::from(task);
            if let Start::Trigger(id) = flow.start {
                Self::find(&mut wires, file, flow, id)?.targets.push(task);
            }
            for (id, milestone) in [
                (flow.send_done, Milestone::Acked),
                (flow.recv_done, Milestone::Delivered),
            ] {
                if let Some(id) = id {
                    Self::find(&mut wires, file, flow, id)?.pulls.push((task, milestone));
                }
            }
        }
        Ok(wires)
    }

    /// The trigger that a flow names.
    fn find<'w>(
        wires: &'w mut BTreeMap<u32, Self>,
        file: &str,
        flow: &Flow,
        id: u32,
    ) -> Result<&'w mut Self, InputError> {
        wires.get_mut(&id).ok_or_else(|| {
            InputError::line(file, flow.line, format!("there is no trigger {id}"))
                .help(format!("declare it, as in `trigger id {id} oneshot`"))
        })
    }

    /// Adds what makes the trigger work.
    ///
    /// # Errors
    /// A trigger that cannot do what it is there for.
    fn connect(&self, file: &str, id: u32, matrix: &Matrix, draft: &mut ScheduleWriter) -> Result<(), InputError> {
        let (pulls, targets) = (self.pulls.len(), self.targets.len());
        let wrong = |message: String| InputError::line(file, self.trigger.line, message);
        if pulls == 0 {
            return Err(wrong(format!("nothing pulls trigger {id}"))
                .help("a flow pulls it by `send_done_trigger` or `recv_done_trigger`"));
        }
        if targets == 0 {
            return Err(
                wrong(format!("trigger {id} starts nothing")).help(format!("a flow is started by `trigger {id}`"))
            );
        }
        match self.trigger.kind {
            TriggerKind::Oneshot if pulls > 1 => {
                return Err(wrong(format!("the oneshot trigger {id} is pulled {pulls} times")).help(format!(
                    "to wait for all of them make it `barrier count {pulls}`, to start one flow each time `multishot`"
                )));
            }
            TriggerKind::Barrier(count) if count as usize != pulls => {
                return Err(wrong(format!(
                    "the barrier {id} counts to {count}, and it is pulled {pulls} times"
                )));
            }
            TriggerKind::Multishot if targets > pulls => {
                let flow = &matrix.flows[self.targets[pulls].index()];
                let message = format!(
                    "this flow never starts: it is number {} of trigger {id}, which is pulled {pulls} times",
                    pulls + 1
                );
                return Err(InputError::line(file, flow.line, message));
            }
            _ => {}
        }
        let between = match self.trigger.kind {
            TriggerKind::Multishot => Some(draft.schedule.trigger()),
            _ if pulls > 1 && targets > 1 => Some(draft.schedule.delay(Time::ZERO)),
            _ => None,
        };
        for &(flow, milestone) in &self.pulls {
            match between {
                Some(between) => draft.schedule.depend(flow, milestone, between),
                None => self
                    .targets
                    .iter()
                    .for_each(|&target| draft.schedule.depend(flow, milestone, target)),
            }
        }
        if let Some(between) = between {
            for &target in &self.targets {
                draft.schedule.depend(between, Milestone::Delivered, target);
            }
        }
        Ok(())
    }
}

/// The error for flows that wait for one another.
fn circle(file: &str, matrix: &Matrix, wires: &BTreeMap<u32, Wire>, stuck: &[TaskId]) -> InputError {
    // A stuck flow waits for a trigger that another stuck flow pulls: going back must end in a circle.
    let before = |task: TaskId| match matrix.flows[task.index()].start {
        Start::Trigger(id) => wires[&id]
            .pulls
            .iter()
            .map(|&(flow, _)| flow)
            .find(|flow| stuck.binary_search(flow).is_ok()),
        Start::At(_) => None,
    };
    let mut path = Vec::new();
    let mut places = vec![None; matrix.flows.len()];
    let mut task = stuck[0];
    while places[task.index()].is_none() {
        places[task.index()] = Some(path.len());
        path.push(task);
        task = before(task).unwrap_or(task);
    }
    path.drain(..places[task.index()].unwrap_or(0));
    let line = |task: &TaskId| matrix.flows[task.index()].line;
    let first = (0..path.len()).min_by_key(|&i| line(&path[i])).unwrap_or(0);
    path.rotate_left(first);
    let others: Vec<String> = path[1..].iter().take(5).map(|task| line(task).to_string()).collect();
    let message = match others.len() {
        0 => "this flow waits for itself".to_owned(),
        n if n < path.len() - 1 => format!("this flow waits for itself, by way of lines {}, ...", others.join(", ")),
        1 => format!("this flow waits for itself, by way of line {}", others[0]),
        _ => format!("this flow waits for itself, by way of lines {}", others.join(", ")),
    };
    InputError::line(file, line(&path[0]), message).help("give one of them a `start`")
}
