//! Words for people, on stderr. That nobody can hear them is no failure: a full disk or a closed pipe there changes
//! neither results nor exit codes.

use std::fmt::Display;
use std::io::{self, Write};

/// Says a line.
pub(super) fn tell(line: impl Display) {
    // In one write, so that lines of several threads stay whole.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// A time as people say it.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.1 => format!("{:.0} ms", (s * 1e3).max(1.0)),
        s if s < 100.0 => format!("{s:.1} s"),
        s if s < 6_000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}
