//! The labels of the operations of a rank.

use super::super::trace::OpId;
use crate::ids::Id;
use crate::quick_map::QuickMap;

/// Numbers that the first labels may have for them to be kept by number.
const FIRST: usize = 64;

/// Operations by their labels. Most programs call them `l1`, `l2` and so on: these are kept by number.
#[derive(Default)]
pub(super) struct Labels<'t> {
    /// By the number behind `l`, as long as numbers are not many times those of the labels; NONE where there is no such label.
    numbered: Vec<OpId>,
    others: QuickMap<&'t [u8], OpId>,
    /// The one that was named last, since it is often asked for.
    last: Option<(&'t [u8], OpId)>,
    count: usize,
}

impl<'t> Labels<'t> {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.numbered.clear();
        self.others.clear();
        (self.last, self.count) = (None, 0);
    }

    /// Adds a label.
    ///
    /// # Errors
    /// The operation that has it already.
    pub(super) fn insert(&mut self, label: &'t [u8], operation: OpId) -> Result<(), OpId> {
        let number = number(label);
        if let Some(first) = self.among_all(label, number) {
            return Err(first);
        }
        self.count += 1;
        self.last = Some((label, operation));
        match number.filter(|&number| number < FIRST + 4 * self.count) {
            Some(number) => {
                if number >= self.numbered.len() {
                    self.numbered.resize(number + 1, OpId::NONE);
                }
                self.numbered[number] = operation;
            }
            None => drop(self.others.insert(label, operation)),
        }
        Ok(())
    }

    /// The operation with this label.
    pub(super) fn get(&self, label: &[u8]) -> Option<OpId> {
        match self.last {
            Some((last, operation)) if last == label => Some(operation),
            _ => self.among_all(label, number(label)),
        }
    }

    fn among_all(&self, label: &[u8], number: Option<usize>) -> Option<OpId> {
        let numbered = number.and_then(|number| self.numbered.get(number).copied());
        match numbered.filter(|&operation| operation != OpId::NONE) {
            None if self.others.is_empty() => None,
            None => self.others.get(label).copied(),
            found => found,
        }
    }
}

/// N of a label `lN`, as it would be written.
fn number(label: &[u8]) -> Option<usize> {
    let (b'l', digits @ ([b'0'] | [b'1'..=b'9', ..])) = label.split_first()? else {
        return None;
    };
    let more = |value: usize, &byte: &u8| byte.is_ascii_digit().then(|| 10 * value + usize::from(byte - b'0'));
    (digits.len() <= 8).then(|| digits.iter().try_fold(0, more))?
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// As a map would, whatever the labels are, and however far their numbers are apart.
        #[test]
        fn they_are_a_map(labels in proptest::collection::vec("l[0-9]{1,4}|l0|l00|l12345678[0-9]?|[lm][0-9_l]{0,2}", 1..200)) {
            let (mut ours, mut map) = (Labels::default(), HashMap::new());
            for (label, operation) in labels.iter().zip((0..).map(OpId)) {
                let first = map.get(label).copied();
                let expected = first.map_or(Ok(()), Err);
                map.entry(label).or_insert(operation);
                prop_assert_eq!(ours.insert(label.as_bytes(), operation), expected);
                for label in &labels {
                    prop_assert_eq!(ours.get(label.as_bytes()), map.get(label).copied());
                }
            }
            ours.clear();
            prop_assert!(labels.iter().all(|label| ours.get(label.as_bytes()).is_none()));
        }
    }
}
