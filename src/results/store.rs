//! The results folder.
//!
//! Every file is written under another name and renamed when it is complete: whatever is there under
//! its own name is whole, at whatever moment a run was killed. What the disk itself or somebody else cuts off is seen
//! by the lengths and hashes that `record.json` has.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::files::{named, replace, write_draft};
use super::record::{RESULTS_VERSION, Record, Sum};
use super::swept::Swept;
use super::table::{read_csv, write_csv, write_points_csv};
use super::{Details, FabricRow, Manifest, PointList, PointRow, ResultRow};

/// How to get a build that writes Parquet.
pub const PARQUET_REMEDY: &str = "build one that does: cargo install --path . --locked --features parquet";

/// A results folder.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// A folder, whether it is there or not.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Opens a folder, made if need be.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn open(dir: impl Into<PathBuf>) -> io::Result<Self> {
        let store = Self::at(dir);
        store.create()?;
        Ok(store)
    }

    /// Makes the folder, if it is not there.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn create(&self) -> io::Result<()> {
        fs::create_dir_all(self.points()).map_err(|error| named(error, &self.points()))
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder of the points' folders.
    pub fn points(&self) -> PathBuf {
        self.dir.join("points")
    }

    /// The record of a point, if it and all its files are there and whole; else the point is run anew.
    pub fn load(&self, hash: &str) -> Option<Record> {
        let record = Record::read(&self.points().join(hash)).filter(|record| record.model == RESULTS_VERSION)?;
        self.has_files(hash, &record).then_some(record)
    }

    /// Whether all files of a point are there and whole.
    pub(super) fn has_files(&self, hash: &str, record: &Record) -> bool {
        let dir = self.points().join(hash);
        let whole = |(name, sum): (&String, &Sum)| sum.fits(&dir.join(name)).unwrap_or(false);
        record.files.iter().all(whole)
    }

    /// Keeps a point.
    pub fn save(&self, hash: &str, record: &Record, details: Details) -> io::Result<()> {
        // Two threads may have run equal points.
        static DRAFTS: AtomicU64 = AtomicU64::new(0);
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let (target, draft) = (
            self.points().join(hash),
            self.points().join(format!(".{hash}.{}.{number}", std::process::id())),
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
        save_rows(&draft, "ops.csv", details.ops, files)?;
        save_rows(&draft, "jobs.csv", details.jobs, files)?;
        save_rows(&draft, "timeline.csv", details.timeline, files)?;
        save_rows(&draft, "paths.csv", details.paths, files)?;
        let text = record.text()?;
        write_draft(&draft.join("record.json"), |out| out.write_all(text.as_bytes()))?;
        if fs::rename(&draft, &target).is_err() {
            if self.load(hash).is_some() {
                // Another run of the same experiment was faster.
                return fs::remove_dir_all(&draft);
            }
            // What is there is damaged or from another version.
            fs::remove_dir_all(&target).map_err(|error| named(error, &target))?;
            fs::rename(&draft, &target).map_err(|error| named(error, &target))?;
        }
        Ok(())
    }

    /// Keeps the links of a fabric, under a name made of what they are. The same fabric has the same name wherever it
    /// is kept.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save_fabric(&self, rows: &[FabricRow]) -> io::Result<String> {
        let mut text = Vec::new();
        write_csv(&mut text, rows)?;
        let name = blake3::hash(&text).to_hex()[..16].to_owned();
        let path = self.fabrics().join(format!("{name}.csv"));
        if !path.exists() {
            fs::create_dir_all(self.fabrics()).map_err(|error| named(error, &self.fabrics()))?;
            replace(&path, |out| out.write_all(&text))?;
        }
        Ok(name)
    }

    /// The folder of the fabrics.
    pub fn fabrics(&self) -> PathBuf {
        self.dir.join("fabrics")
    }

    /// Takes a point out. Renamed first, so that none is ever there in part.
    pub fn remove_point(&self, hash: &str) -> io::Result<()> {
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

    /// Writes one of them whose rows are about points, with a column for every swept key.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_points<R: PointRow>(&self, name: &str, rows: &[R], swept: &Swept) -> io::Result<()> {
        replace(&self.dir.join(name), |out| Ok(write_points_csv(out, rows, swept)?))
    }

    /// Writes the same as a table with types.
    ///
    /// # Errors
    /// A file that cannot be written.
    #[cfg(feature = "parquet")]
    pub fn write_parquet<R: PointRow>(&self, name: &str, rows: &[R], swept: &Swept) -> io::Result<()> {
        replace(&self.dir.join(name), |out| {
            super::parquet::write_points_parquet(out, rows, swept)
        })
    }

    /// Says that this build cannot.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(feature = "parquet"))]
    pub fn write_parquet<R: PointRow>(&self, name: &str, _: &[R], _: &Swept) -> io::Result<()> {
        let why = format!("{name}: this build writes no Parquet; {PARQUET_REMEDY}");
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    /// Writes what was run: `manifest.json`, `experiment.toml` and `points.csv`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest, experiment: &str, points: &PointList) -> io::Result<()> {
        let text = serde_json::to_string_pretty(manifest)?;
        self.write("manifest.json", |out| writeln!(out, "{text}"))?;
        self.write("experiment.toml", |out| out.write_all(experiment.as_bytes()))?;
        self.write("points.csv", |out| points.write(out))
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
    write_draft(&dir.join(name), |out| {
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

#[cfg(test)]
mod tests {
    use super::super::{FlowRow, is_whole};
    use super::*;

    fn record(model: &str, point: u32) -> Record {
        let row = ResultRow {
            point,
            ..ResultRow::default()
        };
        let mut record = Record::new(row, 0.5, 1.0);
        record.model = model.into();
        record
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
            store.save("x", &record(RESULTS_VERSION, 1), details()).unwrap();
            assert_eq!(point(&store, "x"), Some(1));
            assert_eq!(is_whole(&folder.join("flows.csv")), Some(true));
            let mut text = fs::read(folder.join(name)).unwrap();
            damage(&mut text);
            fs::write(folder.join(name), text).unwrap();
            assert_eq!(point(&store, "x"), None, "{name}");
        }
        store.save("x", &record(RESULTS_VERSION, 1), details()).unwrap();
        fs::remove_file(folder.join("links.csv")).unwrap();
        assert_eq!(point(&store, "x"), None);
    }

    #[test]
    fn several_threads_may_keep_one_point() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        store
                            .save("x", &record(RESULTS_VERSION, 1), Details::default())
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(point(&store, "x"), Some(1));
        assert_eq!(fs::read_dir(store.points()).unwrap().count(), 1);
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
        store.save("x", &record(RESULTS_VERSION, 1), details).unwrap();
        assert_eq!(point(&store, "x"), Some(1));
        store
            .save("x", &record(RESULTS_VERSION, 2), Details::default())
            .unwrap();
        assert_eq!(point(&store, "x"), Some(1), "the first stays");
        store.save("y", &record("older", 3), Details::default()).unwrap();
        assert_eq!(point(&store, "y"), None);
        store
            .save("y", &record(RESULTS_VERSION, 4), Details::default())
            .unwrap();
        assert_eq!(point(&store, "y"), Some(4));
        fs::write(dir.path().join("a/b/points/y/record.json"), "{ half a rec").unwrap();
        assert_eq!(point(&store, "y"), None);
        let names: Vec<_> = fs::read_dir(dir.path().join("a/b/points")).unwrap().flatten().collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
}
