//! Writes the folder's own files when shards are put together.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::enter;
use crate::results::{Merged, Store, remove_plots, utc};

/// Writes `results.csv`, `timings.csv` and `manifest.json` of what was merged; plots of other rows go.
///
/// # Errors
/// Files that cannot be written.
pub fn write_merged(dir: &Path, merged: Merged) -> io::Result<()> {
    let store = Store::at(dir);
    let _lock = enter::lock(&store)?;
    remove_plots(store.dir())?;
    store.write_points("results.csv", &merged.rows, &merged.points.swept)?;
    if merged.manifest.wants_parquet() {
        store.write_parquet("results.parquet", &merged.rows, &merged.points.swept)?;
    }
    store.write_rows("timings.csv", &merged.timings)?;
    let mut manifest = merged.manifest;
    manifest.ended = utc(SystemTime::now());
    manifest.points_done = merged.rows.len();
    manifest.complete = merged.missing.is_empty();
    let text = serde_json::to_string_pretty(&manifest)?;
    store.write("manifest.json", |out| writeln!(out, "{text}"))
}
