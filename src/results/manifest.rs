//! `manifest.json`: what was run, when and where.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ReadError;
use crate::input::open_file;

/// What is known about a run besides its results.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// Name of the experiment, and the absolute path of its file.
    pub name: String,
    /// The experiment file.
    pub file: String,
    /// The version of fabricsim that wrote it.
    pub version: String,
    /// The version of the results.
    pub model: String,
    /// The experiment with everything it inherits, and the hash of its text.
    pub experiment: Value,
    /// Hash of the experiment as it was resolved.
    pub experiment_hash: String,
    /// Seeds of all points.
    pub seeds: BTreeSet<u64>,
    /// Points of the plan, those that have a row, and those whose flows did not all finish.
    pub points: usize,
    /// Points with results.
    pub points_done: usize,
    /// Points whose flows could not finish.
    pub points_stuck: Vec<u32>,
    /// Whether every point has been run.
    pub complete: bool,
    /// As RFC 3339 has it.
    pub started: String,
    /// When the run ended, in UTC.
    pub ended: String,
    /// Where it ran.
    pub machine: Machine,
}

/// Where a run was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// Logical processors.
    pub processors: usize,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl Manifest {
    /// Whether the experiment asks for `results.parquet`.
    pub fn wants_parquet(&self) -> bool {
        self.experiment["output"]["parquet"] == true
    }

    /// The manifest of a results folder; `None` where there is none.
    ///
    /// # Errors
    /// A file that cannot be read, or is no manifest.
    pub fn read(dir: &Path) -> Result<Option<Self>, ReadError> {
        let path = dir.join("manifest.json");
        match open_file(&path).and_then(io::read_to_string) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| ReadError::content(&path, error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ReadError::file(&path, error)),
        }
    }
}

/// A time as RFC 3339 has it, in UTC, to the second.
pub fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // The Gregorian calendar repeats every 146 097 days; its years are counted from March.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_calendar_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
