//! What the commands about experiments share: the file with its settings, warnings, and Ctrl-C.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::failure::Failure;
use super::tell::tell;
use crate::config::Setting;
use crate::experiment::Plan;

/// Which experiment, and what is different from the file.
#[derive(Debug, Args)]
pub struct ExperimentArgs {
    /// Experiment file
    #[arg(value_name = "EXPERIMENT.toml", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Set a key of the experiment: a value of TOML, or a bare text
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    settings: Vec<String>,
}

impl ExperimentArgs {
    /// The plan, every setting of which some point uses.
    pub fn plan(&self) -> Result<Plan, Failure> {
        self.plan_with(&[])
    }

    /// The same with further settings.
    pub fn plan_with(&self, further: &[String]) -> Result<Plan, Failure> {
        let plan = self.plan_for_both_engines(further)?;
        plan.check_engine()?;
        Ok(plan)
    }

    /// The plan for who asks both engines, whichever the experiment names.
    pub fn plan_for_both_engines(&self, further: &[String]) -> Result<Plan, Failure> {
        let dir = self.file.parent().unwrap_or(&self.file);
        let texts = self.settings.iter().chain(further);
        let settings: Result<Vec<_>, _> = texts.map(|text| Setting::parse(text, dir)).collect();
        let plan = Plan::parse(&self.file, &settings?)?;
        plan.warnings().iter().for_each(|warning| warn(warning));
        Ok(plan)
    }
}

/// Tells the user what is likely not meant.
pub fn warn(warning: &str) {
    tell(format_args!("warning: {warning}"));
}

/// A flag that the first Ctrl-C sets; the second ends the process at once.
pub fn stop_on_interrupt() -> io::Result<&'static AtomicBool> {
    static STOP: AtomicBool = AtomicBool::new(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let listen = async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            tell("\nfinishing what is running; Ctrl-C again stops at once");
        }
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || runtime.block_on(listen))?;
    Ok(&STOP)
}
