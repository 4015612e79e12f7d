//! How long schedules take to build, and how much memory they take.

#[path = "calibration/mod.rs"]
mod calibration;

use std::mem::size_of;

use fabricsim::ids::TaskId;
use fabricsim::input::NoFiles;
use fabricsim::units::Time;
use fabricsim::workload::{Due, Milestone, Progress, Schedule, Task, Workload};

const CASES: &[(u32, &str)] = &[
    (256, "[all-to-all]\nmessage = 65536"),
    (1_024, "[all-to-all]\nmessage = 65536"),
    (1_024, "[all-to-all]\nmessage = 65536\nwindow = 8"),
    (1_024, "[all-to-all]\nmessage = 65536\norder = \"random\""),
    (1_024, "[all-reduce]\nsize = \"16MB\"\nalgorithm = \"ring\""),
    (1_024, "[all-reduce]\nsize = \"16MB\"\nalgorithm = \"direct\""),
    (1_024, "[all-reduce]\nsize = \"16MB\"\nalgorithm = \"halving-doubling\""),
    (4_096, "[all-reduce]\nsize = \"16MB\"\nalgorithm = \"halving-doubling\""),
    (
        4_096,
        "[all-reduce]\nsize = \"16MB\"\nalgorithm = \"double-binary-tree\"\nchunks = 64",
    ),
];

fn main() {
    let hold = calibration::hold_ns();
    println!("hold model: {hold:.1} ns per operation\n");
    schedules(hold);
}

/// Collectives drawn, and walked through.
fn schedules(hold: f64) {
    println!(
        "{:>5} {:>10} {:>10} {:>8} {:>9} {:>9} {:>9} {:>9}  workload",
        "ranks", "transfers", "edges", "MB", "build s", "holds/tr", "walk s", "holds/tr"
    );
    for (ranks, text) in CASES {
        let workload: Workload = toml::from_str(text).unwrap();
        let (build, schedule) = calibration::cpu_seconds(|| workload.schedule(*ranks, &NoFiles, 1).unwrap());
        let (walk, reached) = calibration::cpu_seconds(|| walk(&schedule));
        let transfers = schedule.transfer_count();
        assert_eq!(reached, transfers);
        let (edges, bytes) = memory(&schedule);
        let holds = |seconds: f64| seconds * 1e9 / hold / transfers as f64;
        println!(
            "{ranks:>5} {transfers:>10} {edges:>10} {:>8.1} {build:>9.4} {:>9.3} {walk:>9.4} {:>9.3}  {}",
            bytes as f64 / 1e6,
            holds(build),
            holds(walk),
            text.replace('\n', " ")
        );
    }
}

/// Lets everything happen in some order; yields the number of transfers that were due.
fn walk(schedule: &Schedule) -> usize {
    let (mut progress, mut due) = Progress::<Time>::new(schedule);
    let mut reached = 0;
    while let Some(Due { at, task }) = due.pop() {
        reached += 1;
        for milestone in [Milestone::Sent, Milestone::Delivered, Milestone::Acked] {
            progress.happened(schedule, task, milestone, at, &mut due);
        }
    }
    reached
}

/// Dependencies, and bytes of the finished schedule.
fn memory(schedule: &Schedule) -> (usize, usize) {
    let tasks = schedule.tasks().len();
    let edges: usize = (0..tasks)
        .map(|task| schedule.successors(TaskId::from(task)).len())
        .sum();
    (
        edges,
        tasks * (size_of::<Task>() + 8) + edges * size_of::<(TaskId, Milestone)>(),
    )
}
