//! What every benchmark shares: CPU time, and a calibration that tells how fast this machine is now.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use cpu_time::ProcessTime;
use fabricsim::rng::mix;

/// Events pending in the hold model.
const PENDING: u64 = 10_000;
/// Hold operations timed.
const OPERATIONS: u64 = 2_000_000;
/// Differences of time drawn by the hold model, in picoseconds: constants of real fabrics.
const DELTAS: [u64; 8] = [83_000, 166_000, 332_000, 340_500, 500_000, 505_000, 664_000, 833_000];

/// CPU nanoseconds of one hold operation (pop the earliest event, push it again later) on a std
/// `BinaryHeap` of 24-byte events: the unit in which results are the same on fast and slow machines.
pub fn hold_ns() -> f64 {
    let mut heap: BinaryHeap<Reverse<(u64, u64, u64)>> =
        (0..PENDING).map(|i| Reverse((mix(i) % 833_000, i, 0))).collect();
    let start = ProcessTime::now();
    for i in 0..OPERATIONS {
        if let Some(Reverse((time, id, payload))) = heap.pop() {
            let delta = DELTAS[(mix(i) & 7) as usize];
            heap.push(Reverse((time + delta, id, payload + 1)));
        }
    }
    black_box(&heap);
    start.elapsed().as_nanos() as f64 / OPERATIONS as f64
}

/// The CPU seconds of one call, with its result.
#[allow(dead_code, reason = "each benchmark uses what it needs of this module")]
pub fn cpu_seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = ProcessTime::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}

/// Runs shorter than this are repeated.
const SHORT: f64 = 0.1;
/// How often, in all.
const REPEATS: usize = 15;

/// The CPU seconds of one call, with its result: where a call is short, the median of several, for the first pays for
/// the memory that the process gets from the system.
#[allow(dead_code, reason = "each benchmark uses what it needs of this module")]
pub fn repeated<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    let (first, result) = cpu_seconds(&mut work);
    if first > SHORT {
        return (first, result);
    }
    let mut seconds: Vec<f64> = (1..REPEATS).map(|_| cpu_seconds(&mut work).0).collect();
    seconds.push(first);
    seconds.sort_unstable_by(f64::total_cmp);
    (seconds[REPEATS / 2], result)
}
