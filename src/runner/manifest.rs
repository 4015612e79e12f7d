//! What a run writes down about itself: `manifest.json`, `experiment.toml` and `points.csv`.

use std::io;
use std::time::SystemTime;

use super::swept::{options, swept};
use crate::config::{ConfigError, absolute};
use crate::experiment::Plan;
use crate::results::{Manifest, PointList, RESULTS_VERSION, Store, utc};

/// What is known about a run besides its results.
#[derive(Debug)]
pub(super) struct Description {
    pub manifest: Manifest,
    pub points: PointList,
    /// The experiment with everything it inherits.
    experiment: String,
}

impl Description {
    /// At the start of a run.
    pub(super) fn begin(plan: &Plan) -> Result<Self, ConfigError> {
        let (experiment, now) = (plan.resolved()?, utc(SystemTime::now()));
        let manifest = Manifest {
            name: plan.name().to_owned(),
            file: absolute(plan.file()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: RESULTS_VERSION.to_owned(),
            experiment: toml::from_str(&experiment).unwrap_or_default(),
            experiment_hash: blake3::hash(experiment.as_bytes()).to_hex().to_string(),
            seeds: plan.points().iter().map(|point| point.seed).collect(),
            points: plan.points().len(),
            started: now.clone(),
            ended: now,
            ..Manifest::default()
        };
        let points = PointList {
            hashes: plan.points().iter().map(|point| point.hash()).collect(),
            swept: swept(plan),
            options: options(plan),
        };
        Ok(Self {
            manifest,
            points,
            experiment,
        })
    }

    /// At its end: points that have a row, and those whose flows did not all finish.
    pub(super) fn end(&mut self, done: usize, stuck: Vec<u32>) {
        let manifest = &mut self.manifest;
        manifest.ended = utc(SystemTime::now());
        manifest.complete = done == manifest.points && stuck.is_empty();
        manifest.points_done = done;
        manifest.points_stuck = stuck;
    }

    /// Writes the files.
    pub(super) fn write(&self, store: &Store) -> io::Result<()> {
        store.write_manifest(&self.manifest, &self.experiment, &self.points)
    }
}
