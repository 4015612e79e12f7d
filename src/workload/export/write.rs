//! A schedule in any of the formats.

use super::exported::{ExportFormat, Exported, Inexpressible};
use super::{chakra, connection_matrix, flows, goal};
use crate::workload::Schedule;

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
