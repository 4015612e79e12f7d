//! Values with reusable places.

use super::prefetch::prefetch;
use crate::ids::{Id, IdVec};

/// Values with reusable places, each an identity of its own.
#[derive(Debug)]
pub(super) struct Slab<I, T> {
    values: IdVec<I, Option<T>>,
    free: Vec<I>,
}

impl<I, T> Default for Slab<I, T> {
    fn default() -> Self {
        Self {
            values: IdVec::default(),
            free: Vec::new(),
        }
    }
}

impl<I: Id, T> Slab<I, T> {
    pub(super) fn insert(&mut self, value: T) -> I {
        if let Some(slot) = self.free.pop() {
            self.values[slot] = Some(value);
            return slot;
        }
        self.values.push(Some(value))
    }

    pub(super) fn remove(&mut self, slot: I) -> Option<T> {
        self.free.push(slot);
        self.values[slot].take()
    }

    #[inline]
    pub(super) fn at(&mut self, slot: I) -> &mut T {
        self.values[slot]
            .as_mut()
            .expect("slots are used between insertion and removal")
    }

    /// Asks for a value, if the slot exists.
    #[inline]
    pub(super) fn fetch(&self, slot: I) {
        if let Some(value) = self.values.get(slot) {
            prefetch(value);
        }
    }

    /// All values, by slot.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }

    /// All values, by slot, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut().flatten()
    }

    /// The value in a slot, if there is one.
    pub(super) fn get(&self, slot: I) -> Option<&T> {
        self.values.get(slot)?.as_ref()
    }
}
