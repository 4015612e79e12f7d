//! The command line as a user meets it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The binary, to be run in a folder.
pub(crate) fn fabricsim(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fabricsim"));
    command.current_dir(dir).env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

/// Runs the binary with arguments.
pub(crate) fn run(dir: &Path, args: &[&str]) -> Output {
    fabricsim(dir).args(args).output().unwrap()
}

/// Runs the binary, which must succeed, and returns its stdout.
pub(crate) fn stdout(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Output as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const SMALL: &str = r#"
load_balancing = "ethereal"

[topology.leaf-spine]
leaves = 2
spines = 2
hosts_per_leaf = 2
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }

[workload.all-to-all]
message = "64KiB"
"#;

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

#[test]
fn check_fills_in_defaults_and_reads_back() {
    let dir = folder(&[
        (
            "experiments/small.toml",
            "topology = \"../topologies/two.toml\"\nworkload.all-to-all.message = \"1KiB\"\n[sweep]\nseed = [1, 2]\n\"topology.leaf-spine.spines\" = [1, 2]\n",
        ),
        (
            "topologies/two.toml",
            "[leaf-spine]\nleaves = 2\nspines = 2\nhosts_per_leaf = 2\nhost_link = { rate = \"100Gbps\" }\nfabric_link = { rate = \"100Gbps\" }\n[[faults]]\nlink = \"leaf0-spine0\"\nrate = \"50Gbps\"\n",
        ),
    ]);
    let first = stdout(dir.path(), &["check", "experiments/small.toml"]);
    for default in [
        "name = \"small\"",
        "engine = \"flow\"",
        "parallel = 1",
        "delay = \"500ns\"",
        "leaf0-spine0",
        "seed = [1, 2]",
    ] {
        assert!(first.contains(default), "{default} in {first}");
    }
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    fs::write(dir.path().join("elsewhere/again.toml"), &first).unwrap();
    assert_eq!(stdout(dir.path(), &["check", "elsewhere/again.toml"]), first);
}

#[test]
fn settings_and_inheritance_replace_sweeps() {
    let dir = folder(&[
        (
            "base.toml",
            &format!("name = \"base\"\n{SMALL}\n[sweep]\nseed = [1, 2]\nload_balancing = [\"ecmp\", \"spray\"]\n"),
        ),
        (
            "derived.toml",
            "extends = \"base.toml\"\nseed = 7\nworkload.all-to-all.message = \"2KiB\"\n",
        ),
    ]);
    let derived = stdout(dir.path(), &["check", "derived.toml"]);
    for kept in [
        "name = \"derived\"",
        "seed = 7",
        "2KiB",
        "load_balancing = [\"ecmp\", \"spray\"]",
    ] {
        assert!(derived.contains(kept), "{kept} in {derived}");
    }
    assert!(!derived.contains("seed = ["), "{derived}");
    for (transport, comes_to) in [("nscc", "# ack_priority = true"), ("dctcp", "# ack_priority = false")] {
        let set = [format!("transport={transport}"), "engine=packet".into()];
        let set = ["check", "derived.toml", "--set", &set[0], "--set", &set[1]];
        let checked = stdout(dir.path(), &set);
        assert!(checked.contains(comes_to), "{comes_to} in {checked}");
    }
    let set = stdout(
        dir.path(),
        &[
            "check",
            "base.toml",
            "--set",
            "load_balancing=spray",
            "--set",
            "sweep.seed=[3]",
        ],
    );
    assert!(
        set.contains("[load_balancing.spray]") && set.contains("seed = [3]"),
        "{set}"
    );
    assert!(!set.contains("ecmp"), "{set}");
}

#[test]
fn lists_schema_and_pages_are_printed() {
    let dir = TempDir::new().unwrap();
    let all = stdout(dir.path(), &["list"]);
    let topologies = stdout(dir.path(), &["list", "topologies"]);
    assert!(topologies.starts_with("leaf-spine "));
    assert!(topologies.lines().all(|line| all.contains(line)));
    let schema: serde_json::Value = serde_json::from_str(&stdout(dir.path(), &["schema"])).unwrap();
    for key in [
        "name",
        "extends",
        "sweep",
        "topology",
        "workload",
        "load_balancing",
        "output",
    ] {
        assert!(schema["properties"][key].is_object(), "{key}");
    }
    // What a file leaves out, the file that it extends or the sweep may set.
    assert_eq!(schema["x-required"], serde_json::json!(["topology"]));
    assert!(schema["required"].is_null() && schema["$defs"]["Shift"]["required"].is_null());
    assert_eq!(
        schema["$defs"]["Workload"]["oneOf"][0]["required"],
        serde_json::json!(["all-to-all"])
    );
    assert!(stdout(dir.path(), &["completions", "bash"]).contains("_fabricsim"));
    assert!(stdout(dir.path(), &["man"]).contains(".TH fabricsim"));
}

#[test]
fn usage_and_configuration_errors_exit_with_2() {
    let dir = folder(&[("bad.toml", "seed = true")]);
    for args in [
        &["check", "none.toml"][..],
        &["check", "bad.toml"],
        &["chekc"],
        &[],
        &["list", "x"],
    ] {
        let output = run(dir.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
}

/// A results folder that cannot be made is a mistake of usage.
#[test]
fn a_folder_that_is_a_file_ends_with_2() {
    let dir = folder(&[("good.toml", SMALL)]);
    let output = run(dir.path(), &["run", "good.toml", "--out", "good.toml"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).starts_with("error: good.toml/points: "));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let dir = TempDir::new().unwrap();
    let mut child = fabricsim(dir.path())
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn bounds_come_per_point_and_step() {
    let dir = folder(&[("small.toml", SMALL)]);
    let args = [
        "bound",
        "small.toml",
        "--set",
        "workload={ all-reduce = { size = \"64KiB\", algorithm = \"ring\" } }",
        "--format",
        "csv",
    ];
    let csv = stdout(dir.path(), &args);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let step = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "step")
        .unwrap();
    let steps: Vec<_> = reader.records().map(|row| row.unwrap()[step].to_owned()).collect();
    assert_eq!(steps, ["all", "0-5"], "{csv}");
    assert_eq!(
        stdout(dir.path(), &["bound", "small.toml"]).lines().count(),
        2,
        "one step is the whole"
    );
}

/// The graph of a point in DOT: as many nodes as tasks, for the point that is asked for, and not too large.
#[test]
fn check_writes_the_schedule_as_a_graph() {
    let sweep = format!("{SMALL}\n[sweep]\n\"workload.all-to-all.message\" = [\"64KiB\", \"1KiB\"]\n");
    let dir = folder(&[("small.toml", &sweep)]);
    let first = stdout(dir.path(), &["check", "small.toml", "--graph"]);
    assert!(first.starts_with("digraph {\n") && first.ends_with("}\n"), "{first}");
    assert_eq!(first.matches("kind=transfer").count(), 4 * 3);
    assert_eq!(first.matches(" bytes=65536 ").count(), 12);
    let printed = stdout(
        dir.path(),
        &["check", "small.toml", "--graph", "graph.dot", "--point", "1"],
    );
    assert!(printed.contains("name = \"small\""), "{printed}");
    let second = fs::read_to_string(dir.path().join("graph.dot")).unwrap();
    assert_eq!(second, first.replace("65536", "1024"));
    let refused = |arguments: &[&str]| {
        let output = run(dir.path(), &[&["check", "small.toml"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        text(&output.stderr)
    };
    for (arguments, words) in [
        (
            ["--graph", "--point", "2"].as_slice(),
            ["there are 2 points", "numbered from 0 to 1"],
        ),
        (
            &["--graph", "--graph-tasks", "11"],
            ["has 12 tasks", "--graph-tasks 12"],
        ),
        (&["--graph", "none/graph.dot"], ["none/graph.dot", "No such file"]),
    ] {
        let message = refused(arguments);
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
    assert!(refused(&["--point", "1"]).contains("--graph"));
}

/// What is done in time runs as it is written; what is not is refused before anything runs, with what each choice would take.
#[test]
fn a_budget_of_time_is_kept_or_refused() {
    let dir = folder(&[("x.toml", &format!("engine = \"packet\"\n{SMALL}"))]);
    let plain = stdout(dir.path(), &["run", "x.toml", "--format", "csv", "--out", "plain"]);
    let within = ["run", "x.toml", "--format", "csv", "--out", "r", "--budget", "1h"];
    let output = run(dir.path(), &within);
    assert!(
        text(&output.stderr).starts_with("--budget: as it is written, about "),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(text(&output.stdout), plain);
    let refused = run(dir.path(), &["run", "x.toml", "--out", "none", "--budget", "0.001s"]);
    let stderr = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("nothing is done in 1 ms"), "{stderr}");
    let words = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    for choice in [
        "as it is written, ",
        "packets, skipping steady states, ",
        "the fluid, exact, ",
    ] {
        assert!(words.contains(choice), "{stderr}");
    }
    assert!(!dir.path().join("none").exists());
    let sharded = run(dir.path(), &["run", "x.toml", "--budget", "1h", "--shard", "0/2"]);
    assert_eq!(sharded.status.code(), Some(2), "{}", text(&sharded.stderr));
}
