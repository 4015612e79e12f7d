//! Values that are expensive to make and shared by many points: made once, kept while they fit.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

type Cell<T, E> = Arc<OnceLock<Result<Arc<T>, E>>>;

/// Values by key. Those that were not used for longest go first when the weights exceed the capacity.
#[derive(Debug)]
pub(super) struct LruCache<T, E> {
    capacity: u64,
    slots: Mutex<Slots<T, E>>,
}

#[derive(Debug)]
struct Slots<T, E> {
    by_key: HashMap<Arc<str>, Slot<T, E>>,
    /// Keys of slots with a weight, by when they were last used.
    by_age: BTreeMap<u64, Arc<str>>,
    /// Sum of the weights.
    total: u64,
    clock: u64,
}

#[derive(Debug)]
struct Slot<T, E> {
    cell: Cell<T, E>,
    weight: u64,
    last_used: u64,
}

impl<T, E: Clone> LruCache<T, E> {
    /// An empty cache for values of this weight in all.
    pub(super) fn new(capacity: u64) -> Self {
        let slots = Slots {
            by_key: HashMap::new(),
            by_age: BTreeMap::new(),
            total: 0,
            clock: 0,
        };
        Self {
            capacity,
            slots: Mutex::new(slots),
        }
    }

    /// The value of a key, made if it is not there. Whoever asks while it is being made waits.
    pub(super) fn get(
        &self,
        key: &str,
        weight: impl Fn(&T) -> u64,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let cell = self.cell(key);
        let value = cell.get_or_init(|| make().map(Arc::new)).clone();
        self.settle(key, value.as_ref().map_or(0, |value| weight(value)));
        value
    }

    /// The weight of all that is kept.
    pub(super) fn weight(&self) -> u64 {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).total
    }

    fn cell(&self, key: &str) -> Cell<T, E> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.clock += 1;
        let now = slots.clock;
        if let Some(slot) = slots.by_key.get_mut(key) {
            let before = std::mem::replace(&mut slot.last_used, now);
            let cell = Arc::clone(&slot.cell);
            if let Some(key) = slots.by_age.remove(&before) {
                slots.by_age.insert(now, key);
            }
            return cell;
        }
        let cell = Cell::default();
        let slot = Slot {
            cell: Arc::clone(&cell),
            weight: 0,
            last_used: now,
        };
        slots.by_key.insert(Arc::from(key), slot);
        cell
    }

    fn settle(&self, key: &str, weight: u64) {
        let slots = &mut *self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.by_key.get_mut(key) {
            slots.total = slots.total - slot.weight + weight;
            slot.weight = weight;
            if weight > 0 {
                slots.by_age.entry(slot.last_used).or_insert_with(|| Arc::from(key));
            }
        }
        while slots.total > self.capacity {
            let oldest = slots.by_age.iter().find(|(_, other)| ***other != *key);
            let Some((&age, _)) = oldest else {
                return;
            };
            let removed = slots.by_age.remove(&age).and_then(|key| slots.by_key.remove(&key));
            slots.total -= removed.map_or(0, |slot| slot.weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_goes_first() {
        let cache: LruCache<u64, ()> = LruCache::new(10);
        let made = Mutex::new(Vec::new());
        let get = |key: &str, value: u64| {
            *cache
                .get(
                    key,
                    |value| *value,
                    || {
                        made.lock().unwrap().push(key.to_owned());
                        Ok(value)
                    },
                )
                .unwrap()
        };
        assert_eq!((get("a", 4), get("b", 5), get("a", 0)), (4, 5, 4));
        get("c", 3);
        get("a", 4);
        get("b", 5);
        assert_eq!(*made.lock().unwrap(), ["a", "b", "c", "b"]);
    }
}
