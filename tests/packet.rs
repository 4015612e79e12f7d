//! The packet engine as an experiment file reaches it: determinism, failures in time, agreement with
//! the flow engine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use fabricsim::experiment::{Memory, Plan, Preparer};
use fabricsim::runner::{self, RunOptions, RunProgress};

use crate::cli::{folder, run, stdout, text};

const FABRIC: &str = r#"
[leaf-spine]
leaves = 4
spines = 4
hosts_per_leaf = 4
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }
"#;

/// The cells of one column of a results file.
pub(crate) fn column(file: &Path, name: &str) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let position = lines.next().unwrap().iter().position(|cell| *cell == name).unwrap();
    lines.map(|cells| cells[position].to_owned()).collect()
}

fn numbers(file: &Path, name: &str) -> Vec<f64> {
    column(file, name).iter().map(|cell| cell.parse().unwrap()).collect()
}

/// Acknowledgements after the last byte, and queues that are left when a run stops, keep no link busier than it can be.
#[test]
fn no_link_is_busier_than_all_the_time() {
    let sweep = r#"
engine = "packet"
topology = "fabric.toml"
[workload.incast]
message = "64KiB"
senders = 8
[output]
links = true
[sweep]
transport = ["ideal", "dctcp", "nscc", "udp"]
"#;
    let dir = folder(&[("sweep.toml", sweep), ("fabric.toml", FABRIC)]);
    for (out, more) in [("whole", &[][..]), ("stopped", &["--set", "packet.stop=20us"])] {
        run(
            dir.path(),
            &[&["run", "sweep.toml", "--out", out, "--quiet"][..], more].concat(),
        );
        let mut busiest = 0.0_f64;
        for point in fs::read_dir(dir.path().join(out).join("points")).unwrap() {
            let busy = numbers(&point.unwrap().path().join("links.csv"), "utilisation");
            assert!(busy.iter().all(|&busy| busy <= 1.0), "{out}: {busy:?}");
            busiest = busy.into_iter().fold(busiest, f64::max);
        }
        assert!(busiest > 0.8, "{out}: {busiest}");
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let sweep = r#"
engine = "packet"
topology = "fabric.toml"
[workload.all-to-all]
message = "64KiB"
[switch]
queue = "50KB"
[output]
flows = true
links = true
series = "5us"
[sweep]
load_balancing = ["ecmp", "reps", "adaptive", { spray = { choose = "round-robin" } }]
transport = ["dctcp", "nscc"]
seed = [1, 2]
"#;
    let dir = folder(&[("sweep.toml", sweep), ("fabric.toml", FABRIC)]);
    for (jobs, out) in [("1", "one"), ("4", "four")] {
        stdout(
            dir.path(),
            &["run", "sweep.toml", "--jobs", jobs, "--out", out, "--quiet"],
        );
    }
    let files = |out: &str| {
        let mut files = BTreeMap::new();
        for point in fs::read_dir(dir.path().join(out).join("points")).unwrap().flatten() {
            for name in [
                "flows.csv",
                "links.csv",
                "series.csv",
                "packets.csv",
                "ports.csv",
                "buffers.csv",
            ] {
                let bytes = fs::read(point.path().join(name)).unwrap();
                files.insert((point.file_name(), name), bytes);
            }
        }
        let results = fs::read(dir.path().join(out).join("results.csv")).unwrap();
        (results, files)
    };
    assert_eq!(files("one"), files("four"));
    let results = dir.path().join("one/results.csv");
    assert_eq!(column(&results, "cct_us").len(), 16);
    assert!(numbers(&results, "drops").iter().sum::<f64>() > 0.0);
}

/// Without any path left, the run ends at once, with exit code 1 and the list of flows.
#[test]
fn flows_that_cannot_finish_are_listed() {
    let experiment = r#"
engine = "packet"
topology = "fabric.toml"
[workload.permutation]
message = "1MB"
[packet]
convergence = "1ms"
[[faults]]
link = "leaf0-host3"
down = true
from = "10us"
"#;
    let dir = folder(&[("cut.toml", experiment), ("fabric.toml", FABRIC)]);
    let output = run(dir.path(), &["run", "cut.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("2 of 16 flows did not finish"), "{told}");
    assert!(told.contains("no path was left from host3 to "), "{told}");
    assert!(told.contains(" to host3"), "{told}");
}

/// A link goes down and comes back, another is slow for a while: every flow finishes, and both are to be seen.
#[test]
fn links_that_fail_and_recover() {
    let experiment = r#"
engine = "packet"
load_balancing = "ethereal"
topology = "fabric.toml"
[workload.permutation]
message = "8MB"
[packet]
convergence = "50us"
[output]
links = true
[[faults]]
link = "leaf0-spine0"
down = true
from = "100us"
until = "300us"
[[faults]]
link = "leaf1->spine1"
rate = "10Gbps"
from = "50us"
until = "200us"
"#;
    let dir = folder(&[("flap.toml", experiment), ("fabric.toml", FABRIC)]);
    stdout(dir.path(), &["run", "flap.toml", "--out", "flap", "--quiet"]);
    let healthy = experiment.split("[[faults]]").next().unwrap();
    fs::write(dir.path().join("healthy.toml"), healthy).unwrap();
    stdout(dir.path(), &["run", "healthy.toml", "--out", "healthy", "--quiet"]);
    let cct = |out: &str| numbers(&dir.path().join(out).join("results.csv"), "cct_us")[0];
    assert!(
        cct("flap") > cct("healthy") + 20.0,
        "{} {}",
        cct("flap"),
        cct("healthy")
    );
    assert!(numbers(&dir.path().join("flap/results.csv"), "drops")[0] > 0.0);
}

/// Fifteen hosts that press on one are held back by flow control nearly all the time; nothing is dropped, and `run` says so.
#[test]
fn pause_storms_are_reported() {
    let experiment = r#"
engine = "packet"
load_balancing = "spray"
topology = "fabric.toml"
[workload.incast]
message = "1MB"
senders = 15
receiver = 0
[transport.ideal]
window = 50
[switch]
pfc = true
pfc_pause = "30KB"
[output]
links = true
"#;
    let dir = folder(&[("storm.toml", experiment), ("fabric.toml", FABRIC)]);
    let output = run(dir.path(), &["run", "storm.toml", "--out", "storm"]);
    let told = text(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("point 0: pause storm: "), "{told}");
    let results = dir.path().join("storm/results.csv");
    assert_eq!(numbers(&results, "drops"), [0.0]);
    let point = fs::read_dir(dir.path().join("storm/points"))
        .unwrap()
        .flatten()
        .next()
        .unwrap();
    let ports = point.path().join("ports.csv");
    let paused = numbers(&ports, "paused_us").into_iter().fold(0.0, f64::max);
    assert!(paused > 0.5 * numbers(&results, "cct_us")[0]);
    assert_eq!(
        numbers(&ports, "pauses").iter().sum::<f64>(),
        numbers(&results, "pauses")[0]
    );
}

/// Both engines on the same experiment: with `ideal` and pinned or even paths, packets take within 2 % what the
/// fluid takes, and what it does not know: headers, the acknowledgements of the flows that come the
/// other way, and the time of a packet for each further hop of a step.
/// So they do with permuted spraying where windows are of two bandwidth-delay products: in one, the queues of its
/// collisions leave too few packets to go on with (2.9 % in halving-doubling).
#[test]
fn packets_agree_with_the_fluid() {
    let (payload, full_us) = (4_096.0, 4_160.0 * 80.0 / 1e6);
    let framing = (payload + 64.0 + 64.0) / payload;
    let workloads = [
        ("all-to-all", 1.0, r#"all-to-all = { message = "1MB" }"#),
        // Of 16 ranks each sends chunks of 1 MB.
        (
            "ring",
            30.0,
            r#"all-reduce = { size = "16MB", algorithm = "ring", channels = 1 }"#,
        ),
        (
            "halving-doubling",
            8.0,
            r#"all-reduce = { size = "16MB", algorithm = "halving-doubling" }"#,
        ),
    ];
    for (name, steps, workload) in workloads {
        let experiment = |paths: &str, window: &str| {
            format!(
                "topology = \"fabric.toml\"\nworkload = {{ {workload} }}\ntransport = {{ ideal = {{ window = {window} }} }}\n\
                 [sweep]\nload_balancing = [{paths}]\nengine = [\"flow\", \"packet\"]\n"
            )
        };
        let even = |choose: &str| format!("{{ spray = {{ choose = \"{choose}\" }} }}");
        let dir = folder(&[
            (
                "one.toml",
                &experiment(&format!("\"ethereal\", {}", even("round-robin")), "1"),
            ),
            ("two.toml", &experiment(&even("permuted"), "2")),
            ("fabric.toml", FABRIC),
        ]);
        let mut ccts = Vec::new();
        for file in ["one", "two"] {
            stdout(dir.path(), &["run", &format!("{file}.toml"), "--out", file, "--quiet"]);
            ccts.extend(numbers(&dir.path().join(file).join("results.csv"), "cct_us"));
        }
        assert_eq!(ccts.len(), 6);
        for pair in ccts.chunks(2) {
            let (fluid, packets) = (pair[0], pair[1]);
            let ratio = packets / (fluid * framing + steps * 3.0 * full_us);
            assert!(
                (0.98..=1.02).contains(&ratio),
                "{name}: {packets} us, fluid {fluid} us: {ratio}"
            );
        }
    }
}

/// In a ring only one flow leaves each leaf: however it is balanced, nothing changes.
#[test]
fn in_a_ring_hashing_is_as_good_as_spraying() {
    let experiment = r#"
engine = "packet"
transport = "ideal"
topology = "fabric.toml"
[workload.all-reduce]
size = "16MB"
algorithm = "ring"
[sweep]
load_balancing = ["ecmp", { spray = { choose = "permuted" } }, { spray = { choose = "round-robin" } }, "ethereal"]
"#;
    let dir = folder(&[("ring.toml", experiment), ("fabric.toml", FABRIC)]);
    stdout(dir.path(), &["run", "ring.toml", "--out", "ring", "--quiet"]);
    let ccts = numbers(&dir.path().join("ring/results.csv"), "cct_us");
    let (least, most) = ccts.iter().fold((f64::MAX, 0.0_f64), |(a, b), &t| (a.min(t), b.max(t)));
    assert!(most <= 1.001 * least, "{ccts:?}");
}

#[test]
fn progress_moves_within_a_point() {
    let experiment = r#"
engine = "packet"
topology = "fabric.toml"
[workload.permutation]
message = "50MB"
"#;
    let dir = folder(&[("long.toml", experiment), ("fabric.toml", FABRIC)]);
    let plan = Plan::parse(&dir.path().join("long.toml"), &[]).unwrap();
    let told = Mutex::new(Vec::new());
    let options = RunOptions {
        shard: None,
        out: dir.path().join("long"),
        force: false,
        jobs: 1,
        stop: &AtomicBool::new(false),
        begun: &|_| {},
        progress: &|progress| told.lock().unwrap().push(progress),
        warn: &|_| {},
    };
    runner::run(&Preparer::new(&plan, Memory::free()), &options).unwrap();
    let told: Vec<RunProgress> = told.into_inner().unwrap();
    assert!(told.is_sorted_by_key(|progress| progress.thousandths), "{told:?}");
    assert!(
        told.len() > 1 && told[0].points == 0 && told[0].thousandths > 0,
        "{told:?}"
    );
    let done = RunProgress {
        points: 1,
        thousandths: 1_000,
    };
    assert_eq!(told.last(), Some(&done));
}
