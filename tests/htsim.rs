//! Inputs of uet-htsim, unchanged, against the results stored with them.

use std::fs;
use std::path::Path;

use crate::cli::{folder, stdout};

/// Shares by which the last acknowledgement may differ: one flow in each direction, incasts and permutations that
/// both simulators fill their links with. docs/htsim.md has more files, and says where differences come from.
const WITHIN: f64 = 0.02;

/// Workload, last finish in us under sender-based and receiver-based control.
const STORED: &[(&str, f64, f64)] = &[
    ("one.cm", 176.2, 177.368),
    ("bidir.cm", 176.804, 178.18),
    ("incast.cm", 2478.53, 2464.44),
    ("perm_16n_16c_2MB.cm", 194.022, 195.673),
];

#[test]
fn stored_results_are_met() {
    let experiment = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/htsim/nodes-16.toml");
    let dir = folder(&[]);
    stdout(dir.path(), &["run", experiment.to_str().unwrap(), "--out", "out"]);
    let out = dir.path().join("out");
    let points = fs::read_to_string(out.join("points.csv")).unwrap();
    let mut compared = 0;
    for point in points.lines().skip(1) {
        let Some((file, sender_based, receiver_based)) =
            STORED.iter().find(|(file, ..)| point.contains(&format!("/{file} ")))
        else {
            continue;
        };
        let stored = if point.contains("nscc") {
            sender_based
        } else {
            receiver_based
        };
        let found = last_acknowledgement(
            &out.join("points")
                .join(point.split(',').nth(1).unwrap())
                .join("flows.csv"),
        );
        assert!(
            (found / stored - 1.0).abs() < WITHIN,
            "{file}: {found} us, stored {stored} us"
        );
        compared += 1;
    }
    assert_eq!(compared, 2 * STORED.len());
}

/// When the last acknowledgement of a run reached its sender, in us.
fn last_acknowledgement(flows: &Path) -> f64 {
    let text = fs::read_to_string(flows).unwrap();
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap().split(',').collect();
    let column = |name| header.iter().position(|&column| column == name).unwrap();
    let (start, ack) = (column("start_us"), column("ack_fct_us"));
    let times = lines.map(|line| {
        let cells: Vec<_> = line.split(',').collect();
        cells[start].parse::<f64>().unwrap() + cells[ack].parse::<f64>().unwrap()
    });
    times.fold(0.0, f64::max)
}
