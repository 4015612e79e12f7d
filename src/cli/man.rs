//! `fabricsim man`.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Command};

use super::failure::Failure;
use crate::config::ConfigError;

/// Arguments of `fabricsim man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fabricsim man | man -l -                        the page of the program
  fabricsim man run | man -l -                    that of a command
  fabricsim man --out ~/.local/share/man/man1     all pages as files")]
pub(super) struct Man {
    /// The command; without it, the program
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
    /// Write the pages of the program and of all commands into this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, conflicts_with = "command")]
    out: Option<PathBuf>,
}

impl Man {
    /// Prints a page in roff, or writes all.
    pub(super) fn run(&self, mut program: Command, out: &mut impl Write) -> Result<(), Failure> {
        // Commands are called by the name of the program and their own.
        program.build();
        if let Some(dir) = &self.out {
            std::fs::create_dir_all(dir)?;
            return Ok(clap_mangen::generate_to(program, dir)?);
        }
        let page = match &self.command {
            None => program,
            Some(name) => match program.find_subcommand(name) {
                Some(command) => command.clone(),
                None => {
                    let error = ConfigError::new(format!("man: there is no command `{name}`"));
                    return Err(error.help("`fabricsim --help` lists them").into());
                }
            },
        };
        Ok(clap_mangen::Man::new(page).render(out)?)
    }
}
