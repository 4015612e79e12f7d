//! `fabricsim list`.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::failure::Failure;
use crate::packet_engine::Transport;
use crate::placement::LoadBalancing;
use crate::topology::Topology;
use crate::workload::Workload;

/// Arguments of `fabricsim list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fabricsim list load-balancing
  fabricsim list workloads")]
pub(super) struct List {
    /// Which kind; all of them without
    kind: Option<Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Topologies,
    Workloads,
    LoadBalancing,
    Transports,
}

impl Kind {
    /// Names with a line each.
    fn entries(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Topologies => Topology::ALL,
            Self::Workloads => Workload::ALL,
            Self::LoadBalancing => LoadBalancing::ALL,
            Self::Transports => Transport::ALL,
        }
    }

    /// As the key of the experiment file is called.
    fn key(self) -> &'static str {
        match self {
            Self::Topologies => "topology",
            Self::Workloads => "workload",
            Self::LoadBalancing => "load_balancing",
            Self::Transports => "transport",
        }
    }
}

impl List {
    /// Prints one line per name; with several kinds, under the key of each.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        if let Some(kind) = self.kind {
            return print(out, kind, "");
        }
        for (i, &kind) in Kind::value_variants().iter().enumerate() {
            if i > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{}", kind.key())?;
            print(out, kind, "  ")?;
        }
        Ok(())
    }
}

fn print(out: &mut impl Write, kind: Kind, indent: &str) -> Result<(), Failure> {
    let width = kind.entries().iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, line) in kind.entries() {
        writeln!(out, "{indent}{name:width$}  {line}")?;
    }
    Ok(())
}
