//! `fabricsim check`.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use rayon::prelude::*;

use super::arguments::{ExperimentArgs, warn};
use super::failure::Failure;
use crate::config::ConfigError;
use crate::experiment::{Memory, Preparer};

/// Arguments of `fabricsim check`.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Write the schedule of a point as a graph of tasks in DOT: to this file, or instead of the experiment to stdout
    #[arg(long, value_name = "FILE", num_args = 0..=1, value_hint = clap::ValueHint::FilePath)]
    graph: Option<Option<PathBuf>>,
    /// The point whose schedule that is
    #[arg(long, value_name = "N", default_value_t = 0, requires = "graph")]
    point: usize,
    /// Most tasks that such a graph may have
    #[arg(long, value_name = "N", default_value_t = 100_000, requires = "graph")]
    graph_tasks: usize,
    /// Look at keys, types, options, swept values and files alone: build no fabric, no schedule and no placement
    #[arg(long)]
    quick: bool,
}

impl Check {
    /// Prepares every point and prints the experiment as a file that means the same, or the graph of a point.
    pub fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plan = self.experiment.plan()?;
        let preparer = Preparer::new(&plan, Memory::free());
        if !self.quick {
            prepare_all(&preparer)?;
        }
        match &self.graph {
            Some(None) => return Ok(out.write_all(self.dot(&preparer)?.as_bytes())?),
            Some(Some(path)) => fs::write(path, self.dot(&preparer)?)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?,
            None => {}
        }
        Ok(write!(out, "{}", plan.resolved()?)?)
    }

    /// The schedule of the point.
    fn dot(&self, preparer: &Preparer<'_>) -> Result<String, ConfigError> {
        let plan = preparer.plan();
        let Some(&point) = plan.points().get(self.point) else {
            let count = plan.points().len();
            let message = format!("--point {}: there are {count} points", self.point);
            return Err(ConfigError::new(message).help(format!("they are numbered from 0 to {}", count - 1)));
        };
        let instance = point.prepare(preparer)?.instance;
        let tasks = instance.schedule.tasks().len();
        if tasks > self.graph_tasks {
            let message = format!("--graph: the schedule of point {} has {tasks} tasks", self.point);
            return Err(ConfigError::new(message).help(format!(
                "make the workload smaller, or allow so many: --graph-tasks {tasks}"
            )));
        }
        Ok(instance.schedule.dot())
    }
}

/// Points that are prepared between two looks at whether one is wrong.
const BATCH: usize = 256;

/// Prepares all points, which shows whatever is wrong with them.
fn prepare_all(preparer: &Preparer<'_>) -> Result<(), ConfigError> {
    for points in preparer.plan().points().chunks(BATCH) {
        let prepared: Vec<_> = points
            .par_iter()
            .map(|point| point.prepare(preparer).map(drop))
            .collect();
        preparer.warnings().iter().for_each(|warning| warn(warning));
        prepared.into_iter().collect::<Result<(), _>>()?;
    }
    Ok(())
}
