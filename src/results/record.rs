//! What is kept of a point, with what shows whether it is whole.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ResultRow;
use crate::input::open_file;

/// Part of every point's name and record: results of another version are not taken for this one's. It changes
/// whenever a change of the code changes a result, or a file of a point.
pub const RESULTS_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+10");

/// What is kept of a point: its row, the time it took, and what its other files are.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Hash of this file with nothing in the place of this.
    hash: String,
    /// The version that made it.
    pub model: String,
    /// Its row of `results.csv`.
    pub row: ResultRow,
    /// CPU seconds of the point: preparing what no point before it had prepared, judging it and simulating it.
    pub cpu_s: f64,
    /// The same in seconds of the clock, without waiting for memory.
    pub wall_s: f64,
    /// The file of `fabrics/` with the fabric it was simulated on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fabric: Option<String>,
    /// What was skipped of it, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fast_forward: Option<Skipped>,
    /// The files beside this one.
    pub(super) files: BTreeMap<String, Sum>,
}

/// What `packet.fast_forward` has skipped.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Skipped {
    /// The part of the simulated time.
    pub skipped: f64,
    /// By which part of all the time it may have taken more or less, as far as the rates tell by which it was skipped.
    pub error: f64,
}

/// A file as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    pub bytes: u64,
    pub hash: String,
}

impl Record {
    /// What is kept under this version's name.
    pub fn new(row: ResultRow, cpu_s: f64, wall_s: f64) -> Self {
        Self {
            model: RESULTS_VERSION.to_owned(),
            row,
            cpu_s,
            wall_s,
            ..Self::default()
        }
    }

    /// The record in a point's folder, if it is as it was written.
    pub(super) fn read(dir: &Path) -> Option<Self> {
        let text = io::read_to_string(open_file(&dir.join("record.json")).ok()?).ok()?;
        let record: Self = serde_json::from_str(&text).ok()?;
        let blank = text.replacen(&record.hash, "", 1);
        (record.hash == hash_of(&blank)).then_some(record)
    }

    pub(super) fn text(mut self) -> serde_json::Result<String> {
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
    pub(super) fn fits(&self, path: &Path) -> io::Result<bool> {
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
