//! The pieces whose bottleneck a constraint is.

use super::NONE;
use crate::flow_engine::constraints::DIRECT;

/// The constraints that see all of a piece's rate besides its bottleneck. [`super::Sharing::nobody`], which nothing
/// limits, fills up the end.
pub(super) type Others = [u32; 1 + DIRECT];

/// A piece, as its bottleneck knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// Reading of the bottleneck's clock at which the piece ends.
    pub end: f64,
    pub start: f64,
    pub weight: f64,
    /// Weight times the fraction of the rate that the bottleneck sees.
    pub share: f64,
    pub piece: u32,
    pub segment: u32,
    /// The bottleneck sees all of its rate.
    pub whole: bool,
}

/// Pieces by slot. What is read with every change of the level lies apart from the rest.
#[derive(Debug, Clone, Default)]
pub(super) struct HeldList {
    pub pieces: Vec<Held>,
    pub others: Vec<Others>,
    /// The weight of all of them, where it is the same and none has a segment.
    alike: Option<f64>,
}

impl HeldList {
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The weight of every piece, if it is the same and all of its rate is seen by all that it crosses.
    pub(super) fn alike(&self) -> Option<f64> {
        self.alike
    }

    pub(super) fn push(&mut self, held: Held, others: Others) {
        let alike = self.is_empty() || self.alike == Some(held.weight);
        self.alike = (alike && held.segment == NONE).then_some(held.weight);
        self.pieces.push(held);
        self.others.push(others);
    }

    /// Removes a piece; the last one takes its slot.
    pub(super) fn swap_remove(&mut self, slot: usize) -> (Held, Others) {
        (self.pieces.swap_remove(slot), self.others.swap_remove(slot))
    }

    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.others.clear();
    }

    pub(super) fn reserve(&mut self, additional: usize) {
        self.pieces.reserve(additional);
        self.others.reserve(additional);
    }
}
