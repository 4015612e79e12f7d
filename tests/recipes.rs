//! The recipes of the documentation run as they are written.

use std::fs;
use std::path::Path;

use crate::cli::{folder, stdout};

#[test]
fn every_recipe_runs_as_written() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes.md");
    let page = fs::read_to_string(page).unwrap();
    let dir = folder(&[]);
    let mut commands = 0;
    for block in page.split("```").skip(1).step_by(2) {
        if let Some(text) = block.strip_prefix("toml\n# ") {
            let name = text.lines().next().unwrap();
            fs::write(dir.path().join(name), text.split_once('\n').unwrap().1).unwrap();
        } else {
            for line in block.lines().filter(|line| !line.is_empty()) {
                let words: Vec<_> = line.split_whitespace().collect();
                assert_eq!(words[0], "fabricsim", "{line}");
                stdout(dir.path(), &words[1..]);
                commands += 1;
            }
        }
    }
    assert_eq!(commands, 7);
}
