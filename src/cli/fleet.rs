//! `fabricsim fleet`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::arguments::{ExperimentArgs, one_point_only, warn};
use super::failure::Failure;
use super::tell::tell;
use crate::experiment::{Memory, Preparer};
use crate::report::table::Table;
use crate::results::Store;
use crate::search::fleet::{FleetSummary, fleet};

/// Arguments of `fabricsim fleet`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example: with these lines in exp.toml, whose workload is a program
  [fleet]
  jobs = { count = 20, every = \"2ms\", hosts = [8, 16], rounds = [50, 100] }
  outages = { every = \"50ms\", lasts = \"5ms\" }
this prints what each way of giving out hosts comes to:
  fabricsim fleet exp.toml")]
pub(super) struct Fleet {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Folder for fleet.csv, a row for every job under every policy [default: results/NAME-fleet]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
}

impl Fleet {
    /// Simulates the fleet, prints a row for every policy, and writes one for every job.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plan = self.experiment.plan_for_both_engines(&[])?;
        let &[point] = plan.points() else {
            return Err(one_point_only(&plan, "fleet").into());
        };
        let preparer = Preparer::new(&plan, Memory::free());
        let report = fleet(&preparer, point)?;
        preparer.warnings().iter().for_each(|warning| warn(warning));
        let folder = self
            .out
            .clone()
            .unwrap_or_else(|| PathBuf::from("results").join(format!("{}-fleet", plan.name())));
        std::fs::create_dir_all(&folder)?;
        Store::at(&folder).write_rows("fleet.csv", &report.rows)?;
        table(&report.policies).write_text(out)?;
        out.flush()?;
        tell(format_args!(
            "\na row for every job in {}",
            folder.join("fleet.csv").display()
        ));
        Ok(())
    }
}

fn table(policies: &[FleetSummary]) -> Table {
    const HEADINGS: [&str; 9] = [
        "policy",
        "shifts",
        "stretch",
        "stretch_p95",
        "stretch_max",
        "slowdown",
        "wait_us",
        "end_us",
        "used",
    ];
    let row = |one: &FleetSummary| {
        let [mean, most, largest] = one.stretch;
        let numbers = [mean, most, largest, one.slowdown, one.wait_us, one.end_us, one.used];
        let names = [one.policy.to_owned(), one.shifts.to_string()];
        names
            .into_iter()
            .chain(numbers.iter().map(ToString::to_string))
            .collect()
    };
    Table::new(&HEADINGS, policies.iter().map(row).collect())
}
