//! What every kind of topology answers.

use super::blueprint::Blueprint;
use crate::input::{Files, InputError};

/// A kind of topology, by its options.
pub(super) trait Kind {
    /// Draws the fabric. Keys in errors are relative to the topology's own table.
    fn draw(&self, files: &dyn Files) -> Result<Blueprint, InputError>;

    /// How many hosts share a server, numbered one after the other, where it has servers.
    fn hosts_per_server(&self) -> Option<u32> {
        None
    }
}
