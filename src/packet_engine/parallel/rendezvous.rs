//! Where threads wait for each other.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

/// Windows are so short that a thread which sleeps would wake up too late; one that has spun so often lets others have its processor.
const SPINS: u32 = 1 << 12;

/// A barrier of so many threads, which may be used again and again.
#[derive(Debug)]
pub(super) struct Rendezvous {
    count: u32,
    arrived: AtomicU32,
    /// How often all have been there.
    met: AtomicU32,
    /// A thread will not come any more.
    broken: AtomicBool,
}

impl Rendezvous {
    pub(super) fn new(count: u32) -> Self {
        Self {
            count,
            arrived: AtomicU32::new(0),
            met: AtomicU32::new(0),
            broken: AtomicBool::new(false),
        }
    }

    /// Waits until all are here. What any thread has written before, all see after it. False where one has panicked.
    pub(super) fn wait(&self) -> bool {
        let met = self.met.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.count {
            self.arrived.store(0, Ordering::Relaxed);
            self.met.store(met.wrapping_add(1), Ordering::Release);
            return true;
        }
        let mut spins = 0;
        while self.met.load(Ordering::Acquire) == met {
            if self.broken.load(Ordering::Relaxed) {
                return false;
            }
            spins += 1;
            if spins < SPINS {
                spin_loop();
            } else {
                thread::yield_now();
            }
        }
        true
    }

    /// Sets the others free should this thread panic.
    pub(super) fn attend(&self) -> Attendance<'_> {
        Attendance(self)
    }
}

/// A thread that the others wait for.
#[derive(Debug)]
pub(super) struct Attendance<'a>(&'a Rendezvous);

impl Drop for Attendance<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.broken.store(true, Ordering::Relaxed);
        }
    }
}
