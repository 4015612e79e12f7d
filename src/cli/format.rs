//! Results on stdout, as a table for people or as data for programs.

use std::io::{self, Write};

use crate::report::table::{Columns, Table};
use crate::results::{PointRow, Swept, write_points_csv, write_points_json};
use clap::ValueEnum;

/// How results are printed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
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
    /// Prints rows about points.
    pub(super) fn print<R: PointRow>(
        self,
        out: &mut impl Write,
        rows: &[R],
        shown: Columns,
        swept: &Swept,
    ) -> io::Result<()> {
        match self {
            Self::Csv => Ok(write_points_csv(out, rows, swept)?),
            Self::Json => write_points_json(out, rows, swept),
            Self::Table => Table::of(rows, shown, swept)?.write_text(out),
            Self::Markdown => Table::of(rows, shown, swept)?.write_markdown(out),
        }
    }
}
