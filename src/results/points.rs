//! `points.csv`: the hash of every point, and what the sweep sets for it.
//!
//! Behind index and hash come the swept keys, and behind them the options inside tables that are swept whole: where
//! `workload = [{ shift = { offset = 1 } }, ...]` is swept, there is a column `workload.shift.offset`, empty for points
//! whose workload has no such option.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::ReadError;
use super::swept::{Swept, cell};
use crate::input::open_file;

/// What tells the points of a plan apart.
#[derive(Debug, Default)]
pub struct PointList {
    /// By point.
    pub hashes: Vec<String>,
    pub swept: Swept,
    /// Options inside swept tables.
    pub options: Swept,
}

impl PointList {
    /// As the file has it.
    ///
    /// # Errors
    /// Where nothing can be written.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        let keys = self.swept.keys.iter().chain(&self.options.keys).map(String::as_str);
        writer.write_record(["point", "hash"].into_iter().chain(keys))?;
        for (point, hash) in (0..).zip(&self.hashes) {
            let index = point.to_string();
            let values = self.swept.of(point).iter().chain(self.options.of(point));
            let values: Vec<_> = values.map(|value| cell(value)).collect();
            let named = [index.as_str(), hash].into_iter();
            writer.write_record(named.chain(values.iter().map(AsRef::as_ref)))?;
        }
        writer.flush()
    }
}

/// A point as the file has it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub hash: String,
    /// Swept keys with more than one value, and this point's.
    pub swept: Vec<(String, String)>,
    /// Options of its swept tables.
    pub options: Vec<(String, String)>,
}

/// The points of the file by index; nothing where there is no file.
pub(super) fn read(path: &Path) -> Result<BTreeMap<u32, Listed>, ReadError> {
    let text = match read_lines(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(ReadError::file(path, error)),
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let broken = |error| ReadError::content(path, error);
    let header = reader.headers().map_err(broken)?.clone();
    let records: Vec<_> = reader.records().collect::<Result<_, _>>().map_err(broken)?;
    let columns: Vec<Column<'_>> = (2..header.len()).map(|c| Column::of(&header, c, &records)).collect();
    let mut points = BTreeMap::new();
    for record in &records {
        let point = record.get(0).and_then(|cell| cell.parse().ok());
        let (Some(point), Some(hash)) = (point, record.get(1)) else {
            return Err(ReadError::content(path, "a row begins with a point and its hash"));
        };
        let cells = || columns.iter().zip(record.iter().skip(2));
        let some = |(column, cell): (&Column<'_>, &str)| (column.key.to_owned(), cell.to_owned());
        let listed = Listed {
            hash: hash.to_owned(),
            swept: cells()
                .filter(|(column, _)| column.varies && !column.is_option)
                .map(some)
                .collect(),
            options: cells()
                .filter(|(column, cell)| column.is_option && !cell.is_empty())
                .map(some)
                .collect(),
        };
        points.insert(point, listed);
    }
    Ok(points)
}

/// A column behind index and hash.
struct Column<'a> {
    key: &'a str,
    /// Whether its key lies inside that of a column before it.
    is_option: bool,
    varies: bool,
}

impl<'a> Column<'a> {
    fn of(header: &'a csv::StringRecord, at: usize, records: &[csv::StringRecord]) -> Self {
        let key = &header[at];
        let inside = |outer: &str| key.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
        Self {
            key,
            is_option: header.iter().take(at).skip(2).any(inside),
            varies: records.iter().any(|record| record[at] != records[0][at]),
        }
    }
}

/// A text of whole lines.
pub(super) fn read_lines(path: &Path) -> io::Result<String> {
    let text = io::read_to_string(open_file(path)?)?;
    if text.is_empty() {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is empty"));
    }
    if !text.ends_with('\n') {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "it is cut off: its last line has no end; run the experiment again",
        ));
    }
    Ok(text)
}
