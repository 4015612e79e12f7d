//! `fabricsim report`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::tell::tell;
use crate::report::html::{PageOptions, page, write_page};

/// Arguments of `fabricsim report`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fabricsim report results/quickstart                     results/quickstart/report.html
  fabricsim report results/quickstart --out page.html
  fabricsim report results/quickstart --point 7           with the details of point 7 first")]
pub(super) struct Report {
    /// Results folder
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// The page [default: report.html in the folder]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// A point whose details the page has before others; there is room for some
    #[arg(long = "point", value_name = "N")]
    points: Vec<u32>,
}

impl Report {
    /// Writes the page and prints where it is.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let options = PageOptions {
            points: self.points.clone(),
            live: None,
        };
        let made = page(&self.folder, &options)?;
        let path = self.out.clone().unwrap_or_else(|| self.folder.join("report.html"));
        write_page(&made, &path)?;
        writeln!(out, "{}", path.display())?;
        out.flush()?;
        if made.detailed < made.with_details {
            tell(format_args!(
                "the page has room for the details of {} points; --point N chooses others",
                made.detailed
            ));
        }
        Ok(())
    }
}
