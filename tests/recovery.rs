//! Losses, timeouts and the ends of runs, as an experiment file reaches them.

use std::path::{Path, PathBuf};

use crate::cli::{folder, run, stdout, text};
use crate::packet::column;

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/cases")
        .join(name)
}

/// The completion time of a case with one point, in microseconds.
fn cct(name: &str, file: &str) -> f64 {
    let out = tempfile::tempdir().unwrap();
    let results = out.path().to_str().unwrap();
    stdout(&case(name), &["run", file, "--quiet", "--out", results]);
    column(&out.path().join("results.csv"), "cct_us")[0].parse().unwrap()
}

/// 100 MB at 100 Gb/s over a link of 10 ms, store and forward: 24 415 packets, the last of 256 bytes of payload.
#[test]
fn a_long_link_is_filled_and_no_timeout_runs_out_before_an_answer_can_come() {
    let (full, last) = (4_160.0 * 80.0 / 1e6, (256.0 + 64.0) * 80.0 / 1e6);
    let expected = 24_414.0 * full + full + last + 1.0 + 10_000.0;
    for name in ["long-link-timeout", "long-link-window"] {
        let cct = cct(name, "experiment.toml");
        assert!((cct - expected).abs() < 0.001, "{name}: {cct}, expected {expected}");
    }
}

#[test]
fn go_back_n_delivers_what_a_nack_for_the_first_packet_asks_for() {
    let plain = cct("gbn", "experiment.toml");
    // The first of four packets is dropped at the switch, the second brings a NACK, and all four go again: two packets on
    // the wire and two links there, one acknowledgement and two links back, then two links and five packets.
    let (full, ack, link) = (4_160.0 * 80.0 / 1e6, 64.0 * 80.0 / 1e6, 0.5);
    let expected = (3.0 * full + 2.0 * link) + (2.0 * ack + 2.0 * link) + (5.0 * full + 2.0 * link);
    assert!((plain - expected).abs() < 1e-6, "{plain}, expected {expected}");
    // The fault of 0.1 us hits the first packet; the NACK brings it back, or a timeout of 1 ms at most.
    let faulty = cct("gbn", "link-fault.toml");
    assert!(faulty < 1_300.0, "{faulty}");
}

const ENDLESS: &str = r#"
engine = "packet"
transport = "ideal"
[topology.leaf-spine]
leaves = 2
spines = 1
hosts_per_leaf = 2
host_link = { rate = "100Gbps", delay = "1us" }
fabric_link = { rate = "100Gbps", delay = "1us" }
[workload.shift]
offset = 2
message = "1GB"
[packet]
stop = "100us"
[output]
flows = true
links = true
"#;

#[test]
fn a_run_that_is_stopped_has_goodput_and_no_completion() {
    let dir = folder(&[("e.toml", ENDLESS)]);
    stdout(dir.path(), &["run", "e.toml", "--out", "out", "--quiet"]);
    let results = dir.path().join("out/results.csv");
    for empty in ["cct_us", "cct_over_bound", "fct_mean_us", "algbw_GBps"] {
        assert_eq!(column(&results, empty), [""], "{empty}");
    }
    let point = std::fs::read_dir(dir.path().join("out/points"))
        .unwrap()
        .flatten()
        .next()
        .unwrap();
    let flows = point.path().join("flows.csv");
    assert_eq!(column(&flows, "fct_us"), ["", "", "", ""]);
    assert_eq!(column(&flows, "start_us"), ["0", "0", "0", "0"]);
    // Two hosts below a leaf share its one uplink with the acknowledgements of what comes the other way. The first packet
    // arrives after four links.
    let bytes: Vec<f64> = column(&flows, "delivered_bytes")
        .iter()
        .map(|cell| cell.parse().unwrap())
        .collect();
    let packets = ((100.0 - 4.0 - 4.0 * 0.3328) / (0.3328 + 0.00512_f64)).floor() + 1.0;
    for pair in bytes.chunks(2) {
        let total = pair[0] + pair[1];
        assert!((total / 4_096.0 - packets).abs() <= 1.0, "{bytes:?}, {packets} packets");
    }
    let goodput: Vec<f64> = column(&flows, "goodput_gbps")
        .iter()
        .map(|cell| cell.parse().unwrap())
        .collect();
    assert!((goodput[0] - bytes[0] * 8.0 / 1e3 / 100.0).abs() < 1e-6, "{goodput:?}");
}

#[test]
fn a_run_that_ends_before_its_stop_is_complete() {
    let dir = folder(&[("e.toml", ENDLESS)]);
    let set = ["--set", "workload.shift.message=100KB", "--set", "packet.stop=2ms"];
    let arguments = [&["run", "e.toml", "--out", "out", "--quiet"][..], &set[..]].concat();
    stdout(dir.path(), &arguments);
    assert_ne!(column(&dir.path().join("out/results.csv"), "cct_us"), [""]);
}

#[test]
fn limits_end_a_run_with_a_list() {
    let dir = folder(&[("e.toml", &ENDLESS.replace("stop = \"100us\"", ""))]);
    for (setting, key) in [
        ("packet.max_time=50us", "packet.max_time"),
        ("packet.max_events=1000", "packet.max_events"),
    ] {
        let output = run(
            dir.path(),
            &["run", "e.toml", "--out", key, "--quiet", "--set", setting],
        );
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("4 of 4 flows did not finish"), "{message}");
        assert!(
            message.contains(&format!("the limit of {key} was reached")),
            "{message}"
        );
    }
}
