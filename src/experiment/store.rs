//! The results folder.
//!
//! Every file is written under another name and renamed when it is complete: whatever is there under
//! its own name is whole, at whatever moment a run was killed. What the disk itself or somebody else cuts off is seen
//! by the lengths and hashes that `record.json` has.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::claim::Claim;
use super::plan::MODEL;
use super::record::{
    BufferRow, FlowRow, LinkRow, PacketsRow, PortRow, ResultRow, SenderRow, SeriesRow, read_csv, write_csv,
};
use crate::input::open_file;

/// What is kept of a point: its row, the time it took, and what its other files are.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Hash of this file with nothing in the place of this.
    hash: String,
    /// The model that made it.
    pub model: String,
    pub row: ResultRow,
    pub cpu_s: f64,
    pub wall_s: f64,
    /// The files beside this one.
    files: BTreeMap<String, Sum>,
}

/// A file as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sum {
    bytes: u64,
    hash: String,
}

impl Record {
    /// What is kept under this version's name.
    pub fn new(row: ResultRow, cpu_s: f64, wall_s: f64) -> Self {
        Self {
            model: MODEL.to_owned(),
            row,
            cpu_s,
            wall_s,
            ..Self::default()
        }
    }

    /// The record in a point's folder, if it is as it was written.
    fn read(dir: &Path) -> Option<Self> {
        let text = io::read_to_string(open_file(&dir.join("record.json")).ok()?).ok()?;
        let record: Self = serde_json::from_str(&text).ok()?;
        let blank = text.replacen(&record.hash, "", 1);
        (record.hash == hash_of(&blank)).then_some(record)
    }

    fn text(mut self) -> serde_json::Result<String> {
        self.hash.clear();
        self.hash = hash_of(&(serde_json::to_string_pretty(&self)? + "\n"));
        Ok(serde_json::to_string_pretty(&self)? + "\n")
    }
}

fn hash_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

impl Sum {
    /// Whether a file still has this length and hash.
    fn fits(&self, path: &Path) -> io::Result<bool> {
        let mut file = open_file(path)?;
        if file.metadata()?.len() != self.bytes {
            return Ok(false);
        }
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.finalize().to_hex().as_str() == self.hash),
                n => hasher.update(&buffer[..n]),
            };
        }
    }
}

/// Whether a file in the folder of a point is as it was written; `None` where nobody knows.
pub fn is_whole(path: &Path) -> Option<bool> {
    let record = Record::read(path.parent()?)?;
    let sum = record.files.get(path.file_name()?.to_str()?)?;
    Some(sum.fits(path).unwrap_or(false))
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

    pub(super) fn points(&self) -> PathBuf {
        self.dir.join("points")
    }

    /// The claim to run a point; `None` while another process runs it.
    pub(super) fn claim(&self, hash: &str) -> io::Result<Option<Claim>> {
        let path = self.dir.join(format!(".{hash}.claim"));
        Claim::take(&path).map_err(|error| named(error, &path))
    }

    /// The record of a point, if it and all its files are there and whole; else the point is run anew.
    pub fn load(&self, hash: &str) -> Option<Record> {
        let dir = self.points().join(hash);
        let record = Record::read(&dir).filter(|record| record.model == MODEL)?;
        let whole = |(name, sum): (&String, &Sum)| sum.fits(&dir.join(name)).unwrap_or(false);
        record.files.iter().all(whole).then_some(record)
    }

    /// Keeps a point.
    pub fn save(&self, hash: &str, record: &Record, details: Details) -> io::Result<()> {
        let (target, draft) = (
            self.points().join(hash),
            self.points().join(format!(".{hash}.{}", std::process::id())),
        );
        fs::create_dir_all(&draft).map_err(|error| named(error, &draft))?;
        let mut record = record.clone();
        let files = &mut record.files;
        save_rows(&draft, "flows.csv", details.flows, files)?;
        save_rows(&draft, "links.csv", details.links, files)?;
        save_rows(&draft, "series.csv", details.series, files)?;
        save_rows(&draft, "senders.csv", details.senders, files)?;
        save_rows(&draft, "packets.csv", details.packets, files)?;
        save_rows(&draft, "ports.csv", details.ports, files)?;
        save_rows(&draft, "buffers.csv", details.buffers, files)?;
        let text = record.text()?;
        replace(&draft.join("record.json"), |out| out.write_all(text.as_bytes()))?;
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

    /// Takes a point out. Renamed first, so that none is ever there in part.
    pub(super) fn remove_point(&self, hash: &str) -> io::Result<()> {
        let path = self.points().join(hash);
        let draft = self.points().join(format!(".{hash}.{}", std::process::id()));
        fs::rename(&path, &draft).map_err(|error| named(error, &path))?;
        fs::remove_dir_all(&draft).map_err(|error| named(error, &draft))
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

fn save_rows<R: Serialize + Default>(
    dir: &Path,
    name: &str,
    rows: Option<Vec<R>>,
    files: &mut BTreeMap<String, Sum>,
) -> io::Result<()> {
    let Some(rows) = rows else { return Ok(()) };
    let mut hasher = blake3::Hasher::new();
    replace(&dir.join(name), |out| {
        let both = Both {
            out,
            hasher: &mut hasher,
        };
        Ok(write_csv(both, &rows)?)
    })?;
    let sum = Sum {
        bytes: hasher.count(),
        hash: hasher.finalize().to_hex().to_string(),
    };
    files.insert(name.to_owned(), sum);
    Ok(())
}

/// Writes and hashes.
struct Both<'a, W> {
    out: &'a mut W,
    hasher: &'a mut blake3::Hasher,
}

impl<W: Write> Write for Both<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
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
pub(super) fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(model: &str, point: u32) -> Record {
        let row = ResultRow {
            point,
            ..ResultRow::default()
        };
        Record {
            model: model.into(),
            ..Record::new(row, 0.5, 1.0)
        }
    }

    /// The row of a point, if it is there.
    fn point(store: &Store, hash: &str) -> Option<u32> {
        store.load(hash).map(|record| record.row.point)
    }

    #[test]
    fn a_point_is_there_only_if_all_its_files_are_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let details = || Details {
            flows: Some(vec![FlowRow::default(); 3]),
            links: Some(Vec::new()),
            ..Details::default()
        };
        let folder = store.points().join("x");
        type Damage = fn(&mut Vec<u8>);
        let damages: [(&str, Damage); 5] = [
            ("flows.csv", |text| text.truncate(text.len() - 1)),
            ("flows.csv", |text| text[100] ^= 1),
            ("links.csv", Vec::clear),
            ("record.json", |text| text.truncate(text.len() / 2)),
            ("record.json", |text| {
                let cpu = text.windows(5).position(|window| window == b"cpu_s").unwrap();
                text[cpu + 8] = b'7';
            }),
        ];
        for (name, damage) in damages {
            store.save("x", &record(MODEL, 1), details()).unwrap();
            assert_eq!(point(&store, "x"), Some(1));
            assert_eq!(is_whole(&folder.join("flows.csv")), Some(true));
            let mut text = fs::read(folder.join(name)).unwrap();
            damage(&mut text);
            fs::write(folder.join(name), text).unwrap();
            assert_eq!(point(&store, "x"), None, "{name}");
        }
        store.save("x", &record(MODEL, 1), details()).unwrap();
        fs::remove_file(folder.join("links.csv")).unwrap();
        assert_eq!(point(&store, "x"), None);
    }

    #[test]
    fn points_come_back_and_damaged_ones_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("a/b")).unwrap();
        assert_eq!(point(&store, "x"), None);
        let details = Details {
            flows: Some(Vec::new()),
            ..Details::default()
        };
        store.save("x", &record(MODEL, 1), details).unwrap();
        assert_eq!(point(&store, "x"), Some(1));
        store.save("x", &record(MODEL, 2), Details::default()).unwrap();
        assert_eq!(point(&store, "x"), Some(1), "the first stays");
        store.save("y", &record("older", 3), Details::default()).unwrap();
        assert_eq!(point(&store, "y"), None);
        store.save("y", &record(MODEL, 4), Details::default()).unwrap();
        assert_eq!(point(&store, "y"), Some(4));
        fs::write(dir.path().join("a/b/points/y/record.json"), "{ half a rec").unwrap();
        assert_eq!(point(&store, "y"), None);
        let names: Vec<_> = fs::read_dir(dir.path().join("a/b/points")).unwrap().flatten().collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
}
