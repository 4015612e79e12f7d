//! A schedule as a GOAL program.

use std::fmt::Write;

use super::by_rank::{Operation, What, by_rank};
use super::exported::{Exported, Inexpressible};
use crate::ids::TaskId;
use crate::workload::Schedule;
use crate::workload::import::GOAL_MARK;

/// One file. Labels say the number of the task, its step and its connection.
pub(super) fn write(schedule: &Schedule, hosts: u32) -> Result<Exported, Inexpressible> {
    let all = by_rank(schedule, hosts)?;
    let mut text = format!("{GOAL_MARK}\nnum_ranks {hosts}\n");
    for (rank, operations) in all.iter().enumerate() {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "\nrank {rank} {{");
        for operation in operations {
            let _ = writeln!(text, "{}: {}", label(operation), action(operation));
            for &before in &operation.after {
                let before = operations.binary_search_by_key(&before, |operation| operation.task);
                if let Ok(before) = before {
                    let _ = writeln!(text, "{} requires {}", label(operation), label(&operations[before]));
                }
            }
        }
        text += "}\n";
    }
    Ok(Exported {
        files: vec![("schedule.goal".to_owned(), text.into_bytes())],
        warnings: Vec::new(),
    })
}

fn label(operation: &Operation) -> String {
    let TaskId(task) = operation.task;
    match operation.what {
        What::Send { step, connection, .. } => format!("t{task}_{step}_{}", connection.0),
        What::Receive { .. } => format!("r{task}"),
        What::Compute(_) => format!("c{task}"),
    }
}

fn action(operation: &Operation) -> String {
    let TaskId(tag) = operation.task;
    match operation.what {
        What::Send { to, bytes, .. } => format!("send {bytes}b to {to} tag {tag}"),
        What::Receive { from, bytes } => format!("recv {bytes}b from {from} tag {tag}"),
        What::Compute(time) => format!("calc {}", time.0),
    }
}
