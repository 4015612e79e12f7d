//! Parts of a plan's points in processes of their own, and the whole from them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cli::{fabricsim, folder, run, stdout, text};

const EXPERIMENT: &str = r#"
engine = "packet"
topology = "small.toml"

[workload.all-reduce]
size = "200KB"
algorithm = "ring"

[output]
links = true

[sweep]
load_balancing = ["ecmp", "spray", "ethereal", "ecmp"]
transport = ["dctcp", { dcqcn = { gain = 0.1 } }]
"workload.all-reduce.order" = ["near-first"]
seed = [1, 2, 3]
"#;

const TOPOLOGY: &str = r#"
[leaf-spine]
leaves = 2
spines = 2
hosts_per_leaf = 2
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }
"#;

fn experiment() -> tempfile::TempDir {
    folder(&[("e.toml", EXPERIMENT), ("small.toml", TOPOLOGY)])
}

fn read(dir: &Path, file: &str) -> String {
    fs::read_to_string(dir.join(file)).unwrap()
}

/// What shards have run and `merge` has put together is what one process writes, byte for byte, equal points included.
#[test]
fn shards_merge_to_the_whole() {
    let dir = experiment();
    stdout(dir.path(), &["run", "e.toml", "--out", "whole", "--quiet"]);
    // In whatever order, one of them twice.
    for shard in ["2/5", "0/5", "4/5", "0/5", "3/5"] {
        let output = run(dir.path(), &["run", "e.toml", "--out", "parts", "--shard", shard]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(
            text(&output.stderr).contains("belong to other shards"),
            "{}",
            text(&output.stderr)
        );
        assert!(!dir.path().join("parts/results.csv").exists());
    }
    let lacking = run(dir.path(), &["merge", "parts"]);
    assert_eq!(lacking.status.code(), Some(1));
    assert!(
        text(&lacking.stderr).contains("points are missing: 1, 6, 11, "),
        "{}",
        text(&lacking.stderr)
    );
    stdout(
        dir.path(),
        &["run", "e.toml", "--out", "parts", "--shard", "1/5", "--quiet"],
    );
    stdout(dir.path(), &["merge", "parts"]);
    for file in ["results.csv", "points.csv", "experiment.toml"] {
        assert_eq!(
            read(dir.path(), &format!("parts/{file}")),
            read(dir.path(), &format!("whole/{file}")),
            "{file}"
        );
    }
    assert!(dir.path().join("parts/plots").is_dir());
    // A run of all finds them all.
    let all = run(dir.path(), &["run", "e.toml", "--out", "parts", "--quiet"]);
    assert!(all.status.success());
    assert_eq!(
        read(dir.path(), "parts/results.csv"),
        read(dir.path(), "whole/results.csv")
    );
}

/// What a part will cost is told of its points alone.
#[test]
fn check_tells_the_cost_of_a_part() {
    let dir = experiment();
    for (shard, points) in [("0/5", "5 points: 4 hosts"), ("4/5", "4 points: 4 hosts")] {
        let output = run(dir.path(), &["check", "e.toml", "--shard", shard]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(points), "{}", text(&output.stderr));
    }
}

#[test]
fn merge_refuses_what_it_cannot_put_together() {
    let dir = experiment();
    let refused = |dir: &Path| {
        let output = run(dir, &["merge", "r"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let nothing = refused(dir.path());
    assert!(nothing.contains("`fabricsim run` has not been here"), "{nothing}");
    stdout(
        dir.path(),
        &["run", "e.toml", "--out", "r", "--shard", "0/2", "--quiet"],
    );
    let manifest = read(dir.path(), "r/manifest.json");
    let model = manifest.lines().find(|line| line.contains("\"model\"")).unwrap();
    fs::write(
        dir.path().join("r/manifest.json"),
        manifest.replace(model, "  \"model\": \"0.0.1+1\","),
    )
    .unwrap();
    let mixed = refused(dir.path());
    assert!(mixed.contains("version 0.0.1+1 wrote it"), "{mixed}");
}

#[test]
fn schedulers_say_which_shard_it_is() {
    let dir = experiment();
    let auto = |variables: &[(&str, &str)]| {
        let mut command = fabricsim(dir.path());
        for name in [
            "SLURM_ARRAY_TASK_ID",
            "SLURM_ARRAY_TASK_COUNT",
            "SLURM_ARRAY_TASK_MIN",
            "JOB_COMPLETION_INDEX",
            "HQ_TASK_ID",
        ] {
            command.env_remove(name);
        }
        command
            .envs(variables.iter().copied())
            .args(["run", "e.toml", "--out", "r", "--shard", "auto"])
            .output()
            .unwrap()
    };
    let slurm = auto(&[
        ("SLURM_ARRAY_TASK_ID", "1"),
        ("SLURM_ARRAY_TASK_COUNT", "4"),
        ("SLURM_ARRAY_TASK_MIN", "1"),
    ]);
    assert!(slurm.status.success(), "{}", text(&slurm.stderr));
    let unknown = auto(&[]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        text(&unknown.stderr).contains("no variable of a scheduler"),
        "{}",
        text(&unknown.stderr)
    );
    for wrong in ["4/4", "x", "1/0"] {
        assert_eq!(
            run(dir.path(), &["run", "e.toml", "--shard", wrong]).status.code(),
            Some(2),
            "{wrong}"
        );
    }
}

/// A scheduler that wants its machine back gets exit code 75, and the same command goes on.
#[cfg(unix)]
#[test]
fn a_terminated_run_asks_to_be_run_again() {
    let dir = experiment();
    let set = ["--set", "workload.all-reduce.size=50MB"];
    let arguments = [&["run", "e.toml", "--out", "r", "--jobs", "1"][..], &set].concat();
    let child = fabricsim(dir.path())
        .args(&arguments)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while !dir.path().join("r/points").is_dir() {
        std::thread::yield_now();
    }
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return; // It was faster than the signal.
    }
    assert_eq!(output.status.code(), Some(75), "{}", text(&output.stderr));
}
