//! `fabricsim export`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::arguments::{ExperimentArgs, one_point_of, warn};
use super::failure::Failure;
use crate::config::ConfigError;
use crate::experiment::{Axis, Memory, Plan, Prepared, Preparer};
use crate::workload::ExportFormat;

/// Arguments of `fabricsim export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fabricsim export exp.toml --to chakra --out traces    a trace for every rank
  fabricsim export exp.toml --to infragraph --out .     the fabric")]
pub(super) struct Export {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// What is written
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: To,
    /// Folder of the files
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
}

/// What an experiment says of how its transfers are sent, and of what is written about them: no export depends on it.
const HOW_IT_IS_SENT: [&str; 7] = [
    "engine",
    "flow",
    "load_balancing",
    "output",
    "packet",
    "switch",
    "transport",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    /// Execution traces: trace.0.et, trace.1.et, ...
    Chakra,
    /// A program: schedule.goal
    Goal,
    /// A connection matrix of htsim, with triggers: schedule.cm
    Cm,
    /// A table of flows: flows.csv
    Flows,
    /// The fabric, without its faults: infragraph.json
    Infragraph,
}

impl To {
    /// How a schedule is written; none where it is not.
    fn format(self) -> Option<ExportFormat> {
        match self {
            Self::Chakra => Some(ExportFormat::Chakra),
            Self::Goal => Some(ExportFormat::Goal),
            Self::Cm => Some(ExportFormat::Cm),
            Self::Flows => Some(ExportFormat::Flows),
            Self::Infragraph => None,
        }
    }

    /// Whether what is written depends on a table, or a key outside of tables, of the experiment.
    fn depends_on(self, table: &str) -> bool {
        match self {
            Self::Infragraph => table == "topology",
            _ => !HOW_IT_IS_SENT.contains(&table),
        }
    }
}

impl Export {
    /// Writes the files and says their names, one a line.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plan = self.experiment.plan()?;
        let depends_on = |axis: &Axis| self.to.depends_on(&axis.path[0]);
        let point = match plan.points() {
            [first, ..] if !plan.sweep().axes().iter().any(depends_on) => first,
            _ => return Err(one_point_of(&plan, "export", depends_on).into()),
        };
        let preparer = Preparer::new(&plan, Memory::free());
        let prepared = point.prepare(&preparer)?;
        preparer.warnings().iter().for_each(|warning| warn(warning));
        let files = match self.to.format() {
            Some(format) => schedule_files(&prepared, format)?,
            None => vec![("infragraph.json".to_owned(), fabric_file(&plan, &prepared)?)],
        };
        fs::create_dir_all(&self.out).map_err(|error| named(&self.out, &error))?;
        for (name, bytes) in files {
            let path = self.out.join(name);
            if let Some(input) = plan.files().holds(&path) {
                return Err(onto_an_input(&plan, &input).into());
            }
            fs::write(&path, bytes).map_err(|error| named(&path, &error))?;
            writeln!(out, "{}", path.display())?;
        }
        Ok(())
    }
}

/// The schedule, file by file.
fn schedule_files(prepared: &Prepared, format: ExportFormat) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let instance = &prepared.instance;
    let exported = instance.schedule.export(instance.network.fabric.hosts(), format);
    let exported = exported.map_err(|error| {
        ConfigError::new(format!("the schedule cannot be written so: {}", error.why)).help(error.help)
    })?;
    exported.warnings.iter().for_each(|warning| warn(warning));
    Ok(exported.files)
}

/// The fabric as it is built.
fn fabric_file(plan: &Plan, prepared: &Prepared) -> Result<Vec<u8>, Failure> {
    let topology = &prepared.resolved.experiment.topology;
    let drawing = topology.blueprint(plan.files());
    let drawing = drawing.map_err(|error| ConfigError::new(error.to_string()))?;
    if drawing.detours.is_some() {
        warn("InfraGraph has no word for detours: whoever reads the file again has the minimal paths alone");
    }
    Ok(drawing.to_infragraph(topology.name()).into_bytes())
}

fn named(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn onto_an_input(plan: &Plan, input: &Path) -> ConfigError {
    ConfigError::new(format!(
        "--out: {} is an input of {}",
        input.display(),
        plan.file().display()
    ))
    .help("name another folder; what is exported is never written over what it is made from")
}
