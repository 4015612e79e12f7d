//! Lists of one or two ranks that many operations have: each is kept once.

use std::hash::Hash;
use std::sync::Arc;

use crate::quick_map::QuickMap;

/// Those that have been asked for.
#[derive(Debug)]
pub(super) struct ShortLists<E>(QuickMap<[E; 2], Arc<[E]>>);

impl<E> Default for ShortLists<E> {
    fn default() -> Self {
        Self(QuickMap::default())
    }
}

impl<E: Copy + Eq + Hash> ShortLists<E> {
    /// A list; longer ones are made anew.
    pub(super) fn get(&mut self, list: &[E]) -> Arc<[E]> {
        let key = match *list {
            [one] => [one, one],
            [one, other] => [one, other],
            _ => return list.into(),
        };
        // No list has the same rank twice.
        Arc::clone(self.0.entry(key).or_insert_with(|| list.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_itself() {
        let mut lists = ShortLists::default();
        for list in [&[1][..], &[2], &[1, 2], &[2, 1], &[1], &[1, 2], &[1, 2, 3], &[]] {
            assert_eq!(*lists.get(list), *list);
        }
        assert!(Arc::ptr_eq(&lists.get(&[2, 1]), &lists.get(&[2, 1])));
    }
}
