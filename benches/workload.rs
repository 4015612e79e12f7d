//! How long schedules take to build, and how much memory they take; how fast traces of other tools are read.
//!
//! `cargo bench --bench workload -- imports` reads traces alone.

#[path = "calibration/mod.rs"]
mod calibration;

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::mem::size_of;

use fabricsim::ids::TaskId;
use fabricsim::input::{Files, InputError, NoFiles};
use fabricsim::units::Time;
use fabricsim::workload::{Due, ExportFormat, Milestone, Progress, Schedule, Task, Workload};

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
    if !std::env::args().any(|argument| argument == "imports") {
        schedules(hold);
    }
    imports(hold);
}

/// Files in memory.
struct Memory(HashMap<String, Vec<u8>>);

impl Files for Memory {
    fn read(&self, name: &str) -> Result<String, InputError> {
        let text = self.0.get(name).and_then(|bytes| String::from_utf8(bytes.clone()).ok());
        text.ok_or_else(|| InputError::file(name, "there is no such text"))
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read>, InputError> {
        let bytes = self.0.get(name).cloned();
        Ok(Box::new(Cursor::new(
            bytes.ok_or_else(|| InputError::file(name, "there is no such file"))?,
        )))
    }
}

/// Traces of a ring all-reduce of many rounds, as an export writes them, read again.
fn imports(hold: f64) {
    const RANKS: u32 = 256;
    let ring = "[all-reduce]\nsize = \"1GB\"\nchunks = 12";
    let workload: Workload = toml::from_str(ring).unwrap();
    let schedule = workload.schedule(RANKS, &NoFiles, 1).unwrap();
    println!(
        "\n{:>10} {:>10} {:>9} {:>9} {:>9}  format",
        "transfers", "MB", "read s", "MB/s", "holds/tr"
    );
    for (format, name, table) in [
        (ExportFormat::Goal, "GOAL text", "[goal]\nfile = \"schedule.goal\""),
        (ExportFormat::Chakra, "Chakra", "[chakra]\nprefix = \"trace\""),
    ] {
        let exported = schedule.export(RANKS, format).unwrap();
        let files = Memory(exported.files.into_iter().collect());
        let megabytes = files.0.values().map(Vec::len).sum::<usize>() as f64 / 1e6;
        let workload: Workload = toml::from_str(table).unwrap();
        let (seconds, read) = calibration::cpu_seconds(|| workload.schedule(RANKS, &files, 1).unwrap());
        assert_eq!(read.transfer_count(), schedule.transfer_count());
        let transfers = schedule.transfer_count();
        let holds = seconds * 1e9 / hold / transfers as f64;
        println!(
            "{transfers:>10} {megabytes:>10.1} {seconds:>9.3} {:>9.1} {holds:>9.1}  {name}",
            megabytes / seconds
        );
    }
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
