//! `fabricsim check`.

use std::io::Write;

use clap::Args;

use super::ExperimentArgs;
use super::failure::Failure;

/// Arguments of `fabricsim check`.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    experiment: ExperimentArgs,
}

impl Check {
    /// Validates every point and prints the experiment as a file that means the same.
    pub fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plan = self.experiment.plan()?;
        Ok(write!(out, "{}", plan.resolved()?)?)
    }
}
