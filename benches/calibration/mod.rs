//! What every benchmark shares: CPU time, and a calibration that tells how fast this machine is now.

#[allow(dead_code, reason = "most benchmarks run in one process")]
pub(crate) mod cases;

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
pub(crate) fn hold_ns() -> f64 {
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
pub(crate) fn cpu_seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = ProcessTime::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}

/// Short calls are repeated until they have taken this long together.
const SECONDS: f64 = 1.0;
/// But not more often than this.
const REPEATS: usize = 15;

/// The CPU seconds of one call, with its result: where a call is short, the median of several, for the first pays for
/// the memory that the process gets from the system.
#[allow(dead_code, reason = "each benchmark uses what it needs of this module")]
pub(crate) fn repeated<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    let (first, result) = cpu_seconds(&mut work);
    let mut seconds = vec![first];
    while seconds.iter().sum::<f64>() < SECONDS && seconds.len() < REPEATS {
        seconds.push(cpu_seconds(&mut work).0);
    }
    seconds.sort_unstable_by(f64::total_cmp);
    (seconds[seconds.len() / 2], result)
}

/// The part of the CPU time of some work that was spent in this process itself, the rest in the system for it; to a
/// tick of 10 ms. 1 where the system does not tell.
#[allow(dead_code, reason = "each benchmark uses what it needs of this module")]
pub(crate) fn user_share<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let before = ticks();
    let result = work();
    let spent = before.zip(ticks()).map(|(a, b)| (b.0 - a.0, b.1 - a.1));
    let share = spent.filter(|&(user, system)| user + system > 0.0);
    (share.map_or(1.0, |(user, system)| user / (user + system)), result)
}

/// Ticks of this process, its own and the system's for it (proc_pid_stat(5): fields 14 and 15).
fn ticks() -> Option<(f64, f64)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11).map(|field| field.parse().ok());
    Some((fields.next()??, fields.next()??))
}

/// The largest resident size of this process so far, where the system tells.
#[allow(dead_code, reason = "each benchmark uses what it needs of this module")]
pub(crate) fn peak_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("");
    let kib = line.split_whitespace().nth(1).and_then(|word| word.parse::<f64>().ok());
    kib.unwrap_or(0.0)
}
