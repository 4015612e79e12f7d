//! Benchmarks of whole experiments, from the file to the results folder: CPU and elapsed seconds, and
//! the CPU time in operations of the hold model.

#[path = "calibration/mod.rs"]
mod calibration;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use fabricsim::experiment::{Memory, Plan, Preparer};
use fabricsim::report::plots::plot_folder;
use fabricsim::runner::{RunOptions, run};

/// Files of experiments/.
const EXPERIMENTS: [&str; 3] = ["quickstart", "fluid-leaf-crossing", "large-1024"];

fn main() {
    let hold_ns = calibration::hold_ns();
    println!("hold model: {hold_ns:.1} ns per operation\n");
    println!("| experiment | points | stage | CPU s | elapsed s | million holds |");
    println!("|---|---|---|---|---|---|");
    let results = tempfile::tempdir().expect("a temporary folder");
    for name in EXPERIMENTS {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("experiments/{name}.toml"));
        let out = results.path().join(name);
        let mut points = 0;
        let mut stage = |stage: &str, work: &mut dyn FnMut() -> usize| {
            let start = Instant::now();
            let (seconds, count) = calibration::cpu_seconds(work);
            points = points.max(count);
            let elapsed = start.elapsed().as_secs_f64();
            let holds = seconds * 1e3 / hold_ns;
            println!("| {name} | {points} | {stage} | {seconds:.3} | {elapsed:.3} | {holds:.1} |");
        };
        let mut plan = None;
        stage("read the plan", &mut || {
            plan.insert(Plan::parse(&file, &[]).expect("the file is sound"))
                .points()
                .len()
        });
        let plan = plan.expect("it has just been made");
        stage("run", &mut || run_all(&plan, &out));
        stage("plot", &mut || plot_folder(&out).map_or(0, |_| 0));
        stage("run again: all points are there", &mut || run_all(&plan, &out));
    }
}

fn run_all(plan: &Plan, out: &Path) -> usize {
    let options = RunOptions {
        shard: None,
        out: PathBuf::from(out),
        force: false,
        jobs: 0,
        stop: &AtomicBool::new(false),
        begun: &|_| {},
        progress: &|_| {},
        warn: &|_| {},
    };
    let preparer = Preparer::new(plan, Memory::free());
    let report = run(&preparer, &options).expect("the folder can be written");
    report.rows.len()
}
