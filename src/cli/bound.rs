//! `fabricsim bound`.

use std::io::Write;
use std::sync::atomic::Ordering;

use clap::Args;

use super::arguments::{ExperimentArgs, warn};
use super::failure::Failure;
use super::format::Format;
use super::signals::stop_on_interrupt;
use crate::experiment::{Memory, Preparer};
use crate::report::table::Columns;
use crate::runner;

/// What the table shows of all that is known.
const COLUMNS: Columns = Columns {
    always: &["point", "load_balancing", "step", "bound_us"],
    naming: &["topology", "hosts", "workload", "size_bytes", "seed"],
    results: &[
        "nic_us",
        "pair_us",
        "cut_us",
        "fabric_us",
        "critical_path_us",
        "predicted_us",
        "congestion_us",
        "fabric_congestion_us",
        "optimal_fabric_congestion_us",
        "congestion_ratio",
        "expected_lower_us",
        "expected_upper_us",
        "expected_sampled_us",
        "congested_fabric_link",
    ],
};

/// Arguments of `fabricsim bound`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fabricsim bound exp.toml                                 what no load balancing can beat
  fabricsim bound exp.toml --format json")]
pub struct Bound {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// How the rows are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Bound {
    /// Prints what is known without simulating.
    pub fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plan = self.experiment.plan()?;
        let stop = stop_on_interrupt()?;
        let preparer = Preparer::new(&plan, Memory::free());
        let rows = runner::bound(&preparer, stop)?;
        preparer.warnings().iter().for_each(|warning| warn(warning));
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        Ok(self.format.print(out, &rows, COLUMNS, &runner::swept(&plan))?)
    }
}
