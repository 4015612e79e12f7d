//! The recipes of the documentation run as they are written, and print what the page says.

use std::fs;
use std::path::Path;

use crate::cli::{folder, stdout};

#[test]
fn every_recipe_runs_as_written() {
    assert_eq!(run_page("recipes"), (8, 7));
    assert_eq!(run_page("recipes-tools"), (2, 2));
}

/// Runs a page of recipes; how many commands and excerpts of what they print it has.
fn run_page(name: &str) -> (usize, usize) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{name}.md"));
    let page = fs::read_to_string(page).unwrap();
    let dir = folder(&[]);
    let (mut commands, mut excerpts, mut printed) = (0, 0, String::new());
    for block in page.split("```").skip(1).step_by(2) {
        if let Some(text) = block.strip_prefix("toml\n# ") {
            let name = text.lines().next().unwrap();
            fs::write(dir.path().join(name), text.split_once('\n').unwrap().1).unwrap();
        } else if let Some(excerpt) = block.strip_prefix("text\n") {
            for line in excerpt.lines() {
                assert!(
                    printed.lines().any(|other| other == line),
                    "not printed: {line}\n{printed}"
                );
            }
            excerpts += 1;
        } else if !block.starts_with("python\n") && !block.starts_with("sh\n") {
            for line in block.lines().filter(|line| !line.is_empty()) {
                let words: Vec<_> = line.split_whitespace().collect();
                assert_eq!(words[0], "fabricsim", "{line}");
                printed = stdout(dir.path(), &words[1..]);
                commands += 1;
            }
        }
    }
    (commands, excerpts)
}
