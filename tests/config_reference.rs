//! docs/configuration.md is the JSON Schema of the experiment file, written for people.
//!
//! The test fails when the two differ; with `UPDATE_DOCS=1` it writes the page anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

#[test]
fn configuration_page_matches_the_schema() {
    let schema = Command::new(env!("CARGO_BIN_EXE_fabricsim"))
        .arg("schema")
        .output()
        .unwrap();
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let page = Page::of(&schema);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/configuration.md is not what the schema says; run: UPDATE_DOCS=1 cargo test config"
    );
}

const HEAD: &str = "# Every key of the experiment file

This page is made from `fabricsim schema` (run `UPDATE_DOCS=1 cargo test config` after changing a key). Sizes, times and rates
are written with a unit: `\"64KiB\"`, `\"500ns\"`, `\"100Gbps\"`; KB and MB are powers of ten, KiB and MiB powers of two. Unknown keys
are errors. `fabricsim check FILE` prints a file with every default filled in, after building every point; with `--quick` it looks at keys, types,
options, swept values and files alone.
";

/// Examples by section: what follows a line `#: Section`.
const EXAMPLES: &str = include_str!("fixtures/configuration-examples.toml");

fn examples() -> impl Iterator<Item = (&'static str, &'static str)> {
    let blocks = EXAMPLES.split("#: ").skip(1);
    blocks
        .filter_map(|block| block.split_once('\n'))
        .map(|(name, text)| (name, text.trim()))
}

/// A file of each example and what it takes to be one, as `fabricsim check` sees it.
#[test]
fn examples_of_the_configuration_page_are_right() {
    const TOPOLOGY: &str = "topology = { leaf-spine = { leaves = 2, spines = 2, hosts_per_leaf = 16, \
        host_link = { rate = \"100Gbps\" }, fabric_link = { rate = \"100Gbps\" } } }\n";
    const WORKLOAD: &str = "workload = { all-reduce = { size = \"1MiB\" } }\n";
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in examples() {
        let has = |key: &str| text.lines().any(|line| line.trim_start_matches('[').starts_with(key));
        let packets = ["packet", "switch", "transport", "tune"].iter().any(|key| has(key))
            || text.contains("flap")
            || [
                "Spray", "Reps", "Bitmap", "Mrc", "Learned", "Adaptive", "Flowlet", "Plb",
            ]
            .contains(&name);
        // Parts of an example that stands elsewhere, and those that need files.
        if ["Shape", "Groups"].contains(&name)
            || text.contains("file = ")
            || text.contains("plan = ")
            || text.contains("prefix = ")
        {
            continue;
        }
        let mut file = String::new();
        if !has("topology") {
            file += TOPOLOGY;
        }
        if has("fleet") || !has("workload") && !has("jobs") && !has("[jobs") {
            file += WORKLOAD;
        }
        if packets {
            file += "engine = \"packet\"\n";
        }
        let path = folder.path().join("example.toml");
        fs::write(&path, file + text).unwrap();
        let checked = Command::new(env!("CARGO_BIN_EXE_fabricsim"))
            .args(["check", "--quick"])
            .arg(&path)
            .output()
            .unwrap();
        assert!(
            checked.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&checked.stderr)
        );
    }
}

struct Page<'a> {
    definitions: &'a Value,
    text: String,
    queued: Vec<&'a str>,
    seen: BTreeSet<&'a str>,
}

impl<'a> Page<'a> {
    fn of(schema: &'a Value) -> String {
        let mut page = Page {
            definitions: &schema["$defs"],
            text: HEAD.to_owned(),
            queued: Vec::new(),
            seen: BTreeSet::new(),
        };
        page.section("The file", schema);
        let mut next = 0;
        while next < page.queued.len() {
            let name = page.queued[next];
            page.section(name, &page.definitions[name]);
            next += 1;
        }
        page.text
    }

    fn section(&mut self, title: &str, schema: &'a Value) {
        let _ = writeln!(self.text, "\n## {title}\n\n{}", description(schema));
        self.keys(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.keys(self.resolve(part));
        }
        let choices: Vec<_> = ["oneOf", "anyOf"]
            .iter()
            .flat_map(|k| schema[*k].as_array())
            .flatten()
            .collect();
        if !choices.is_empty() {
            self.choices(&choices);
        }
        if let Some((_, example)) = examples().find(|(name, _)| *name == title) {
            let _ = writeln!(self.text, "\n```toml\n{example}\n```");
        }
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        match reference(schema) {
            Some(name) => &self.definitions[name],
            None => schema,
        }
    }

    fn keys(&mut self, schema: &'a Value) {
        let Some(properties) = schema["properties"].as_object() else {
            return;
        };
        let required: Vec<_> = schema["x-required"].as_array().into_iter().flatten().collect();
        self.text
            .push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
        for (key, value) in properties {
            let is_required = required.iter().any(|r| *r == key);
            let default = match (value.get("default"), is_required) {
                (_, true) => "required".to_owned(),
                (None | Some(Value::Null), false) => String::new(),
                (Some(Value::String(text)), false) => format!("`\"{text}\"`"),
                (Some(other), false) => format!("`{other}`"),
            };
            let kind = self.kind(value);
            let _ = writeln!(
                self.text,
                "| `{key}` | {kind} | {default} | {} |",
                description(value).replace('\n', " ")
            );
        }
    }

    fn choices(&mut self, choices: &[&'a Value]) {
        self.text.push_str("\nOne of\n\n");
        for choice in choices {
            let meaning = description(choice).replace('\n', " ");
            let separator = if meaning.is_empty() { "" } else { ": " };
            let form = match choice["properties"].as_object() {
                Some(properties) => properties
                    .iter()
                    .map(|(key, value)| match self.kind(value).as_str() {
                        "table" => format!("`{key}`"),
                        kind => format!("`{key}` = {kind}"),
                    })
                    .collect::<Vec<_>>()
                    .join(", "),
                None => self.kind(choice),
            };
            let _ = writeln!(self.text, "- {form}{separator}{meaning}");
        }
    }

    /// The type of a value; tables get a section of their own.
    fn kind(&mut self, schema: &'a Value) -> String {
        if let Some(name) = reference(schema) {
            let target = &self.definitions[name];
            let is_scalar = target["type"] == "string" && target.get("enum").is_none();
            if is_scalar || name == "Bytes" {
                return name.to_lowercase();
            }
            if self.seen.insert(name) {
                self.queued.push(name);
            }
            return format!("[{name}](#{})", name.to_lowercase());
        }
        if let Some(value) = schema.get("const") {
            return format!("`{value}`");
        }
        if let Some(values) = schema["enum"].as_array() {
            let values: Vec<_> = values.iter().map(|v| format!("`{v}`")).collect();
            return values.join(", ");
        }
        if let Some(parts) = ["anyOf", "oneOf", "allOf"].iter().find_map(|k| schema[*k].as_array()) {
            let kinds: Vec<_> = parts.iter().map(|p| self.kind(p)).filter(|k| k != "null").collect();
            return kinds.join(" or ");
        }
        match &schema["type"] {
            Value::String(kind) if kind == "array" => format!("list of {}", self.kind(&schema["items"])),
            Value::String(kind) => plain(kind),
            Value::Array(kinds) => {
                let kinds = kinds.iter().filter_map(Value::as_str).filter(|k| *k != "null");
                let kind = |kind: &str| match kind {
                    "array" => format!("list of {}", self.kind(&schema["items"])),
                    other => plain(other),
                };
                kinds.map(kind).collect::<Vec<_>>().join(" or ")
            }
            _ => "any value".to_owned(),
        }
    }
}

fn plain(kind: &str) -> String {
    match kind {
        "object" => "table",
        other => other,
    }
    .to_owned()
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

/// The description, without the targets of links into the code.
fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or("").replace('|', "\\|");
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find("[`") {
        let (before, link) = rest.split_at(start);
        plain.push_str(before);
        let Some((name, after)) = link[1..].split_once(']') else {
            break;
        };
        plain.push_str(name);
        let target = after.strip_prefix('(').and_then(|t| t.split_once(')'));
        rest = target.map_or(after, |(_, behind)| behind);
    }
    plain + rest
}
