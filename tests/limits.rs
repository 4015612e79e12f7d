//! What would take more time, samples, memory or stack than there is.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cli::{run, text};

fn case(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/cases")
        .join(name)
}

/// What a run that is refused says.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let out = tempfile::tempdir().unwrap();
    let arguments = [arguments, &["--out", out.path().to_str().unwrap()]].concat();
    let output = run(folder, &arguments);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    text(&output.stderr)
}

/// 1 GiB at 100 bit/s are 2.7 years, and 2^64 ps are 0.6.
#[test]
fn times_beyond_the_clock_are_refused_by_the_link() {
    for engine in ["packet", "flow"] {
        let message = refused(
            &case("overflow"),
            &["run", "experiment.toml", "--set", &format!("engine={engine}")],
        );
        assert!(message.contains("leaf0->spine0"), "{message}");
        assert!(
            message.contains("2.8 years") || message.contains("2.7 years"),
            "{message}"
        );
        assert!(message.contains("53 days"), "{message}");
    }
}

/// A chain of transfers each of which would fit is one that does not.
#[test]
fn a_clock_that_would_pass_its_end_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut matrix = "Nodes 4\nConnections 3\nTriggers 2\n".to_owned();
    // Each of them takes 33 days at 100 bit/s.
    matrix.push_str("0->2 id 1 start 0 size 36000000 send_done_trigger 1\n");
    matrix.push_str("2->0 id 2 trigger 1 size 36000000 send_done_trigger 2\n0->2 id 3 trigger 2 size 36000000\n");
    matrix.push_str("trigger id 1 oneshot\ntrigger id 2 oneshot\n");
    fs::write(folder.path().join("x.cm"), matrix).unwrap();
    let settings = ["workload={ connection-matrix = { file = \"x.cm\" } }"];
    fs::copy(case("overflow").join("experiment.toml"), folder.path().join("e.toml")).unwrap();
    for engine in ["flow", "packet"] {
        let engine = format!("engine={engine}");
        let arguments = [
            "run",
            "e.toml",
            "--set",
            settings[0],
            "--set",
            &engine,
            "--set",
            "packet.payload=60000",
            "--out",
            out.to_str().unwrap(),
        ];
        let output = run(folder.path(), &arguments);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains("53 days"), "{message}");
    }
}

/// 10 MB at 100 Mbit/s are 0.8 s: 80 million samples of that link alone.
#[test]
fn a_series_is_counted_by_the_slowest_link() {
    let message = refused(&case("series"), &["run", "experiment.toml"]);
    assert!(message.contains("output.series"), "{message}");
    assert!(message.contains("leaf0->spine0"), "{message}");
    // As a fault for the time being too; one that is over in time is none.
    let timed = |until: &str| {
        format!("faults=[{{ link = \"leaf0-spine0\", rate = \"100Mbps\", from = \"10us\", until = \"{until}\" }}]")
    };
    let message = refused(&case("series"), &["run", "experiment.toml", "--set", &timed("10s")]);
    assert!(message.contains("output.series"), "{message}");
    let output = run(&case("series"), &["check", "experiment.toml", "--set", &timed("20us")]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

/// With little address space a large schedule is refused before it is made.
#[cfg(target_os = "linux")]
#[test]
fn schedules_that_memory_cannot_hold_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let fabric = "[topology.leaf-spine]\nleaves = 100\nspines = 2\nhosts_per_leaf = 100\nhost_link = { rate = \"100Gbps\" }\n\
                  fabric_link = { rate = \"100Gbps\" }\n";
    fs::write(
        folder.path().join("a2a.toml"),
        format!("{fabric}[workload.all-to-all]\nmessage = \"1KB\"\n"),
    )
    .unwrap();
    let reduce =
        "[workload.all-reduce]\nsize = \"64GiB\"\nalgorithm = \"ring\"\nranks = 4\nchunks = 1000000\nchannels = 4\n";
    fs::write(folder.path().join("chunks.toml"), format!("{fabric}{reduce}")).unwrap();
    for experiment in ["a2a.toml", "chunks.toml"] {
        let limited = format!(
            "ulimit -v 4000000; exec {} run {experiment}",
            env!("CARGO_BIN_EXE_fabricsim")
        );
        let output = Command::new("sh")
            .args(["-c", &limited])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(
            message.contains("GB of memory") && message.contains("--force"),
            "{message}"
        );
        assert!(message.contains("take fewer ranks"), "{message}");
    }
}

/// A hundred thousand jobs are as many as there are points.
#[test]
fn jobs_are_no_more_than_points() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "run",
        "experiment.toml",
        "--jobs",
        "100000",
        "--set",
        "output={}",
        "--set",
        "faults=[]",
        "--out",
    ];
    let output = run(
        &case("series"),
        &[&arguments[..], &[folder.path().to_str().unwrap()]].concat(),
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

/// A chain of switches between two hosts.
fn chain(switches: usize) -> String {
    let mut graph = String::from("[workload.shift]\noffset = 1\nmessage = \"1KB\"\n[topology.graph]\nnodes = [\n");
    graph.push_str("{ name = \"a\", kind = \"host\" }, { name = \"b\", kind = \"host\" },\n");
    for s in 0..switches {
        writeln!(graph, "{{ name = \"s{s}\", kind = \"switch\" }},").unwrap();
    }
    graph.push_str("]\nlinks = [\n{ a = \"a\", b = \"s0\", rate = \"100Gbps\" },\n");
    for s in 1..switches {
        writeln!(graph, "{{ a = \"s{}\", b = \"s{s}\", rate = \"100Gbps\" }},", s - 1).unwrap();
    }
    writeln!(
        graph,
        "{{ a = \"b\", b = \"s{}\", rate = \"100Gbps\" }},\n]",
        switches - 1
    )
    .unwrap();
    graph
}

/// The stack does not grow with the length of a path. The same through 40 000 switches as through a few: 502 ns and more each.
#[test]
fn chains_of_any_length_are_simulated() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("chain.toml"), chain(40_000)).unwrap();
    for (engine, scheme) in [
        ("packet", "ecmp"),
        ("packet", "weighted-spray"),
        ("flow", "optimal-transport"),
    ] {
        let out = folder.path().join(format!("{engine}-{scheme}"));
        let command = format!(
            "ulimit -s 512; RUST_MIN_STACK=262144 exec {} run chain.toml --set engine={engine} --set transport=ideal \
             --set load_balancing={scheme} --out {}",
            env!("CARGO_BIN_EXE_fabricsim"),
            out.display()
        );
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{engine} {scheme}: {}",
            text(&output.stderr)
        );
    }
}
