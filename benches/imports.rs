//! How fast traces of other tools become schedules: CPU seconds and megabytes per second from the files to the schedule, the operations of the
//! hold model for each node, and the largest memory of a process of its own for each case, which holds no more than a few
//! files at a time.
//!
//! `cargo bench --bench imports` runs the table; words after `--` choose rows by name.

#[path = "calibration/mod.rs"]
mod calibration;

use std::collections::HashMap;
use std::fmt::Write;
use std::io::{Cursor, Read};
use std::sync::Arc;

use calibration::cases::run_each;
use calibration::{cpu_seconds, hold_ns, peak_kib};
use fabricsim::input::{Files, InputError, NoFiles};
use fabricsim::workload::{ExportFormat, Workload};

/// A trace of so many ranks and nodes.
struct Trace {
    ranks: u32,
    nodes: u64,
    files: Memory,
    workload: &'static str,
}

type Case = (&'static str, fn() -> Trace);

const CASES: &[Case] = &[
    ("goal-text", goal_text),
    ("goal-own-export", || {
        exported(ExportFormat::Goal, "[goal]\nfile = 'schedule.goal'")
    }),
    ("chakra-own-export", || {
        exported(ExportFormat::Chakra, "[chakra]\nprefix = 'trace'")
    }),
    ("chakra-250-mb", || chakra(64, 16_750)),
    ("chakra-1-gb", || chakra(64, 67_000)),
];

fn main() {
    let head = "| trace | MB | nodes | CPU s | MB/s | holds per node | peak MiB |";
    run_each(head, CASES, |case| case.0, report);
}

fn report(&(name, trace): &Case) {
    let before = hold_ns();
    let trace = trace();
    let megabytes = trace.files.bytes as f64 / 1e6;
    let workload: Workload = toml::from_str(trace.workload).expect("the table is written correctly");
    let (seconds, schedule) = cpu_seconds(|| {
        let schedule = workload.schedule(trace.ranks, &trace.files, 1);
        schedule.unwrap_or_else(|error| panic!("{name}: {error}"))
    });
    assert!(schedule.transfer_count() > 0);
    let holds = seconds * 1e9 / f64::midpoint(before, hold_ns()) / trace.nodes as f64;
    println!(
        "| {name} | {megabytes:.0} | {} | {seconds:.2} | {:.0} | {holds:.1} | {:.0} |",
        trace.nodes,
        megabytes / seconds,
        peak_kib() / 1_024.0
    );
}

/// Files in memory, some of them with the same content.
#[derive(Default)]
struct Memory {
    files: HashMap<String, Arc<[u8]>>,
    bytes: usize,
}

impl Memory {
    fn add(&mut self, name: String, content: Arc<[u8]>) {
        self.bytes += content.len();
        self.files.insert(name, content);
    }

    fn get(&self, name: &str) -> Result<Arc<[u8]>, InputError> {
        let found = self.files.get(name).cloned();
        found.ok_or_else(|| InputError::file(name, "there is no such file"))
    }
}

impl Files for Memory {
    fn read(&self, name: &str) -> Result<String, InputError> {
        String::from_utf8(self.get(name)?.to_vec()).map_err(|_| InputError::file(name, "it is no text"))
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read>, InputError> {
        Ok(Box::new(Cursor::new(self.get(name)?)))
    }

    fn exists(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }
}

/// A ring in which every rank adds up what arrives, as generators of GOAL write it.
fn goal_text() -> Trace {
    const RANKS: u32 = 64;
    const ROUNDS: u64 = 10_000;
    let mut text = format!("num_ranks {RANKS}\n");
    for rank in 0..RANKS {
        let (next, last) = ((rank + 1) % RANKS, (rank + RANKS - 1) % RANKS);
        let _ = writeln!(text, "rank {rank} {{");
        for round in 0..ROUNDS {
            let [send, receive, add] = [1, 2, 3].map(|op| 3 * round + op);
            let _ = writeln!(text, "l{send}: send 131072b to {next} tag {round} cpu 0");
            let _ = writeln!(text, "l{receive}: recv 131072b from {last} tag {round} cpu 0");
            let _ = writeln!(text, "l{add}: calc 1000 cpu 0\nl{add} requires l{receive}");
            if round > 0 {
                let _ = writeln!(text, "l{send} requires l{}", send - 1);
            }
        }
        text.push_str("}\n");
    }
    let mut files = Memory::default();
    files.add("ring.goal".to_owned(), text.into_bytes().into());
    Trace {
        ranks: RANKS,
        nodes: 3 * u64::from(RANKS) * ROUNDS,
        files,
        workload: "[goal]\nfile = 'ring.goal'",
    }
}

/// A ring all-reduce of many rounds, as an export writes it.
fn exported(format: ExportFormat, workload: &'static str) -> Trace {
    const RANKS: u32 = 256;
    let ring: Workload = toml::from_str("[all-reduce]\nsize = '1GB'\nchunks = 12").expect("it is a workload");
    let schedule = ring
        .schedule(RANKS, &NoFiles, 1)
        .expect("a ring of any number of ranks");
    let export = schedule.export(RANKS, format).expect("a ring can be written");
    let mut files = Memory::default();
    for (name, content) in export.files {
        files.add(name, content.into());
    }
    Trace {
        ranks: RANKS,
        nodes: 2 * schedule.transfer_count() as u64,
        files,
        workload,
    }
}

/// Steps of training as a profiler sees them: 49 computations one after the other, then an all-reduce, with names and attributes
/// that nothing is done with. All ranks do the same.
fn chakra(ranks: u32, nodes: u64) -> Trace {
    let mut file = message(&field(1, b"0.0.4"));
    for id in 0..nodes {
        let layer = id % 24;
        let attributes: Vec<u8> = match id % 50 {
            49 => [
                number("comm_type", 9, 0),
                number("comm_size", 9, 1 << 22),
                text("kernel", "ncclDevKernel_AllReduce_Sum_bf16_RING_LL"),
            ]
            .concat(),
            _ => [
                number("is_cpu_op", 27, 0),
                number("num_ops", 9, 1_000_000_000 + layer * 1_000),
                number("tensor_size", 13, 1 << 26),
                text("op_schema", "aten::mm(Tensor self, Tensor mat2) -> Tensor"),
                text("kernel", "ampere_bf16_s16816gemm_bf16_128x128_ldg8_f2f_stages_32x5_nt"),
            ]
            .concat(),
        };
        let kind = if id % 50 == 49 { 7 } else { 4 };
        let name = format!("layer{layer:02}.self_attention.projection.kernel");
        let mut node = [varint(1, id), field(2, name.as_bytes()), varint(3, kind)].concat();
        if id > 0 {
            node.extend(field(5, &digits(id - 1)));
        }
        node.extend([varint(6, 10 * id), varint(7, 10), attributes].concat());
        file.extend(message(&node));
    }
    let mut files = Memory::default();
    let content: Arc<[u8]> = file.into();
    for rank in 0..ranks {
        files.add(format!("step.{rank}.et"), content.clone());
    }
    Trace {
        ranks,
        nodes: nodes * u64::from(ranks),
        files,
        workload: "[chakra]\nprefix = 'step'\npipelined = true\npeak = '989TFLOPS'",
    }
}

/// A number in sevens of bits, the lowest first.
fn digits(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn varint(tag: u64, number: u64) -> Vec<u8> {
    [digits(tag << 3), digits(number)].concat()
}

fn field(tag: u64, content: &[u8]) -> Vec<u8> {
    [&digits(tag << 3 | 2)[..], &message(content)].concat()
}

/// Behind its length.
fn message(content: &[u8]) -> Vec<u8> {
    [&digits(content.len() as u64)[..], content].concat()
}

fn number(name: &str, kind: u64, value: u64) -> Vec<u8> {
    field(10, &[field(1, name.as_bytes()), varint(kind, value)].concat())
}

fn text(name: &str, value: &str) -> Vec<u8> {
    field(10, &[field(1, name.as_bytes()), field(29, value.as_bytes())].concat())
}
