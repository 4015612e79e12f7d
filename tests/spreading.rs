//! Cases of spreading over paths that were once wrong, each with its right value.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::cli::{folder, stdout};

/// The cells of one column of a results file.
fn column(file: &Path, name: &str) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let position = lines.next().unwrap().iter().position(|cell| *cell == name).unwrap();
    lines.map(|cells| cells[position].to_owned()).collect()
}

/// A permutation on three tiers without oversubscription under nscc. Another simulator (htsim) has 191 us for round
/// robin and for adaptive routing alike; in step they took 226 to 243 us and 214 to 227. Packets of a permuted walk,
/// which is even for every flow, need 177 us: what is more with the others is what random draws pile up, in single runs up to 201 us.
/// So the mean of three seeds is held against the others' times.
#[test]
fn switches_do_not_fall_into_step_on_three_tiers() {
    let dir = folder(&[(
        "sync.toml",
        include_str!("fixtures/cases/sync-fat-tree/experiment.toml"),
    )]);
    stdout(dir.path(), &["run", "sync.toml", "--out", "out", "--quiet"]);
    let results = dir.path().join("out/results.csv");
    let times = column(&results, "cct_us");
    let mut of_scheme: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (scheme, cct) in column(&results, "load_balancing").into_iter().zip(times) {
        of_scheme.entry(scheme).or_default().push(cct.parse().unwrap());
    }
    assert_eq!(of_scheme.len(), 5);
    for (scheme, times) in of_scheme {
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        assert!((168.5..196.0).contains(&mean), "{scheme}: {mean} {times:?}");
    }
}
