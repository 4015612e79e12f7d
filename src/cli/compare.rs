//! `fabricsim compare`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use super::tell::tell;
use crate::report::{ReportError, compare};
use crate::results::Folder;

/// Arguments of `fabricsim compare`.
#[derive(Debug, Args)]
#[command(after_help = "\
Rows are matched by all that they set; several seeds of one setting make one row, with the geometric mean of their ratios.

Example:
  fabricsim compare results/before results/after --fail-over 5")]
pub(super) struct Compare {
    /// Results folder to compare with
    #[arg(value_name = "DIR_A", value_hint = clap::ValueHint::DirPath)]
    before: PathBuf,
    /// Results folder that is compared
    #[arg(value_name = "DIR_B", value_hint = clap::ValueHint::DirPath)]
    after: PathBuf,
    /// Exit with 1 if a setting takes so many percent longer in DIR_B, or has no completion time there
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    fail_over: Option<f64>,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.0..=1e9).contains(&percent) => Ok(percent),
        _ => Err("a number of percent, at least 0, is expected".into()),
    }
}

/// Rows of one folder alone that are named before the rest is only counted.
const NAMED_ROWS: usize = 5;

impl Compare {
    /// Prints the rows that both have, what only one has, and how the second compares in all.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let open = |dir: &Path| Folder::open(dir).map_err(ReportError::from);
        let comparison = compare::compare(&open(&self.before)?, &open(&self.after)?);
        if comparison.settings() > 0 {
            comparison.table().write_text(out)?;
            out.flush()?;
        }
        tell_alone("gone", &comparison.gone);
        tell_alone("new", &comparison.new);
        if comparison.settings() == 0 {
            return Err(Failure::ChecksFailed(
                "no row of one folder has the settings of one of the other".into(),
            ));
        }
        let (ratio, settings) = (comparison.ratio(), comparison.settings());
        tell(format_args!(
            "{} takes {ratio:.4} of the time of {}, geometric mean over {settings} settings",
            self.after.display(),
            self.before.display()
        ));
        let Some(percent) = self.fail_over else { return Ok(()) };
        let (slower, gone) = (comparison.slower(percent), comparison.gone.len());
        if slower + gone == 0 {
            return Ok(());
        }
        Err(Failure::ChecksFailed(format!(
            "{slower} of {settings} settings take more than {percent} % longer, {gone} rows are gone"
        )))
    }
}

fn tell_alone(what: &str, rows: &[String]) {
    for row in rows.iter().take(NAMED_ROWS) {
        tell(format_args!("{what}: {row}"));
    }
    if rows.len() > NAMED_ROWS {
        tell(format_args!("{what}: {} more", rows.len() - NAMED_ROWS));
    }
}
