//! `fabricsim place`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::arguments::{ExperimentArgs, one_point_only, onto_an_input, warn, write_whole};
use super::failure::Failure;
use super::format::Format;
use super::over_time;
use super::run::unfinished;
use super::signals::stop_on_interrupt;
use super::tell::tell;
use crate::config::ConfigError;
use crate::experiment::{Memory, Preparer};
use crate::placement::PlanFile;
use crate::report::table::Columns;
use crate::results::{replace, write_csv};
use crate::runner::{self, PlaceOptions};

/// What the table shows: the evaluation, and with --verify the completion time.
const COLUMNS: Columns = Columns {
    always: &["point", "load_balancing", "flows"],
    naming: &["topology", "hosts", "workload", "size_bytes", "seed", "worst_step"],
    results: &[
        "subflows",
        "ethereal_subflows",
        "spray_subflows",
        "max_pieces",
        "step_congestion_us",
        "step_optimal_us",
        "step_ratio",
        "piece_bound_us",
        "monge_gap_us",
        "regret_us",
        "place_s",
        "predicted_us",
        "cct_us",
        "cct_over_predicted",
        "cct_over_bound",
    ],
};

/// Arguments of `fabricsim place`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fabricsim place exp.toml --set load_balancing=ethereal
  fabricsim place jobs.toml --over-time --out shifted.toml")]
pub(super) struct Place {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Write the placement to this file; needs an experiment of one point
    #[arg(long, value_name = "plan.json", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Write the entries of the switches' tables to this file, as CSV; needs one point, and
    /// `weighted-spray = { weights = "entropic" }`
    #[arg(long, value_name = "weights.csv", value_hint = clap::ValueHint::FilePath)]
    weights: Option<PathBuf>,
    /// Simulate the placement, and beside it ecmp, spray, weighted-spray and ethereal
    #[arg(long, value_enum, value_name = "ENGINE")]
    verify: Option<Engine>,
    /// Plan over time instead, in fluid: start shifts of several [[jobs]] that keep their peaks apart (--out writes the
    /// experiment with these starts), or what goes where while links come and go (--out writes that as JSON)
    #[arg(long, conflicts_with_all = ["weights", "verify", "format"])]
    over_time: bool,
    /// How the evaluation is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Flow,
    Packet,
}

impl Place {
    /// Places every point, prints how good that is, and writes it down.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        if self.over_time {
            return over_time::run(&self.experiment, self.out.as_deref(), out);
        }
        let engine = self.verify.map(|engine| match engine {
            Engine::Flow => "engine=flow".to_owned(),
            Engine::Packet => "engine=packet".to_owned(),
        });
        let plan = self.experiment.plan_with(engine.as_slice())?;
        for (option, path) in [("--out", &self.out), ("--weights", &self.weights)] {
            if path.is_some() && plan.points().len() > 1 {
                return Err(one_point_only(&plan, option).into());
            }
        }
        if let Some(input) = self.out.as_deref().and_then(|out| plan.files().holds(out)) {
            return Err(onto_an_input(&input, "placement").into());
        }
        let preparer = Preparer::new(&plan, Memory::free());
        let report = runner::place(
            &preparer,
            PlaceOptions {
                verify: self.verify.is_some(),
                plan_file: self.out.is_some(),
                weights: self.weights.is_some(),
                stop: stop_on_interrupt()?,
            },
        )?;
        preparer.warnings().iter().for_each(|warning| warn(warning));
        if let (Some(path), Some(file)) = (&self.out, &report.plan_file) {
            write_plan(path, file)?;
        }
        if let Some(path) = &self.weights {
            let Some(weights) = &report.weights else {
                let error = ConfigError::new("--weights: this load balancing has no tables of weights");
                return Err(error
                    .help("write `load_balancing = { weighted-spray = { weights = \"entropic\" } }`")
                    .into());
            };
            replace(path, |out| Ok(write_csv(out, weights)?))?;
        }
        for note in &report.notes {
            tell(note);
        }
        if report.stopped {
            return Err(Failure::Stopped);
        }
        self.format.print(out, &report.rows, COLUMNS, &runner::swept(&plan))?;
        match report.stuck.first() {
            Some((row, stuck)) => Err(Failure::Stuck(format!("{row}: {}", unfinished(stuck)))),
            None => Ok(()),
        }
    }
}

fn write_plan(path: &Path, file: &PlanFile) -> Result<(), Failure> {
    let text = serde_json::to_string(file).map_err(std::io::Error::from)?;
    Ok(write_whole(path, &(text + "\n"))?)
}
