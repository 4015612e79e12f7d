//! `fabricsim check`.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::arguments::{ExperimentArgs, warn};
use super::failure::Failure;
use super::shard::ShardArg;
use super::tell::{seconds, tell};
use crate::config::ConfigError;
use crate::experiment::{Memory, Preparer};
use crate::runner::{Estimate, estimate, survey};

/// Arguments of `fabricsim check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fabricsim check exp.toml                                 every default filled in, and what it will cost
  fabricsim check exp.toml --shard 0/64                    what the first of 64 parts will cost
  fabricsim check exp.toml --quick                         the text alone
  fabricsim check exp.toml --graph | dot -Tsvg > graph.svg")]
pub(super) struct Check {
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
    /// Prepare the points of one of N equal parts alone, I from 0 to N - 1, and tell what that part costs
    #[arg(long, value_name = "I/N|auto")]
    shard: Option<ShardArg>,
    /// Look at keys, types, options, swept values and files alone: build no fabric, no schedule and no placement
    #[arg(long)]
    quick: bool,
}

impl Check {
    /// Prepares every point, tells what all will cost, and prints the experiment as a file that means the same, or the graph
    /// of a point.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plan = self.experiment.plan()?;
        let preparer = Preparer::new(&plan, Memory::free());
        if !self.quick {
            let shard = self.shard.map(ShardArg::resolve).transpose()?;
            let sizes = survey(&preparer, shard, &|warning| warn(warning))?;
            if self.graph.is_none() {
                tell(told(&estimate(&preparer, &sizes)?));
            }
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

/// What a plan costs, in a line.
fn told(estimate: &Estimate) -> String {
    let Estimate {
        points,
        hosts,
        transfers,
        memory,
        memory_in_all,
        longest_s,
        all_s,
        ..
    } = *estimate;
    let packets = estimate
        .packets
        .map_or(String::new(), |packets| format!(" and {} packets", count(packets)));
    let each = if points == 1 { "" } else { " at most" };
    let all = match points {
        1 => String::new(),
        _ => format!(
            "; about {} of CPU time and {} of memory in all, one at a time",
            seconds(all_s),
            megabytes(memory_in_all)
        ),
    };
    let memory = if points == 1 { memory_in_all } else { memory };
    format!(
        "{points} {}: {hosts} hosts, {} transfers{packets}, about {} of memory and {} each{each}{all}",
        if points == 1 { "point" } else { "points" },
        count(transfers),
        megabytes(memory),
        seconds(longest_s),
    )
}

/// In three digits or so.
fn count(number: u64) -> String {
    match number {
        0..100_000 => number.to_string(),
        100_000..100_000_000 => format!("{:.1} million", number as f64 / 1e6),
        _ => format!("{:.1} billion", number as f64 / 1e9),
    }
}

fn megabytes(bytes: u64) -> String {
    match bytes as f64 / 1e6 {
        mb if mb < 1_000.0 => format!("{:.0} MB", mb.max(1.0)),
        mb => format!("{:.1} GB", mb / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_told_in_a_line() {
        let mut estimate = Estimate {
            points: 24,
            hosts: 256,
            transfers: 65_280,
            packets: Some(1_250_000),
            memory: 12_345_678,
            memory_in_all: 98_765_432,
            longest_s: 0.42,
            all_packets: Some(3_000_000),
            all_s: 130.0,
        };
        assert_eq!(
            told(&estimate),
            "24 points: 256 hosts, 65280 transfers and 1.2 million packets, about 12 MB of memory and 0.4 s each at most; about 2 min of CPU time and 99 MB of memory in all, one at a time"
        );
        (estimate.points, estimate.packets) = (1, None);
        assert_eq!(
            told(&estimate),
            "1 point: 256 hosts, 65280 transfers, about 99 MB of memory and 0.4 s each"
        );
    }
}
