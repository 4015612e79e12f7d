//! Broken inputs and the exact messages they give: every `tests/bad_input/*.toml` is an experiment
//! that cannot be run, and `messages/` holds what the user sees.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::{run, text};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_input")
}

/// Runs with arguments in the corpus' folder: it must end with 2 and leave nothing behind.
fn message(arguments: &[&str]) -> String {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("results");
    let arguments = [&["run"], arguments, &["--out", folder.to_str().unwrap()]].concat();
    let output = run(&corpus(), &arguments);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert!(!folder.exists(), "{arguments:?}");
    assert!(!message.contains("panicked"), "{arguments:?}: {message}");
    message
}

fn snapshot(name: &str, message: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("bad_input/messages");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, message));
}

#[test]
fn every_broken_file_has_its_message() {
    let mut files: Vec<_> = fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 40, "{} files", files.len());
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        snapshot(name.trim_end_matches(".toml"), &message(&[name]));
    }
}

#[test]
fn every_broken_argument_has_its_message() {
    for (name, setting) in [
        ("set-without-value", "seed"),
        ("set-without-key", "=3"),
        ("set-unknown-key", "sede=3"),
        ("set-unknown-option", "load_balancing.ethereal.grup=leaf"),
        ("set-bad-value", "workload.all-to-all.message=64kb"),
        ("set-beyond-a-list", "faults.3.down=true"),
        ("set-missing-file", "topology=none.toml"),
        ("set-inside-a-sweep", "load_balancing.ethereal.group=leaf"),
        ("set-in-the-flow-engine", "transport=swift"),
        ("set-seed-beyond-64-bits", "seed=18446744073709551616"),
        ("set-too-deep", &format!("{}=1", ["a"; 60_000].join("."))),
        (
            "set-sweep-too-deep",
            &format!("sweep.\"{}\"=[1]", ["a"; 60_000].join(".")),
        ),
    ] {
        let file = if name == "set-inside-a-sweep" {
            "files/swept.toml"
        } else {
            "files/good.toml"
        };
        snapshot(name, &message(&[file, "--set", setting]));
    }
}

#[test]
fn every_broken_limit_of_packets_has_its_message() {
    for (key, values) in [
        ("rto", ["0us", "-1us", "99999999s"]),
        ("stop", ["0us", "-2ms", "99999999s"]),
        ("max_time", ["0us", "-2ms", "99999999s"]),
        ("max_events", ["0", "-1", "99999999999999999999"]),
        ("ack_every", ["0", "-16KiB", "99999999999GB"]),
    ] {
        for (kind, value) in ["zero", "negative", "overlong"].into_iter().zip(values) {
            let name = format!("packet-{}-{kind}", key.replace('_', "-"));
            let set = ["--set", "engine=packet", "--set", &format!("packet.{key}={value}")];
            snapshot(&name, &message(&[&["files/good.toml"][..], &set].concat()));
        }
    }
}

#[test]
fn every_broken_option_of_optimal_transport_has_its_message() {
    for (name, options) in [
        ("no-pieces", "max_pieces = 0"),
        ("negative-pieces", "max_pieces = -1"),
        ("half-pieces", "max_pieces = 1.5"),
        ("pieces-overflow", "max_pieces = 5000000000"),
        ("epsilon-of-zero", "epsilon = 0"),
        ("epsilon-negative", "epsilon = -0.1"),
        ("epsilon-nan", "epsilon = nan"),
        ("epsilon-infinite", "epsilon = inf"),
        ("epsilon-underflows", "epsilon = 1e-300"),
        ("tolerance-of-zero", "tolerance = 0"),
        ("tolerance-nan", "tolerance = nan"),
        ("no-starts", "starts = 0"),
        ("unknown-solver", "solver = \"fast\""),
        ("unknown-scope", "scope = \"all\""),
        ("unknown-preference", "prefer = \"long\""),
        ("keeps-a-missing-plan", "keep = \"none.json\""),
    ] {
        let setting = format!("load_balancing={{ optimal-transport = {{ {options} }} }}");
        let message = message(&["files/good.toml", "--set", &setting]);
        snapshot(&format!("optimal-transport-{name}"), &message);
    }
    let cut = r#"faults=[{ link = "leaf0-spine0", down = true }, { link = "leaf0-spine1", down = true }]"#;
    let arguments = [
        "files/good.toml",
        "--set",
        "load_balancing=optimal-transport",
        "--set",
        cut,
    ];
    snapshot("optimal-transport-unreachable", &message(&arguments));
}
