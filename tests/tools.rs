//! Files to start from, comparisons of folders, and what other tools read.

use std::fs;

use crate::cli::{folder, run, stdout, text};

const EXPERIMENT: &str = r#"
engine = "packet"

[topology.leaf-spine]
leaves = 2
spines = 2
hosts_per_leaf = 2
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }

[workload.all-reduce]
size = "1MB"
algorithm = "ring"

[sweep]
load_balancing = ["ecmp", "spray"]
"workload.all-reduce.size" = ["1MB", "20MB"]
seed = [1, 2]
"#;

/// Every file to start from is complete and runs in seconds.
#[test]
fn files_to_start_from_run() {
    let dir = folder(&[]);
    for kind in ["leaf-spine", "rail", "training"] {
        let file = format!("{kind}.toml");
        fs::write(dir.path().join(&file), stdout(dir.path(), &["new", kind])).unwrap();
        stdout(dir.path(), &["run", &file, "--quiet"]);
    }
    assert_eq!(stdout(dir.path(), &["new"]), stdout(dir.path(), &["new", "leaf-spine"]));
}

/// Scripts run the shards and put them together; nothing is run, and no word of a path is taken for shell.
#[test]
fn schedulers_get_their_scripts() {
    let dir = folder(&[("it's.toml", EXPERIMENT)]);
    for (to, parts) in [
        (
            "slurm",
            &[
                "#SBATCH --array=0-15%4",
                "--shard auto",
                "scontrol requeue",
                "--dependency=afterok:",
                "merge",
            ][..],
        ),
        ("parallel", &["seq 0 15 | parallel -j 4", "--shard {}/16", "merge"]),
        ("hyperqueue", &["--array 0-15", "FABRICSIM_SHARDS=16", "merge"]),
        (
            "kubernetes",
            &[
                "completionMode: Indexed",
                "completions: 16",
                "parallelism: 4",
                "FailIndex",
                "merge",
            ],
        ),
    ] {
        let arguments = [
            "submit",
            "it's.toml",
            "--to",
            to,
            "--shards",
            "16",
            "--throttle",
            "4",
            "--dry-run",
        ];
        let script = stdout(dir.path(), &arguments);
        for part in parts {
            assert!(script.contains(part), "{part} in {script}");
        }
        if to != "kubernetes" {
            let mut shell = std::process::Command::new("bash");
            let checked = shell.args(["-n", "-c", &script]).output().unwrap();
            assert!(checked.status.success(), "{script}\n{}", text(&checked.stderr));
        }
    }
    let none = run(
        dir.path(),
        &["submit", "it's.toml", "--to", "slurm", "--shards", "0", "--dry-run"],
    );
    assert_eq!(none.status.code(), Some(2));
}

/// The columns are those of nccl-tests: 13 fields a row, sizes what algorithm bandwidth counts.
#[test]
fn rows_as_nccl_tests_prints_them() {
    let dir = folder(&[("e.toml", EXPERIMENT)]);
    let printed = stdout(dir.path(), &["run", "e.toml", "--format", "nccl-tests"]);
    let rows: Vec<Vec<&str>> = printed
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 8);
    for row in &rows {
        assert_eq!(row.len(), 13, "{row:?}");
        let number = |at: usize| row[at].parse::<f64>().unwrap();
        assert!([1e6, 20e6].contains(&number(0)), "{row:?}");
        assert_eq!(number(1) * 4.0, number(0));
        assert_eq!((row[2], row[3], row[4]), ("float", "sum", "-1"));
        // GB/s are 10^9 bytes: B/us over 1000.
        assert!((number(0) / number(5) / 1e3 - number(6)).abs() < 0.01, "{row:?}");
        // 2 (n - 1) / n of 4 ranks.
        assert!((number(7) / number(6) - 1.5).abs() < 0.01, "{row:?}");
        assert_eq!(row[5..9], row[9..13]);
    }
    let json: serde_json::Value =
        serde_json::from_str(&stdout(dir.path(), &["run", "e.toml", "--format", "json"])).unwrap();
    let results = json["results"].as_array().unwrap();
    assert_eq!(results.len(), 8);
    for (row, object) in rows.iter().zip(results) {
        assert_eq!(object["size"].to_string(), row[0]);
        assert_eq!(object["out_of_place"]["time"], object["cct_us"]);
        assert_eq!(object["in_place"]["bus_bw"], object["busbw_GBps"]);
    }
}

#[test]
fn a_run_ends_with_how_the_schemes_compare() {
    let dir = folder(&[("e.toml", EXPERIMENT)]);
    let output = run(dir.path(), &["run", "e.toml"]);
    let told = text(&output.stderr);
    assert!(
        told.contains(" is, as the geometric mean over 4 settings,\n  "),
        "{told}"
    );
    assert!(told.contains("as fast as "), "{told}");
}

#[test]
fn folders_are_compared_row_by_row() {
    let dir = folder(&[("e.toml", EXPERIMENT)]);
    let of = |out: &str, set: &[&str]| {
        stdout(dir.path(), &[&["run", "e.toml", "--out", out, "--quiet"], set].concat());
    };
    of("a", &[]);
    of("b", &["--set", "topology.leaf-spine.host_link.rate=50Gbps"]);
    let compared = |arguments: &[&str]| run(dir.path(), &[&["compare"], arguments].concat());
    let same = compared(&["a", "a", "--fail-over", "0"]);
    assert!(same.status.success(), "{}", text(&same.stderr));
    assert!(
        text(&same.stderr).contains("takes 1.0000 of the time"),
        "{}",
        text(&same.stderr)
    );
    // Half the rate of the bottleneck: about twice the time.
    let slower = compared(&["a", "b", "--fail-over", "5"]);
    assert_eq!(slower.status.code(), Some(1));
    let table = text(&slower.stdout);
    let ratios: Vec<f64> = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().rev().nth(2).unwrap().parse().unwrap())
        .collect();
    assert_eq!(ratios.len(), 4, "{table}");
    assert!(ratios.iter().all(|ratio| (1.0..2.1).contains(ratio)), "{table}");
    assert!(compared(&["b", "a", "--fail-over", "5"]).status.success());
    // A scheme that is gone is a failure, one that is new is not.
    of("c", &["--set", "sweep.load_balancing=[\"ecmp\"]"]);
    let gone = compared(&["a", "c", "--fail-over", "5"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stderr).contains("4 rows are gone"), "{}", text(&gone.stderr));
    assert!(compared(&["c", "a", "--fail-over", "5"]).status.success());
    assert_eq!(compared(&["a", "nowhere"]).status.code(), Some(2));
}
