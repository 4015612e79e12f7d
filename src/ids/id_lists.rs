//! A list by identity.

use std::iter;
use std::marker::PhantomData;
use std::ops::{Index, Range};

use super::id::Id;

/// A list of values for every identity of a kind, all of them one after the other in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdLists<I, T> {
    /// The list of identity `i` is `values[starts[i]..starts[i + 1]]`.
    starts: Vec<u32>,
    values: Vec<T>,
    by: PhantomData<fn(I)>,
}

impl<I: Id, T> IdLists<I, T> {
    /// Without lists.
    pub(crate) fn new() -> Self {
        Self::with_capacity(0, 0)
    }

    /// Without lists, with room for so many with so many values in all.
    pub(crate) fn with_capacity(lists: usize, values: usize) -> Self {
        let mut starts = Vec::with_capacity(lists + 1);
        starts.push(0);
        Self {
            starts,
            values: Vec::with_capacity(values),
            by: PhantomData,
        }
    }

    /// A list for each of `count` identities, of what it is given among the pairs, in their order.
    pub(crate) fn grouped(count: usize, pairs: impl Iterator<Item = (I, T)> + Clone) -> Self
    where
        T: Copy,
    {
        let mut starts = vec![0_u32; count + 1];
        pairs.clone().for_each(|(id, _)| starts[id.index() + 1] += 1);
        for at in 0..count {
            starts[at + 1] = starts[at]
                .checked_add(starts[at + 1])
                .expect("lists within 2^32 values");
        }
        let mut values: Vec<T> = match pairs.clone().next() {
            Some((_, any)) => iter::repeat_n(any, starts[count] as usize).collect(),
            None => Vec::new(),
        };
        // Every start moves on to the end of its list, which is the start of the next.
        for (id, value) in pairs {
            let at = &mut starts[id.index()];
            values[*at as usize] = value;
            *at += 1;
        }
        starts.copy_within(0..count, 1);
        starts[0] = 0;
        Self {
            starts,
            values,
            by: PhantomData,
        }
    }

    /// Adds a list, and says whose it is.
    pub(crate) fn push(&mut self, list: impl IntoIterator<Item = T>) -> I {
        self.push_with(|values| values.extend(list))
    }

    /// Adds the list of what `fill` appends, and says whose it is.
    pub(crate) fn push_with(&mut self, fill: impl FnOnce(&mut Vec<T>)) -> I {
        fill(&mut self.values);
        let end = u32::try_from(self.values.len()).expect("lists within 2^32 values");
        self.starts.push(end);
        I::from_index(self.starts.len() - 2)
    }

    /// Lists.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// All identities.
    pub(crate) fn ids(&self) -> impl ExactSizeIterator<Item = I> + Clone + use<I, T> {
        (0..self.len()).map(I::from_index)
    }

    /// Where the list of an identity lies among the values of all.
    #[inline]
    pub(crate) fn range(&self, id: I) -> Range<usize> {
        let index = id.index();
        self.starts[index] as usize..self.starts[index + 1] as usize
    }

    /// The values of all lists, one after the other.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }

    /// The values of all lists, to be changed.
    pub(crate) fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}

impl<I: Id, T> Default for IdLists<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I: Id, T> Index<I> for IdLists<I, T> {
    type Output = [T];

    #[inline]
    fn index(&self, id: I) -> &[T] {
        &self.values[self.range(id)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::NodeId;

    /// Lists that are pushed are lists that are grouped.
    #[test]
    fn grouped_by_what_they_belong_to() {
        let pairs = [(2, 'a'), (0, 'b'), (2, 'c'), (3, 'd'), (0, 'e')];
        let grouped = IdLists::grouped(5, pairs.iter().map(|&(node, letter)| (NodeId(node), letter)));
        let mut pushed = IdLists::new();
        let ids = ["be", "", "ac", "d", ""].map(|list| pushed.push(list.chars()));
        for (at, &id) in ids.iter().enumerate() {
            assert_eq!(id, NodeId::from(at));
            assert_eq!(grouped[id], pushed[id]);
        }
        assert_eq!((grouped.len(), pushed.len()), (5, 5));
        assert_eq!(pushed.values(), ['b', 'e', 'a', 'c', 'd']);
    }
}
