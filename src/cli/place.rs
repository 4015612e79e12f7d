//! `fabricsim place`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::ExperimentArgs;
use super::failure::Failure;
use super::format::Format;
use super::run::unfinished;
use crate::experiment::config::ConfigError;
use crate::experiment::record::Number;
use crate::experiment::{self, Judged, Plan};
use crate::placement::PlanFile;
use crate::report::table::Columns;

/// What the table shows: the judgement, and with --verify the completion time.
const COLUMNS: Columns = Columns {
    always: &["point", "load_balancing", "flows", "subflows"],
    naming: &["topology", "hosts", "workload", "size_bytes", "seed"],
    results: &[
        "congestion_us",
        "fabric_congestion_us",
        "optimal_fabric_congestion_us",
        "congestion_ratio",
        "bound_us",
        "predicted_us",
        "cct_us",
        "cct_over_bound",
    ],
};

/// Arguments of `fabricsim place`.
#[derive(Debug, Args)]
pub struct Place {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Write the placement to this file; needs an experiment of one point
    #[arg(long, value_name = "plan.json", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Simulate the placement
    #[arg(long, value_enum, value_name = "ENGINE")]
    verify: Option<Engine>,
    /// How the judgement is printed
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
        let (mut rows, mut stuck) = (Vec::new(), None);
        for &point in plan.points() {
            let judged = experiment::judge(&plan, point)?;
            if let Some(path) = &self.out {
                write_plan(path, &plan, &judged)?;
            }
            rows.push(match self.verify {
                None => judged.row,
                Some(_) => {
                    let measured = judged.simulate();
                    stuck = stuck.or(measured.stuck);
                    measured.row
                }
            });
        }
        self.format.print(out, &rows, COLUMNS)?;
        match stuck {
            Some(stuck) => Err(Failure::Stuck(unfinished(&stuck))),
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

fn write_plan(path: &Path, plan: &Plan, judged: &Judged) -> Result<(), Failure> {
    let scene = &judged.scene;
    let name = judged.resolved.experiment.load_balancing.name();
    let file = PlanFile::from_placement(&scene.network.fabric, &scene.schedule, &scene.placement)
        .map_err(|error| plan.locate(&judged.resolved, error.under(&format!("load_balancing.{name}"))))?;
    let file = PlanFile {
        congestion: judged.row.congestion_us.map(|number| number.value()),
        bound: judged.least_congestion_us().map(|bound| Number::new(bound).value()),
        ..file
    };
    let text = serde_json::to_string(&file).map_err(std::io::Error::from)?;
    Ok(fs::write(path, text + "\n")
        .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))?)
}
