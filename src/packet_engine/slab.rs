//! Values with reusable places.

use super::prefetch::prefetch;

/// Values with reusable places.
#[derive(Debug)]
pub(super) struct Slab<T> {
    values: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.values[slot as usize] = Some(value);
            return slot;
        }
        self.values.push(Some(value));
        self.values.len() as u32 - 1
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<T> {
        self.free.push(slot);
        self.values[slot as usize].take()
    }

    #[inline]
    pub(super) fn at(&mut self, slot: u32) -> &mut T {
        self.values[slot as usize]
            .as_mut()
            .expect("slots are used between insertion and removal")
    }

    /// Asks for a value, if the slot exists.
    #[inline]
    pub(super) fn fetch(&self, slot: u32) {
        if let Some(value) = self.values.get(slot as usize) {
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
    pub(super) fn get(&self, slot: u32) -> Option<&T> {
        self.values.get(slot as usize)?.as_ref()
    }
}
