//! What would take more time, samples, memory or stack than there is.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use fabricsim::flow_engine::{self, FlowOptions};
use fabricsim::input::NoFiles;
use fabricsim::outcome::Observe;
use fabricsim::packet_engine::{self, PacketOptions, Setup, SwitchOptions};
use fabricsim::placement::LoadBalancing;
use fabricsim::topology::{Cable, Fabric, LeafSpine};
use fabricsim::units::{Bytes, Rate, Time};
use fabricsim::workload::{Milestone, Schedule, ScheduleBuilder};

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
    unwrapped(&output.stderr)
}

/// A message in one line.
fn unwrapped(stderr: &[u8]) -> String {
    let lines = text(stderr).replace("│", "");
    lines.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the program does in a folder where it can have so many kilobytes of address space.
#[cfg(target_os = "linux")]
fn run_within(kilobytes: u32, folder: &Path, arguments: &str) -> std::process::Output {
    let program = env!("CARGO_BIN_EXE_fabricsim");
    let limited = format!("ulimit -v {kilobytes}; exec {program} {arguments}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &limited]).current_dir(folder).output().unwrap()
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

/// Three transfers over one slow link, one after the other; each of them takes 33 days.
fn chained() -> (Fabric, Schedule) {
    let cable = |rate| Cable {
        rate,
        delay: Time::from_ns(500),
    };
    let drawing = LeafSpine {
        fabric_link: cable(Rate(100)),
        ..LeafSpine::uniform(2, 1, 2, cable(Rate::from_gbps(100)))
    };
    let mut schedule = ScheduleBuilder::default();
    let first = schedule.transfer(0, 2, 36_000_000, 0);
    let second = schedule.transfer(0, 2, 36_000_000, 1);
    let third = schedule.transfer(0, 2, 36_000_000, 2);
    schedule.depend(first, Milestone::Delivered, second);
    schedule.depend(second, Milestone::Delivered, third);
    (Fabric::compile(&drawing.blueprint().unwrap()), schedule.build())
}

/// Both engines stop there, with the flows that were still on their way.
#[test]
fn a_clock_that_would_pass_its_end_ends_the_run() {
    let (fabric, schedule) = chained();
    let scheme: LoadBalancing = serde_json::from_str(r#"{ "ecmp": {} }"#).unwrap();
    let placement = scheme.place(&fabric, &schedule, &NoFiles, 1).unwrap();
    let observe = Observe::default();
    let stuck = [
        flow_engine::simulate(&fabric, &schedule, &placement, &FlowOptions::default(), &observe).unwrap_err(),
        packet_engine::simulate(&Setup {
            fabric: &fabric,
            link_events: &[],
            schedule: &schedule,
            placement: &placement,
            load_balancing: &scheme,
            transport: &serde_json::from_str(r#"{ "ideal": {} }"#).unwrap(),
            packet: &PacketOptions {
                payload: Bytes(60_000),
                max_time: Some(Time::LATEST),
                ..PacketOptions::default()
            },
            switch: &SwitchOptions::default(),
            observe,
            seed: 1,
        })
        .unwrap_err(),
    ];
    for stuck in stuck {
        assert_eq!(stuck.at, Time::LATEST);
        let left: Vec<_> = stuck
            .unfinished
            .iter()
            .map(|flow| (flow.task.0, flow.reason.as_str()))
            .collect();
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(left[0].0 == 1 && left[0].1.contains("53 days"), "{left:?}");
    }
}

/// The plan knows, before anything runs, that three transfers that could end will not, one after the other.
#[test]
fn chains_beyond_the_clock_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = fs::read_to_string(case("overflow").join("experiment.toml")).unwrap();
    let experiment = experiment.split("[workload").next().unwrap();
    let workload = "[workload.connection-matrix]\nfile = \"x.cm\"\n";
    fs::write(folder.path().join("e.toml"), format!("{experiment}{workload}")).unwrap();
    let matrix = "Nodes 4\nConnections 3\nTriggers 2\n\
                  0->2 id 1 start 0 size 36000000 send_done_trigger 1\n\
                  2->0 id 2 trigger 1 size 36000000 send_done_trigger 2\n\
                  0->2 id 3 trigger 2 size 36000000\n\
                  trigger id 1 oneshot\ntrigger id 2 oneshot\n";
    fs::write(folder.path().join("x.cm"), matrix).unwrap();
    let message = refused(folder.path(), &["run", "e.toml"]);
    assert!(message.contains("53 days"), "{message}");
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
        let output = run_within(4_000_000, folder.path(), &format!("run {experiment}"));
        let message = unwrapped(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(
            message.contains("GB of memory") && message.contains("--force"),
            "{message}"
        );
        assert!(message.contains("take fewer ranks"), "{message}");
    }
}

/// Whoever insists on what memory cannot hold is told in plain words, wherever it runs out.
#[cfg(target_os = "linux")]
#[test]
fn memory_that_runs_out_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let fabric = "[topology.leaf-spine]\nleaves = 16\nspines = 8\nhosts_per_leaf = 40\nhost_link = { rate = \"100Gbps\" }\n\
                  fabric_link = { rate = \"100Gbps\" }\n";
    let sweep = "[workload.all-to-all]\nmessage = \"1KB\"\n[sweep]\nload_balancing = [\"ecmp\"]\n";
    fs::write(folder.path().join("a2a.toml"), [fabric, sweep].concat()).unwrap();
    for kilobytes in [70_000, 90_000, 120_000] {
        let output = run_within(kilobytes, folder.path(), "run a2a.toml --force --jobs 1 --out r");
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{kilobytes}: {message}");
        assert!(message.contains("error: point 0: memory ran out: "), "{message}");
        assert!(
            message.contains("--jobs 1") && message.contains("fewer ranks"),
            "{message}"
        );
        assert!(!message.contains("backtrace"), "{message}");
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

/// The stack does not grow with the length of a path.
#[test]
fn chains_of_any_length_are_simulated() {
    let folder = tempfile::tempdir().unwrap();
    for (engine, scheme, switches) in [
        ("packet", "weighted-spray", 40_000),
        ("flow", "optimal-transport", 8_000),
    ] {
        fs::write(folder.path().join("chain.toml"), chain(switches)).unwrap();
        let command = format!(
            "ulimit -s 512; RUST_MIN_STACK=262144 exec {} run chain.toml --set engine={engine} \
             --set load_balancing={scheme} --out {engine}",
            env!("CARGO_BIN_EXE_fabricsim"),
        );
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{engine}: {}", text(&output.stderr));
    }
}
