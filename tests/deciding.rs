//! Orders, tuned values and designs, as a user finds them.

use std::fs;
use std::path::Path;

use crate::cli::{folder, run, stdout, text};

/// 64 of 256 hosts, four of which share each up-link.
const SCATTERED: &str = r#"
load_balancing = "ecmp"

[topology.leaf-spine]
leaves = 16
spines = 4
hosts_per_leaf = 16
host_link = { rate = "400Gbps" }
fabric_link = { rate = "400Gbps" }

[workload.all-reduce]
size = "8MiB"
algorithm = "ring"
ranks = 64
rank_map = "random"
"#;

/// The cells of a printed table, by its first column.
fn row<'t>(table: &'t str, name: &str) -> Vec<&'t str> {
    let line = table.lines().find(|line| line.starts_with(name)).unwrap();
    line[name.len()..].split_whitespace().collect()
}

fn cct_over_bound(dir: &Path, map: &str) -> f64 {
    let set = format!("workload.all-reduce.rank_map={map}");
    let csv = stdout(
        dir,
        &[
            "run", "o.toml", "--set", &set, "--out", "r", "--force", "--format", "csv", "--quiet",
        ],
    );
    assert!(csv.is_empty());
    let results = fs::read_to_string(dir.join("r/results.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(results.as_bytes());
    let column = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "cct_over_bound")
        .unwrap();
    reader.records().next().unwrap().unwrap()[column].parse().unwrap()
}

#[test]
fn an_ordered_ring_on_scattered_hosts_reaches_its_bound() {
    let dir = folder(&[("o.toml", SCATTERED)]);
    let printed = stdout(dir.path(), &["order", "o.toml", "--out", "rank-map.json", "--verify"]);
    let simulated: f64 = row(&printed, "ordered").last().unwrap().parse().unwrap();
    assert!(simulated <= 1.03, "{printed}");
    assert!(cct_over_bound(dir.path(), "{ file = \"rank-map.json\" }") <= 1.03);
    assert!(cct_over_bound(dir.path(), "random") > 1.5);
    // The same seed, the same file; and it is never written over.
    let first = fs::read(dir.path().join("rank-map.json")).unwrap();
    stdout(dir.path(), &["order", "o.toml", "--out", "again.json"]);
    assert_eq!(fs::read(dir.path().join("again.json")).unwrap(), first);
    let set = "workload.all-reduce.rank_map={ file = \"again.json\" }";
    let refused = run(dir.path(), &["order", "o.toml", "--set", set, "--out", "again.json"]);
    assert!(text(&refused.stderr).contains("--out: again.json is an input of this order"));
}

#[test]
fn the_ranks_of_a_job_are_ordered_on_its_hosts() {
    let jobs = r#"
[topology.leaf-spine]
leaves = 4
spines = 2
hosts_per_leaf = 4
host_link = { rate = "400Gbps" }
fabric_link = { rate = "400Gbps" }

[[jobs]]
name = "a"
hosts = { random = 8 }
workload = { all-reduce = { size = "1MB" } }

[[jobs]]
name = "b"
hosts = { packed = 4 }
workload = { all-to-all = { message = "1KB" } }
"#;
    let dir = folder(&[("j.toml", jobs)]);
    let refused = text(&run(dir.path(), &["order", "j.toml"]).stderr);
    assert!(refused.contains("write --job with one of `a`, `b`"), "{refused}");
    stdout(dir.path(), &["order", "j.toml", "--job", "a", "--out", "map.json"]);
    let map: serde_json::Value = serde_json::from_slice(&fs::read(dir.path().join("map.json")).unwrap()).unwrap();
    let mut hosts: Vec<u64> = map["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| host.as_u64().unwrap())
        .collect();
    hosts.sort_unstable();
    assert_eq!(hosts, (0..8).collect::<Vec<_>>());
    let set = "jobs.0.workload.all-reduce.rank_map={ file = \"map.json\" }";
    stdout(dir.path(), &["run", "j.toml", "--set", set]);
}

#[test]
fn a_damaged_map_is_refused_with_its_line() {
    let dir = folder(&[
        ("o.toml", SCATTERED),
        ("bad.json", "{\"hosts\": [1,\n 1.5]}"),
        ("few.json", "[0, 1]"),
    ]);
    let refused = |map: &str| {
        let set = format!("workload.all-reduce.rank_map={map}");
        let output = run(dir.path(), &["check", "o.toml", "--set", &set]);
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    assert!(
        refused("{ file = \"bad.json\" }").contains("bad.json:2"),
        "{}",
        refused("{ file = \"bad.json\" }")
    );
    assert!(refused("{ file = \"few.json\" }").contains("2 hosts are listed for 64 ranks"));
    assert!(refused("{ file = \"none.json\" }").contains("none.json"));
}

/// Slow links of a few rates; the first-ranked repair is the best of all by solving each anew with `bound`.
#[test]
fn the_first_ranked_repair_is_the_best() {
    let experiment = r#"
load_balancing = "spray"
faults = [
    { link = "leaf0-spine0", rate = "25Gbps" },
    { link = "leaf1-spine2", down = true },
    { link = "leaf3-spine1", rate = "10Gbps" },
]

[topology.leaf-spine]
leaves = 4
spines = 3
hosts_per_leaf = 3
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }

[workload.all-to-all]
message = "60KB"
"#;
    let dir = folder(&[("e.toml", experiment)]);
    let csv = stdout(dir.path(), &["bound", "e.toml", "--prices", "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<std::collections::HashMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    let repairs: Vec<_> = rows.iter().filter(|row| row["what"] == "repair").collect();
    assert_eq!(repairs.len(), 3);
    let optimum = |repaired: &str| {
        let left = experiment
            .lines()
            .filter(|line| !line.contains(&format!("\"{repaired}\"")));
        fs::write(dir.path().join("r.toml"), left.collect::<Vec<_>>().join("\n")).unwrap();
        let csv = stdout(dir.path(), &["bound", "r.toml", "--format", "csv"]);
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let row: std::collections::HashMap<String, String> = reader.deserialize().next().unwrap().unwrap();
        row["optimal_fabric_congestion_us"].parse::<f64>().unwrap()
    };
    let best = ["leaf0-spine0", "leaf1-spine2", "leaf3-spine1"]
        .into_iter()
        .min_by(|a, b| optimum(a).total_cmp(&optimum(b)));
    assert_eq!(Some(repairs[0]["name"].as_str()), best);
    let saved: Vec<f64> = repairs.iter().map(|row| row["saved_us"].parse().unwrap()).collect();
    assert!(saved.is_sorted_by(|a, b| a >= b), "{saved:?}");
}

const TUNED: &str = r#"
engine = "packet"

[topology.leaf-spine]
leaves = 2
spines = 2
hosts_per_leaf = 4
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }

[workload.all-to-all]
message = "60KB"

[tune]
budget = 18
batch = 2

[tune.space]
load_balancing = ["ecmp", "spray", "ethereal"]
transport = ["dctcp", "swift"]
"switch.alpha" = [0.5, 2, 8]
"#;

/// All 18 points run in full: the best of them is what tuning finds, and no bound or clock takes it away.
#[test]
fn tuning_finds_the_best_of_a_grid_for_any_number_of_jobs() {
    let grid = TUNED.split("[tune]").next().unwrap().to_owned()
        + "[sweep]\nload_balancing = [\"ecmp\", \"spray\", \"ethereal\"]\ntransport = [\"dctcp\", \"swift\"]\n\"switch.alpha\" = [0.5, 2, 8]\n";
    let dir = folder(&[("t.toml", TUNED), ("g.toml", &grid)]);
    let json = stdout(dir.path(), &["run", "g.toml", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let times = json["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["cct_us"].as_f64().unwrap());
    let least = times.fold(f64::INFINITY, f64::min);
    let first = stdout(dir.path(), &["tune", "t.toml", "--jobs", "1", "--out", "a"]);
    assert_eq!(
        first,
        stdout(dir.path(), &["tune", "t.toml", "--jobs", "2", "--out", "b"])
    );
    for name in ["trials.csv", "best.toml"] {
        let read = |folder: &str| fs::read(dir.path().join(folder).join(name)).unwrap();
        assert_eq!(read("a"), read("b"), "{name}");
    }
    let best: serde_json::Value = serde_json::from_str(&stdout(
        dir.path(),
        &["run", "a/best.toml", "--out", "c", "--format", "json"],
    ))
    .unwrap();
    let found = best["results"][0]["cct_us"].as_f64().unwrap();
    assert!((found - least).abs() <= 1e-9 * least, "{found} and {least}\n{first}");
    // Other random numbers are another search.
    stdout(dir.path(), &["tune", "t.toml", "--set", "tune.seed=7", "--out", "d"]);
    let trials = |folder: &str| fs::read(dir.path().join(folder).join("trials.csv")).unwrap();
    assert!(trials("a") != trials("d"));
    // What was simulated is found again: a search goes on where it was cut off.
    let points = fs::read_dir(dir.path().join("a/points"))
        .unwrap()
        .flatten()
        .collect::<Vec<_>>();
    for point in &points[points.len() / 2..] {
        fs::remove_dir_all(point.path()).unwrap();
    }
    assert_eq!(first, stdout(dir.path(), &["tune", "t.toml", "--out", "a"]));
    for file in ["svg", "png", "csv"] {
        assert!(dir.path().join(format!("a/plots/trials.{file}")).is_file());
    }
}

/// A table of which no key may be missing, all of whose keys are searched.
#[test]
fn marking_is_tuned_where_no_key_of_it_is_written() {
    let (head, _) = TUNED.split_once("[tune]").unwrap();
    let marking = r#"
        [tune]
        budget = 3
        [tune.space]
        "switch.ecn.kmin" = ["5KB", "20KB"]
        "switch.ecn.kmax" = { from = "50KB", to = "200KB" }
        "switch.ecn.pmax" = [0.2, 1.0]
    "#;
    let dir = folder(&[("t.toml", &format!("transport = \"dcqcn\"\n{head}{marking}"))]);
    stdout(dir.path(), &["tune", "t.toml", "--out", "a"]);
    let best = fs::read_to_string(dir.path().join("a/best.toml")).unwrap();
    assert!(["kmin", "kmax", "pmax"].iter().all(|key| best.contains(key)), "{best}");
}

#[test]
fn mistakes_in_what_to_tune_are_refused_before_anything_runs() {
    let dir = folder(&[("t.toml", TUNED)]);
    let refused = |settings: &[&str]| {
        let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        let output = run(dir.path(), &[&["tune", "t.toml"][..], &settings].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(!dir.path().join("results").join("t-tune").join("trials.csv").exists());
        text(&output.stderr)
    };
    assert!(refused(&["tune.space.\"switch.alfa\"=[1]"]).contains("`alfa` is not known"));
    assert!(refused(&["tune.budget=0"]).contains("tune.budget: 0 is not between 1 and 1000000"));
    assert!(refused(&["tune.budged=1"]).contains("`budged` is not known"));
    assert!(refused(&["tune.space.\"switch.alpha\"={ from = 3, to = 2 }"]).contains("`from` is not below `to`"));
    assert!(refused(&["tune.space.seed=[1]"]).contains("`seed` is nothing to tune"));
    assert!(refused(&["packet.stop=1ms"]).contains("packet.stop"));
    let output = run(dir.path(), &["run", "t.toml", "--set", "tune.budget=0"]);
    assert_eq!(output.status.code(), Some(2));
}

const DESIGNED: &str = r#"
load_balancing = "spray"

[design]
hosts = 32
confirm = 2
survive = [{ cables = 1 }]
switches = [
    { name = "s16", ports = 16, rate = "100Gbps", price = 5000, power = 300 },
    { name = "s32", ports = 32, rate = "100Gbps", price = 12000, power = 500 },
]
cables = [{ rate = "100Gbps", price = 300, power = 10 }]

[[design.workloads]]
workload = { all-to-all = { message = "20KB" } }

[[design.workloads]]
weight = 2
workload = { all-reduce = { size = "1MB" } }
"#;

#[test]
fn a_front_of_designs_comes_with_experiments_that_run() {
    let dir = folder(&[("d.toml", DESIGNED)]);
    let printed = stdout(dir.path(), &["design", "d.toml", "--out", "d"]);
    let csv = fs::read_to_string(dir.path().join("d/front.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<std::collections::HashMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    assert!(rows.len() > 2, "{printed}");
    let number = |row: &std::collections::HashMap<String, String>, column: &str| row[column].parse::<f64>().unwrap();
    for pair in rows.windows(2) {
        assert!(number(&pair[0], "price") < number(&pair[1], "price"));
        assert!(number(&pair[0], "least_time_us") > number(&pair[1], "least_time_us"));
    }
    let simulated: Vec<_> = rows.iter().filter(|row| !row["simulated_us"].is_empty()).collect();
    assert_eq!(simulated.len(), 2);
    for row in &rows {
        assert!(dir.path().join(format!("d/{}.toml", row["design"])).is_file());
        let simulated = &row["simulated_us"];
        assert!(simulated.is_empty() || number(row, "simulated_us") >= number(row, "least_time_us"));
    }
    let file = format!("d/{}.toml", rows[0]["design"]);
    stdout(dir.path(), &["check", &file]);
    let refused = run(dir.path(), &["design", "d.toml", "--set", "design.budget.money=10"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("no design can be built from the catalogue within the budget"));
}

#[test]
fn tables_of_entropic_weights_are_written() {
    let experiment = SCATTERED.replace(
        "\"ecmp\"",
        "{ weighted-spray = { weights = \"entropic\", table = 16 } }",
    );
    let dir = folder(&[("o.toml", &experiment)]);
    stdout(dir.path(), &["place", "o.toml", "--weights", "w.csv"]);
    let csv = fs::read_to_string(dir.path().join("w.csv")).unwrap();
    assert!(csv.starts_with("switch,destination,path,entries\n"));
    let entries: u32 = csv
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').next().unwrap().parse::<u32>().unwrap())
        .sum();
    assert!(entries.is_multiple_of(16) && entries > 0);
    let refused = run(
        dir.path(),
        &["place", "o.toml", "--set", "load_balancing=ecmp", "--weights", "w.csv"],
    );
    assert_eq!(refused.status.code(), Some(2));
}
