//! What the searches ask of a map that they change.

use super::key::Key;

/// A map, and the moves to those close to it.
pub(super) trait Neighborhood {
    /// A small change.
    type Move: Copy + std::fmt::Debug;

    /// Number of places around which moves are proposed.
    fn foci(&self) -> u32;

    /// A place that the most loaded links have to do with, by a number that is drawn.
    fn worst_focus(&self, drawn: u64) -> u32;

    /// The moves around a place.
    fn propose(&mut self, focus: u32, moves: &mut Vec<Self::Move>);

    fn key(&self) -> Key;

    fn apply(&mut self, step: Self::Move);

    /// Takes the last move that is not taken back or kept, back.
    fn take_back(&mut self, step: Self::Move);

    /// Keeps all moves for good.
    fn keep(&mut self);

    /// The map as it is, to come back to.
    fn snapshot(&self) -> Vec<u32>;

    /// Another map, or one from before.
    fn begin_with(&mut self, map: Vec<u32>);
}
