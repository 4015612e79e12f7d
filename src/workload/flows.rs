//! Flows from a table.

use super::draft::Draft;
use super::{Action, Kind, MAX_BYTES, Schedule, Task};
use crate::input::{Files, InputError};
use crate::units::Time;

super::ranks::ranked! {
    /// Flows from a CSV file with the columns `src,dst,bytes`, or `src,dst,bytes,start_ns`; sources and
    /// destinations are ranks. A first line that names the columns may be left out.
    pub struct Flows {
        /// The CSV file.
        pub file: String,
    }
}

/// The names of the columns; the last may be missing.
const COLUMNS: [&str; 4] = ["src", "dst", "bytes", "start_ns"];

impl Kind for Flows {
    fn draw(&self, ranks: u32, mut draft: Draft, files: &dyn Files, _seed: u64) -> Result<Schedule, InputError> {
        let text = files.read(&self.file)?;
        let (mut total, mut columns) = (0, None);
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let expected = *columns.get_or_insert(fields.len());
            if fields.len() != expected || !(3..=4).contains(&expected) {
                let message = format!("this line has {} columns", fields.len());
                return Err(InputError::line(&self.file, number, message)
                    .help(format!("every line has {}, in this order", COLUMNS.join(","))));
            }
            if number == 1 && fields == COLUMNS[..expected] {
                continue;
            }
            if number == 1 && fields.iter().all(|field| field.starts_with(char::is_alphabetic)) {
                let message = format!("these are not the columns {}", COLUMNS[..expected].join(","));
                return Err(InputError::line(&self.file, number, message)
                    .help("name them like this, in this order, or leave the line out"));
            }
            let task = flow(&fields, ranks)
                .map_err(|(message, help)| InputError::line(&self.file, number, message).help(help))?;
            if let Action::Transfer { bytes, .. } = task.action {
                total += bytes;
            }
            if total > MAX_BYTES {
                return Err(InputError::line(
                    &self.file,
                    number,
                    "all flows up to here together exceed 2^62 bytes",
                ));
            }
            draft.schedule.add(task);
        }
        if total == 0 {
            return Err(InputError::file(&self.file, "it has no flow").help("add a line such as `0,1,65536`"));
        }
        Ok(draft.build())
    }
}

/// A flow from the fields of its line; an error with its remedy.
fn flow(fields: &[&str], ranks: u32) -> Result<Task, (String, String)> {
    let whole = |column: usize, least: u64, most: u64| {
        let number = fields[column]
            .parse()
            .ok()
            .filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| {
            let message = format!("`{}` is `{}`", COLUMNS[column], fields[column]);
            (message, format!("it must be a whole number from {least} to {most}"))
        })
    };
    let last = u64::from(ranks - 1);
    let (src, dst) = (whole(0, 0, last)? as u32, whole(1, 0, last)? as u32);
    if src == dst {
        return Err((
            format!("rank {src} sends to itself"),
            "`src` and `dst` must differ".to_owned(),
        ));
    }
    let bytes = whole(2, 1, MAX_BYTES)?;
    let earliest = match fields.get(3) {
        Some(start) => format!("{start}ns").parse().map_err(|_| {
            (
                format!("`start_ns` is `{start}`"),
                "it must be a time in nanoseconds".to_owned(),
            )
        })?,
        None => Time::ZERO,
    };
    Ok(Task {
        action: Action::Transfer { src, dst, bytes },
        earliest,
        step: 0,
    })
}
