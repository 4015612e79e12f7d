//! The rows of every point of a plan, in parallel.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::config::ConfigError;
use crate::experiment::{Point, Preparer};

/// What `rows` says of each point, in the plan's order; fewer if `stop` becomes true.
///
/// # Errors
/// That of the first point for which there are none.
pub(super) fn rows_of_points<R: Send>(
    preparer: &Preparer<'_>,
    stop: &AtomicBool,
    rows: impl Fn(Point) -> Result<Vec<R>, ConfigError> + Sync,
) -> Result<Vec<R>, ConfigError> {
    let found: Vec<_> = preparer
        .plan()
        .points()
        .par_iter()
        .filter(|_| !stop.load(Ordering::Relaxed))
        .map(|&point| rows(point))
        .collect();
    let mut all = Vec::new();
    for rows in found {
        all.extend(rows?);
    }
    Ok(all)
}
