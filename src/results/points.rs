//! `points.csv`: the hash of every point, and what the sweep sets for it.
//!
//! Behind index and hash come the swept keys, and behind them the options inside tables that are swept whole: where
//! `workload = [{ shift = { offset = 1 } }, ...]` is swept, there is a column `workload.shift.offset`, empty for points
//! whose workload has no such option.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::ReadError;
use super::swept::{Swept, cell};
use crate::input::open_file;

/// What tells the points of a plan apart.
#[derive(Debug, Default)]
pub struct PointList {
    /// By point.
    pub hashes: Vec<String>,
    /// The swept keys that are columns.
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
    if columns.iter().any(|column| column.has_tables && !column.has_options) {
        let why =
            "it has no columns for the options of swept tables: an earlier version wrote it; run the experiment again";
        return Err(ReadError::content(path, why));
    }
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

/// All points of the file in order, and their swept keys.
pub(super) fn read_list(path: &Path) -> Result<PointList, ReadError> {
    let text = read_lines(path).map_err(|error| ReadError::file(path, error))?;
    let broken = |error| ReadError::content(path, error);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(broken)?.clone();
    let records: Vec<_> = reader.records().collect::<Result<_, _>>().map_err(broken)?;
    let keys: Vec<usize> = (2..header.len())
        .filter(|&at| !Column::of(&header, at, &records).is_option)
        .collect();
    let mut list = PointList::default();
    list.swept.keys = keys.iter().map(|&at| header[at].to_owned()).collect();
    for (point, record) in records.iter().enumerate() {
        if record.get(0) != Some(point.to_string().as_str()) {
            return Err(ReadError::content(path, "its rows are not numbered from 0"));
        }
        list.hashes.push(record[1].to_owned());
        let values = keys.iter().map(|&at| Arc::new(Value::from(&record[at])));
        list.swept.values.push(values.collect());
    }
    Ok(list)
}

/// A column behind index and hash.
struct Column<'a> {
    key: &'a str,
    /// Whether its key lies inside that of a column before it.
    is_option: bool,
    /// Whether the key of a column behind it lies inside its own.
    has_options: bool,
    /// Whether it holds tables, or lists of them.
    has_tables: bool,
    varies: bool,
}

impl<'a> Column<'a> {
    fn of(header: &'a csv::StringRecord, at: usize, records: &[csv::StringRecord]) -> Self {
        let key = &header[at];
        let inside = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
        let is_table = |value: &str| value.starts_with("{ ") || value.starts_with("[{ ");
        Self {
            key,
            is_option: header.iter().take(at).skip(2).any(|outer| inside(outer, key)),
            has_options: header.iter().skip(at).any(|inner| inside(key, inner)),
            has_tables: records.iter().any(|record| is_table(&record[at])),
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn options_come_back_beside_the_tables_that_hold_them() {
        let texts = |texts: &[&str]| texts.iter().map(|&text| Arc::new(Value::from(text))).collect();
        let list = PointList {
            hashes: vec!["a".into(), "b".into()],
            swept: Swept {
                keys: vec!["workload".into(), "seed".into()],
                values: vec![texts(&["{ shift = { offset = 1 } }", "1"]), texts(&["x.toml", "1"])],
            },
            options: Swept {
                keys: vec!["workload.shift.offset".into()],
                values: vec![texts(&["1"]), vec![Arc::new(Value::Null)]],
            },
        };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("points.csv");
        let mut text = Vec::new();
        list.write(&mut text).unwrap();
        fs::write(&path, &text).unwrap();
        let points = read(&path).unwrap();
        let pair = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
        assert_eq!(points[&0].swept, pair("workload", "{ shift = { offset = 1 } }"));
        assert_eq!(points[&0].options, pair("workload.shift.offset", "1"));
        assert_eq!((points[&1].hash.as_str(), points[&1].options.len()), ("b", 0));
        // As before there were such columns.
        fs::write(&path, "point,hash,workload\n0,a,{ shift = { offset = 1 } }\n").unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("an earlier version wrote it"), "{error}");
    }
}
