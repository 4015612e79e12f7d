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
    assert_eq!(warned(&["--set", "workload.connection-matrix.start_unit=us"]), "");
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
