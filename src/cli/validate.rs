//! `fabricsim validate`.

use std::io::Write;

use clap::Args;

use super::arguments::{ExperimentArgs, warn};
use super::failure::Failure;
use super::format::Format;
use super::tell::tell;
use crate::experiment::{Memory, Preparer};
use crate::report::table::Columns;
use crate::results::Swept;
use crate::validation::{Finding, House, Verdict, validate};

/// What the table shows of the findings.
const COLUMNS: Columns = Columns {
    always: &[
        "verdict",
        "point",
        "load_balancing",
        "check",
        "found",
        "expected",
        "tolerance",
    ],
    naming: &[],
    results: &["reason"],
};

/// Arguments of `fabricsim validate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fabricsim validate experiments/validate/leaf-spine.toml")]
pub(super) struct Validate {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// How the findings are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print only what failed, and the summary
    #[arg(long, short)]
    quiet: bool,
}

impl Validate {
    /// Compares engines, placements and bounds at every point.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plan = self.experiment.plan_for_both_engines(&[])?;
        let preparer = Preparer::new(&plan, Memory::free());
        let findings = validate(&preparer, &House)?;
        preparer.warnings().iter().for_each(|warning| warn(warning));
        let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
        let shown: Vec<Finding> = findings
            .iter()
            .filter(|finding| !self.quiet || finding.verdict == Verdict::Fail)
            .cloned()
            .collect();
        if !shown.is_empty() {
            self.format.print(out, &shown, COLUMNS, &Swept::default())?;
        }
        out.flush()?;
        let (passed, failed, skipped) = (count(Verdict::Pass), count(Verdict::Fail), count(Verdict::Skip));
        let summary = format!("{passed} comparisons passed, {failed} failed, {skipped} without meaning at their point");
        if failed > 0 {
            return Err(Failure::ChecksFailed(summary));
        }
        tell(summary);
        Ok(())
    }
}
