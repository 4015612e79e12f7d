//! How to run, and why a run ends without results.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use crate::config::ConfigError;

/// How to run.
pub struct RunOptions<'a> {
    /// The results folder.
    pub out: PathBuf,
    /// Replace the results of another experiment.
    pub force: bool,
    /// Points at a time; 0 for as many as possible. Never more than there are points, processors, and memory for.
    pub jobs: usize,
    /// The part of the points that is run; all where it is `None`.
    pub shard: Option<Shard>,
    /// Once true, no further point is begun.
    pub stop: &'a AtomicBool,
    /// Called when a point is done, and now and then while one is simulated.
    pub progress: &'a (dyn Fn(RunProgress) + Sync),
    /// Called once, before any point is run.
    pub begun: &'a (dyn Fn(Begun) + Sync),
    /// Called with what a workload has to say.
    pub warn: &'a (dyn Fn(&str) + Sync),
}

/// One of several equal parts of a plan's points: those whose index, modulo the number of parts, is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// How many there are.
    pub count: u32,
}

impl Shard {
    /// Whether a point belongs to it.
    pub fn has(self, point: u32) -> bool {
        point % self.count == self.index
    }
}

/// What a run finds and does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Whether the folder held other points, as those of the experiment before it was changed.
    pub changed: bool,
    /// Points that are there and stay.
    pub kept: usize,
    /// Points that are not there.
    pub missing: usize,
    /// Points that were there and belong to the experiment no more.
    pub dropped: usize,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunProgress {
    /// Points that are done.
    pub points: usize,
    /// The same in thousandths, with the parts of points that are being simulated.
    pub thousandths: u64,
}

/// Why a run ended without results, or without some of them.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The results folder cannot be written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A point cannot be built.
    #[error("{0}")]
    Config(Box<ConfigError>),
}

impl From<ConfigError> for RunError {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}
