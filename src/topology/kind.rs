//! What every kind of topology answers.

use super::blueprint::Blueprint;
use crate::input::{Files, InputError};

/// A kind of topology, by its options.
pub(super) trait Kind {
    /// Draws the fabric. Keys in errors are relative to the topology's own table.
    fn draw(&self, files: &dyn Files) -> Result<Blueprint, InputError>;
}

/// What can be one plane of several: any kind of topology, named and drawn.
pub trait Plane {
    /// The name of its kind.
    fn name(&self) -> &'static str;

    /// Whether it has planes itself.
    fn has_planes(&self) -> bool;

    /// Draws the fabric. Keys in errors are relative to the topology's own table.
    ///
    /// # Errors
    /// Options that make no fabric.
    fn draw(&self, files: &dyn Files) -> Result<Blueprint, InputError>;
}
