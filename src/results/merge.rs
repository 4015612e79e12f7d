//! `results.csv` from the points that are there, whoever has run them.

use std::path::Path;

use super::points::{self, PointList};
use super::{Manifest, RESULTS_VERSION, ReadError, Record, ResultRow, Store, TimingRow};

/// The rows of a folder whose points several processes have run.
#[derive(Debug, Default)]
pub struct Merged {
    /// Rows of `results.csv`.
    pub rows: Vec<ResultRow>,
    /// Rows of `timings.csv`.
    pub timings: Vec<TimingRow>,
    /// What the points differ in.
    pub points: PointList,
    /// Points that are not there, or not whole.
    pub missing: Vec<u32>,
    /// The manifest of the first run.
    pub manifest: Manifest,
}

/// Reads every point that `points.csv` lists.
///
/// # Errors
/// A folder without `manifest.json` or `points.csv`, and points of another version, which do not compare.
pub fn merge(dir: &Path) -> Result<Merged, ReadError> {
    let path = dir.join("manifest.json");
    let Some(manifest) = Manifest::read(dir)? else {
        let why = "it is not there: `fabricsim run` has not been here";
        return Err(ReadError::content(&path, why));
    };
    if manifest.model != RESULTS_VERSION {
        let why = format!(
            "version {} wrote it, and this is {RESULTS_VERSION}: run the experiment again",
            manifest.model
        );
        return Err(ReadError::content(&path, why));
    }
    let path = dir.join("points.csv");
    let points = points::read_list(&path)?;
    if points.hashes.len() != manifest.points {
        let why = format!(
            "it lists {} points where manifest.json has {}: run the experiment again",
            points.hashes.len(),
            manifest.points
        );
        return Err(ReadError::content(&path, why));
    }
    let store = Store::at(dir);
    let found: Vec<Result<Option<Record>, ReadError>> = points.hashes.iter().map(|hash| record(&store, hash)).collect();
    let mut merged = Merged {
        points,
        manifest,
        ..Merged::default()
    };
    for (point, record) in (0..).zip(found) {
        let Some(mut record) = record? else {
            merged.missing.push(point);
            continue;
        };
        record.row.point = point;
        merged.rows.push(record.row);
        merged.timings.push(TimingRow {
            point,
            cpu_s: record.cpu_s,
            wall_s: record.wall_s,
        });
    }
    Ok(merged)
}

/// The record of a point if it is whole.
fn record(store: &Store, hash: &str) -> Result<Option<Record>, ReadError> {
    let dir = store.points().join(hash);
    match Record::read(&dir) {
        Some(record) if record.model != RESULTS_VERSION => {
            let why = format!(
                "version {} ran it, and this is {RESULTS_VERSION}: run the experiment again",
                record.model
            );
            Err(ReadError::content(&dir.join("record.json"), why))
        }
        record => Ok(record.filter(|record| store.has_files(hash, record))),
    }
}
