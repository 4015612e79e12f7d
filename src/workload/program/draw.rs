//! Draws a program: its operations in an order in which they can be done, each with its groups.

use super::assemble::{Operation, Work, assemble};
use super::order::in_order;
use super::{Op, Program};
use crate::input::{Files, InputError};
use crate::workload::kind::Kind;
use crate::workload::purpose::Purpose;
use crate::workload::ranks::RankMap;
use crate::workload::schedule_writer::ScheduleWriter;

impl Kind for Program {
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, seed: u64) -> Result<(), InputError> {
        if self.repeat == 0 {
            return Err(InputError::key("repeat", "`repeat` is 0").help("it must be at least 1"));
        }
        let operations = self.operations(draft.ranks())?;
        assemble(draft, &operations, self.repeat, files, seed)
    }
}

impl Program {
    /// The operations, each after those that it depends on, otherwise in the order of the file.
    fn operations(&self, ranks: u32) -> Result<Vec<Operation<'_>>, InputError> {
        if self.ops.is_empty() {
            return Err(
                InputError::key("ops", "there is no operation").help("add [[workload.program.ops]] with a `name`")
            );
        }
        let order = in_order(&self.ops)?;
        let mut place = vec![0; self.ops.len()];
        for (position, &(index, _)) in order.iter().enumerate() {
            place[index] = position;
        }
        let operation = |(index, after): (usize, Vec<usize>)| {
            let op = &self.ops[index];
            let (key, work) = op.work().map_err(|error| error.under(&format!("ops.{index}")))?;
            let least = if matches!(work, Work::Compute(_)) { 1 } else { 2 };
            let groups = op.groups.clone().unwrap_or_default();
            let groups = groups
                .of(ranks, least)
                .map_err(|error| error.under(&format!("ops.{index}")))?;
            Ok(Operation {
                name: op.name.as_str().into(),
                key: format!("ops.{index}.{key}"),
                purpose: match work {
                    Work::Compute(_) => Purpose::Compute,
                    Work::Communicate(_) => Purpose::Communication,
                },
                work,
                groups,
                after: after.into_iter().map(|before| place[before]).collect(),
            })
        };
        order.into_iter().map(operation).collect()
    }
}

impl Op {
    /// What it does, and under which key.
    fn work(&self) -> Result<(&'static str, Work<'_>), InputError> {
        let written = self.communications();
        let valid = || format!("write `compute` or one of {}", Self::COMMUNICATIONS.join(", "));
        match (self.compute, written.as_slice()) {
            (Some(time), []) => Ok(("compute", Work::Compute(time))),
            (None, &[(key, kind)]) => {
                if kind.ranks().is_some() {
                    let message = "the ranks of an operation are those of its groups";
                    return Err(
                        InputError::key(format!("{key}.ranks"), message).help("take it out, and write `groups`")
                    );
                }
                if *kind.rank_map() != RankMap::InOrder {
                    let message = "the ranks of an operation live where those of the program do";
                    let help = "take it out; [workload.program] takes a `rank_map`";
                    return Err(InputError::key(format!("{key}.rank_map"), message).help(help));
                }
                Ok((key, Work::Communicate(kind)))
            }
            (None, []) => Err(InputError::key("", format!("the operation `{}` does nothing", self.name)).help(valid())),
            (compute, written) => {
                let first = if compute.is_some() { "compute" } else { written[0].0 };
                let (second, _) = written[usize::from(compute.is_none())];
                let message = format!("there is `{first}` already: `{second}` cannot stand beside it");
                Err(InputError::key(second, message).help("an operation does one thing: make it two"))
            }
        }
    }
}
