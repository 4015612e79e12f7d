//! The results folder.
//!
//! Every file is written under another name and renamed when it is complete: whatever is there under
//! its own name is whole, at whatever moment a run was killed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan::MODEL;
use super::record::{
    BufferRow, FlowRow, LinkRow, PacketsRow, PortRow, ResultRow, SenderRow, SeriesRow, read_csv, write_csv,
};

/// What is kept of a point: its row, and the time it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The model that made it.
    pub model: String,
    pub row: ResultRow,
    pub cpu_s: f64,
    pub wall_s: f64,
}

/// The files of a point besides its record, where asked for.
#[derive(Debug, Default)]
pub struct Details {
    pub flows: Option<Vec<FlowRow>>,
    pub links: Option<Vec<LinkRow>>,
    pub series: Option<Vec<SeriesRow>>,
    pub senders: Option<Vec<SenderRow>>,
    pub packets: Option<Vec<PacketsRow>>,
    pub ports: Option<Vec<PortRow>>,
    pub buffers: Option<Vec<BufferRow>>,
}

/// A results folder.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// Opens a folder, made if need be.
    pub fn open(dir: impl Into<PathBuf>) -> io::Result<Self> {
        let store = Self { dir: dir.into() };
        fs::create_dir_all(store.points()).map_err(|error| named(error, &store.points()))?;
        Ok(store)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn points(&self) -> PathBuf {
        self.dir.join("points")
    }

    /// The record of a point, if it is there and can be read; else the point is run anew.
    pub fn load(&self, hash: &str) -> Option<Record> {
        let text = fs::read_to_string(self.points().join(hash).join("record.json")).ok()?;
        serde_json::from_str(&text)
            .ok()
            .filter(|record: &Record| record.model == MODEL)
    }

    /// Keeps a point.
    pub fn save(&self, hash: &str, record: &Record, details: Details) -> io::Result<()> {
        let (target, draft) = (
            self.points().join(hash),
            self.points().join(format!(".{hash}.{}", std::process::id())),
        );
        fs::create_dir_all(&draft).map_err(|error| named(error, &draft))?;
        write_json(&draft.join("record.json"), record)?;
        save_rows(&draft.join("flows.csv"), details.flows)?;
        save_rows(&draft.join("links.csv"), details.links)?;
        save_rows(&draft.join("series.csv"), details.series)?;
        save_rows(&draft.join("senders.csv"), details.senders)?;
        save_rows(&draft.join("packets.csv"), details.packets)?;
        save_rows(&draft.join("ports.csv"), details.ports)?;
        save_rows(&draft.join("buffers.csv"), details.buffers)?;
        if fs::rename(&draft, &target).is_err() {
            if self.load(hash).is_some() {
                // Another run of the same experiment was faster.
                return fs::remove_dir_all(&draft);
            }
            // What is there is damaged or from another model.
            fs::remove_dir_all(&target).map_err(|error| named(error, &target))?;
            fs::rename(&draft, &target).map_err(|error| named(error, &target))?;
        }
        Ok(())
    }

    /// Writes one of the files of the folder itself as CSV.
    pub fn write_rows<R: Serialize + Default>(&self, name: &str, rows: &[R]) -> io::Result<()> {
        let path = self.dir.join(name);
        replace(&path, |out| Ok(write_csv(out, rows)?))
    }

    /// Writes one of the files of the folder itself.
    pub fn write(&self, name: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        replace(&self.dir.join(name), |out| write(out))
    }

    /// The rows of `results.csv`.
    pub fn results(&self) -> io::Result<Vec<ResultRow>> {
        let path = self.dir.join("results.csv");
        let file = File::open(&path).map_err(|error| named(error, &path))?;
        Ok(read_csv(file)?)
    }
}

fn save_rows<R: Serialize + Default>(path: &Path, rows: Option<Vec<R>>) -> io::Result<()> {
    match rows {
        Some(rows) => replace(path, |out| Ok(write_csv(out, &rows)?)),
        None => Ok(()),
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    replace(path, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

/// Writes a file beside its place and moves it there when it is complete.
fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let draft = path.with_file_name(name);
    let done = (|| {
        let mut out = BufWriter::new(File::create(&draft)?);
        write(&mut out)?;
        out.flush()?;
        fs::rename(&draft, path)
    })();
    done.map_err(|error| {
        let _ = fs::remove_file(&draft);
        named(error, path)
    })
}

/// The same error with the file's name.
fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(model: &str, point: u32) -> Record {
        Record {
            model: model.into(),
            row: ResultRow {
                point,
                ..ResultRow::default()
            },
            cpu_s: 0.5,
            wall_s: 1.0,
        }
    }

    #[test]
    fn points_come_back_and_damaged_ones_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("a/b")).unwrap();
        assert_eq!(store.load("x"), None);
        let details = Details {
            flows: Some(Vec::new()),
            ..Details::default()
        };
        store.save("x", &record(MODEL, 1), details).unwrap();
        assert_eq!(store.load("x"), Some(record(MODEL, 1)));
        store.save("x", &record(MODEL, 2), Details::default()).unwrap();
        assert_eq!(store.load("x"), Some(record(MODEL, 1)), "the first stays");
        store.save("y", &record("older", 3), Details::default()).unwrap();
        assert_eq!(store.load("y"), None);
        store.save("y", &record(MODEL, 4), Details::default()).unwrap();
        assert_eq!(store.load("y"), Some(record(MODEL, 4)));
        fs::write(dir.path().join("a/b/points/y/record.json"), "{ half a rec").unwrap();
        assert_eq!(store.load("y"), None);
        let names: Vec<_> = fs::read_dir(dir.path().join("a/b/points")).unwrap().flatten().collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
}
