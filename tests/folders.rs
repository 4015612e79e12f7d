//! Results folders: whose they are, what stays in them, and what happens when they are shared, cut off or cannot be
//! written.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::cli::{fabricsim, folder, run, stdout, text};

const FABRIC: &str = r#"
[topology.leaf-spine]
leaves = 4
spines = 2
hosts_per_leaf = 4
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }
"#;

/// A folder with one experiment, `sweep.toml`: small points, as many as there are seeds.
fn sweep(rest: &str) -> tempfile::TempDir {
    let text = format!("engine = \"packet\"\n{FABRIC}\n[workload.all-to-all]\nmessage = \"16KiB\"\n{rest}");
    folder(&[("sweep.toml", &text)])
}

fn results(dir: &Path) -> String {
    fs::read_to_string(dir.join("results.csv")).unwrap()
}

/// What lies in `points`, hidden or not.
fn points(dir: &Path, hidden: bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("points")).unwrap().flatten();
    let is_hidden = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with('.');
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| is_hidden(path) == hidden)
        .collect();
    paths.sort();
    paths
}

fn assert_refused(dir: &Path, arguments: &[&str], words: &str) {
    let output = run(dir, arguments);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert!(stderr.contains(words), "{arguments:?}: {stderr}");
}

#[test]
fn equal_points_run_once_and_have_a_row_each() {
    let dir = sweep("[output]\nflows = true\n[sweep]\nseed = [1, 1, 2, 1, 1, 1, 1, 1]\n");
    let output = run(dir.path(), &["run", "sweep.toml", "--out", "r"]);
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(
        stderr.contains("warning: sweep.seed: `1` is listed more than once"),
        "{stderr}"
    );
    assert!(stderr.contains("8 of 8 points; "), "{stderr}");
    assert_eq!(points(&dir.path().join("r"), false).len(), 2);
    let table = results(&dir.path().join("r"));
    let rows: Vec<_> = table
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').unwrap())
        .collect();
    assert_eq!(rows.len(), 8);
    for (at, (point, row)) in rows.iter().enumerate() {
        assert_eq!(*point, at.to_string());
        assert_eq!(*row == rows[0].1, at != 2, "{table}");
    }
    let again = run(dir.path(), &["run", "sweep.toml", "--out", "r", "--quiet"]);
    assert!(again.status.success());
    assert_eq!(results(&dir.path().join("r")), table);
}

/// The transport means nothing to the flow engine: four of these eight points are one.
#[test]
fn points_that_differ_in_nothing_their_engine_sees_are_equal() {
    let dir =
        sweep("[sweep]\nengine = [\"flow\", \"packet\"]\ntransport = [\"dctcp\", \"swift\", \"nscc\", \"ideal\"]\n");
    stdout(dir.path(), &["run", "sweep.toml", "--out", "r", "--quiet"]);
    assert_eq!(points(&dir.path().join("r"), false).len(), 5);
    assert_eq!(results(&dir.path().join("r")).lines().count(), 9);
}

#[test]
fn a_folder_of_another_experiment_is_left_alone() {
    let dir = sweep("[sweep]\nseed = [1, 2]\n");
    let other = fs::read_to_string(dir.path().join("sweep.toml"))
        .unwrap()
        .replace("16KiB", "8KiB");
    fs::write(dir.path().join("other.toml"), &other).unwrap();
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    fs::write(dir.path().join("elsewhere/sweep.toml"), &other).unwrap();
    stdout(dir.path(), &["run", "sweep.toml", "--out", "r", "--quiet"]);
    let before = results(&dir.path().join("r"));
    for file in ["other.toml", "elsewhere/sweep.toml"] {
        assert_refused(
            dir.path(),
            &["run", file, "--out", "r"],
            "results of another experiment, `sweep`",
        );
        assert_eq!(results(&dir.path().join("r")), before);
    }
    let forced = run(dir.path(), &["run", "other.toml", "--out", "r", "--force"]);
    assert!(text(&forced.stderr).contains("0 points are kept, 2 are run, 2 are dropped"));
    assert_eq!(points(&dir.path().join("r"), false).len(), 2);
    assert_ne!(results(&dir.path().join("r")), before);
}

#[test]
fn a_changed_experiment_keeps_runs_and_drops_points_and_says_so() {
    let dir = sweep("[sweep]\nseed = [1, 2, 3]\n");
    let out = dir.path().join("r");
    stdout(dir.path(), &["run", "sweep.toml", "--out", "r", "--quiet"]);
    assert!(!out.join("plots").exists(), "--quiet draws no plots");
    fs::create_dir(out.join("plots")).unwrap();
    fs::write(out.join("plots/cct-vs-size-of-old.svg"), "old").unwrap();
    let output = run(
        dir.path(),
        &[
            "run",
            "sweep.toml",
            "--out",
            "r",
            "--quiet",
            "--set",
            "sweep.seed=[1, 2]",
        ],
    );
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    assert!(!out.join("plots").exists(), "plots of other rows are removed");
    let output = run(
        dir.path(),
        &["run", "sweep.toml", "--out", "r", "--set", "sweep.seed=[3, 2]"],
    );
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("the experiment has changed: 1 points are kept, 1 are run, 1 are dropped"),
        "{stderr}"
    );
    assert_eq!(points(&out, false).len(), 2);
    let same = run(
        dir.path(),
        &["run", "sweep.toml", "--out", "r", "--set", "sweep.seed=[3, 2]"],
    );
    assert!(!text(&same.stderr).contains("changed"), "{}", text(&same.stderr));
}

#[test]
fn a_results_folder_is_not_made_around_its_own_input() {
    let dir = sweep("");
    assert_refused(
        dir.path(),
        &["run", "sweep.toml", "--out", "."],
        "the working folder itself",
    );
    let above = dir.path().parent().unwrap().to_owned();
    let name = dir.path().file_name().unwrap().to_str().unwrap();
    assert_refused(
        &above,
        &["run", &format!("{name}/sweep.toml"), "--out", name],
        "that of an input",
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let before = fs::read(dir.path().join("sweep.toml")).unwrap();
    for out in ["sweep.toml", "./sweep.toml"] {
        let arguments = ["place", "sweep.toml", "--out", out];
        assert_refused(dir.path(), &arguments, "is an input of this placement");
    }
    assert_eq!(fs::read(dir.path().join("sweep.toml")).unwrap(), before);
}

fn begin(dir: &Path) -> Child {
    fabricsim(dir)
        .args(["run", "sweep.toml", "--jobs", "1", "--out", "shared"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What one process finds is what the other one ran: together they run every point once.
#[test]
fn processes_share_the_work_of_a_folder() {
    let seeds: Vec<_> = (1..=24).map(|seed| seed.to_string()).collect();
    let dir = sweep(&format!(
        "[output]\nflows = true\n[sweep]\nseed = [{}]\n",
        seeds.join(", ")
    ));
    let both = [begin(dir.path()), begin(dir.path())];
    let mut found = 0;
    for child in both {
        let output = child.wait_with_output().unwrap();
        let stderr = text(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        let count = stderr
            .split_once("24 of 24 points (")
            .and_then(|(_, rest)| rest.split_once(' '));
        found += count.map_or(0, |(count, _)| count.parse::<usize>().unwrap());
    }
    assert_eq!(found, 24);
    let shared = dir.path().join("shared");
    stdout(dir.path(), &["run", "sweep.toml", "--out", "alone", "--quiet"]);
    assert_eq!(results(&shared), results(&dir.path().join("alone")));
    let hidden = points(&shared, true);
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn drafts_of_the_dead_go_and_damaged_points_are_run_again() {
    let dir = sweep("[output]\nflows = true\n[sweep]\nseed = [1, 2]\n");
    let out = dir.path().join("r");
    stdout(dir.path(), &["run", "sweep.toml", "--out", "r", "--quiet"]);
    let before = results(&out);
    let [first, second] = &points(&out, false)[..] else {
        panic!("two points");
    };
    let flows = fs::read(first.join("flows.csv")).unwrap();
    fs::write(first.join("flows.csv"), &flows[..flows.len() / 2]).unwrap();
    fs::write(second.join("record.json"), "").unwrap();
    let hash = first.file_name().unwrap().to_str().unwrap();
    fs::create_dir(out.join(format!("points/.{hash}.4000000"))).unwrap();
    fs::write(
        out.join(format!(".{hash}.claim")),
        "process 4000000 on host x, claim 0\n",
    )
    .unwrap();
    fs::write(out.join("results.csv.4000000.part"), "point").unwrap();
    let output = run(dir.path(), &["run", "sweep.toml", "--out", "r"]);
    assert!(!text(&output.stderr).contains("already"), "{}", text(&output.stderr));
    assert_eq!(results(&out), before);
    assert_eq!(fs::read(first.join("flows.csv")).unwrap(), flows);
    assert!(points(&out, true).is_empty());
    assert!(!out.join(format!(".{hash}.claim")).exists());
    assert!(!out.join("results.csv.4000000.part").exists());
}

#[test]
fn plots_are_not_drawn_of_what_is_cut_off() {
    let dir = sweep("[output]\nflows = true\n[sweep]\nseed = [1, 2]\n");
    let out = dir.path().join("r");
    stdout(dir.path(), &["run", "sweep.toml", "--out", "r", "--quiet"]);
    stdout(dir.path(), &["plot", "r"]);
    let point = points(&out, false).remove(0).join("flows.csv");
    for (path, words) in [
        (out.join("results.csv"), "results.csv: it is cut off"),
        (out.join("points.csv"), "points.csv: it is cut off"),
        (point, "flows.csv: it is not as `run` wrote it"),
    ] {
        let whole = fs::read_to_string(&path).unwrap();
        let lines = whole.trim_end().rfind('\n').unwrap() + 1;
        for cut in [lines, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert_refused(dir.path(), &["plot", "r"], words);
        }
        fs::write(&path, &whole).unwrap();
    }
    let whole = results(&out);
    fs::remove_file(out.join("manifest.json")).unwrap();
    let header = whole.find('\n').unwrap() + 1;
    for (text, words) in [("", "it is empty"), (&whole[..header], "there are no rows")] {
        fs::write(out.join("results.csv"), text).unwrap();
        assert_refused(dir.path(), &["plot", "r"], words);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_no_panic() {
    let dir = sweep("[sweep]\nseed = [1, 1]\n");
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for (arguments, code) in [
        (&["run", "sweep.toml", "--out", "r"][..], 0),
        (&["run", "sweep.toml", "--out", "r", "--set", "sede=1"], 2),
        (&["plot", "r"], 0),
        (&["place", "sweep.toml", "--verify", "flow"], 0),
        (&["validate", "sweep.toml", "--quiet"], 0),
        (&["check", "none.toml"], 2),
        (&["chekc"], 2),
        (&[], 2),
    ] {
        let status = fabricsim(dir.path())
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(full())
            .status();
        assert_eq!(status.unwrap().code(), Some(code), "{arguments:?}");
    }
    for arguments in [
        &["run", "sweep.toml", "--out", "r"][..],
        &["check", "sweep.toml"],
        &["bound", "sweep.toml", "--format", "json"],
        &["list"],
        &["schema"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
    ] {
        let output = fabricsim(dir.path()).args(arguments).stdout(full()).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains("No space left"), "{arguments:?}: {stderr}");
    }
}

#[test]
fn pipes_are_no_input() {
    let dir = sweep("");
    let made = std::process::Command::new("mkfifo")
        .arg(dir.path().join("pipe.toml"))
        .status();
    assert!(made.unwrap().success());
    assert_refused(
        dir.path(),
        &["check", "pipe.toml"],
        "it is a pipe or a device, not a file",
    );
    let arguments = ["check", "sweep.toml", "--set", "topology=pipe.toml"];
    assert_refused(dir.path(), &arguments, "it is a pipe or a device, not a file");
    fs::create_dir(dir.path().join("r")).unwrap();
    fs::rename(dir.path().join("pipe.toml"), dir.path().join("r/results.csv")).unwrap();
    assert_refused(dir.path(), &["plot", "r"], "it is a pipe or a device, not a file");
}

#[test]
fn seeds_go_up_to_two_to_the_64th_less_one() {
    let largest = u64::MAX.to_string();
    for seed in [largest.clone(), format!("\"{largest}\"")] {
        let dir = sweep("");
        let written = fs::read_to_string(dir.path().join("sweep.toml")).unwrap();
        fs::write(dir.path().join("sweep.toml"), format!("seed = {seed}\n{written}")).unwrap();
        let set = format!("sweep.seed=[{seed}, 9223372036854775808]");
        for arguments in [
            &["run", "sweep.toml", "--out", "r"][..],
            &["run", "sweep.toml", "--out", "s", "--set", &set],
        ] {
            stdout(dir.path(), arguments);
        }
        let seeds = |out: &str| {
            let table = results(&dir.path().join(out));
            let mut reader = csv::Reader::from_reader(table.as_bytes());
            let at = reader
                .headers()
                .unwrap()
                .iter()
                .position(|name| name == "seed")
                .unwrap();
            reader
                .records()
                .map(|row| row.unwrap()[at].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(seeds("r"), [largest.as_str()]);
        assert_eq!(seeds("s"), [largest.as_str(), "9223372036854775808"]);
        let record = points(&dir.path().join("r"), false).remove(0).join("record.json");
        let record: serde_json::Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
        assert_eq!(record["row"]["seed"], u64::MAX);
        // What `check` prints, and what the folder keeps, mean the same.
        for kept in ["r", "s"] {
            let kept = format!("{kept}/experiment.toml");
            let printed = stdout(dir.path(), &["check", &kept]);
            assert_eq!(printed, fs::read_to_string(dir.path().join(&kept)).unwrap());
            assert!(printed.contains(&largest), "{printed}");
        }
    }
}
