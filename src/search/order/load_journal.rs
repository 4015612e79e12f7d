//! The loads of a map with the moves that were tried, to be kept or taken back.

use super::load_tracker::{LoadTracker, Mark};

/// Moves after which loads are added up anew, as rounding adds up, too.
const REFRESH: u32 = 256;

/// A load tracker, and its state before each move that is neither kept nor taken back.
#[derive(Debug)]
pub(super) struct LoadJournal<'a> {
    tracker: LoadTracker<'a>,
    marks: Vec<Mark>,
    kept: u32,
}

impl<'a> LoadJournal<'a> {
    pub(super) fn new(tracker: LoadTracker<'a>) -> Self {
        Self {
            tracker,
            marks: Vec::new(),
            kept: 0,
        }
    }

    pub(super) fn tracker(&self) -> &LoadTracker<'a> {
        &self.tracker
    }

    pub(super) fn tracker_mut(&mut self) -> &mut LoadTracker<'a> {
        &mut self.tracker
    }

    pub(super) fn into_tracker(self) -> LoadTracker<'a> {
        self.tracker
    }

    /// A move begins.
    pub(super) fn begin_move(&mut self) {
        self.marks.push(self.tracker.mark());
    }

    /// Takes the last move that is left back.
    pub(super) fn take_back(&mut self) {
        if let Some(mark) = self.marks.pop() {
            self.tracker.roll_back(mark);
        }
    }

    /// Keeps all moves; says whether it is time to add up all loads anew.
    pub(super) fn keep(&mut self) -> bool {
        self.settle();
        self.kept += 1;
        self.kept.is_multiple_of(REFRESH)
    }

    /// Loads as they are now are what moves start from.
    pub(super) fn settle(&mut self) {
        self.tracker.keep();
        self.marks.clear();
    }
}
