//! `fabricsim trace`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::tell::tell;
use crate::report::trace::trace;

/// Arguments of `fabricsim trace`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fabricsim trace results/quickstart --point 3 --out trace.pftrace
opens at https://ui.perfetto.dev, and in Perfetto's trace processor without a network. Operations need `ops = true`
under [output] of the experiment, flows `flows = true`, queues and the use of links `series` and `links`.")]
pub(super) struct Trace {
    /// Results folder
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// The point
    #[arg(long, value_name = "N", default_value_t = 0)]
    point: u32,
    /// The trace
    #[arg(long, value_name = "FILE", default_value = "trace.pftrace", value_hint = clap::ValueHint::FilePath)]
    out: PathBuf,
}

impl Trace {
    /// Writes the trace and prints where it is.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let traced = trace(&self.folder, self.point, &self.out)?;
        writeln!(out, "{}", self.out.display())?;
        out.flush()?;
        tell(format_args!(
            "{} operations, {} flows, {} samples of links",
            traced.operations, traced.flows, traced.samples
        ));
        Ok(())
    }
}
