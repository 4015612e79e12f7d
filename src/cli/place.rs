//! `fabricsim place`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::arguments::{ExperimentArgs, warn};
use super::failure::Failure;
use super::format::Format;
use super::run::unfinished;
use super::signals::stop_on_interrupt;
use super::tell::tell;
use crate::config::ConfigError;
use crate::experiment::{Memory, Plan, Preparer};
use crate::placement::PlanFile;
use crate::report::table::Columns;
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
  fabricsim place exp.toml --set load_balancing=ethereal")]
pub struct Place {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Write the placement to this file; needs an experiment of one point
    #[arg(long, value_name = "plan.json", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Simulate the placement, and beside it ecmp, spray, weighted-spray and ethereal
    #[arg(long, value_enum, value_name = "ENGINE")]
    verify: Option<Engine>,
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
    pub fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let engine = self.verify.map(|engine| match engine {
            Engine::Flow => "engine=flow".to_owned(),
            Engine::Packet => "engine=packet".to_owned(),
        });
        let plan = self.experiment.plan_with(engine.as_slice())?;
        if self.out.is_some() && plan.points().len() > 1 {
            return Err(one_point_only(&plan).into());
        }
        if let Some(input) = self.out.as_deref().and_then(|out| plan.files().holds(out)) {
            return Err(onto_an_input(&input).into());
        }
        let preparer = Preparer::new(&plan, Memory::free());
        let report = runner::place(
            &preparer,
            PlaceOptions {
                verify: self.verify.is_some(),
                plan_file: self.out.is_some(),
                stop: stop_on_interrupt()?,
            },
        )?;
        preparer.warnings().iter().for_each(|warning| warn(warning));
        if let (Some(path), Some(file)) = (&self.out, &report.plan_file) {
            write_plan(path, file)?;
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

fn one_point_only(plan: &Plan) -> ConfigError {
    let keys: Vec<_> = plan.sweep().axes().iter().map(|axis| axis.key()).collect();
    ConfigError::new(format!("--out needs one point, and there are {}", plan.points().len())).help(format!(
        "set what is swept: {}",
        keys.iter()
            .map(|key| format!("--set {key}=..."))
            .collect::<Vec<_>>()
            .join(" ")
    ))
}

fn onto_an_input(input: &Path) -> ConfigError {
    ConfigError::new(format!("--out: {} is an input of this placement", input.display()))
        .help("name another file; plans are never written over what they are made from")
}

fn write_plan(path: &Path, file: &PlanFile) -> Result<(), Failure> {
    let text = serde_json::to_string(file).map_err(std::io::Error::from)?;
    Ok(fs::write(path, text + "\n")
        .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))?)
}
