//! Placements evaluated, written, run again and simulated, as a user does it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::cli::{folder, run, stdout, text};

/// 4 leaves x 3 spines x 4 hosts; every host sends to all below another leaf.
const SMALL: &str = r#"
load_balancing = "optimal-transport"
workload = { all-to-all = { message = "60KB" } }

[topology.leaf-spine]
leaves = 4
spines = 3
hosts_per_leaf = 4
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }
"#;

const FAILED: &str = r#"
extends = "small.toml"
faults = [{ link = "leaf0-spine0", down = true }, { link = "leaf2-spine1", rate = "50Gbps" }]
"#;

/// The rows of a CSV by column.
fn rows(csv: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

fn place(dir: &Path, args: &[&str]) -> Vec<HashMap<String, String>> {
    let args: Vec<&str> = ["place"]
        .iter()
        .chain(args)
        .chain(&["--format", "csv"])
        .copied()
        .collect();
    rows(&stdout(dir, &args))
}

fn number(row: &HashMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

#[test]
fn a_plan_is_written_and_runs_again_with_the_same_result() {
    let planned = "extends = \"failed.toml\"\nload_balancing = { plan = \"plan.json\" }\n";
    let dir = folder(&[
        ("e/small.toml", SMALL),
        ("e/failed.toml", FAILED),
        ("e/planned.toml", planned),
        ("e/swept.toml", "extends = \"small.toml\"\n[sweep]\nseed = [1, 2]\n"),
    ]);
    let dir = dir.path();
    let placed = place(dir, &["e/failed.toml", "--out", "e/plan.json"]);
    assert_eq!(placed.len(), 1);
    let plan: serde_json::Value = serde_json::from_slice(&fs::read(dir.join("e/plan.json")).unwrap()).unwrap();
    assert_eq!(plan["flows"].as_array().unwrap().len(), 16 * 15);
    assert_eq!(
        plan["congestion"].as_f64().unwrap(),
        number(&placed[0], "congestion_us")
    );
    let (congestion, bound) = (plan["congestion"].as_f64().unwrap(), plan["bound"].as_f64().unwrap());
    assert!(
        congestion >= bound && congestion <= bound * 1.002,
        "{congestion} over {bound}"
    );
    assert_eq!(plan["monge_gap"].as_f64().unwrap(), number(&placed[0], "monge_gap_us"));
    for engine in ["flow", "packet"] {
        let results = |file: &str| {
            let engine = format!("engine={engine}");
            let csv = stdout(
                dir,
                &[
                    "run",
                    file,
                    "--set",
                    &engine,
                    "--out",
                    &format!("{file}.{engine}"),
                    "--format",
                    "csv",
                ],
            );
            csv.replace(",optimal-transport,", ",?,")
                .replace(",plan(file=plan.json),", ",?,")
        };
        assert_eq!(results("e/failed.toml"), results("e/planned.toml"));
    }
    // A plan of several points has no one file; without one they are evaluated in one table.
    let swept = run(dir, &["place", "e/swept.toml", "--out", "plan.json"]);
    assert_eq!(swept.status.code(), Some(2));
    assert!(
        text(&swept.stderr).contains("--set seed=..."),
        "{}",
        text(&swept.stderr)
    );
    assert_eq!(place(dir, &["e/swept.toml"]).len(), 2);
}

#[test]
fn a_verified_plan_stands_beside_the_schemes_that_everybody_has() {
    let dir = folder(&[("small.toml", SMALL), ("failed.toml", FAILED)]);
    let rows = place(dir.path(), &["failed.toml", "--verify", "flow"]);
    let names: Vec<&str> = rows.iter().map(|row| row["load_balancing"].as_str()).collect();
    assert_eq!(
        names,
        ["optimal-transport", "ecmp", "spray", "weighted-spray", "ethereal"]
    );
    // Sub-flows weighted by size, one step, one start: the fluid takes exactly as long as its worst link.
    for row in &rows {
        assert!((number(row, "cct_over_predicted") - 1.0).abs() <= 1e-6, "{row:?}");
        assert!(number(row, "step_congestion_us") >= number(row, "step_optimal_us") * (1.0 - 1e-6));
        assert!(number(row, "step_congestion_us") >= number(row, "piece_bound_us") * (1.0 - 1e-6));
        assert!(number(row, "monge_gap_us") <= number(row, "regret_us") + 1e-6);
    }
    assert!(number(&rows[0], "step_ratio") <= 1.002, "{:?}", rows[0]);
    assert!(
        number(&rows[2], "step_ratio") > 1.2,
        "spraying knows no faults: {:?}",
        rows[2]
    );
    assert!(number(&rows[0], "subflows") < number(&rows[0], "ethereal_subflows"));
    assert_eq!(rows[0]["spray_subflows"], rows[2]["subflows"]);
    // The bytes on every link are those of the plan.
    let checked = stdout(dir.path(), &["validate", "failed.toml", "--format", "csv"]);
    assert!(checked.contains("flow link bytes = assigned"), "{checked}");
    // Where sub-flows are equal and links as well, packets take as long as the fluid.
    let shift = "workload={ shift = { message = \"1MB\", offset = 4, channels = 3 } }";
    let ideal = [
        "small.toml",
        "--verify",
        "packet",
        "--set",
        "transport=ideal",
        "--set",
        shift,
    ];
    let off = number(&place(dir.path(), &ideal)[0], "cct_over_predicted");
    assert!((off - 1.0).abs() <= 0.03, "{off}");
}

#[test]
fn peers_are_shared_by_the_points_of_a_sweep_and_dynamic_schemes_are_not_judged() {
    let swept = "extends = \"small.toml\"\n[sweep]\nload_balancing = [\"ethereal\", { optimal-transport = { max_pieces = 1 } }, \"reps\"]\n";
    let dir = folder(&[("small.toml", SMALL), ("swept.toml", swept)]);
    let args = [
        "swept.toml",
        "--verify",
        "packet",
        "--set",
        "workload.all-to-all.message=4KiB",
    ];
    let rows = place(dir.path(), &args);
    let names: Vec<&str> = rows.iter().map(|row| row["load_balancing"].as_str()).collect();
    let expected = [
        "ethereal",
        "ecmp",
        "spray",
        "weighted-spray",
        "optimal-transport(max_pieces=1)",
        "reps",
    ];
    assert_eq!(names, expected);
    assert_eq!(rows[5]["step_congestion_us"], "");
    assert!(number(&rows[5], "cct_us") > 0.0);
}

#[test]
fn options_work_from_an_experiment_file() {
    let whole =
        "load_balancing = { optimal-transport = { scope = \"schedule\", prefer = \"short\", solver = \"exact\" } }\n";
    let rings = "workload = { all-reduce = { size = \"1MB\", algorithm = \"ring\" } }\n";
    let tiers = r#"
load_balancing = { optimal-transport = { max_pieces = 2 } }
workload = { shift = { message = "100KB", offset = 4 } }
[topology.fat-tree]
pods = 2
tors_per_pod = 2
aggs_per_pod = 2
cores = 4
hosts_per_tor = 2
host_link = { rate = "100Gbps" }
tor_link = { rate = "100Gbps" }
core_link = { rate = "100Gbps" }
"#;
    let keep = "extends = \"../failed.toml\"\nload_balancing = { optimal-transport = { keep = \"plan.json\" } }\n";
    let dir = folder(&[
        ("small.toml", SMALL),
        ("failed.toml", FAILED),
        ("whole.toml", &format!("extends = \"failed.toml\"\n{whole}")),
        ("rings.toml", &format!("extends = \"failed.toml\"\n{rings}")),
        ("tiers.toml", tiers),
        ("later/keep.toml", keep),
    ]);
    let dir = dir.path();
    for file in ["whole.toml", "rings.toml", "tiers.toml"] {
        let row = &place(dir, &[file, "--verify", "flow"])[0];
        assert!(number(row, "step_ratio") <= 1.002, "{file}: {row:?}");
    }
    // A plan that is as good as any stays as it is.
    // Its name is relative to the file that names it.
    place(dir, &["failed.toml", "--out", "later/plan.json"]);
    let kept = place(dir, &["later/keep.toml", "--out", "kept.json"]);
    assert_eq!(kept[0]["load_balancing"], "optimal-transport(keep=plan.json)");
    let subflows = |name: &str| {
        let plan: serde_json::Value = serde_json::from_slice(&fs::read(dir.join(name)).unwrap()).unwrap();
        plan["flows"].clone()
    };
    assert_eq!(subflows("later/plan.json"), subflows("kept.json"));
}
