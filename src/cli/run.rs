//! `fabricsim run`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::arguments::{ExperimentArgs, warn};
use super::budget::BudgetArg;
use super::failure::Failure;
use super::format::Format;
use super::progress::Meter;
use super::shard::ShardArg;
use super::signals::stop_on_interrupt;
use super::tell::tell;
use crate::experiment::{self, Memory, Plan, Preparer};
use crate::outcome::Stuck;
use crate::report::plots::plot_folder;
use crate::report::table::Columns;
use crate::report::{nccl_tests, summary as summary_by_scheme};
use crate::results::{Number, ResultRow, Swept};
use crate::runner::{self, Begun, Report, RunOptions};

/// What the table shows of results.csv.
const COLUMNS: Columns = Columns {
    always: &["point", "load_balancing"],
    naming: &[
        "engine",
        "topology",
        "hosts",
        "workload",
        "size_bytes",
        "transport",
        "seed",
    ],
    results: &[
        "cct_us",
        "bound_us",
        "cct_over_bound",
        "congestion_ratio",
        "busbw_GBps",
        "fct_p99_us",
        "subflows",
        "ecn_marks",
        "drops",
        "trims",
        "pauses",
        "retransmits",
        "compute_us",
        "exposed_us",
        "mfu",
    ],
};

/// Arguments of `fabricsim run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fabricsim run experiments/quickstart.toml                table, results folder, plots
  fabricsim run exp.toml --set seed=7 --out results/seven  the same with another value
  fabricsim run exp.toml --format nccl-tests               the columns of nccl-tests
  fabricsim run exp.toml --budget 60s                      as exactly as a minute allows
  fabricsim run exp.toml --shard 0/8                       the first of eight equal parts")]
pub(super) struct Run {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Results folder [default: results/NAME]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Points that run at a time, at most as many as there are processors and memory for [default: as many as that]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    /// Run one of N equal parts of the points, I from 0 to N - 1, or the part that a scheduler says; `merge` puts
    /// the parts together
    #[arg(long, value_name = "I/N|auto")]
    shard: Option<ShardArg>,
    /// Be done in this time (`60s`, `10min`, `2h`): skip steady states, or take the fluid, if all is not done in it; what is left out is told
    #[arg(long, value_name = "TIME", conflicts_with = "shard")]
    budget: Option<BudgetArg>,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    format: RunFormat,
    /// Replace the results of another experiment in the folder, and run even if memory may not suffice
    #[arg(long)]
    force: bool,
    /// Print no results, only errors, and draw no plots
    #[arg(long, short)]
    quiet: bool,
}

impl Run {
    /// Runs all points and prints their results.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let memory = if self.force { Memory::UNLIMITED } else { Memory::free() };
        let plan = match self.budget {
            None => self.experiment.plan()?,
            Some(budget) => budget.choose(&self.experiment, self.jobs, memory)?,
        };
        let preparer = Preparer::new(&plan, memory);
        let folder = self
            .out
            .clone()
            .unwrap_or_else(|| PathBuf::from("results").join(plan.name()));
        let shard = self.shard.map(ShardArg::resolve).transpose()?;
        let stop = stop_on_interrupt()?;
        let report = Meter::around(self.quiet, plan.points().len(), |meter| {
            let options = RunOptions {
                out: folder.clone(),
                force: self.force,
                jobs: self.jobs,
                shard,
                stop,
                progress: &|progress| meter.show(progress),
                begun: &|begun| {
                    meter.keep(begun.kept);
                    self.tell_changes(begun);
                },
                warn: &|warning| warn(warning),
            };
            runner::run(&preparer, &options)
        })?;
        if shard.is_some() {
            if !self.quiet {
                tell(shard_summary(&plan, &report, &folder));
            }
            return conclude(&plan, &report);
        }
        if !self.quiet {
            let plots = plots(&report, &folder);
            let swept = runner::swept(&plan);
            self.format.print(out, &report.rows, &swept)?;
            out.flush()?;
            if let Some(summary) = summary_of(self.format, &report, &swept) {
                tell(format_args!("\n{summary}\n"));
            }
            for (point, storm) in &report.storms {
                let (index, percent) = (point.index, storm.share * 1e2);
                tell(format_args!(
                    "point {index}: pause storm: {} was paused {percent:.0} % of the time",
                    storm.link
                ));
            }
            tell(format_args!("{}{plots}", summary(&plan, &report, &folder)));
        }
        conclude(&plan, &report)
    }

    /// What becomes of the points of a changed experiment.
    fn tell_changes(&self, begun: Begun) {
        if begun.changed && !self.quiet {
            tell(format_args!(
                "the experiment has changed: {} points are kept, {} are run, {} are dropped",
                begun.kept, begun.missing, begun.dropped
            ));
        }
    }
}

/// How `run` prints its results.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RunFormat {
    /// Aligned columns: those in which the points differ, and the main results
    #[default]
    Table,
    /// All columns, as in results.csv
    Csv,
    /// An object whose `results` are all rows, with all columns and the keys of nccl-tests
    Json,
    /// The table as Markdown
    Markdown,
    /// The columns of nccl-tests
    NcclTests,
}

impl RunFormat {
    fn print(self, out: &mut impl Write, rows: &[ResultRow], swept: &Swept) -> io::Result<()> {
        let format = match self {
            Self::NcclTests => return nccl_tests::write_text(out, rows, swept),
            Self::Json => return nccl_tests::write_json(out, rows, swept),
            Self::Table => Format::Table,
            Self::Csv => Format::Csv,
            Self::Markdown => Format::Markdown,
        };
        format.print(out, rows, COLUMNS, swept)
    }
}

/// How the schemes compare, for people who read a table.
fn summary_of(format: RunFormat, report: &Report, swept: &Swept) -> Option<String> {
    let for_people = matches!(format, RunFormat::Table | RunFormat::Markdown);
    for_people.then(|| summary_by_scheme(&report.rows, swept)).flatten()
}

/// Draws the plots of a complete folder and says where they are. That they cannot be drawn is no
/// failure of the run.
fn plots(report: &Report, folder: &Path) -> String {
    if report.left > 0 {
        return String::new();
    }
    match plot_folder(folder) {
        Ok(plots) if plots.made.is_empty() => String::new(),
        Ok(plots) => format!("; {} plots in {}", plots.made.len(), folder.join("plots").display()),
        Err(error) => format!("; no plots: {error}"),
    }
}

/// One line on what a shard has done, and what makes a whole of all.
fn shard_summary(plan: &Plan, report: &Report, folder: &Path) -> String {
    format!(
        "{} of {} points, {} belong to other shards; when all are done: fabricsim merge {}",
        report.rows.len(),
        plan.points().len(),
        report.elsewhere,
        folder.display()
    )
}

/// One line on what was done and where it is.
fn summary(plan: &Plan, report: &Report, folder: &Path) -> String {
    let done = report.rows.len();
    let reused = match report.reused {
        0 => String::new(),
        n => format!(" ({n} of them were there already)"),
    };
    format!(
        "{done} of {} points{reused}; results in {}",
        plan.points().len(),
        folder.join("results.csv").display()
    )
}

/// Unfinished flows, interruptions and rows that contradict their bound are failures, told after the results that there are.
fn conclude(plan: &Plan, report: &Report) -> Result<(), Failure> {
    if !report.stuck.is_empty() {
        return Err(Failure::Stuck(stuck_text(report)));
    }
    if report.left > 0 {
        return Err(Failure::Interrupted {
            left: report.left,
            points: plan.points().len(),
        });
    }
    let early = early_text(report);
    if early.is_empty() {
        Ok(())
    } else {
        Err(Failure::ChecksFailed(early))
    }
}

/// The rows that no scheme can have, kept ones too: a fault of the simulation or of the bound.
fn early_text(report: &Report) -> String {
    let early = report.rows.iter().filter(|row| runner::beats_the_bound(row));
    let told = early.map(|row| {
        let figure = |number: Option<Number>| number.unwrap_or_default();
        format!(
            "point {}: the completion time of {} us is below the bound of {} us, which no scheme can beat",
            row.point,
            figure(row.cct_us),
            figure(row.bound_us)
        )
    });
    told.collect::<Vec<_>>().join("\n  ")
}

/// Flows that are named before the rest is only counted.
const NAMED_FLOWS: usize = 5;

fn stuck_text(report: &Report) -> String {
    let mut text = format!("flows did not finish in {} points", report.stuck.len());
    for (point, stuck) in report.stuck.iter().take(NAMED_FLOWS) {
        text += &format!("\n  point {}: {}", point.index, unfinished(stuck));
    }
    if report.stuck.len() > NAMED_FLOWS {
        text += &format!("\n  and {} more points", report.stuck.len() - NAMED_FLOWS);
    }
    text
}

/// What did not finish, with the first flows by name.
pub(super) fn unfinished(stuck: &Stuck) -> String {
    let mut text = stuck.to_string();
    if let Some(limit) = stuck.limit {
        text += &format!("; the limit of {} was reached", experiment::key_of(limit));
    }
    for flow in stuck.unfinished.iter().take(NAMED_FLOWS) {
        text += &format!(
            "\n    flow {}: {} bytes delivered; {}",
            flow.task, flow.delivered, flow.reason
        );
    }
    if stuck.unfinished.len() > NAMED_FLOWS {
        text += &format!("\n    and {} more", stuck.unfinished.len() - NAMED_FLOWS);
    }
    text
}
