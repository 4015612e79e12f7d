//! Mutated files of every kind: whatever is in them, reading them is no panic, no abort and no hang. `fuzz/` has the
//! same as targets of cargo-fuzz; `FUZZ_MUTATIONS` sets how many there are of each here.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fabricsim::fuzzing;
use fabricsim::rng::{Stream, index_below, stream};
use rand::Rng;

/// Of each kind of file, unless told otherwise.
const MUTATIONS: u64 = 3_000;

/// What tends to break parsers.
const TOKENS: &[&str] = &[
    "0",
    "-1",
    "1",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "-inf",
    "nan",
    "0.5",
    "9223372036854775807ps",
    "1bps",
    "9223372036854775807bps",
    "1ps",
    "100s",
    "1B",
    "9TB",
    "\"",
    "'",
    "[",
    "]]",
    "{",
    "}",
    "=",
    ",",
    "#",
    "\n",
    "\n\n",
    ":",
    "->",
    "\u{feff}",
    "\u{0}",
    "ä",
    "true",
    "[[faults]]\n",
    "engine = \"packet\"\n",
    "start ",
    "size ",
    "trigger ",
];

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The files with an ending in some folders, at most a few kilobytes each.
fn seeds(folders: &[&str], ending: &str) -> Vec<Vec<u8>> {
    let paths = folders.iter().flat_map(|folder| files(folder, ending));
    let texts = paths.map(|path| fs::read(path).unwrap());
    let seeds: Vec<_> = texts.filter(|text| text.len() < 8_000).collect();
    assert!(seeds.len() > 2, "{folders:?} {ending}");
    seeds
}

fn below(random: &mut Stream, n: usize) -> usize {
    index_below(random.next_u64(), n.max(1) as u32) as usize
}

/// A part of a text, of at most `most` bytes.
fn part(random: &mut Stream, text: &[u8], most: usize) -> std::ops::Range<usize> {
    let start = below(random, text.len() + 1);
    let length = below(random, most.min(text.len() - start) + 1);
    start..start + length
}

/// The numbers of a text.
fn numbers(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, _) in text.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        match found.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            _ => found.push(at..at + 1),
        }
    }
    found
}

/// One change of a text.
fn change(random: &mut Stream, text: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let token = TOKENS[below(random, TOKENS.len())].as_bytes();
    match below(random, 7) {
        0 if !text.is_empty() => {
            let at = below(random, text.len());
            text[at] ^= 1 << below(random, 7);
        }
        1 => drop(text.drain(part(random, text, 40))),
        2 => {
            let copy = text[part(random, text, 200)].to_vec();
            let at = below(random, text.len() + 1);
            text.splice(at..at, copy);
        }
        3 => {
            let place = part(random, text, 4);
            text.splice(place, token.iter().copied());
        }
        4 | 5 => {
            let numbers = numbers(text);
            if let Some(place) = numbers.get(below(random, numbers.len())) {
                text.splice(place.clone(), token.iter().copied());
            }
        }
        _ => {
            let other = &seeds[below(random, seeds.len())];
            let subflow = other[part(random, other, 400)].to_vec();
            let at = below(random, text.len() + 1);
            text.splice(at..at, subflow);
        }
    }
}

/// Feeds mutations of seeds to a reader; one that panics is kept for whoever mends it.
fn feed(name: &str, seeds: &[Vec<u8>], read: fn(&[u8])) {
    let mutations = std::env::var("FUZZ_MUTATIONS").map_or(MUTATIONS, |text| text.parse().unwrap());
    for seed in seeds {
        read(seed);
    }
    for number in 0..mutations {
        let random = &mut stream(1, name, number);
        let mut text = seeds[below(random, seeds.len())].clone();
        for _ in 0..=below(random, 4) {
            change(random, &mut text, seeds);
        }
        if catch_unwind(AssertUnwindSafe(|| read(&text))).is_err() {
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{number}"));
            fs::write(&file, &text).unwrap();
            panic!("mutation {number} of {name} panics: {}", file.display());
        }
    }
}

#[test]
fn connection_matrices() {
    feed(
        "connection_matrix",
        &seeds(&["tests"], "cm"),
        fuzzing::connection_matrix,
    );
}

#[test]
fn topology_files() {
    feed("topo", &seeds(&["tests"], "topo"), fuzzing::topo);
}

#[test]
fn plans() {
    feed("plan_file", &seeds(&["tests"], "json"), fuzzing::plan_file);
}

#[test]
fn flow_tables() {
    feed("flows", &seeds(&["tests"], "csv"), fuzzing::flows);
}

#[test]
fn traces() {
    let mut all = seeds(&["tests"], "goal");
    for ending in ["et", "xml", "txt", "json"] {
        all.extend(seeds(&["tests"], ending));
    }
    feed("trace", &all, fuzzing::trace);
}

#[test]
fn experiments() {
    let mut seeds = seeds(&["tests", "experiments"], "toml");
    // Most of those name files that are not there: these are read to the end.
    for (engine, transport) in [
        ("flow", "ideal"),
        ("packet", "dctcp"),
        ("packet", "nscc"),
        ("packet", "eqds"),
    ] {
        for scheme in ["ecmp", "spray", "optimal-transport", "weighted-spray"] {
            let text = format!(
                "engine = \"{engine}\"\ntransport = \"{transport}\"\nload_balancing = \"{scheme}\"\nseed = 1\n\
                 [topology.leaf-spine]\nleaves = 2\nspines = 2\nhosts_per_leaf = 2\n\
                 host_link = {{ rate = \"100Gbps\", delay = \"500ns\" }}\nfabric_link = {{ rate = \"50Gbps\" }}\n\
                 [workload.all-to-all]\nmessage = \"16KB\"\n\
                 [[faults]]\nlink = \"leaf0-spine0\"\nrate = \"25Gbps\"\n"
            );
            seeds.push(text.into_bytes());
        }
    }
    feed("experiment", &seeds, fuzzing::experiment);
}
