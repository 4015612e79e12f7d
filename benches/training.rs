//! Whole steps of training, from the experiment file to its results: CPU seconds of all of it (the fabric, the schedule, its bounds, the
//! simulation, the records), the same in operations of the hold model, and the largest memory of a process of its own for each case.
//!
//! `cargo bench --bench training` runs the table; words after `--` choose rows by name.

#[path = "calibration/mod.rs"]
mod calibration;

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use calibration::cases::run_each;
use calibration::{cpu_seconds, hold_ns, peak_kib};
use fabricsim::experiment::{Memory, Plan, Preparer};
use fabricsim::results::Number;
use fabricsim::runner::{RunOptions, run};

/// One row: an experiment of experiments/training, its load balancing, and what else is changed in it.
type Case = (&'static str, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    ("8b-64", "llama-3-8b-64", "spray", ""),
    ("70b-256", "llama-3-70b-256", "spray", ""),
    ("70b-256-ecmp", "llama-3-70b-256", "ecmp", ""),
    ("70b-256-each", "llama-3-70b-256", "spray", "flow.fold = false"),
    ("405b-16384", "llama-3-405b-16384", "spray", ""),
    ("405b-16384-ecmp", "llama-3-405b-16384", "ecmp", ""),
    ("405b-16384-each", "llama-3-405b-16384", "spray", "flow.fold = false"),
    ("deepseek-2048", "deepseek-v3-2048", "spray", ""),
    ("8b-64-packets", "llama-3-8b-64-packets", "spray", ""),
    ("70b-256-packets", "llama-3-70b-256-packets", "spray", ""),
];

fn main() {
    let head = "| case | CPU s | million holds | peak MiB | time ms | over the bound |";
    run_each(head, CASES, |case| case.0, report);
}

fn report(&(name, experiment, scheme, more): &Case) {
    let before = hold_ns();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("experiments/training/{experiment}.toml"));
    let skew = match experiment.starts_with("deepseek") {
        true => "\"workload.training.expert_skew\" = [0.0]",
        false => "",
    };
    let text = format!("extends = {base:?}\n{more}\n[sweep]\nload_balancing = [\"{scheme}\"]\n{skew}\n");
    let file = folder.path().join("case.toml");
    fs::write(&file, text).expect("the folder can be written");
    let (seconds, row) = cpu_seconds(|| {
        let plan = Plan::parse(&file, &[]).expect("the file is sound");
        let options = RunOptions {
            shard: None,
            out: folder.path().join("results"),
            force: false,
            jobs: 1,
            stop: &AtomicBool::new(false),
            begun: &|_| {},
            progress: &|_| {},
            warn: &|_| {},
        };
        let report = run(&Preparer::new(&plan, Memory::free()), &options).expect("the folder can be written");
        report.rows[0].clone()
    });
    let peak = peak_kib() / 1_024.0;
    let holds = seconds * 1e3 / f64::midpoint(before, hold_ns());
    let cct = row.cct_us.map_or(f64::NAN, Number::value) / 1e3;
    let over = row.cct_over_bound.map_or(f64::NAN, Number::value);
    println!("| {name} | {seconds:.2} | {holds:.1} | {peak:.0} | {cct:.3} | {over:.4} |");
}
