//! Benchmarks whose cases run in processes of their own, so that the peak of memory of each is its own.

use std::process::Command;

/// Names the one case that a process runs.
const ONLY: &str = "FABRICSIM_BENCH_CASE";

/// Runs `report` for every case that the words of the command line choose by its name, all without words, below the head of a table.
pub(crate) fn run_each<C>(head: &str, cases: &[C], name: impl Fn(&C) -> &str, report: impl Fn(&C)) {
    if let Ok(only) = std::env::var(ONLY) {
        let case = cases.iter().find(|case| name(case) == only);
        return report(case.expect("the parent names a case of the table"));
    }
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let columns = head.matches('|').count().saturating_sub(1);
    println!("{head}\n|{}", "---|".repeat(columns));
    let program = std::env::current_exe().expect("a running program has a file");
    for name in cases.iter().map(name).filter(|name| wanted(name)) {
        let status = Command::new(&program).env(ONLY, name).status();
        assert!(status.is_ok_and(|status| status.success()), "{name} failed");
    }
}
