//! What every kind of topology answers.

use super::blueprint::Blueprint;
use crate::input::{Files, InputError};

/// A kind of topology, by its options.
pub(super) trait Kind {
    /// Draws the fabric. Keys in errors are relative to the topology's own table.
    fn draw(&self, files: &dyn Files) -> Result<Blueprint, InputError>;
}

/// A topology of any kind, as a part of another.
pub(super) trait Inner: Kind {
    /// Its name in files.
    fn name(&self) -> &'static str;

    /// Whether it has planes.
    fn has_planes(&self) -> bool;
}
