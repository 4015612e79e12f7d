//! The pages under docs/ as one reads them: contents under every title, and the next page at the end.
//!
//! The tests fail where a page has other contents; with `UPDATE_DOCS=1` they write them anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// All pages, in the order in which a new user reads them.
const ORDER: [&str; 24] = [
    "concepts",
    "recipes",
    "recipes-tools",
    "workloads",
    "traces",
    "load-balancing",
    "placement",
    "planes",
    "deciding",
    "results-format",
    "clusters",
    "first-results",
    "reproduction",
    "studies",
    "training",
    "bounds",
    "flow-engine",
    "packet-engine",
    "validation",
    "limits",
    "performance",
    "htsim",
    "extending",
    "configuration",
];

const CONTENTS: &str = "**On this page:** ";
const NEXT: &str = "**Next:** ";

fn path(page: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{page}.md"))
}

fn title(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_start_matches("# ")
}

/// The headings below the title, but for those in blocks of code.
fn headings(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        in_code ^= line.starts_with("```");
        if let Some(heading) = line.strip_prefix("## ").filter(|_| !in_code) {
            found.push(heading);
        }
    }
    found
}

/// The anchor that GitHub and others make of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// A heading as a link shows it: links and code within it as plain text.
fn plain(heading: &str) -> String {
    heading.replace('`', "")
}

/// The page with its contents and its way on.
fn written(page: &str, text: &str) -> String {
    let mut body: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with(CONTENTS) && !line.starts_with(NEXT))
        .collect();
    while body.last().is_some_and(|line| line.is_empty()) {
        body.pop();
    }
    body.dedup_by(|a, b| a.is_empty() && b.is_empty());
    let mut out = format!("{}\n\n", body[0]);
    let links: Vec<String> = headings(text)
        .iter()
        .map(|h| format!("[{}](#{})", plain(h), anchor(h)))
        .collect();
    if links.len() > 1 {
        writeln!(out, "{CONTENTS}{}\n", links.join(" \u{b7} ")).unwrap();
    }
    out += body[1..].join("\n").trim_start_matches('\n');
    let position = ORDER.iter().position(|known| *known == page).unwrap();
    if let Some(next) = ORDER.get(position + 1) {
        let next_title = fs::read_to_string(path(next)).unwrap();
        write!(out, "\n\n{NEXT}[{}]({next}.md)", title(&next_title)).unwrap();
    }
    out + "\n"
}

#[test]
fn pages_have_contents_and_lead_on() {
    for page in ORDER {
        // The page of keys is written by another test.
        if page == "configuration" {
            continue;
        }
        let text = fs::read_to_string(path(page)).unwrap();
        let right = written(page, &text);
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(path(page), &right).unwrap();
        } else {
            assert!(
                text == right,
                "docs/{page}.md has other contents; run: UPDATE_DOCS=1 cargo test pages"
            );
        }
    }
}

#[test]
fn every_page_is_in_the_order_and_every_link_leads_somewhere() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for entry in fs::read_dir(&docs).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let page = file.file_stem().unwrap().to_str().unwrap();
        assert!(ORDER.contains(&page), "docs/{page}.md is in no order");
        let text = fs::read_to_string(&file).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") || link.contains(' ') {
                continue;
            }
            let (target, anchored) = link.split_once('#').unwrap_or((link, ""));
            let target = if target.is_empty() {
                file.clone()
            } else {
                docs.join(target)
            };
            assert!(target.exists(), "docs/{page}.md: there is no {link}");
            if !anchored.is_empty() && target.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&target).unwrap();
                let known = text
                    .lines()
                    .filter(|line| line.starts_with('#'))
                    .map(|line| anchor(line.trim_start_matches('#').trim()));
                assert!(
                    known.into_iter().any(|known| known == anchored),
                    "docs/{page}.md: there is no {link}"
                );
            }
        }
    }
}
