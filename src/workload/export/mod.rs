//! Schedules as files that other tools read, and that come back as the same schedule.

mod by_rank;
mod chakra;
mod connection_matrix;
mod exported;
mod flows;
mod goal;

pub use exported::{Exported, Inexpressible};

use super::Schedule;

/// How an exported schedule is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// One Chakra execution trace for each host.
    Chakra,
    /// A GOAL program as text.
    Goal,
    /// A connection matrix of htsim, with triggers.
    Cm,
    /// A table of flows that do not wait for each other.
    Flows,
}

impl Schedule {
    /// What a fabric of so many hosts would be told to send, in the files of a format.
    ///
    /// # Errors
    /// Dependencies, starts and computations that the format does not have.
    pub fn export(&self, hosts: u32, format: ExportFormat) -> Result<Exported, Inexpressible> {
        if self.has_endless() {
            let why = "a flow of it has no end";
            return Err(Inexpressible::new(why, "give its flows a size"));
        }
        match format {
            ExportFormat::Chakra => chakra::write(self, hosts),
            ExportFormat::Goal => goal::write(self, hosts),
            ExportFormat::Cm => connection_matrix::write(self, hosts),
            ExportFormat::Flows => flows::write(self),
        }
    }
}
