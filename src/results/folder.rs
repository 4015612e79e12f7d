//! A results folder, read back.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::manifest::Manifest;
use super::points::{self, Listed, read_lines};
use super::record::Record;
use super::{FabricRow, ReadError, ResultRow, is_whole, read_csv};
use crate::input::open_file;

/// A point of the plan with its row of results.
#[derive(Debug, Clone)]
pub struct FolderPoint {
    /// Its row of `results.csv`.
    pub row: ResultRow,
    /// Its folder under `points/`.
    hash: Option<String>,
    /// The swept keys with more than one value, and this point's.
    pub swept: Vec<(String, String)>,
    /// The options inside tables that are swept whole, such as `workload.shift.offset`, and this point's.
    pub options: Vec<(String, String)>,
}

/// The points of a results folder in the plan's order.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    /// Those with results.
    pub points: Vec<FolderPoint>,
}

impl Folder {
    /// Reads `results.csv` and `points.csv`.
    ///
    /// # Errors
    /// Files that are not there, cut off, or of another kind.
    pub fn open(dir: &Path) -> Result<Self, ReadError> {
        let path = dir.join("results.csv");
        let text = read_lines(&path).map_err(|error| ReadError::file(&path, error))?;
        let rows: Vec<ResultRow> = read_csv(text.as_bytes()).map_err(|error| ReadError::content(&path, error))?;
        if rows.is_empty() {
            return Err(ReadError::content(&path, "there are no rows: no point has been run"));
        }
        let manifest = Manifest::read(dir)?.unwrap_or_default();
        check_rows(&path, rows.len(), manifest.points_done)?;
        let path = dir.join("points.csv");
        let mut listed = points::read(&path)?;
        if path.exists() {
            check_rows(&path, listed.len(), manifest.points)?;
        }
        let points = rows.into_iter().map(|row| {
            let known = listed.remove(&row.point);
            let hash = known.as_ref().map(|listed| listed.hash.clone());
            let Listed { swept, options, .. } = known.unwrap_or_default();
            FolderPoint {
                row,
                hash,
                swept,
                options,
            }
        });
        Ok(Self {
            dir: dir.to_owned(),
            points: points.collect(),
        })
    }

    /// The links of the fabric that a point was simulated on; `None` where they were not kept.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn fabric(&self, point: &FolderPoint) -> Result<Option<Vec<FabricRow>>, ReadError> {
        let Some(name) = self.fabric_name(point) else {
            return Ok(None);
        };
        read_rows(&self.dir.join("fabrics").join(format!("{name}.csv")))
    }

    /// What the file with the fabric of a point is called.
    pub fn fabric_name(&self, point: &FolderPoint) -> Option<String> {
        let record = Record::read(&self.dir.join("points").join(point.hash.as_ref()?))?;
        let is_name = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        record.fabric.filter(is_name)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The rows of a file of a point, such as `flows.csv`; `None` where it was not asked for.
    ///
    /// # Errors
    /// A file that cannot be read, or is not as it was written.
    pub fn detail<R: for<'de> Deserialize<'de>>(
        &self,
        point: &FolderPoint,
        name: &str,
    ) -> Result<Option<Vec<R>>, ReadError> {
        let Some(hash) = &point.hash else {
            return Ok(None);
        };
        let path = self.dir.join("points").join(hash).join(name);
        if is_whole(&path) == Some(false) {
            let why = "it is not as `run` wrote it: run the experiment again";
            return Err(ReadError::content(&path, why));
        }
        read_rows(&path)
    }
}

/// The rows of a file; `None` where there is none.
fn read_rows<R: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<Vec<R>>, ReadError> {
    match open_file(path) {
        Ok(file) => read_csv(file)
            .map(Some)
            .map_err(|error| ReadError::content(path, error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ReadError::file(path, error)),
    }
}

/// Refuses a file that has lost rows, by what the manifest says.
fn check_rows(path: &Path, rows: usize, expected: usize) -> Result<(), ReadError> {
    if rows < expected {
        let why = format!("it is cut off: {rows} rows where manifest.json has {expected}; run the experiment again");
        return Err(ReadError::content(path, why));
    }
    Ok(())
}
