//! Memory for points that are simulated at the same time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::experiment::Memory;

/// What there is, and what of it is taken. A point that takes more than there is has it all to itself.
#[derive(Debug)]
pub(super) struct Budget {
    free: u64,
    taken: Mutex<Taken>,
    given_back: Condvar,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: u64,
    points: usize,
}

/// What a point has taken, until it is dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    pub(super) fn of(memory: Memory) -> Self {
        Self {
            free: memory.0,
            taken: Mutex::default(),
            given_back: Condvar::new(),
        }
    }

    /// Waits until there are so many bytes.
    pub(super) fn take(&self, bytes: u64) -> Share<'_> {
        let full = |taken: &mut Taken| taken.points > 0 && taken.bytes.saturating_add(bytes) > self.free;
        let taken = self.given_back.wait_while(self.lock(), full);
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        taken.bytes = taken.bytes.saturating_add(bytes);
        taken.points += 1;
        Share { budget: self, bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut taken = self.budget.lock();
        taken.bytes = taken.bytes.saturating_sub(self.bytes);
        taken.points -= 1;
        self.budget.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn points_together_never_take_more_than_there_is() {
        let (budget, inside) = (Budget::of(Memory(100)), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for bytes in [30, 40, 50, 60, 70, 30, 100] {
                let (budget, inside) = (&budget, &inside);
                scope.spawn(move || {
                    for _ in 0..200 {
                        let _share = budget.take(bytes);
                        assert!(inside.fetch_add(bytes, Ordering::SeqCst) + bytes <= 100);
                        inside.fetch_sub(bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        // More than there is: alone.
        let first = budget.take(1_000);
        assert_eq!(budget.lock().points, 1);
        drop(first);
        drop(budget.take(u64::MAX));
        assert_eq!(budget.lock().bytes, 0);
    }
}
