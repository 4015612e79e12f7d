//! Receivers that grant, trimmed headers and pauses, as an experiment file reaches them. Cases of `tests/fixtures/cases`.

use std::path::{Path, PathBuf};

use crate::cli::{folder, run, stdout, text};
use crate::packet::column;

/// An experiment of the fixtures, run into a folder of its own; its completion time in us.
fn completion(case: &str, settings: &[&str]) -> f64 {
    let dir = folder(&[]);
    let file = fixture(case);
    let mut arguments = vec!["run", file.to_str().unwrap(), "--out", "out", "--quiet"];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    stdout(dir.path(), &arguments);
    let times = column(&dir.path().join("out/results.csv"), "cct_us");
    times[0].parse().unwrap()
}

fn fixture(case: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/fixtures/cases").join(case).join("experiment.toml")
}

/// An eighth of the way back is dead: no data are lost, and 20 MB at 100 Gb/s take 1625 us with headers. Only where the very last credit is lost,
/// as in about one of eight runs, does the sender wait for its timeout.
#[test]
fn lost_credits_cost_no_time() {
    let timeout = 120.0;
    for transport in ["eqds", r#"{eqds={mode="rccc"}}"#] {
        let seeds = (1..=7).map(|seed| format!("seed={seed}"));
        let setting = format!(
            "transport={}",
            if transport == "eqds" { r#""eqds""# } else { transport }
        );
        let times = seeds.map(|seed| completion("eqds-credit-loss", &[&seed, &setting]));
        let mut times: Vec<f64> = times.collect();
        times.sort_unstable_by(f64::total_cmp);
        assert!((1_625.0..1_700.0).contains(&times[3]), "{transport}: {times:?}");
        assert!(
            (times[0] >= 1_625.0) && times[6] < 1_700.0 + timeout,
            "{transport}: {times:?}"
        );
    }
}

/// 255 flows of 8 KB to one host take 1738 us. Where each keeps a packet in flight, nearly all are trimmed, and the last link carries ten
/// headers of 64 bytes for every packet of 1064: 1.602 times as long, and no more.
#[test]
fn a_crowd_of_senders_gets_through() {
    for (transport, most) in [("transport=nscc", 1_738.0 * 1.602), ("transport=eqds", 1_738.0 * 1.15)] {
        let time = completion("livelock", &[transport]);
        assert!((1_738.0..most).contains(&time), "{transport}: {time}");
    }
}

/// Switches whose queues never take a whole packet.
#[test]
fn a_threshold_below_a_packet_is_refused() {
    let dir = folder(&[]);
    let file = fixture("trim");
    let output = run(dir.path(), &["run", file.to_str().unwrap(), "--out", "out"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("switch.alpha"), "{message}");
    assert!(message.contains("a packet of 4160"), "{message}");
}

/// Switches in a ring that pause each other: the run ends with 1 and says which.
#[test]
fn a_deadlock_is_called_one() {
    let mut ring = String::from(
        "engine = \"packet\"\ntransport = \"ideal\"\nload_balancing = \"ecmp\"\n[switch]\npfc = true\npfc_pause = \"20KB\"\n\
         [workload.shift]\noffset = 3\nmessage = \"4MB\"\n[topology.graph]\nnodes = [\n",
    );
    for kind in ["host", "switch"] {
        (0..7).for_each(|k| ring += &format!("{{ name = \"{kind}{k}\", kind = \"{kind}\" }},\n"));
    }
    ring += "]\nlinks = [\n";
    for k in 0..7 {
        ring += &format!("{{ a = \"host{k}\", b = \"switch{k}\", rate = \"100Gbps\", delay = \"1us\" }},\n");
        let next = (k + 1) % 7;
        ring += &format!("{{ a = \"switch{k}\", b = \"switch{next}\", rate = \"100Gbps\", delay = \"1us\" }},\n");
    }
    ring += "]\n";
    let dir = folder(&[("ring.toml", &ring)]);
    let output = run(dir.path(), &["run", "ring.toml", "--out", "out", "--quiet"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("PFC deadlock: switch0->switch1, switch1->switch2,"),
        "{message}"
    );
}
