//! Looks after the memory that is left, since a system that has promised more than it has kills without a word.

use std::thread;
use std::time::Duration;

use crate::allocation::run_out;
use crate::experiment::Memory;

/// What a program can take in a second: pages are not handed out faster.
const TAKEN_IN_A_SECOND: f64 = 8e9;

/// The shortest and the longest time between two looks.
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(2);

/// Bytes that must be left: what is taken between two looks that come shortly after each other.
const LEAST: u64 = 128_000_000;

/// Ends the program with a plain word when the memory of the machine is about to run out and it is this program that
/// has most of it.
pub(super) fn watch() {
    // Who gets no thread is not watched.
    let _ = thread::Builder::new()
        .name("memory".into())
        .stack_size(128 << 10)
        .spawn(|| {
            loop {
                let left = Memory::before_the_end().0;
                if left < LEAST && Memory::resident().is_some_and(|own| own.0 > left.max(LEAST)) {
                    run_out(left);
                }
                thread::sleep(until_next_look(left));
            }
        });
}

/// Looks come often where little is left.
fn until_next_look(left: u64) -> Duration {
    let time = left.saturating_sub(LEAST) as f64 / TAKEN_IN_A_SECOND;
    Duration::from_secs_f64(time.min(LONGEST.as_secs_f64())).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_come_before_all_that_is_left_can_be_taken() {
        for left in [0, LEAST, 200_000_000, 1_000_000_000, 8_000_000_000] {
            let taken = until_next_look(left).as_secs_f64() * TAKEN_IN_A_SECOND;
            assert!(taken <= left.saturating_sub(LEAST) as f64 + SHORTEST.as_secs_f64() * TAKEN_IN_A_SECOND);
        }
        assert_eq!(until_next_look(u64::MAX), LONGEST);
    }
}
