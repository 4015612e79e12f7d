//! What the searches ask of a map that they change.

use super::key::Key;
use crate::ids::Id;

/// A map, and the moves to those close to it.
pub(super) trait Neighborhood {
    /// A small change.
    type Move: Copy + std::fmt::Debug;

    /// A place around which moves are proposed.
    type Focus: Id + PartialEq;

    /// A map to come back to.
    type Snapshot: Clone;

    /// Number of those places.
    fn foci(&self) -> u32;

    /// A place that the most loaded links have to do with, by a number that is drawn.
    fn worst_focus(&self, drawn: u64) -> Self::Focus;

    /// The moves around a place.
    fn propose(&mut self, focus: Self::Focus, moves: &mut Vec<Self::Move>);

    /// Those among them that may make the map better.
    fn propose_better(&mut self, focus: Self::Focus, moves: &mut Vec<Self::Move>) {
        self.propose(focus, moves);
    }

    /// The places around which a move changes what others come to.
    fn touched(&self, step: Self::Move, foci: &mut Vec<Self::Focus>);

    fn key(&self) -> Key;

    fn apply(&mut self, step: Self::Move);

    /// Takes the last move that is not taken back or kept, back.
    fn take_back(&mut self, step: Self::Move);

    /// Keeps all moves for good.
    fn keep(&mut self);

    /// The map as it is, to come back to.
    fn snapshot(&self) -> Self::Snapshot;

    /// Another map, or one from before.
    fn begin_with(&mut self, map: Self::Snapshot);
}
