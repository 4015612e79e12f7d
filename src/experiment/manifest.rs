//! `manifest.json`, `experiment.toml` and `points.csv`: what was run, when and where.

use std::collections::BTreeSet;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::plan::{MODEL, Plan};
use super::run::Report;
use super::store::Store;
use crate::config::{ConfigError, absolute};

/// What is known about a run besides its results.
#[derive(Debug)]
pub struct Manifest {
    experiment: String,
    seeds: BTreeSet<u64>,
    started: SystemTime,
    ended: SystemTime,
    done: usize,
    stuck: Vec<u32>,
    left: usize,
}

impl Manifest {
    /// At the start of a run.
    pub fn begin(plan: &Plan) -> Result<Self, ConfigError> {
        let now = SystemTime::now();
        Ok(Self {
            experiment: plan.resolved()?,
            seeds: plan.points().iter().map(|point| point.seed).collect::<BTreeSet<_>>(),
            started: now,
            ended: now,
            done: 0,
            stuck: Vec::new(),
            left: plan.points().len(),
        })
    }

    /// At its end.
    pub fn end(&mut self, report: &Report) {
        self.ended = SystemTime::now();
        self.done = report.rows.len();
        self.left = report.left;
        self.stuck = report.stuck.iter().map(|(point, _)| point.index).collect();
    }

    /// Writes the files.
    pub fn write(&self, plan: &Plan, store: &Store) -> io::Result<()> {
        let text = serde_json::to_string_pretty(&self.json(plan))?;
        store.write("manifest.json", |out| writeln!(out, "{text}"))?;
        store.write("experiment.toml", |out| out.write_all(self.experiment.as_bytes()))?;
        store.write("points.csv", |out| write_points(plan, out))
    }

    fn json(&self, plan: &Plan) -> Value {
        json!({
            "name": plan.name(),
            "file": absolute(plan.file()),
            "version": env!("CARGO_PKG_VERSION"),
            "model": MODEL,
            "experiment": toml::from_str::<Value>(&self.experiment).unwrap_or_default(),
            "experiment_hash": blake3::hash(self.experiment.as_bytes()).to_hex().as_str(),
            "seeds": self.seeds,
            "points": plan.points().len(),
            "points_done": self.done,
            "points_stuck": self.stuck,
            "complete": self.left == 0 && self.stuck.is_empty(),
            "started": utc(self.started),
            "ended": utc(self.ended),
            "machine": {
                "os": std::env::consts::OS,
                "arch": std::env::consts::ARCH,
                "processors": std::thread::available_parallelism().map_or(1, usize::from),
            },
        })
    }
}

/// One row per point: its hash and the values of the swept keys.
pub(super) fn write_points(plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    let keys = plan.sweep().axes().iter().map(|axis| axis.key());
    let header = ["point".to_owned(), "hash".to_owned()].into_iter().chain(keys);
    writer.write_record(header)?;
    for point in plan.points() {
        let values = plan.sweep().values(point.index as usize);
        let values = values.into_iter().map(|(_, value)| value.to_string());
        writer.write_record([point.index.to_string(), point.hash()].into_iter().chain(values))?;
    }
    writer.flush()
}

/// A time as RFC 3339 has it, in UTC, to the second.
fn utc(time: SystemTime) -> String {
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
