//! `fabricsim serve`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

#[cfg(not(feature = "server"))]
use super::failure::Failure;

/// Arguments of `fabricsim serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fabricsim serve results/quickstart                       the page of a folder
  fabricsim serve experiments/quickstart.toml              run it and watch it
  ssh -L 8080:127.0.0.1:8080 cluster                       see it from elsewhere: forward the port

The address has a token that is new every time; only who has it gets anything.")]
pub(super) struct Serve {
    /// Results folder, or an experiment, which is run
    #[arg(value_name = "DIR|EXPERIMENT.toml", value_hint = clap::ValueHint::AnyPath)]
    what: PathBuf,
    /// Port; 0 for any that is free
    #[arg(long, value_name = "N", default_value_t = 8080)]
    port: u16,
    /// Address to listen at; others than this machine's own let others in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: IpAddr,
    /// Set a key of the experiment: a value of TOML, or a bare text
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    settings: Vec<String>,
    /// Results folder of the experiment [default: results/NAME]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
}

#[cfg(not(feature = "server"))]
impl Serve {
    /// Says how to get a build that can.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let Self {
            what,
            port,
            listen,
            settings,
            out,
        } = self;
        let _ = (what, port, listen, settings, out);
        let error = crate::config::ConfigError::new("serve: this build has no server");
        Err(error
            .help("build it with one: cargo install --path . --locked --features server")
            .into())
    }
}

#[cfg(feature = "server")]
mod with_server {
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::Serve;
    use crate::cli::arguments::{ExperimentArgs, warn};
    use crate::cli::failure::Failure;
    use crate::cli::signals::stop_on_interrupt;
    use crate::cli::tell::tell;
    use crate::experiment::{Memory, Preparer};
    use crate::runner::{self, RunOptions};
    use crate::server::{Options, Reporter, Server, State, reporter};

    impl Serve {
        /// Serves until it is interrupted; an experiment is run meanwhile.
        pub(in crate::cli) fn run(&self) -> Result<(), Failure> {
            if !self.listen.is_loopback() {
                warn(&format!(
                    "everybody who can reach {} and knows the address can see the results and cancel the run",
                    self.listen
                ));
            }
            if self.what.is_dir() {
                let options = self.options(self.what.clone(), reporter(0, State::Still), None);
                return self.serve(options, stop_on_interrupt()?, || Ok(()));
            }
            let plan = ExperimentArgs::of(&self.what, &self.settings).plan()?;
            let folder = self
                .out
                .clone()
                .unwrap_or_else(|| std::path::PathBuf::from("results").join(plan.name()));
            let stop = stop_on_interrupt()?;
            // The page cancels the run; Ctrl-C ends both.
            static CANCEL: AtomicBool = AtomicBool::new(false);
            let reporter = reporter(plan.points().len(), State::Running);
            let options = self.options(folder.clone(), reporter.clone(), Some(&CANCEL));
            self.serve(options, stop, || {
                let preparer = Preparer::new(&plan, Memory::free());
                let run = RunOptions {
                    out: folder.clone(),
                    force: false,
                    jobs: 0,
                    shard: None,
                    stop: &CANCEL,
                    progress: &|progress| {
                        if stop.load(Ordering::Relaxed) {
                            CANCEL.store(true, Ordering::Relaxed);
                        }
                        reporter.progress(progress.points, progress.thousandths);
                    },
                    begun: &|_| (),
                    warn: &|warning| warn(warning),
                };
                let done = runner::run(&preparer, &run);
                reporter.end(match &done {
                    Ok(report) if report.left > 0 => State::Cancelled,
                    Ok(_) => State::Done,
                    Err(error) => State::Failed(error.to_string()),
                });
                match done {
                    Ok(report) => tell(format_args!(
                        "{} of {} points are done; Ctrl-C ends the server",
                        report.rows.len(),
                        plan.points().len()
                    )),
                    Err(error) => return Err(Failure::from(error)),
                }
                Ok(())
            })
        }

        fn options(
            &self,
            folder: std::path::PathBuf,
            reporter: Reporter,
            cancel: Option<&'static AtomicBool>,
        ) -> Options {
            Options {
                folder,
                address: self.listen,
                port: self.port,
                reporter,
                cancel,
            }
        }

        /// Serves beside `work`, until the user has had enough of both.
        fn serve(
            &self,
            options: Options,
            stop: &'static AtomicBool,
            work: impl FnOnce() -> Result<(), Failure> + Send,
        ) -> Result<(), Failure> {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?;
            let port = self.port;
            let server = runtime.block_on(Server::bind(options)).map_err(|error| {
                let why = format!("port {port}: {error}; --port 0 takes any that is free");
                io::Error::new(error.kind(), why)
            })?;
            tell(format_args!("{}", server.url));
            std::thread::scope(|scope| {
                let worker = scope.spawn(work);
                let until = async move {
                    while !stop.load(Ordering::Relaxed) {
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                };
                let served = runtime.block_on(server.run(until));
                let worked = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                served?;
                worked
            })
        }
    }
}
