//! The layers of the house, read from the paths in every source file: which module may use which, no circles between
//! the files inside one, and which crate belongs where.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const BASE: &[&str] = &[
    "units",
    "ids",
    "rng",
    "input",
    "kinds",
    "math",
    "quick_map",
    "wide",
    "allocation",
    "outcome",
];
const ENGINE: &[&str] = &["topology", "workload", "routes", "loads", "path_selection", "placement"];
const ANSWERS: &[&str] = &[
    "topology",
    "workload",
    "routes",
    "loads",
    "path_selection",
    "placement",
    "congestion",
    "optimal_transport",
    "flow_engine",
    "packet_engine",
];

/// What each module may use besides itself and the base.
const MODULES: &[(&str, &[&[&str]])] = &[
    ("config", &[]),
    ("results", &[]),
    ("topology", &[]),
    ("workload", &[]),
    ("optimal_transport", &[]),
    ("routes", &[&["topology"]]),
    ("loads", &[&["topology", "routes"]]),
    ("path_selection", &[&["routes"]]),
    (
        "placement",
        &[&[
            "topology",
            "workload",
            "routes",
            "loads",
            "path_selection",
            "optimal_transport",
        ]],
    ),
    ("congestion", &[ENGINE, &["optimal_transport"]]),
    ("flow_engine", &[ENGINE]),
    ("packet_engine", &[ENGINE]),
    ("simulation", &[ANSWERS]),
    ("prelude", &[ANSWERS, &["simulation"]]),
    ("experiment", &[ANSWERS, &["config", "results"]]),
    ("runner", &[ANSWERS, &["config", "results", "experiment"]]),
    (
        "search",
        &[
            ENGINE,
            &[
                "congestion",
                "optimal_transport",
                "config",
                "results",
                "experiment",
                "runner",
            ],
        ],
    ),
    ("validation", &[ANSWERS, &["config", "results", "experiment"]]),
    ("report", &[&["results"]]),
    ("server", &[&["results", "report", "runner"]]),
];

/// Crates that only some modules may use.
const CRATES: &[(&str, &[&str])] = &[
    ("clap", &["cli", "main"]),
    ("plotters", &["report"]),
    ("ab_glyph", &["report"]),
    ("petgraph", &["topology", "workload"]),
    ("maud", &["report"]),
    ("prost", &["workload", "report"]),
    ("flate2", &["workload"]),
    ("roxmltree", &["workload"]),
    ("serde_yaml_ng", &["topology"]),
    ("axum", &["server"]),
    ("parquet", &["results"]),
    ("tokio", &["cli", "server"]),
    (
        "rayon",
        &[
            "experiment",
            "runner",
            "optimal_transport",
            "validation",
            "search",
            "cli",
        ],
    ),
];

/// The path of a module, such as `results::table`, by its parts.
type Name = Vec<String>;

/// A source file without comments and unit tests.
struct Source {
    code: String,
    /// What its `use` declarations bring in: name, and the path as written.
    imports: Vec<(String, Name)>,
    /// The same for those that only hand on, as a `mod.rs` does with `pub use`.
    handed_on: Vec<(String, Name)>,
}

/// All modules that are no unit tests, by name.
fn sources() -> BTreeMap<Name, Source> {
    let mut found = BTreeMap::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut found);
    found
}

fn collect(dir: &Path, name: &[String], found: &mut BTreeMap<Name, Source>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inner = [name, std::slice::from_ref(&stem)].concat();
        if stem == "tests" {
            continue;
        }
        if path.is_dir() {
            collect(&path, &inner, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let (is_folder, module) = match stem.as_str() {
                "mod" | "lib" => (true, name.to_vec()),
                _ => (false, inner),
            };
            found.insert(module, Source::read(&path, is_folder));
        }
    }
}

impl Source {
    fn read(path: &Path, is_folder: bool) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let code: Vec<&str> = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap()
            .lines()
            .map(|line| line.split("//").next().unwrap())
            .collect();
        let code = without_scopes(&code.join("\n"));
        let (mut imports, mut handed_on) = (Vec::new(), Vec::new());
        for (at, _) in code.match_indices("use ") {
            let before = code[..at].rsplit('\n').next().unwrap().trim();
            let is_public = before.starts_with("pub");
            if !before.is_empty() && !is_public {
                continue;
            }
            let tree = code[at + 4..].split(';').next().unwrap();
            let into = match is_public && is_folder {
                true => &mut handed_on,
                false => &mut imports,
            };
            spread(tree, &[], into);
        }
        Self {
            code,
            imports,
            handed_on,
        }
    }
}

/// The code without the paths of `pub(in path)`, which say who may see a thing and use nothing.
fn without_scopes(code: &str) -> String {
    let mut pieces = code.split("pub(in ");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |before, piece| {
        before + "pub" + piece.split_once(')').map_or("", |(_, rest)| rest)
    })
}

/// The names that a tree of `use` brings in, such as `a::{b, c::d as e}`.
fn spread(tree: &str, above: &[String], into: &mut Vec<(String, Name)>) {
    let tree = tree.trim();
    if let Some((head, inner)) = tree.split_once('{') {
        let above = [above, &parts(head)].concat();
        let (mut depth, mut start) = (0, 0);
        let inner = &inner[..inner.rfind('}').unwrap()];
        for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    spread(&inner[start..at], &above, into);
                    start = at + 1;
                }
                _ => {}
            }
        }
    } else if !tree.is_empty() {
        let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
        let mut path = [above, &parts(path)].concat();
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = match alias.trim() {
            "" => path.last().unwrap().clone(),
            alias => alias.to_owned(),
        };
        into.push((name, path));
    }
}

fn parts(path: &str) -> Vec<String> {
    let parts = path.split("::").map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// The paths of the code that begin with `crate`, `super`, `self` or a module inside this one.
fn paths(module: &Name, source: &Source, all: &BTreeMap<Name, Source>) -> Vec<Name> {
    let mut found: Vec<Name> = source.imports.iter().map(|(_, path)| path.clone()).collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for word in source.code.split(|c: char| !is_word(c)) {
        let path = parts(word);
        let is_child = |first: &String| all.contains_key(&[module.as_slice(), std::slice::from_ref(first)].concat());
        if let [first, _, ..] = path.as_slice()
            && (matches!(first.as_str(), "crate" | "super" | "self") || is_child(first))
        {
            found.push(path);
        }
    }
    found
}

/// The module that holds what a path in a module names; `None` outside of this crate.
fn resolve(module: &[String], path: &[String], all: &BTreeMap<Name, Source>, depth: usize) -> Option<Name> {
    let mut at = module.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => (at, rest) = (Vec::new(), &path[1..]),
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|part| part == "super") {
                at.pop();
                rest = &rest[1..];
            }
        }
        first => {
            all.get(&[module, &[first.to_owned()]].concat())?;
        }
    }
    for part in rest {
        let inner = [at.as_slice(), std::slice::from_ref(part)].concat();
        if all.contains_key(&inner) {
            at = inner;
            continue;
        }
        let source = all.get(&at)?;
        let mut known = source.handed_on.iter().chain(&source.imports);
        return match known.find(|(name, _)| name == part) {
            Some((_, target)) if depth < 8 => resolve(&at, target, all, depth + 1),
            _ => Some(at),
        };
    }
    Some(at)
}

/// The modules that each one uses.
fn arrows(all: &BTreeMap<Name, Source>) -> BTreeMap<Name, BTreeSet<Name>> {
    let of_module = |(module, source): (&Name, &Source)| {
        let used = paths(module, source, all);
        let used = used.iter().filter_map(|path| resolve(module, path, all, 0));
        (module.clone(), used.filter(|used| used != module).collect())
    };
    all.iter().map(of_module).collect()
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let mut offences = Vec::new();
    for (name, source) in &sources() {
        let module = name.first().map_or("lib", String::as_str);
        let allowed = MODULES.iter().find(|(known, _)| *known == module);
        let allowed = allowed.map(|(_, allowed)| allowed.concat());
        if BASE.contains(&module) || allowed.is_some() {
            let allowed = allowed.unwrap_or_default();
            for used in source.code.split("crate::").skip(1) {
                let used = used.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap();
                if used != module && !BASE.contains(&used) && !allowed.contains(&used) {
                    offences.push(format!("{} uses crate::{used}", name.join("::")));
                }
            }
        }
        for (krate, modules) in CRATES {
            if source.code.contains(&format!("{krate}::")) && !modules.contains(&module) {
                offences.push(format!("{} uses {krate}", name.join("::")));
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

/// The files that use each other, directly or through others, in each module that has such.
fn circles(arrows: &BTreeMap<Name, BTreeSet<Name>>) -> BTreeMap<String, Vec<Vec<String>>> {
    let reached = |from: &Name| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(name) = open.pop() {
            let used = arrows.get(name).into_iter().flatten();
            let inside = used.filter(|used| used.first() == from.first());
            open.extend(inside.filter(|next| seen.insert((*next).clone())));
        }
        seen
    };
    let reach: BTreeMap<&Name, BTreeSet<Name>> = arrows.keys().map(|name| (name, reached(name))).collect();
    let mut found: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    let mut told = BTreeSet::new();
    for (&name, seen) in reach
        .iter()
        .filter(|(name, seen)| !name.is_empty() && seen.contains(**name))
    {
        let circle: Vec<&Name> = seen.iter().filter(|other| reach[other].contains(name)).collect();
        if told.insert(circle.clone()) {
            let files = circle.iter().map(|file| file.join("::")).collect();
            found.entry(name[0].clone()).or_default().push(files);
        }
    }
    found
}

#[test]
fn files_of_a_module_use_each_other_in_no_circle() {
    let found = circles(&arrows(&sources()));
    assert!(found.is_empty(), "{found:#?}");
}

/// The reader of paths sees through `pub use`, trees of names and inline paths.
#[test]
fn arrows_lead_to_the_file_that_holds_a_name() {
    let all = arrows(&sources());
    let name = |path: &str| parts(path);
    let uses = |from: &str, to: &str| all[&name(from)].contains(&name(to));
    assert!(uses("config::tree", "config::error"), "handed on by mod.rs");
    assert!(uses("runner::work", "runner::budget"), "super::budget::Budget");
    assert!(uses("runner::run", "experiment::prepare"), "from another module");
    assert!(!uses("config::error", "config::tree"));
    let circle = [("a::x", "a::y"), ("a::y", "a::z"), ("a::z", "a::x"), ("a::z", "b::x")];
    let mut arrows: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    for (from, to) in circle {
        arrows.entry(name(from)).or_default().insert(name(to));
        arrows.entry(name(to)).or_default();
    }
    assert_eq!(circles(&arrows)["a"], [["a::x", "a::y", "a::z"]]);
}

/// Functions of the platform's library, whose last digit depends on the machine; `math` has them for results.
const PLATFORM: &[&str] = &[
    "ln", "log2", "log10", "log", "exp", "exp2", "exp_m1", "ln_1p", "powf", "powi", "cbrt", "sin", "cos", "tan", "tanh",
];

#[test]
fn nothing_but_reports_calls_the_platforms_mathematics() {
    let mut offences = Vec::new();
    for (name, source) in sources() {
        for function in PLATFORM {
            let called =
                source.code.contains(&format!(".{function}(")) || source.code.contains(&format!("f64::{function}"));
            if called && name.first().is_some_and(|module| module != "report") {
                offences.push(format!("{} calls {function}", name.join("::")));
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}
