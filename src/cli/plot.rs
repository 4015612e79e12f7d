//! `fabricsim plot`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::tell::tell;
use crate::report::plots::plot_folder;

/// Arguments of `fabricsim plot`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fabricsim plot results/quickstart")]
pub(super) struct Plot {
    /// Results folder
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

impl Plot {
    /// Draws what the folder has records for and prints the files, one per line.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plots = plot_folder(&self.folder)?;
        for plot in &plots.made {
            for file in &plot.files {
                writeln!(out, "{}", file.display())?;
            }
        }
        out.flush()?;
        for plot in &plots.skipped {
            tell(format_args!("no {} of {}: {}", plot.name, plot.subject, plot.reason));
        }
        Ok(())
    }
}
