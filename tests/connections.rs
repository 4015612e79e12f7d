//! What a connection is: its transfers follow one another at once, and keep their path.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::{folder, stdout};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/cases")
        .join(name)
        .join("experiment.toml")
}

/// A number of the only row of results.csv.
fn result(out: &Path, column: &str) -> f64 {
    let results = fs::read_to_string(out.join("results.csv")).unwrap();
    let (head, row) = results.trim_end().split_once('\n').unwrap();
    let place = head.split(',').position(|name| name == column).unwrap();
    row.split(',').nth(place).unwrap().parse().unwrap()
}

/// 62 hops in a row around 4 servers of 8 GPUs: 8 between servers (4 us, after 50 ns to the GPU that forwards) and 54
/// within, whatever others wait for.
#[test]
fn a_ring_over_unequal_latencies_is_not_serialized() {
    let hops = 8.0 * 4.05 + 54.0 * 0.05;
    for (engine, sending) in [("flow", 0.01), ("packet", 1.0)] {
        let dir = folder(&[]);
        let experiment = case("unequal-latency-ring");
        let engine = format!("engine={engine}");
        let args = ["run", experiment.to_str().unwrap(), "--set", &engine, "--out", "out"];
        stdout(dir.path(), &args);
        let out = dir.path().join("out");
        let (cct, bound) = (result(&out, "cct_us"), result(&out, "bound_us"));
        assert!((hops..hops + sending).contains(&cct), "{engine}: {cct}");
        assert!((hops..=cct).contains(&bound), "{engine}: {bound}, {cct}");
    }
}
