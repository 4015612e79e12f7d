//! `results.csv` cell by cell, as it is written: what the page shows is what the file has.

use std::io;
use std::path::Path;

use serde_json::Value;

use crate::input::open_file;
use crate::report::ReportError;

/// All cells of `results.csv`.
#[derive(Debug)]
pub(super) struct Cells {
    pub header: csv::StringRecord,
    pub rows: Vec<csv::StringRecord>,
}

impl Cells {
    pub(super) fn read(dir: &Path) -> Result<Self, ReportError> {
        let path = dir.join("results.csv");
        let file = open_file(&path).map_err(|error| ReportError::file(&path, error))?;
        let mut reader = csv::Reader::from_reader(io::BufReader::new(file));
        let read = reader.headers().cloned().and_then(|header| {
            let rows = reader.records().collect::<Result<_, _>>()?;
            Ok(Self { header, rows })
        });
        read.map_err(|error| ReportError::file(&path, error.into()))
    }

    /// The place of a column.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The cell of a row under a heading; empty where there is none.
    pub(super) fn cell(&self, row: usize, name: &str) -> &str {
        self.column(name).map_or("", |column| &self.rows[row][column])
    }

    /// Columns in which some row has something.
    pub(super) fn telling(&self) -> Vec<usize> {
        let tells = |&column: &usize| self.rows.iter().any(|row| !row[column].is_empty());
        (0..self.header.len()).filter(tells).collect()
    }
}

/// A cell for scripts: a number where it is one, nothing where it is empty.
pub(super) fn value(cell: &str) -> Value {
    if cell.is_empty() {
        return Value::Null;
    }
    match serde_json::from_str::<Value>(cell) {
        Ok(number @ Value::Number(_)) => number,
        _ => Value::from(cell),
    }
}
