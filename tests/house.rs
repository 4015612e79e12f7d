//! The floors of the house: who may use whom, read from the `crate::` paths of every source file.

use std::fs;
use std::path::{Path, PathBuf};

const BASE: &[&str] = &["units", "ids", "rng", "input", "outcome"];
const ENGINE: &[&str] = &["topology", "workload", "placement"];

/// What each room may use besides itself and the base.
const ROOMS: &[(&str, &[&str])] = &[
    ("topology", &[]),
    ("workload", &[]),
    ("optimal_transport", &[]),
    ("placement", &["topology", "workload", "optimal_transport"]),
    (
        "congestion",
        &["topology", "workload", "placement", "optimal_transport"],
    ),
    ("flow_engine", ENGINE),
    ("packet_engine", ENGINE),
    ("config", &[]),
    (
        "experiment",
        &[
            "config",
            "topology",
            "workload",
            "placement",
            "congestion",
            "optimal_transport",
            "flow_engine",
            "packet_engine",
        ],
    ),
    (
        "validation",
        &[
            "topology",
            "workload",
            "placement",
            "congestion",
            "optimal_transport",
            "flow_engine",
            "packet_engine",
            "config",
            "experiment",
        ],
    ),
    ("report", &["config", "experiment"]),
];

/// Crates that only some rooms may use.
const CRATES: &[(&str, &[&str])] = &[
    ("clap", &["cli", "main.rs"]),
    ("plotters", &["report"]),
    ("ab_glyph", &["report"]),
    ("petgraph", &["topology", "workload"]),
    ("tokio", &["experiment", "cli"]),
    ("rayon", &["experiment", "optimal_transport", "validation"]),
];

fn source_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// The room of a file, as in `topology` or `units`.
fn room(src: &Path, file: &Path) -> String {
    let inner = file.strip_prefix(src).unwrap();
    let first = inner.components().next().unwrap().as_os_str().to_string_lossy();
    if first == "main.rs" {
        first.into_owned()
    } else {
        first.trim_end_matches(".rs").to_owned()
    }
}

fn words_after<'a>(text: &'a str, marker: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(marker).skip(1).map(|rest| {
        rest.split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .next()
            .unwrap_or("")
    })
}

#[test]
fn rooms_use_only_what_lies_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&src, &mut files);
    files.sort();
    let mut offences = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let code: String = text
            .lines()
            .filter(|l| !l.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        let room = room(&src, file);
        let allowed = ROOMS
            .iter()
            .find(|(name, _)| *name == room)
            .map(|(_, allowed)| *allowed);
        let is_base = BASE.contains(&room.as_str());
        if is_base || allowed.is_some() {
            for used in words_after(&code, "crate::") {
                let fine = used == room || BASE.contains(&used) || allowed.unwrap_or(&[]).contains(&used);
                if !fine {
                    offences.push(format!("{} uses crate::{used}", file.display()));
                }
            }
        }
        for (name, rooms) in CRATES {
            if code.contains(&format!("{name}::")) && !rooms.contains(&room.as_str()) {
                offences.push(format!("{} uses {name}", file.display()));
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}
