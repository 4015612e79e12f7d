//! Results on stdout, as a table for people or as data for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::experiment::Plan;
use crate::experiment::record::write_csv;
use crate::report::table::{Columns, Swept, Table};

/// How results are printed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns: those in which the points differ, and the main results
    #[default]
    Table,
    /// All columns, as in results.csv
    Csv,
    /// A list of objects with all columns
    Json,
    /// The table as Markdown
    Markdown,
}

impl Format {
    /// Prints rows.
    pub fn print<R: Serialize + Default>(
        self,
        out: &mut impl Write,
        rows: &[R],
        shown: Columns,
        swept: &Swept,
    ) -> io::Result<()> {
        match self {
            Self::Csv => Ok(write_csv(out, rows)?),
            Self::Json => {
                serde_json::to_writer_pretty(&mut *out, rows)?;
                writeln!(out)
            }
            Self::Table => Table::of(rows, shown, swept)?.write_text(out),
            Self::Markdown => Table::of(rows, shown, swept)?.write_markdown(out),
        }
    }
}

/// What the points of an experiment differ in.
pub fn swept(plan: &Plan) -> Swept {
    let sweep = plan.sweep();
    let values = |point: usize| {
        sweep
            .values(point)
            .into_iter()
            .map(|(_, value)| value.to_string())
            .collect()
    };
    Swept {
        keys: sweep.axes().iter().map(|axis| axis.key()).collect(),
        values: (0..plan.points().len()).map(values).collect(),
    }
}
