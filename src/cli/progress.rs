//! How far a run is: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::tell::tell;
use crate::runner::RunProgress;

/// Time between two lines.
const EVERY: Duration = Duration::from_secs(10);

/// Takes note of how far a run is.
pub(super) struct Meter {
    total: usize,
    bar: ProgressBar,
    points: AtomicUsize,
    thousandths: AtomicU64,
    /// Points that were there already: they say nothing about the rate.
    kept: AtomicUsize,
}

impl Meter {
    /// Runs `work`, showing how far it is, if at all.
    pub(super) fn around<T>(quiet: bool, points: usize, work: impl FnOnce(&Self) -> T) -> T {
        let terminal = io::stderr().is_terminal();
        let meter = Self::new(
            points,
            if quiet || !terminal {
                ProgressBar::hidden()
            } else {
                bar(points)
            },
        );
        let done = match quiet || terminal {
            true => work(&meter),
            false => meter.with_lines(EVERY, &tell, work),
        };
        meter.bar.finish_and_clear();
        done
    }

    fn new(total: usize, bar: ProgressBar) -> Self {
        Self {
            total,
            bar,
            points: AtomicUsize::new(0),
            thousandths: AtomicU64::new(0),
            kept: AtomicUsize::new(0),
        }
    }

    /// Points that were there already.
    pub(super) fn keep(&self, points: usize) {
        self.kept.store(points, Ordering::Relaxed);
    }

    /// How far the run is now.
    pub(super) fn show(&self, progress: RunProgress) {
        self.points.fetch_max(progress.points, Ordering::Relaxed);
        self.thousandths.fetch_max(progress.thousandths, Ordering::Relaxed);
        // The bar counts thousandths of points.
        self.bar
            .set_message(format!("{}/{} points", progress.points, self.total));
        self.bar.set_position(progress.thousandths);
    }

    fn with_lines<T>(&self, every: Duration, say: &(dyn Fn(String) + Sync), work: impl FnOnce(&Self) -> T) -> T {
        let (end, ended) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let start = Instant::now();
                while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                    say(self.line(start.elapsed()));
                }
            });
            let done = work(self);
            drop(end);
            done
        })
    }

    /// `12/24 points, 3.5 points/min, about 3 min 26 s left`.
    fn line(&self, elapsed: Duration) -> String {
        let points = format!("{}/{} points", self.points.load(Ordering::Relaxed), self.total);
        let done = self.thousandths.load(Ordering::Relaxed) as f64 / 1e3;
        let gained = done - self.kept.load(Ordering::Relaxed) as f64;
        if gained <= 0.0 {
            return format!(
                "{points} after {}, time left not known yet",
                duration(elapsed.as_secs_f64())
            );
        }
        let per_second = gained / elapsed.as_secs_f64();
        let left = (self.total as f64 - done) / per_second;
        format!("{points}, {}, about {} left", rate(per_second), duration(left))
    }
}

fn bar(points: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent} %, {msg}, {elapsed}, about {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let length = points as u64 * 1_000;
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr()).with_style(style);
    bar.set_message(format!("0/{points} points"));
    bar
}

/// In the unit in which it is at least one.
fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate >= 1.0 => format!("{rate:.1} points/s"),
        rate if rate * 60.0 >= 1.0 => format!("{:.1} points/min", rate * 60.0),
        rate => format!("{:.1} points/h", rate * 3_600.0),
    }
}

fn duration(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn meter(kept: usize, points: usize, thousandths: u64) -> Meter {
        let meter = Meter::new(24, ProgressBar::hidden());
        meter.keep(kept);
        meter.show(RunProgress { points, thousandths });
        meter
    }

    #[test]
    fn lines_tell_points_rate_and_time_left() {
        let after = Duration::from_secs(60);
        let line = |kept, points, thousandths| meter(kept, points, thousandths).line(after);
        assert_eq!(line(0, 0, 0), "0/24 points after 1 min 0 s, time left not known yet");
        assert_eq!(
            line(12, 12, 12_000),
            "12/24 points after 1 min 0 s, time left not known yet"
        );
        // Six and a half in a minute besides those that were there: five and a half are left.
        assert_eq!(line(12, 18, 18_500), "18/24 points, 6.5 points/min, about 51 s left");
        assert_eq!(line(0, 23, 23_000), "23/24 points, 23.0 points/min, about 3 s left");
        assert_eq!(line(0, 0, 10), "0/24 points, 0.6 points/h, about 39 h 59 min left");
    }

    #[test]
    fn lines_come_while_the_work_lasts() {
        let said = Mutex::new(Vec::new());
        let say = |line| said.lock().unwrap().push(line);
        let begun = Instant::now();
        let every = Duration::from_millis(5);
        meter(0, 1, 1_000).with_lines(every, &say, |_| {
            while said.lock().unwrap().len() < 3 {
                assert!(begun.elapsed() < Duration::from_secs(60));
                std::thread::sleep(every);
            }
        });
        assert!(
            said.lock()
                .unwrap()
                .iter()
                .all(|line| line.starts_with("1/24 points, "))
        );
    }
}
