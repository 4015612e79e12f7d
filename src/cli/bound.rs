//! `fabricsim bound`.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// What the table of prices shows.
const PRICES: Columns = Columns {
    always: &["point", "what", "name", "links", "optimum_us"],
    naming: &["topology", "workload", "size_bytes", "seed"],
    results: &["rate_gbps", "us_per_gbps", "repaired_us", "saved_us"],
};

/// Links that the table of prices shows of a point; the data have all.
const SHOWN_LINKS: usize = 10;

/// Arguments of `fabricsim bound`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fabricsim bound exp.toml               what no scheme can beat, of every point and step
  fabricsim bound exp.toml --prices      what one more Gb/s on each link is worth, and what to repair first
  fabricsim bound exp.toml --format json")]
pub(super) struct Bound {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Print instead what one more Gb/s on each kind of links and each link is worth, and which slow or failed cable to
    /// repair first
    #[arg(long)]
    prices: bool,
    /// How the rows are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Bound {
    /// Prints what is known without simulating.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plan = self.experiment.plan()?;
        let stop = stop_on_interrupt()?;
        let preparer = Preparer::new(&plan, Memory::free());
        if self.prices {
            return self.run_prices(&preparer, stop, out);
        }
        let rows = runner::bound(&preparer, stop)?;
        preparer.warnings().iter().for_each(|warning| warn(warning));
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        Ok(self.format.print(out, &rows, COLUMNS, &runner::swept(&plan))?)
    }

    fn run_prices(&self, preparer: &Preparer<'_>, stop: &AtomicBool, out: &mut impl Write) -> Result<(), Failure> {
        let mut rows = runner::prices(preparer, stop)?;
        preparer.warnings().iter().for_each(|warning| warn(warning));
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        if matches!(self.format, Format::Table | Format::Markdown) {
            let mut shown = BTreeMap::new();
            rows.retain(|row| {
                let links: &mut usize = shown.entry(row.point).or_default();
                *links += usize::from(row.what == "link");
                row.what != "link" || *links <= SHOWN_LINKS
            });
        }
        Ok(self.format.print(out, &rows, PRICES, &runner::swept(preparer.plan()))?)
    }
}
