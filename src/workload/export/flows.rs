//! A schedule as a table of flows.

use std::fmt::Write;

use super::exported::{Exported, Inexpressible};
use crate::workload::{Action, Schedule};

/// One file with all transfers, none of which may wait for another.
pub(super) fn write(schedule: &Schedule) -> Result<Exported, Inexpressible> {
    let waits = schedule.dependencies() > 0;
    if waits || schedule.delay_count() > 0 {
        let why = "its flows wait for each other or for computations, which a table of flows does not have";
        return Err(Inexpressible::new(why, "take `--to cm`, `--to goal` or `--to chakra`"));
    }
    let mut text = "src,dst,bytes,start_ps\n".to_owned();
    for task in schedule.tasks() {
        if let Action::Transfer { src, dst, bytes } = task.action {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{src},{dst},{bytes},{}", task.earliest.0);
        }
    }
    Ok(Exported {
        files: vec![("flows.csv".to_owned(), text.into_bytes())],
        warnings: Vec::new(),
    })
}
