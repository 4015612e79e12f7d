//! `fabricsim new`.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::failure::Failure;

/// Arguments of `fabricsim new`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fabricsim new rail > mine.toml && fabricsim run mine.toml")]
pub(super) struct New {
    /// What it is about
    #[arg(value_enum, default_value_t)]
    kind: Kind,
}

/// Experiments to start from.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// An all-reduce over leaves and spines
    #[default]
    LeafSpine,
    /// Servers with eight GPUs and a network card for each
    Rail,
    /// Hosts with a port in each of several planes
    MultiPlane,
    /// One training step of a transformer
    Training,
}

impl Kind {
    fn text(self) -> &'static str {
        match self {
            Self::LeafSpine => include_str!("templates/leaf-spine.toml"),
            Self::Rail => include_str!("templates/rail.toml"),
            Self::MultiPlane => include_str!("templates/multi-plane.toml"),
            Self::Training => include_str!("templates/training.toml"),
        }
    }
}

impl New {
    /// Prints a commented experiment file.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        Ok(out.write_all(self.kind.text().as_bytes())?)
    }
}
