//! Files as people have them, by the command line.

use std::fs;
use std::path::Path;

use crate::cli::{folder, run, stdout, text};

/// The experiment of a case.
fn case(name: &str) -> String {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases");
    cases.join(name).join("experiment.toml").to_str().unwrap().to_owned()
}

/// Start and completion in us of all flows of a case.
fn flows(name: &str) -> Vec<(f64, f64)> {
    let dir = folder(&[]);
    let settings = ["--set", "output.flows=true", "--set", "load_balancing=spray"];
    stdout(
        dir.path(),
        &[&["run", &case(name), "--out", "out"], &settings[..]].concat(),
    );
    let points = fs::read_dir(dir.path().join("out/points")).unwrap();
    let mut tables = points.map(|entry| entry.unwrap().path().join("flows.csv"));
    let table = fs::read_to_string(tables.find(|table| table.exists()).unwrap()).unwrap();
    let (head, rows) = table.split_once('\n').unwrap();
    let place = |column| head.split(',').position(|name| name == column).unwrap();
    let (start, fct) = (place("start_us"), place("fct_us"));
    let numbers = |row: &str| {
        let fields: Vec<&str> = row.split(',').collect();
        (fields[start].parse().unwrap(), fields[fct].parse().unwrap())
    };
    rows.lines().map(numbers).collect()
}

/// 50 KB at 100 Gb/s take 4 us, over two leaves 4 us more and under one 2 us; two at once share the link.
#[test]
fn tables_and_matrices_are_read_as_they_come() {
    assert_eq!(flows("csv-blank-first"), [(0.0, 8.0)]);
    assert_eq!(flows("cm-float-start"), [(0.0, 8.0), (1.0, 8.0)]);
    assert_eq!(flows("cm-bare-msg"), [(0.0, 10.0), (0.0, 10.0)]);
    let mixed = flows("csv-mixed");
    assert_eq!((mixed[0].0, mixed[1].0), (0.0, 0.01));
}

#[test]
fn starts_in_another_unit_are_doubted_and_can_be_said() {
    let dir = folder(&[]);
    let experiment = case("cm-start-us");
    let warned = |arguments: &[&str]| {
        let output = run(dir.path(), &[&["check", &*experiment], arguments].concat());
        assert!(output.status.success());
        text(&output.stderr)
    };
    let warning = warned(&[]);
    assert!(
        warning.starts_with("warning: ")
            && warning.contains("overlapped.cm")
            && warning.contains("start_unit = \"us\""),
        "{warning}"
    );
    let said = warned(&["--set", "workload.connection-matrix.start_unit=us"]);
    assert!(!said.contains("warning"), "{said}");
}

/// A flow without an end has no completion that could be compared.
#[test]
fn flows_without_an_end_are_not_validated() {
    let dir = folder(&[]);
    let set = ["--set", "engine=packet", "--set", "packet.stop=50us"];
    let output = run(dir.path(), &[&["validate", &case("cm-size0")][..], &set].concat());
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains("has no end, and `validate`"), "{message}");
}

#[test]
fn flows_without_an_end_need_packets() {
    let dir = folder(&[]);
    let output = run(dir.path(), &["run", &case("cm-size0"), "--out", "out"]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(
        message.contains("a flow of size 0 has no end") && message.contains("stop"),
        "{message}"
    );
}

/// The closed forms of ASTRA-sim's network without congestion, where a message takes latency times links plus bytes over
/// bandwidth: on one switch of 50 GB/s (of 2^30 bytes) and 500 ns for each of the two links of a way.
#[test]
fn one_switch_agrees_with_the_closed_forms_of_astra_sim() {
    const RANKS: u64 = 8;
    let message = |bytes: u64| 2.0 * 500.0 + bytes as f64 * 1e9 / (50.0 * f64::from(1 << 30));
    let size: u64 = 1 << 20;
    let halving: f64 = (1..=3).map(|step| message(size >> step)).sum();
    let ring = 2.0 * (RANKS - 1) as f64 * message(size / RANKS);
    for (workload, steps, expected) in [
        ("all-reduce = { size = \"1MiB\" }", 14.0, ring),
        (
            "all-reduce = { size = \"1MiB\", algorithm = \"halving-doubling\" }",
            6.0,
            2.0 * halving,
        ),
        ("permutation = { message = \"1MiB\" }", 1.0, message(size)),
    ] {
        let experiment = format!(
            "workload = {{ {workload} }}
             [topology.leaf-spine]
             leaves = 1
             spines = 1
             hosts_per_leaf = {RANKS}
             host_link = {{ rate = \"429.4967296Gbps\", delay = \"500ns\" }}
             fabric_link = {{ rate = \"400Gbps\" }}
            "
        );
        let dir = folder(&[("x.toml", &experiment)]);
        let out = stdout(dir.path(), &["run", "x.toml", "--out", "out", "--format", "json"]);
        let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
        let ns = rows["results"][0]["cct_us"].as_f64().unwrap() * 1e3;
        assert!((ns - expected).abs() <= steps, "{workload}: {ns} and {expected}");
    }
}

/// The same ring of 8 ranks three times, in either engine: a Chakra trace, the MSCCL algorithm that it was made from, and our own. They differ by no more than
/// one chunk takes, and by the seven computations of 7 us that the trace has on its way around.
#[test]
fn one_ring_by_three_ways_takes_the_same_time() {
    const RATE: u64 = 100;
    let chunk = (1 << 20) as f64 / 8.0 * 8.0 / RATE as f64 / 1e3;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces/custom_ring/custom_allreduce");
    let fixtures = fixtures.to_str().unwrap();
    for engine in ["flow", "packet"] {
        let time = |workload: &str| {
            let experiment = format!(
                "engine = \"{engine}\"
                 [topology.leaf-spine]
                 leaves = 1
                 spines = 1
                 hosts_per_leaf = 8
                 host_link = {{ rate = \"{RATE}Gbps\", delay = \"500ns\" }}
                 fabric_link = {{ rate = \"{RATE}Gbps\" }}
                 {workload}"
            );
            let dir = folder(&[("x.toml", &experiment)]);
            let out = stdout(dir.path(), &["run", "x.toml", "--out", "out", "--format", "json"]);
            let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
            rows["results"][0]["cct_us"].as_f64().unwrap()
        };
        let own = time("[workload.all-reduce]\nsize = \"1MiB\"");
        let msccl = time(&format!("[workload.msccl]\nfile = \"{fixtures}.xml\"\nsize = \"1MiB\""));
        let chakra = time(&format!("[workload.chakra]\nprefix = \"{fixtures}\""));
        assert!((msccl - own).abs() <= chunk, "{engine}: {msccl} {own}");
        assert!((chakra - 7.0 * 7.0 - own).abs() <= chunk, "{engine}: {chakra} {own}");
    }
}

/// What the command line writes is read back with the same results.
#[test]
fn exports_have_the_same_results() {
    let fabric = "
        [topology.leaf-spine]
        leaves = 2
        spines = 2
        hosts_per_leaf = 4
        host_link = { rate = \"100Gbps\" }
        fabric_link = { rate = \"50Gbps\" }
        ";
    let results = |dir: &Path, experiment: &str| {
        let out = stdout(
            dir,
            &[
                "run",
                experiment,
                "--out",
                &format!("{experiment}.out"),
                "--format",
                "json",
            ],
        );
        let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
        let row = rows["results"][0].clone();
        let columns = [
            "hosts",
            "cct_us",
            "bound_us",
            "predicted_us",
            "congestion_us",
            "fabric_congestion_us",
            "flows",
            "subflows",
            "fct_mean_us",
            "fct_p99_us",
            "packets",
            "compute_us",
            "events",
        ];
        columns.map(|column| row[column].to_string())
    };
    for (workload, formats) in [
        ("[workload.all-reduce]\nsize = \"100KB\"", &["goal", "chakra"][..]),
        (
            "[workload.all-to-all]\nmessage = 20000",
            &["goal", "chakra", "cm", "flows"],
        ),
        (
            "[workload.program]\nops = [{ name = \"a\", compute = \"1.5us\" }, { name = \"b\", all-to-all = { message = 5000 }, after = [\"a\"] }]",
            &["goal", "chakra"],
        ),
        // A matrix has nothing for a sender that has sent, which holds up no chunk of a ring.
        ("[workload.all-gather]\nsize = \"100KB\"", &["cm"]),
        (
            "[workload.training]
             model = { layers = 2, hidden = 64, ffn = 128, heads = 4, kv_heads = 4, vocab = 100 }
             tensor = 2
             pipeline = 2
             data = 2
             sequence = 128
             global_batch = 4
             peak = \"1TFLOPS\"
             pipelined = false",
            &["goal", "chakra"],
        ),
    ] {
        for head in [
            "load_balancing = \"ethereal\"",
            "load_balancing = \"ecmp\"\nengine = \"packet\"",
        ] {
            let dir = folder(&[("x.toml", &format!("{head}\n{workload}\n{fabric}"))]);
            let expected = results(dir.path(), "x.toml");
            for format in formats {
                stdout(dir.path(), &["export", "x.toml", "--to", format, "--out", format]);
                let back = match *format {
                    "goal" => "[workload.goal]\nfile = \"goal/schedule.goal\"",
                    "chakra" => "[workload.chakra]\nprefix = \"chakra/trace\"",
                    "cm" => "[workload.connection-matrix]\nfile = \"cm/schedule.cm\"",
                    _ => "[workload.flows]\nfile = \"flows/flows.csv\"",
                };
                let name = format!("{format}.toml");
                fs::write(dir.path().join(&name), format!("{head}\n{back}\n{fabric}")).unwrap();
                let got = results(dir.path(), &name);
                // What a matrix leaves out is no event any more.
                let columns = if *format == "cm" { got.len() - 1 } else { got.len() };
                assert_eq!(got[..columns], expected[..columns], "{workload} by {format}");
            }
        }
    }
}

#[test]
fn exports_that_cannot_be_are_refused() {
    let fabric = "
        [topology.leaf-spine]
        leaves = 2
        spines = 2
        hosts_per_leaf = 2
        host_link = { rate = \"100Gbps\" }
        fabric_link = { rate = \"100Gbps\" }
        ";
    let refused = |head: &str, format: &str| {
        let dir = folder(&[("x.toml", &format!("{head}\n{fabric}"))]);
        let output = run(dir.path(), &["export", "x.toml", "--to", format, "--out", "out"]);
        assert_eq!(output.status.code(), Some(2), "{head}");
        assert!(!dir.path().join("out").exists(), "{head}");
        text(&output.stderr)
    };
    let pipelined = "[workload.broadcast]\nsize = \"1MB\"\nalgorithm = \"ring\"\npipelined = true";
    insta::assert_snapshot!(refused(pipelined, "goal"), @r"
    × the schedule cannot be written so: data are passed on as they arrive, which a trace does not
    │ have
    help: leave out `pipelined`
    ");
    let swept = "sweep.seed = [1, 2]\n[workload.all-to-all]\nmessage = 1000";
    insta::assert_snapshot!(refused(swept, "cm"), @r"
    × export needs one point, and there are 2
    help: set what is swept: --set seed=...
    ");
    // How things are sent changes nothing of what is written, nor does a schedule of the fabric.
    for (format, axis) in [
        ("cm", "load_balancing = [\"ecmp\", \"spray\"]"),
        ("infragraph", "seed = [1, 2]"),
    ] {
        let swept = format!("sweep.{axis}\n[workload.all-to-all]\nmessage = 1000\n{fabric}");
        let dir = folder(&[("x.toml", &swept)]);
        assert!(
            run(dir.path(), &["export", "x.toml", "--to", format, "--out", "out"])
                .status
                .success(),
            "{format}"
        );
    }
    insta::assert_snapshot!(refused("[workload.all-reduce]\nsize = \"1MB\"", "flows"), @r"
    × the schedule cannot be written so: its flows wait for each other or for computations, which a
    │ table of flows does not have
    help: take `--to cm`, `--to goal` or `--to chakra`
    ");
}
