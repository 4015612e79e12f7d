//! `fabricsim run`: results that are the same however often and in however many sub-flows they are made.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli::{fabricsim, folder, run, stdout, text};

/// 24 points that together take long enough to be interrupted.
const SWEEP: &str = r#"
topology = "../topologies/small.toml"

[workload.all-to-all]
message = "64KiB"

[output]
flows = true
links = true

[sweep]
load_balancing = ["ecmp", "spray", "ethereal"]
"workload.all-to-all.message" = ["8KiB", "64KiB"]
seed = [1, 2, 3, 4]
"#;

const TOPOLOGY: &str = r#"
[leaf-spine]
leaves = 8
spines = 4
hosts_per_leaf = 4
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }
"#;

fn sweep() -> tempfile::TempDir {
    folder(&[("experiments/sweep.toml", SWEEP), ("topologies/small.toml", TOPOLOGY)])
}

fn results(dir: &Path, out: &str) -> String {
    fs::read_to_string(dir.join(out).join("results.csv")).unwrap()
}

fn finished_points(out: &Path) -> usize {
    let entries = fs::read_dir(out.join("points")).into_iter().flatten().flatten();
    entries
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .count()
}

/// Threads of one run: the same files, and points that are there are not run again with another number.
#[test]
fn packets_do_not_depend_on_threads() {
    let dir = sweep();
    let with = |threads: &str, out: &str| {
        let setting = format!("packet.threads={threads}");
        let sweep = r#"sweep={load_balancing=["ecmp","adaptive","ethereal"]}"#;
        let file = "experiments/sweep.toml";
        let options = [
            "--set",
            "engine=packet",
            "--set",
            sweep,
            "--set",
            &setting,
            "--out",
            out,
        ];
        run(dir.path(), &[&["run", file], &options[..]].concat())
    };
    assert!(with("1", "one").status.success());
    assert!(with("3", "three").status.success());
    assert_eq!(results(dir.path(), "one"), results(dir.path(), "three"));
    for file in fs::read_dir(dir.path().join("one/points")).unwrap().flatten() {
        for name in ["flows.csv", "links.csv"] {
            let read = |out: &str| fs::read(dir.path().join(out).join("points").join(file.file_name()).join(name));
            assert_eq!(read("one").unwrap(), read("three").unwrap(), "{name}");
        }
    }
    let again = with("2", "one");
    let told = text(&again.stderr);
    assert!(told.contains("3 of them were there already"), "{told}");
    for wrong in ["0", "1025"] {
        let none = with(wrong, "none");
        assert_eq!(none.status.code(), Some(2), "{}", text(&none.stderr));
        assert!(text(&none.stderr).contains("threads"), "{}", text(&none.stderr));
    }
}

#[test]
fn results_do_not_depend_on_jobs_folders_and_repetition() {
    let dir = sweep();
    let one = stdout(
        dir.path(),
        &["run", "experiments/sweep.toml", "--jobs", "1", "--out", "one"],
    );
    let four = stdout(
        dir.path(),
        &["run", "experiments/sweep.toml", "--jobs", "4", "--out", "four"],
    );
    assert_eq!(one, four);
    assert_eq!(results(dir.path(), "one"), results(dir.path(), "four"));
    assert_eq!(results(dir.path(), "one").lines().count(), 1 + 24);
    for file in fs::read_dir(dir.path().join("one/points")).unwrap().flatten() {
        for name in ["flows.csv", "links.csv"] {
            let read = |out: &str| fs::read(dir.path().join(out).join("points").join(file.file_name()).join(name));
            assert_eq!(read("one").unwrap(), read("four").unwrap(), "{name}");
        }
    }
    // From another folder, without --out: results/NAME below the working folder.
    let inside = dir.path().join("experiments");
    stdout(&inside, &["run", "sweep.toml", "--quiet"]);
    assert_eq!(results(&inside, "results/sweep"), results(dir.path(), "one"));
    // Again: everything is there already.
    let before = results(dir.path(), "one");
    let again = run(dir.path(), &["run", "experiments/sweep.toml", "--out", "one"]);
    assert!(
        text(&again.stderr).contains("24 of them were there already"),
        "{}",
        text(&again.stderr)
    );
    assert_eq!(results(dir.path(), "one"), before);
}

#[test]
fn the_formats_agree() {
    let dir = sweep();
    let base = ["run", "experiments/sweep.toml", "--out", "r", "--format"];
    let formatted = |format| stdout(dir.path(), &[&base[..], &[format]].concat());
    let csv = formatted("csv");
    assert_eq!(csv, results(dir.path(), "r"));
    let json: serde_json::Value = serde_json::from_str(&formatted("json")).unwrap();
    let json = json["results"].as_array().unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names = reader.headers().unwrap().clone();
    for (row, object) in reader.records().map(Result::unwrap).zip(json) {
        for (name, cell) in names.iter().zip(&row) {
            let value = &object[name];
            match value.as_str() {
                Some(text) => assert_eq!(text, cell),
                None if value.is_null() => assert_eq!(cell, ""),
                None => assert_eq!(value.as_f64(), cell.parse().ok(), "{name}"),
            }
        }
    }
    assert_eq!(json.len(), 24);
    assert!(formatted("markdown").starts_with("| point | "));
    assert_eq!(formatted("table").lines().count(), 25);
    assert_eq!(
        stdout(dir.path(), &["run", "experiments/sweep.toml", "--out", "r", "--quiet"]),
        ""
    );
}

#[test]
fn a_change_runs_only_what_it_touches() {
    let dir = sweep();
    stdout(dir.path(), &["run", "experiments/sweep.toml", "--out", "r", "--quiet"]);
    assert_eq!(finished_points(&dir.path().join("r")), 24);
    let narrow = [
        "run",
        "experiments/sweep.toml",
        "--out",
        "r",
        "--set",
        "sweep.seed=[4, 5]",
    ];
    let output = run(dir.path(), &narrow);
    assert!(
        text(&output.stderr).contains("12 of 12 points (6 of them"),
        "{}",
        text(&output.stderr)
    );
    // Another fabric in the same file is another point.
    fs::write(
        dir.path().join("topologies/small.toml"),
        TOPOLOGY.replace("spines = 4", "spines = 3"),
    )
    .unwrap();
    let output = run(dir.path(), &narrow);
    assert!(!text(&output.stderr).contains("already"), "{}", text(&output.stderr));
}

#[test]
fn the_folder_tells_what_was_run() {
    let dir = sweep();
    stdout(dir.path(), &["run", "experiments/sweep.toml", "--out", "r", "--quiet"]);
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.path().join("r/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["complete"], true);
    assert_eq!(manifest["points"], 24);
    assert_eq!(manifest["seeds"], serde_json::json!([1, 2, 3, 4]));
    assert_eq!(manifest["experiment"]["topology"]["leaf-spine"]["parallel"], 1);
    // The experiment it keeps gives the same results, but for the name of the topology's file.
    stdout(dir.path(), &["run", "r/experiment.toml", "--out", "again", "--quiet"]);
    let plain = |out| results(dir.path(), out).replace(",small,", ",leaf-spine,");
    assert_eq!(plain("again"), plain("r"));
    let timings = fs::read_to_string(dir.path().join("r/timings.csv")).unwrap();
    assert_eq!(timings.lines().count(), 25);
}

/// Starts a run of the sweep, one point at a time, and waits until some points are done.
fn begin(dir: &Path) -> Child {
    let child = fabricsim(dir)
        .args(["run", "experiments/sweep.toml", "--jobs", "1", "--out", "cut"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while finished_points(&dir.join("cut")) < 3 {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "nothing was finished in a minute"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let dir = sweep();
    let mut child = begin(dir.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = finished_points(&dir.path().join("cut"));
    let output = run(dir.path(), &["run", "experiments/sweep.toml", "--out", "cut"]);
    assert!(output.status.success());
    assert!(
        text(&output.stderr).contains(&format!("({kept} of them")),
        "{}",
        text(&output.stderr)
    );
    stdout(
        dir.path(),
        &["run", "experiments/sweep.toml", "--out", "whole", "--quiet"],
    );
    assert_eq!(results(dir.path(), "cut"), results(dir.path(), "whole"));
}

#[test]
fn an_interrupted_run_writes_what_is_complete() {
    let dir = sweep();
    let child = begin(dir.path());
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let stderr = text(&output.stderr);
    if output.status.success() {
        return; // It was faster than the signal.
    }
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("the same command goes on from here"), "{stderr}");
    let rows = results(dir.path(), "cut").lines().count() - 1;
    assert!((3..24).contains(&rows), "{rows}");
    assert_eq!(finished_points(&dir.path().join("cut")), rows);
    let manifest = fs::read_to_string(dir.path().join("cut/manifest.json")).unwrap();
    assert!(manifest.contains("\"complete\": false"), "{manifest}");
    stdout(
        dir.path(),
        &["run", "experiments/sweep.toml", "--out", "cut", "--quiet"],
    );
    assert_eq!(results(dir.path(), "cut").lines().count(), 25);
}

#[test]
fn nothing_is_written_for_a_bad_point() {
    let dir = sweep();
    let output = run(
        dir.path(),
        &[
            "run",
            "experiments/sweep.toml",
            "--set",
            "sweep.load_balancing=[\"ecmp\", \"reps\"]",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("engine"), "{}", text(&output.stderr));
    assert!(!dir.path().join("results").exists());
}

/// Sizes beyond 32 bits are sizes like any other.
#[test]
fn a_flow_of_10_gib_takes_its_time() {
    let dir = folder(&[
        (
            "big.toml",
            "topology = \"small.toml\"\n[workload.connection-matrix]\nfile = \"big.cm\"\n",
        ),
        ("small.toml", TOPOLOGY),
        ("big.cm", "Nodes 32\nConnections 1\n0->31 start 0 size 10737418240\n"),
    ]);
    let csv = stdout(dir.path(), &["run", "big.toml", "--format", "csv"]);
    // 10 GiB at 100 Gb/s and four links of 500 ns.
    assert!(csv.lines().nth(1).unwrap().contains(",858995.4592,"), "{csv}");
}

/// Every point of a sweep as text: its cells by column.
fn rows(csv: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn every_swept_key_is_a_column() {
    let text = r#"
topology = "small.toml"
engine = "packet"
[workload.all-reduce]
size = "64KiB"
ranks = 8
[sweep]
transport = [{ dcqcn = { gain = 0.1 } }, "dctcp"]
"packet.ack_priority" = [true]
"workload.all-reduce.algorithm" = ["ring", "halving-doubling"]
faults = [[], [{ link = "leaf0-spine0", down = true }]]
seed = [7]
"#;
    let dir = folder(&[("e.toml", text), ("small.toml", TOPOLOGY)]);
    let csv = stdout(dir.path(), &["run", "e.toml", "--out", "r", "--format", "csv"]);
    assert_eq!(csv, results(dir.path(), "r"));
    let header = csv.lines().next().unwrap();
    // `transport` and `seed` are columns already.
    let further = ",retransmits,compute_us,exposed_us,mfu,collective_bound_us,packet.ack_priority,workload.all-reduce.algorithm,faults";
    assert!(header.ends_with(further), "{header}");
    let told: Vec<_> = rows(&csv)
        .iter()
        .map(|row| {
            ["transport", "workload.all-reduce.algorithm", "faults"]
                .map(|key| row[key].clone())
                .join(" | ")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    { dcqcn = { gain = 0.1 } } | ring | []
    { dcqcn = { gain = 0.1 } } | ring | [{ link = leaf0-spine0, down = true }]
    { dcqcn = { gain = 0.1 } } | halving-doubling | []
    { dcqcn = { gain = 0.1 } } | halving-doubling | [{ link = leaf0-spine0, down = true }]
    dctcp | ring | []
    dctcp | ring | [{ link = leaf0-spine0, down = true }]
    dctcp | halving-doubling | []
    dctcp | halving-doubling | [{ link = leaf0-spine0, down = true }]
    ");
    // JSON has the same, numbers and true as what they are; and so have the rows of bound and place.
    for arguments in [
        &["run", "e.toml", "--out", "r", "--format", "json"][..],
        &["bound", "e.toml", "--format", "json"],
        &["place", "e.toml", "--format", "json"],
    ] {
        let mut json: serde_json::Value = serde_json::from_str(&stdout(dir.path(), arguments)).unwrap();
        if arguments[0] == "run" {
            json = json["results"].take();
        }
        assert_eq!(json[0]["packet.ack_priority"], true, "{arguments:?}");
        assert_eq!(json[0]["seed"], 7);
        let rows = json.as_array().unwrap();
        let second = rows.iter().find(|row| row["point"] == 1).unwrap();
        assert_eq!(second["faults"], "[{ link = leaf0-spine0, down = true }]");
        assert_eq!(json[0]["workload.all-reduce.algorithm"], "ring");
    }
    let bounds = stdout(dir.path(), &["bound", "e.toml", "--format", "csv"]);
    let further = ",expected_sampled_us,transport,packet.ack_priority,workload.all-reduce.algorithm,faults";
    assert!(bounds.lines().next().unwrap().ends_with(further), "{bounds}");
}

/// Shifts on 32 hosts; one by 32 or 64 is to itself, which only building it shows.
const SHIFTS: &str = "topology = \"small.toml\"\n[workload.shift]\nmessage = \"8KiB\"\n";

fn shifts(offsets: impl Iterator<Item = u32>) -> tempfile::TempDir {
    let offsets: Vec<_> = offsets.map(|offset| offset.to_string()).collect();
    let sweep = format!("[sweep]\n\"workload.shift.offset\" = [{}]\n", offsets.join(", "));
    folder(&[("e.toml", &format!("{SHIFTS}{sweep}")), ("small.toml", TOPOLOGY)])
}

#[test]
fn a_small_plan_is_prepared_before_anything_is_written_and_a_large_one_point_by_point() {
    let small = shifts([1, 2, 32, 3].into_iter());
    let large = shifts((1..32).chain(33..36).chain([64, 36]));
    let refused = |dir: &Path, arguments: &[&str]| {
        let output = run(dir, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        text(&output.stderr)
    };
    for dir in [small.path(), large.path()] {
        stdout(dir, &["check", "e.toml", "--quick"]);
        let found = refused(dir, &["check", "e.toml"]);
        assert!(found.contains("workload.shift.offset"), "{found}");
        let told = refused(dir, &["run", "e.toml", "--out", "r", "--jobs", "1"]);
        let error = told.lines().skip_while(|line| !line.contains("workload.shift.offset"));
        let expected = found.lines().skip_while(|line| !line.contains("workload.shift.offset"));
        assert_eq!(error.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
    assert!(!small.path().join("r").exists());
    // What ran before stays, with its rows.
    assert_eq!(finished_points(&large.path().join("r")), 34);
    assert_eq!(results(large.path(), "r").lines().count(), 1 + 34);
}

/// What a matrix has to say is said when it is built, and it is not built for points that are there.
#[test]
fn points_that_are_there_are_not_prepared() {
    let experiment = "topology = \"small.toml\"\n[workload.connection-matrix]\nfile = \"x.cm\"\n";
    let matrix = "Nodes 32\nConnections 2\n0->31 start 30 size 2000000\n1->30 start 40 size 2000000\n";
    let dir = folder(&[("e.toml", experiment), ("small.toml", TOPOLOGY), ("x.cm", matrix)]);
    let said = |arguments: &[&str]| {
        let output = run(dir.path(), arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr).contains("set start_unit")
    };
    let arguments = ["run", "e.toml", "--out", "r"];
    assert!(said(&arguments));
    assert!(!said(&arguments));
    assert!(said(&["check", "e.toml"]));
    assert!(!said(&["check", "e.toml", "--quick"]));
}

/// 8192 ranks, 134 201 344 transfers of 1 MiB: more than are written down. Every step sends for 20.97152 us, and the longest chain
/// passes all hosts twice but for two: each turn has 64 ways of 2 us between leaves and 8128 of 1 us below one.
#[test]
fn a_ring_of_very_many_steps_is_not_written_down() {
    let file = r#"
topology = { leaf-spine = { leaves = 64, spines = 4, hosts_per_leaf = 128, host_link = { rate = "400Gbps" }, fabric_link = { rate = "400Gbps" } } }
workload = { all-reduce = { size = "8GiB" } }
load_balancing = ["spray", "ecmp", "greedy"]
output = { links = true }
"#;
    let file = file.replace("load_balancing = [", "sweep.load_balancing = [");
    let dir = folder(&[("ring.toml", &file)]);
    let told = run(dir.path(), &["check", "ring.toml"]);
    let told = text(&told.stderr);
    assert!(told.contains("0.1 billion transfers"), "{told}");
    stdout(dir.path(), &["run", "ring.toml", "--out", "out"]);
    let results = results(dir.path(), "out");
    let mut lines = results.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let rows: Vec<_> = lines.collect();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let cell = |name: &str| row[header.iter().position(|column| *column == name).unwrap()];
        let number = |name: &str| cell(name).parse::<f64>().unwrap();
        let cct = 16_382.0 * 20.97152 + 2.0 * 8_256.0 - 2.0;
        for time in ["cct_us", "bound_us", "predicted_us"] {
            assert!((number(time) - cct).abs() < 1e-4, "{time} {}", number(time));
        }
        assert_eq!((cell("flows"), cell("subflows")), ("134201344", "134201344"));
        assert!((number("fct_mean_us") - (20.97152 + 8_256.0 / 8_192.0)).abs() < 1e-6);
        assert_eq!(number("fct_p99_us"), 21.97152);
        assert_eq!(cell("events"), "", "nobody counts the moments");
        // What every host sends: 16 382 MiB at 50 GB/s.
        assert!((number("congestion_us") - 16_382.0 * 20.97152).abs() < 1e-4);
    }
    let links = fs::read_dir(dir.path().join("out/points")).unwrap().count();
    assert_eq!(links, 3);
}
