//! Words for people, on stderr. That nobody can hear them is no failure: a full disk or a closed pipe there changes
//! neither results nor exit codes.

use std::fmt::Display;
use std::io::{self, Write};

/// Says a line.
pub(super) fn tell(line: impl Display) {
    // In one sub-flow, so that lines of several threads stay whole.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
