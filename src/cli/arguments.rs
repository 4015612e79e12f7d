//! What the commands about experiments share: the file with its settings, and warnings.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use super::tell::tell;
use crate::config::{ConfigError, Setting};
use crate::experiment::{Axis, Plan};
use crate::results::replace;

/// Which experiment, and what is different from the file.
#[derive(Debug, Args)]
pub(super) struct ExperimentArgs {
    /// Experiment file
    #[arg(value_name = "EXPERIMENT.toml", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Set a key of the experiment: a value of TOML, or a bare text
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    settings: Vec<String>,
}

impl ExperimentArgs {
    /// Those of a command that names its file in another way.
    #[cfg(feature = "server")]
    pub(super) fn of(file: &Path, settings: &[String]) -> Self {
        Self {
            file: file.to_owned(),
            settings: settings.to_vec(),
        }
    }

    /// The experiment file.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// What is set on the command line.
    pub(super) fn settings(&self) -> &[String] {
        &self.settings
    }

    /// The plan, every setting of which some point uses.
    pub(super) fn plan(&self) -> Result<Plan, Failure> {
        self.plan_with(&[])
    }

    /// The same with further settings.
    pub(super) fn plan_with(&self, further: &[String]) -> Result<Plan, Failure> {
        let plan = self.plan_for_both_engines(further)?;
        plan.check_engine()?;
        Ok(plan)
    }

    /// The plan for who asks both engines, whichever the experiment names.
    pub(super) fn plan_for_both_engines(&self, further: &[String]) -> Result<Plan, Failure> {
        let dir = self.file.parent().unwrap_or(&self.file);
        let texts = self.settings.iter().chain(further);
        let settings: Result<Vec<_>, _> = texts.map(|text| Setting::parse(text, dir)).collect();
        let plan = Plan::parse(&self.file, &settings?)?;
        plan.warnings().iter().for_each(|warning| warn(warning));
        Ok(plan)
    }
}

/// Tells the user what is likely not meant.
pub(super) fn warn(warning: &str) {
    tell(format_args!("warning: {warning}"));
}

/// Refuses an experiment of several points, for `what` needs one.
pub(super) fn one_point_only(plan: &Plan, what: &str) -> ConfigError {
    one_point_of(plan, what, |_| true)
}

/// Refuses an experiment of several points that differ for `what` in swept keys that it depends on.
pub(super) fn one_point_of(plan: &Plan, what: &str, depends_on: impl Fn(&Axis) -> bool) -> ConfigError {
    let axes = plan.sweep().axes().iter().filter(|axis| depends_on(axis));
    let keys: Vec<_> = axes.map(|axis| format!("--set {}=...", axis.key())).collect();
    let points = plan.points().len();
    ConfigError::new(format!("{what} needs one point, and there are {points}"))
        .help(format!("set what is swept: {}", keys.join(" ")))
}

/// Refuses to write over an input of what is written, `what` by name.
pub(super) fn onto_an_input(input: &Path, what: &str) -> ConfigError {
    ConfigError::new(format!("--out: {} is an input of this {what}", input.display())).help(format!(
        "name another file; {what}s are never written over what they are made from"
    ))
}

/// Writes a file that is there as a whole or not at all.
pub(super) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    replace(path, |out| out.write_all(text.as_bytes()))
}
