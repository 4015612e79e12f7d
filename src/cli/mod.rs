//! The command line: one file per verb.
//!
//! Tables and data go to stdout, progress and errors to stderr. Exit codes: 0 done; 1 a comparison
//! failed, or a flow did not finish; 2 usage, configuration or files; 130 interrupted, as a shell has it.

mod bound;
mod check;
mod failure;
mod format;
mod list;
mod place;
mod plot;
mod progress;
mod run;
mod schema;
mod tell;
mod validate;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::Setting;
use crate::experiment::Plan;
use failure::Failure;
use tell::tell;

/// Does it matter, on this fabric and for these collectives, how bytes are spread over paths?
#[derive(Debug, Parser)]
#[command(
    name = "fabricsim",
    version,
    about,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "\
Examples:
  fabricsim run experiments/quickstart.toml      table, results folder, plots
  fabricsim run exp.toml --set seed=7            the same with another value
  fabricsim bound exp.toml                       what no scheme can beat
  fabricsim check exp.toml                       every default filled in
  fabricsim list load-balancing                  what can be written there

Exit codes: 0 done; 1 a comparison failed or a flow did not finish;
2 usage, configuration, or a file that cannot be read or written; 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Simulate every point of an experiment; points that are there already are not run again
    Run(run::Run),
    /// Bounds, certificates, loads and predictions of every point and step, without simulating
    Bound(bound::Bound),
    /// Place the flows, judge the placement and write it as plan.json
    Place(place::Place),
    /// Hold engines, placements and bounds against each other; exit 1 if a comparison fails
    Validate(validate::Validate),
    /// Draw the plots of a results folder as SVG and PNG, with the CSV behind each
    Plot(plot::Plot),
    /// Validate an experiment file and print it with every default filled in
    Check(check::Check),
    /// What can be written in an experiment file, one line each
    List(list::List),
    /// JSON Schema of the experiment file
    Schema,
    /// Completions for a shell
    Completions { shell: clap_complete::Shell },
    /// The manual page, in roff
    Man,
}

/// Which experiment, and what is different from the file.
#[derive(Debug, Args)]
struct ExperimentArgs {
    /// Experiment file
    #[arg(value_name = "EXPERIMENT.toml", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Set a key of the experiment: a value of TOML, or a bare text
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    settings: Vec<String>,
}

impl ExperimentArgs {
    /// The plan, every setting of which some point uses.
    fn plan(&self) -> Result<Plan, Failure> {
        self.plan_with(&[])
    }

    /// The same with further settings.
    fn plan_with(&self, further: &[String]) -> Result<Plan, Failure> {
        let plan = self.plan_for_both_engines(further)?;
        plan.check_engine()?;
        Ok(plan)
    }

    /// The plan for who asks both engines, whichever the experiment names.
    fn plan_for_both_engines(&self, further: &[String]) -> Result<Plan, Failure> {
        let dir = self.file.parent().unwrap_or(&self.file);
        let texts = self.settings.iter().chain(further);
        let settings: Result<Vec<_>, _> = texts.map(|text| Setting::parse(text, dir)).collect();
        let plan = Plan::parse(&self.file, &settings?)?;
        plan.warnings().iter().for_each(|warning| warn(warning));
        Ok(plan)
    }
}

/// Tells the user what is likely not meant.
fn warn(warning: &str) {
    tell(format_args!("warning: {warning}"));
}

/// Reads the arguments, does what they say, and reports what went wrong.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return tell_usage(&answer),
    };
    let mut out = io::stdout().lock();
    let done = dispatch(cli.verb, &mut out).and_then(|()| Ok(out.flush()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Help and version, which were asked for, or what is wrong with the arguments.
fn tell_usage(answer: &clap::Error) -> ExitCode {
    match answer.print() {
        _ if answer.use_stderr() => ExitCode::from(2),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => Failure::Io(error).report(),
    }
}

fn dispatch(verb: Verb, out: &mut impl Write) -> Result<(), Failure> {
    match verb {
        Verb::Run(run) => run.run(out),
        Verb::Bound(bound) => bound.run(out),
        Verb::Place(place) => place.run(out),
        Verb::Validate(validate) => validate.run(out),
        Verb::Plot(plot) => plot.run(out),
        Verb::Check(check) => check.run(out),
        Verb::List(list) => list.run(out),
        Verb::Schema => schema::print(out),
        Verb::Completions { shell } => {
            // The generator cannot report a closed pipe: it writes to memory.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "fabricsim", &mut script);
            Ok(out.write_all(&script)?)
        }
        Verb::Man => Ok(clap_mangen::Man::new(Cli::command()).render(out)?),
    }
}

/// A flag that the first Ctrl-C sets; the second ends the process at once.
fn stop_on_interrupt() -> io::Result<&'static AtomicBool> {
    static STOP: AtomicBool = AtomicBool::new(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let listen = async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            tell("\nfinishing what is running; Ctrl-C again stops at once");
        }
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || runtime.block_on(listen))?;
    Ok(&STOP)
}
