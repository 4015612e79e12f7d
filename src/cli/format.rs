//! Results on stdout, as a table for people or as data for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::experiment::record::write_csv;
use crate::report::table::{Columns, Table};

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
    pub fn print<R: Serialize + Default>(self, out: &mut impl Write, rows: &[R], shown: Columns) -> io::Result<()> {
        match self {
            Self::Csv => Ok(write_csv(out, rows)?),
            Self::Json => {
                serde_json::to_writer_pretty(&mut *out, rows)?;
                writeln!(out)
            }
            Self::Table => Table::of(rows, shown)?.write_text(out),
            Self::Markdown => Table::of(rows, shown)?.write_markdown(out),
        }
    }
}
