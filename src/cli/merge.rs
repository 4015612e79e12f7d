//! `fabricsim merge`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::tell::tell;
use crate::report::ReportError;
use crate::report::plots::plot_folder;
use crate::results;
use crate::runner;

/// Arguments of `fabricsim merge`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fabricsim merge results/exp")]
pub(super) struct Merge {
    /// Results folder
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// Draw no plots, and print only errors
    #[arg(long, short)]
    quiet: bool,
}

/// Missing points that are named before the rest is only counted.
const NAMED_POINTS: usize = 20;

impl Merge {
    /// Writes results.csv and timings.csv from the points that are there, and draws the plots if none is missing.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let merged = results::merge(&self.folder).map_err(ReportError::from)?;
        let (done, points) = (merged.rows.len(), merged.points.hashes.len());
        let missing = merged.missing.clone();
        runner::write_merged(&self.folder, merged)?;
        if !missing.is_empty() {
            return Err(Failure::Incomplete(format!(
                "{} of {points} points are missing: {}; run the shards that have them again, then merge",
                missing.len(),
                named(&missing)
            )));
        }
        if self.quiet {
            return Ok(());
        }
        writeln!(out, "{}", self.folder.join("results.csv").display())?;
        out.flush()?;
        let plots = plot_folder(&self.folder)?;
        tell(format_args!(
            "{done} points; {} plots in {}",
            plots.made.len(),
            self.folder.join("plots").display()
        ));
        Ok(())
    }
}

fn named(points: &[u32]) -> String {
    let names: Vec<String> = points.iter().take(NAMED_POINTS).map(u32::to_string).collect();
    let more = match points.len().saturating_sub(NAMED_POINTS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.join(", ") + &more
}
