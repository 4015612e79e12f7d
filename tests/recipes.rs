//! The recipes of the documentation run as they are written, and print what the page says.

use std::fs;
use std::path::Path;

use crate::cli::{folder, stdout};

#[test]
fn every_recipe_runs_as_written() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes.md");
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
        } else {
            for line in block.lines().filter(|line| !line.is_empty()) {
                let words: Vec<_> = line.split_whitespace().collect();
                assert_eq!(words[0], "fabricsim", "{line}");
                printed = stdout(dir.path(), &words[1..]);
                commands += 1;
            }
        }
    }
    assert_eq!((commands, excerpts), (8, 7));
}
