//! Results on stdout, as a table for people or as data for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::experiment::record::{columns, write_csv};

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

/// Which columns of a kind of rows are worth a place in a table.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Always shown.
    pub always: &'static [&'static str],
    /// Shown where the rows differ.
    pub naming: &'static [&'static str],
    /// Shown where some row has one that is not zero.
    pub results: &'static [&'static str],
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
            Self::Table => Table::of(rows, shown)?.print(out, "  ", "", ""),
            Self::Markdown => Table::of(rows, shown)?.print(out, " | ", "| ", " |"),
        }
    }
}

/// Cells with a heading.
struct Table {
    heading: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn of<R: Serialize + Default>(rows: &[R], wanted: Columns) -> io::Result<Self> {
        let mut text = Vec::new();
        write_csv(&mut text, rows)?;
        let names = columns::<R>()?;
        let cells: Vec<csv::StringRecord> = csv::Reader::from_reader(text.as_slice())
            .into_records()
            .collect::<Result<_, _>>()?;
        let shown: Vec<usize> = (0..names.len())
            .filter(|&column| {
                let mut values = cells.iter().map(|row| &row[column]);
                let name = &names[column];
                let differs = values.clone().any(|value| value != &cells[0][column]);
                wanted.always.contains(&name)
                    || wanted.naming.contains(&name) && differs
                    || wanted.results.contains(&name) && values.any(|value| !matches!(value, "" | "0"))
            })
            .collect();
        Ok(Self {
            heading: shown.iter().map(|&column| names[column].to_owned()).collect(),
            rows: cells
                .iter()
                .map(|row| shown.iter().map(|&column| rounded(&row[column])).collect())
                .collect(),
        })
    }

    fn print(&self, out: &mut impl Write, between: &str, before: &str, after: &str) -> io::Result<()> {
        let columns = self.heading.len();
        let lines = || std::iter::once(&self.heading).chain(&self.rows);
        let widths: Vec<usize> = (0..columns)
            .map(|c| lines().map(|line| line[c].chars().count()).max().unwrap_or(0))
            .collect();
        let is_number: Vec<bool> = (0..columns)
            .map(|c| {
                self.rows
                    .iter()
                    .all(|row| row[c].is_empty() || row[c].parse::<f64>().is_ok())
            })
            .collect();
        for (i, line) in lines().enumerate() {
            let cells: Vec<String> = (0..columns)
                .map(|c| match is_number[c] {
                    true => format!("{:>width$}", line[c], width = widths[c]),
                    false => format!("{:width$}", line[c], width = widths[c]),
                })
                .collect();
            let text = format!("{before}{}{after}", cells.join(between));
            writeln!(out, "{}", text.trim_end())?;
            if i == 0 && !before.is_empty() {
                let rule = (0..columns).map(|c| match is_number[c] {
                    true => format!("{}:", "-".repeat(widths[c].saturating_sub(1).max(1))),
                    false => "-".repeat(widths[c].max(1)),
                });
                writeln!(out, "{before}{}{after}", rule.collect::<Vec<_>>().join(between))?;
            }
        }
        Ok(())
    }
}

/// A number as people read it: three decimals.
fn rounded(cell: &str) -> String {
    match cell.parse::<f64>() {
        Ok(value) if cell.contains(['.', 'e']) => format!("{value:.3}"),
        _ => cell.to_owned(),
    }
}
