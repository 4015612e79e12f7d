//! Schedules as files that other tools read, and that come back as the same schedule.

mod by_rank;
mod chakra;
mod connection_matrix;
mod exported;
mod flows;
mod goal;
mod write;

pub use exported::{ExportFormat, Exported, Inexpressible};
