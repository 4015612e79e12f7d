//! Results as nccl-tests prints them: its columns, and its JSON keys.
//!
//! Sizes are what algorithm bandwidth counts, times are completion times, in-place operations take as long as
//! out-of-place ones, and nothing is ever wrong. GB are 10^9 bytes.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::results::{Number, ResultRow, Swept, cell, write_points_json};

/// Bytes of an element: float.
pub(super) const ELEMENT: u64 = 4;

const HEADER: &str = "\
#                                                              out-of-place                       in-place          
#       size         count      type   redop    root     time   algbw   busbw  #wrong     time   algbw   busbw  #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)             (us)  (GB/s)  (GB/s)       
";

/// A figure, 0 where there is none.
fn figure(number: Option<Number>) -> f64 {
    number.map_or(0.0, Number::value)
}

/// The bytes that algorithm bandwidth counts: a multiple of the size of the workload.
pub(super) fn size(row: &ResultRow) -> u64 {
    let counted = figure(row.algbw_gbytes) * figure(row.cct_us) * 1e3;
    match row.size_bytes {
        Some(bytes) if bytes > 0 => (counted / bytes as f64).round().max(1.0) as u64 * bytes,
        _ => counted.round() as u64,
    }
}

/// Whether its operation adds up.
pub(super) fn operation(row: &ResultRow) -> &'static str {
    if row.workload.contains("reduce") { "sum" } else { "none" }
}

/// A time as nccl-tests rounds it.
fn time(us: f64) -> String {
    if us >= 10_000.0 {
        format!("{us:.0}")
    } else if us >= 100.0 {
        format!("{us:.1}")
    } else {
        format!("{us:.2}")
    }
}

/// Writes the rows under the header of nccl-tests; a comment before each says which point it is.
///
/// # Errors
/// Where nothing can be written.
pub fn write_text(out: &mut impl Write, rows: &[ResultRow], swept: &Swept) -> io::Result<()> {
    write!(out, "{HEADER}")?;
    for row in rows {
        let values = swept.keys.iter().zip(swept.of(row.point));
        let told = values.filter(|(key, _)| *key != "load_balancing");
        let told: Vec<String> = told.map(|(key, value)| format!(", {key}={}", cell(value))).collect();
        writeln!(
            out,
            "# point {}: {} on {}, {}{}",
            row.point,
            row.workload,
            row.topology,
            row.load_balancing,
            told.concat()
        )?;
        let (size, us) = (size(row), figure(row.cct_us));
        let timed = format!(
            "  {:>7}  {:>6.2}  {:>6.2}  {:>6}",
            time(us),
            figure(row.algbw_gbytes),
            figure(row.busbw_gbytes),
            0
        );
        let (count, operation) = (size / ELEMENT, operation(row));
        writeln!(
            out,
            "{size:12}  {count:12}  {:>8}  {operation:>6}  {:>6}{timed}{timed}",
            "float", -1
        )?;
    }
    Ok(())
}

/// Writes one object whose `results` are the rows, each with all columns and the keys of nccl-tests beside them.
///
/// # Errors
/// Where nothing can be written.
pub fn write_json(out: &mut impl Write, rows: &[ResultRow], swept: &Swept) -> io::Result<()> {
    let mut text = Vec::new();
    write_points_json(&mut text, rows, swept)?;
    let mut results: Vec<Map<String, Value>> = serde_json::from_slice(&text)?;
    for (object, row) in results.iter_mut().zip(rows) {
        let size = size(row);
        let timed = json!({
            "time": figure(row.cct_us),
            "alg_bw": figure(row.algbw_gbytes),
            "bus_bw": figure(row.busbw_gbytes),
            "nwrong": 0,
        });
        object.insert("size".into(), size.into());
        object.insert("count".into(), (size / ELEMENT).into());
        object.insert("type".into(), "float".into());
        object.insert("redop".into(), operation(row).into());
        object.insert("root".into(), (-1).into());
        object.insert("out_of_place".into(), timed.clone());
        object.insert("in_place".into(), timed);
    }
    serde_json::to_writer_pretty(&mut *out, &json!({ "results": results }))?;
    writeln!(out)
}
