//! A vector by identity.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Index, IndexMut};
use std::{slice, vec};

use super::id::Id;

/// A value for every identity of a kind: a vector that no other number indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdVec<I, T> {
    values: Vec<T>,
    by: PhantomData<fn(I)>,
}

impl<I: Id, T> IdVec<I, T> {
    /// Without values.
    pub(crate) const fn new() -> Self {
        Self {
            values: Vec::new(),
            by: PhantomData,
        }
    }

    /// Without values, with room for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Vec::with_capacity(count).into()
    }

    /// The same value so many times.
    pub(crate) fn filled(value: T, count: usize) -> Self
    where
        T: Clone,
    {
        vec![value; count].into()
    }

    /// Adds a value, and says whose it is.
    pub(crate) fn push(&mut self, value: T) -> I {
        let id = I::from_index(self.values.len());
        self.values.push(value);
        id
    }

    /// The values alone, by index.
    pub(crate) fn as_slice(&self) -> &[T] {
        &self.values
    }

    /// The values, by number, to be changed.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// Takes the last value off.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.values.pop()
    }

    /// As many values as there are, or `value` for those that are missing.
    pub(crate) fn resize(&mut self, count: usize, value: T)
    where
        T: Clone,
    {
        self.values.resize(count, value);
    }

    /// Takes all values away.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.values.reserve(more);
    }

    /// The value of an identity, if there is one.
    #[inline]
    pub(crate) fn get(&self, id: I) -> Option<&T> {
        self.values.get(id.index())
    }

    /// The value of an identity, to be changed, if there is one.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.values.get_mut(id.index())
    }

    /// All identities.
    pub(crate) fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + Clone + use<I, T> {
        (0..self.values.len()).map(I::from_index)
    }

    /// All identities with their values.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        self.values
            .iter()
            .enumerate()
            .map(|(index, value)| (I::from_index(index), value))
    }
}

impl<I: Id, T> Index<I> for IdVec<I, T> {
    type Output = T;

    #[inline]
    fn index(&self, id: I) -> &T {
        &self.values[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for IdVec<I, T> {
    #[inline]
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.values[id.index()]
    }
}

impl<I, T> Deref for IdVec<I, T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<I, T> DerefMut for IdVec<I, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}

impl<I, T> Default for IdVec<I, T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<I, T> From<Vec<T>> for IdVec<I, T> {
    fn from(values: Vec<T>) -> Self {
        Self {
            values,
            by: PhantomData,
        }
    }
}

impl<I, T> FromIterator<T> for IdVec<I, T> {
    fn from_iter<A: IntoIterator<Item = T>>(values: A) -> Self {
        Vec::from_iter(values).into()
    }
}

impl<I, T> Extend<T> for IdVec<I, T> {
    fn extend<A: IntoIterator<Item = T>>(&mut self, values: A) {
        self.values.extend(values);
    }
}

impl<I, T> IntoIterator for IdVec<I, T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter()
    }
}

impl<'a, I, T> IntoIterator for &'a IdVec<I, T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter()
    }
}

impl<'a, I, T> IntoIterator for &'a mut IdVec<I, T> {
    type Item = &'a mut T;
    type IntoIter = slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter_mut()
    }
}
