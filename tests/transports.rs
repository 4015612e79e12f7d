//! Small experiments whose results follow from how transports are specified: `tests/fixtures/cases`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::cli::{folder, stdout};

/// Runs a case and returns the folder with its results in `out`.
fn case(name: &str) -> TempDir {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases");
    let experiment = cases.join(name).join("experiment.toml");
    let dir = folder(&[]);
    stdout(dir.path(), &["run", experiment.to_str().unwrap(), "--out", "out"]);
    dir
}

/// Rows of a CSV file by the names of some columns.
fn rows<const N: usize>(file: &Path, names: [&str; N]) -> Vec<[String; N]> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let columns = names.map(|name| header.iter().position(|cell| *cell == name).unwrap());
    lines
        .map(|cells| columns.map(|column| cells[column].to_owned()))
        .collect()
}

/// A number of the only row of a run.
fn result(dir: &TempDir, name: &str) -> f64 {
    rows(&dir.path().join("out/results.csv"), [name])[0][0].parse().unwrap()
}

/// A file of the only point of a run.
fn point_file(dir: &TempDir, name: &str) -> std::path::PathBuf {
    let mut points = fs::read_dir(dir.path().join("out/points")).unwrap();
    points.next().unwrap().unwrap().path().join(name)
}

/// K + N packets = 65 KB + 16 x 1064 B, from 0.4 ms on.
#[test]
fn dctcp_converges_at_once() {
    let dir = case("dctcp-alpha");
    let mut most = 0.0_f64;
    for [at, link, queue] in rows(&point_file(&dir, "series.csv"), ["at_us", "link", "queue_bytes"]) {
        let at: f64 = at.parse().unwrap();
        if link == "leaf0->host0" && (400.0..10_000.0).contains(&at) {
            most = most.max(queue.parse().unwrap());
        }
    }
    let theory = 65_000.0 + 16.0 * 1_064.0;
    assert!((most / theory - 1.0).abs() < 0.03, "{most} bytes, theory {theory}");
}

/// 73 us are the bound; htsim's NSCC takes 78 to 91 us in three seeds.
#[test]
fn nscc_does_not_collapse() {
    let cct = result(&case("nscc-collapse"), "cct_us");
    assert!((78.0..100.0).contains(&cct), "{cct} us");
}

/// 500 MB over 25 Gb/s of which a 100 Gb/s sender knows nothing.
#[test]
fn the_line_rate_is_the_senders() {
    let dir = case("line-rate");
    assert!(result(&dir, "ecn_marks") > 0.0);
    assert!(result(&dir, "pauses") > 0.0);
    let cct = result(&dir, "cct_us");
    assert!((162_500.0..171_000.0).contains(&cct), "{cct} us");
    let links = rows(&point_file(&dir, "links.csv"), ["max_queue_bytes"]);
    let queue = links
        .iter()
        .map(|[queue]| queue.parse::<f64>().unwrap())
        .fold(0.0, f64::max);
    assert!(queue >= 83_200.0, "{queue} bytes");
}

/// 100 MB over twice 200 Gb/s: 24 415 packets of 4160 bytes at most.
#[test]
fn bonded_ports_add_up() {
    let cct = result(&case("bonded"), "cct_us");
    assert!((2_031.0..2_033.5).contains(&cct), "{cct} us");
}
