//! The command line: one file per command.
//!
//! Tables and data go to stdout, progress and errors to stderr. Exit codes: 0 done; 1 a comparison
//! failed, or a flow did not finish; 2 usage, configuration or files; 130 interrupted, as a shell has it.

mod arguments;
mod bound;
mod budget;
mod check;
mod compare;
mod design;
mod export;
mod failure;
mod fleet;
mod format;
mod list;
mod man;
mod memory;
mod merge;
mod new;
mod order;
mod over_time;
mod place;
mod plot;
mod progress;
mod report;
mod run;
mod schema;
mod serve;
mod shard;
mod signals;
mod submit;
mod tell;
mod trace;
mod tune;
mod validate;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use failure::Failure;

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
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulate every point of an experiment; cached points are skipped
    Run(run::Run),
    /// A commented experiment file to start from, on stdout
    New(new::New),
    /// What became faster or slower from one results folder to another
    Compare(compare::Compare),
    /// Put together what shards have run: results.csv from the points of a folder; what is missing is named
    Merge(merge::Merge),
    /// Hand the points to a cluster as shards, with a merge behind them
    Submit(submit::Submit),
    /// Bounds, certificates, loads and predictions of every point and step, without simulating
    Bound(bound::Bound),
    /// Place the flows, judge the placement and write it as plan.json
    Place(place::Place),
    /// Which rank lives on which host, and the order of rings: the map with the least congestion, as rank-map.json
    Order(order::Order),
    /// The best values of keys, as [tune] says: searched by bounds, fluid and packets
    Tune(tune::Tune),
    /// Which fabric to buy, as [design] says: a front of price against time, with bills of materials
    Design(design::Design),
    /// Many jobs that come and go on one fabric, as [fleet] says: how much longer each takes, by policy
    Fleet(fleet::Fleet),
    /// Cross-check engines, placements and bounds; exit 1 if a comparison fails
    Validate(validate::Validate),
    /// Write what an experiment sends for other tools: Chakra traces, a GOAL program, a connection matrix, a table
    Export(export::Export),
    /// Draw the plots of a results folder as SVG and PNG, with the CSV behind each
    Plot(plot::Plot),
    /// One self-contained page about a results folder
    Report(report::Report),
    /// A point as a trace that Perfetto opens: operations, flows, queues
    Trace(trace::Trace),
    /// The page of a folder or of a running experiment, live, on this machine
    Serve(serve::Serve),
    /// Validate an experiment file and print it with every default filled in
    Check(check::Check),
    /// What can be written in an experiment file, one line each
    List(list::List),
    /// JSON Schema of the experiment file
    #[command(after_help = "Example:\n  fabricsim schema > experiment.schema.json")]
    Schema,
    /// Completions for a shell
    #[command(
        after_help = "Example:\n  fabricsim completions bash > ~/.local/share/bash-completion/completions/fabricsim"
    )]
    Completions { shell: clap_complete::Shell },
    /// The manual page of the program or of a command, in roff
    Man(man::Man),
}

/// Reads the arguments, does what they say, and reports what went wrong.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return tell_usage(&answer),
    };
    memory::watch();
    let mut out = io::stdout().lock();
    let done = dispatch(cli.command, &mut out).and_then(|()| Ok(out.flush()?));
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

fn dispatch(command: Command, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        Command::Run(run) => run.run(out),
        Command::New(new) => new.run(out),
        Command::Compare(compare) => compare.run(out),
        Command::Merge(merge) => merge.run(out),
        Command::Submit(submit) => submit.run(out),
        Command::Bound(bound) => bound.run(out),
        Command::Place(place) => place.run(out),
        Command::Order(order) => order.run(out),
        Command::Tune(tune) => tune.run(out),
        Command::Design(design) => design.run(out),
        Command::Fleet(fleet) => fleet.run(out),
        Command::Validate(validate) => validate.run(out),
        Command::Export(export) => export.run(out),
        Command::Plot(plot) => plot.run(out),
        Command::Report(report) => report.run(out),
        Command::Trace(trace) => trace.run(out),
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(out),
        Command::List(list) => list.run(out),
        Command::Schema => schema::print(out),
        Command::Completions { shell } => {
            // The generator cannot report a closed pipe: it writes to memory.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "fabricsim", &mut script);
            Ok(out.write_all(&script)?)
        }
        Command::Man(man) => man.run(Cli::command(), out),
    }
}
