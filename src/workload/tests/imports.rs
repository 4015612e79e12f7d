//! Files of other tools: what they become, against closed forms and against each other.

use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};
use std::path::Path;

use super::collectives::run;
use super::workload;
use crate::ids::{HostId, TaskId};
use crate::input::{Files, InputError};
use crate::workload::{Action, ExportFormat, Milestone, Schedule, Transfer};

/// Files in memory, which need be no text.
#[derive(Default)]
struct Memory(HashMap<String, Vec<u8>>);

impl Memory {
    fn of(files: &[(&str, &[u8])]) -> Self {
        Self(
            files
                .iter()
                .map(|&(name, bytes)| (name.to_owned(), bytes.to_vec()))
                .collect(),
        )
    }

    /// The files of a folder of fixtures.
    fn fixtures(folder: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/traces")
            .join(folder);
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
        Self(
            entries
                .map(|entry| {
                    let name = entry.file_name().into_string().unwrap();
                    (name, std::fs::read(entry.path()).unwrap())
                })
                .collect(),
        )
    }
}

impl Files for Memory {
    fn read(&self, name: &str) -> Result<String, InputError> {
        let bytes = self.0.get(name).cloned();
        let bytes = bytes.ok_or_else(|| InputError::file(name, "there is no such file"))?;
        String::from_utf8(bytes).map_err(|_| InputError::file(name, "it is not UTF-8 text"))
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read>, InputError> {
        let bytes = self.0.get(name).cloned();
        let bytes = bytes.ok_or_else(|| InputError::file(name, "there is no such file"))?;
        Ok(Box::new(Cursor::new(bytes)))
    }
}

fn draw(table: &str, ranks: u32, files: &Memory) -> Schedule {
    let schedule = workload(table).schedule(ranks, files, 1);
    schedule.unwrap_or_else(|error| panic!("{error}\n{table}"))
}

fn refused(table: &str, ranks: u32, files: &Memory) -> String {
    workload(table).schedule(ranks, files, 1).unwrap_err().to_string()
}

/// When all is done, with a latency of 500 ps and a byte per picosecond, no two transfers sharing a link.
fn time(schedule: &Schedule) -> u64 {
    run(schedule, 500, |bytes| bytes).1
}

/// What a schedule does, whatever its tasks are called: transfers and computations with what they wait for.
fn meaning(schedule: &Schedule) -> Vec<(String, u64)> {
    let (starts, _) = run(schedule, 500, |bytes| bytes);
    let what = |task: TaskId| match schedule.task(task).action {
        Action::Transfer { src, dst, bytes } => format!("{src} -> {dst}: {bytes}"),
        Action::Delay(time) => format!("delay {}", time.0),
        Action::Trigger => "trigger".to_owned(),
    };
    let mut all: Vec<_> = starts.iter().map(|(&task, &start)| (what(task), start)).collect();
    all.sort();
    all
}

#[test]
fn one_ring_by_chakra_msccl_and_ourselves() {
    let files = Memory::fixtures("custom_ring");
    let chakra = draw("[chakra]\nprefix = 'custom_allreduce'", 8, &files);
    let msccl = draw("[msccl]\nfile = 'custom_allreduce.xml'\nsize = '1MiB'", 8, &files);
    let own = draw("[all-reduce]\nsize = '1MiB'", 8, &files);
    let expected = 14 * (500 + (1 << 20) / 8);
    for (schedule, transfers) in [(&chakra, 112), (&msccl, 112), (&own, 112)] {
        assert_eq!(schedule.transfer_count(), transfers);
        assert!(schedule.never_start().is_empty());
        assert_eq!(schedule.warnings(), [] as [&str; 0]);
    }
    assert_eq!(time(&own), expected);
    assert_eq!(time(&msccl), expected);
    // The trace has computations of a microsecond between, which cost what they say.
    let computes: u64 = chakra
        .tasks()
        .filter_map(|task| match task.action {
            Action::Delay(time) => Some(time.0),
            _ => None,
        })
        .max()
        .unwrap();
    assert!(
        (expected..=expected + 14 * computes).contains(&time(&chakra)),
        "{}",
        time(&chakra)
    );
}

#[test]
fn algorithms_of_msccl_are_proved() {
    let files = Memory::fixtures("msccl");
    for file in files.0.keys() {
        let schedule = draw(&format!("[msccl]\nfile = '{file}'\nsize = 8003"), 8, &files);
        // Each byte of the result crosses a link at least once for every rank that ends with it.
        let bytes: u64 = schedule.transfers().map(|transfer| transfer.bytes).sum();
        assert!(bytes >= 7 * 8003, "{file}: {bytes}");
        assert!(schedule.never_start().is_empty(), "{file}");
    }
}

/// An algorithm in which one step is another is no such collective any more.
#[test]
fn algorithms_with_a_mistake_are_refused() {
    let files = Memory::fixtures("msccl");
    let good = files.read("allreduce_a100_ring_8_1_1.xml").unwrap();
    let changed = |from: &str, to: &str| {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        let files = Memory::of(&[("x.xml", text.as_bytes())]);
        refused("[msccl]\nfile = 'x.xml'\nsize = '1MiB'", 8, &files)
    };
    let of_copy = changed("type=\"rrs\"", "type=\"rcs\"");
    assert!(of_copy.contains("rank") && of_copy.contains("chunk"), "{of_copy}");
    let other_chunk = changed(
        "type=\"s\" srcbuf=\"i\" srcoff=\"0\"",
        "type=\"s\" srcbuf=\"i\" srcoff=\"1\"",
    );
    assert!(
        other_chunk.contains("rank") && other_chunk.contains("chunk"),
        "{other_chunk}"
    );
}

const GOAL: &str = "
num_ranks 3
rank 0 {
  a: send 1000b to 1 tag 7
  b: send 2000b to 2 tag 7
  b requires a
  c: calc 3
  d: recv 500b from 2
  c requires d
}
rank 1 { // receives, thinks, passes on
  a: recv 1000b from 0 tag 7
  b: calc 2
  b requires a
  c: calc 1 cpu 1
  c irequires b
  d: send 10b to 2 tag 1
  d requires c
}
/* the last
   rank */
rank 2 {
  a: recv 2000b from 0 tag 7
  b: recv 10b from 1 tag 1
  c: send 500b to 0
  c requires a
  c requires b
}
";

#[test]
fn goal_text_means_what_it_says() {
    let files = Memory::of(&[("x.goal", GOAL.as_bytes())]);
    let schedule = draw("[goal]\nfile = 'x.goal'", 3, &files);
    let times = meaning(&schedule);
    // 0 -> 1 is there at 1500; b computes from 1500, c on its other unit from 1500 to 2500; 0 -> 2 sets out when the
    // first has left, at 1000, and is there at 3500.
    let of = |what: &str| times.iter().find(|(name, _)| name == what).unwrap().1;
    assert_eq!(of("0 -> 1: 1000"), 0);
    assert_eq!(of("0 -> 2: 2000"), 1000);
    assert_eq!(of("1 -> 2: 10"), 2500);
    assert_eq!(of("2 -> 0: 500"), 3500);
    assert_eq!(time(&schedule), 7500);
    assert_eq!(schedule.warnings(), [] as [&str; 0]);
}

/// The program of [`GOAL`] as `txt2bin` lays it out.
fn goal_binary() -> Vec<u8> {
    type Node = (u8, u32, u64, u32, u8, Vec<u32>, Vec<u32>);
    let ranks: [Vec<Node>; 3] = [
        vec![
            (1, 1, 1000, 7, 0, vec![1], vec![]),
            (1, 2, 2000, 7, 0, vec![], vec![]),
            (3, 0, 3, 0, 0, vec![], vec![]),
            (2, 2, 500, 0, 0, vec![2], vec![]),
        ],
        vec![
            (2, 0, 1000, 7, 0, vec![1], vec![]),
            (3, 0, 2, 0, 0, vec![], vec![2]),
            (3, 0, 1, 0, 1, vec![3], vec![]),
            (1, 2, 10, 1, 0, vec![], vec![]),
        ],
        vec![
            (2, 0, 2000, 7, 0, vec![2], vec![]),
            (2, 1, 10, 1, 0, vec![2], vec![]),
            (1, 0, 500, 0, 0, vec![], vec![]),
        ],
    ];
    let part = |nodes: &Vec<Node>| {
        let mut causes = vec![0_u32; nodes.len()];
        for (.., ends, starts) in nodes {
            ends.iter().chain(starts).for_each(|&after| causes[after as usize] += 1);
        }
        let roots: Vec<u32> = (0..)
            .zip(&causes)
            .filter(|&(_, &n)| n == 0)
            .map(|(node, _)| node)
            .collect();
        let mut bytes = Vec::new();
        bytes.extend((nodes.len() as u32).to_le_bytes());
        bytes.extend((roots.len() as u32).to_le_bytes());
        roots.iter().for_each(|root| bytes.extend(root.to_le_bytes()));
        let mut appendix: Vec<u32> = Vec::new();
        for ((kind, peer, size, tag, unit, ends, starts), causes) in nodes.iter().zip(causes) {
            bytes.extend(causes.to_le_bytes());
            bytes.push(*kind);
            bytes.extend(peer.to_le_bytes());
            bytes.extend(size.to_le_bytes());
            bytes.extend(tag.to_le_bytes());
            bytes.extend([*unit, 0]);
            for list in [ends, starts] {
                bytes.extend((list.len() as u32).to_le_bytes());
                bytes.extend((appendix.len() as u32).to_le_bytes());
                appendix.extend(list);
            }
        }
        appendix.iter().for_each(|after| bytes.extend(after.to_le_bytes()));
        bytes
    };
    let parts: Vec<Vec<u8>> = ranks.iter().map(part).collect();
    let mut bytes = 4223_u64.to_le_bytes().to_vec();
    bytes.extend((parts.len() as u32).to_le_bytes());
    bytes.extend([1, 0]);
    let mut start = 6 + 16 * parts.len() as u64;
    for part in &parts {
        bytes.extend(start.to_le_bytes());
        start += part.len() as u64;
        bytes.extend(start.to_le_bytes());
    }
    parts.iter().for_each(|part| bytes.extend(part));
    bytes
}

#[test]
fn goal_binary_and_text_are_the_same_program() {
    let binary = goal_binary();
    let files = Memory::of(&[("x.goal", GOAL.as_bytes()), ("x.bin", &binary)]);
    let of = |file: &str| draw(&format!("[goal]\nfile = '{file}'"), 3, &files);
    assert_eq!(of("x.goal"), of("x.bin"));
    // Wherever it is cut off, it is refused.
    for length in 0..binary.len() {
        let files = Memory::of(&[("x.bin", &binary[..length])]);
        refused("[goal]\nfile = 'x.bin'", 3, &files);
    }
}

#[test]
fn any_byte_may_be_wrong() {
    let binary = goal_binary();
    for place in 0..binary.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bytes = binary.clone();
            bytes[place] = value;
            // Read or refused, but never a panic.
            let _ = workload("[goal]\nfile = 'x.bin'").schedule(3, &Memory::of(&[("x.bin", &bytes)]), 1);
        }
    }
    let all = Memory::fixtures("custom_ring");
    let mut trace = Vec::new();
    flate2::read::GzDecoder::new(all.0["custom_allreduce.0.et"].as_slice())
        .read_to_end(&mut trace)
        .unwrap();
    for place in (0..trace.len()).step_by(7) {
        for value in [0, 0x80, 0xff] {
            let mut bytes = trace[..trace.len() - place % 5].to_vec();
            if place < bytes.len() {
                bytes[place] = value;
            }
            let mut files = Memory(all.0.clone());
            files.0.insert("custom_allreduce.0.et".into(), bytes);
            let _ = workload("[chakra]\nprefix = 'custom_allreduce'").schedule(8, &files, 1);
        }
    }
}

#[test]
fn anyone_and_any_tag_take_the_first_message_that_is_left() {
    let text = "num_ranks 3
        rank 0 { a: recv 8b from -1 tag 5 b: recv 9b from -1 tag -1 c: recv 9b from 2 tag -1 d: recv 7b from 2 tag 1 }
        rank 1 { a: send 8b to 0 tag 5 b: send 9b to 0 tag 6 }
        rank 2 { a: send 7b to 0 tag 1 b: send 9b to 0 tag 2 }";
    let files = Memory::of(&[("x.goal", text.as_bytes())]);
    assert_eq!(draw("[goal]\nfile = 'x.goal'", 3, &files).transfer_count(), 4);
}

#[test]
fn what_has_no_effect_is_said_once() {
    let text = "num_ranks 2
        rank 0 { send 0b to 1 nic 3 send 5b to 0 recv 5b from 0 send 1b to 1 nic 1 }
        rank 1 { recv 0b from 0 recv 1b from 0 }";
    let files = Memory::of(&[("x.goal", text.as_bytes())]);
    let schedule = draw("[goal]\nfile = 'x.goal'", 2, &files);
    insta::assert_snapshot!(schedule.warnings().join("\n"), @"x.goal: messages of 0 bytes are sent as 1 byte (1); messages of a rank to itself take no time (1); operations name a network card, which has no effect (2)");
}

/// Four layers of computation and collectives, by hand.
#[test]
fn layers_of_simai_go_forward_and_back() {
    let text = "HYBRID_TRANSFORMER_FWD_IN_BCKWD model_parallel_NPU_group: 2 ep: 1 pp: 1 vpp: 1 ga: 1 all_gpus: 4 checkpoints: 0 checkpoint_initiates: 0
2
a -1 1 ALLREDUCE 4000 2 NONE 0 3 ALLREDUCE 8000 0
b -1 4 NONE 0 5 ALLREDUCE 4000 6 NONE 0 7
";
    let files = Memory::of(&[("x.txt", text.as_bytes())]);
    let schedule = draw("[simai]\nfile = 'x.txt'", 4, &files);
    // In ns: 1, an all-reduce of two ranks (2 x 2000 bytes and latencies), 4 | 5, the same, 6, 2, 3, the gradients of two
    // ranks, and at the end the update.
    let pair = |bytes: u64| 2 * (500 + bytes / 2);
    let forward = 1_000 + pair(4000) + 4_000;
    let backward = 5_000 + pair(4000) + 6_000 + 2_000 + 3_000;
    let update = 7_000;
    assert_eq!(time(&schedule), forward + backward + pair(8000).max(update));
    let groups: BTreeMap<String, usize> = schedule.spans().iter().fold(BTreeMap::new(), |mut all, span| {
        *all.entry(span.name.to_string()).or_default() += 1;
        all
    });
    assert_eq!(groups["a 0 forward all-reduce"], 2);
    assert_eq!(groups["a 0 data all-reduce"], 2);
    assert!(!groups.contains_key("a 0 update"));
}

fn record(id: &str, ranks: u32, rank: u32, process: u32, collective: &str, number: u32, bytes: u64) -> String {
    format!(
        r#"{{"header":{{"id":"{id}","rank":{rank},"n_ranks":{ranks},"nnodes":1}},"metadata":{{"inspector_output_format_version":"v4.0","hostname":"a","pid":{process}}},"coll_perf":{{"coll":"{collective}","coll_sn":{number},"coll_msg_size_bytes":{bytes},"coll_exec_time_us":61974}}}}"#
    )
}

#[test]
fn records_of_the_inspector_are_collectives_in_a_row() {
    let mut lines: Vec<String> = (0..4)
        .map(|rank| record("w", 4, rank, 10 + rank, "AllReduce", 1, 4000))
        .collect();
    // A communicator of processes 11 and 13, which are ranks 1 and 3 of all.
    lines.extend((0..2).map(|rank| record("p", 2, rank, 11 + 2 * rank, "AllGather", 1, 1000)));
    let text = lines.join("\n");
    let files = Memory::of(&[("x.json", text.as_bytes())]);
    let schedule = draw("[inspector]\nfile = 'x.json'", 4, &files);
    assert_eq!(time(&schedule), 6 * (500 + 1000) + 500 + 1000);
    let last = schedule.spans().last().unwrap();
    assert_eq!((&*last.ranks, last.bytes), (&[HostId(1), HostId(3)][..], 2000));
    assert_eq!(schedule.warnings(), [] as [&str; 0]);
    // With the records of one rank, all groups of two do what it did.
    let text = record("p", 2, 0, 1, "AllReduce", 7, 1000);
    let files = Memory::of(&[("x.json", text.as_bytes())]);
    let schedule = draw("[inspector]\nfile = 'x.json'", 4, &files);
    assert_eq!(schedule.spans().len(), 2);
    insta::assert_snapshot!(schedule.warnings().join("\n"), @"x.json: communicators are taken for all groups of their size, as not all of their ranks are recorded (1)");
}

/// What arrives may be passed on, and no rank receives what it was not sent: every receive follows its send.
#[test]
fn messages_are_matched_in_order() {
    let mut text = "num_ranks 2\nrank 0 {\n".to_owned();
    let all: Vec<u64> = (1..40).collect();
    all.iter()
        .for_each(|n| text += &format!("s{n}: send {n}b to 1 tag 0\n"));
    text += "}\nrank 1 {\n";
    for n in &all {
        text += &format!("r{n}: recv {n}b from 0 tag 0\nc{n}: calc {n}\nc{n} requires r{n}\n");
    }
    text += "}\n";
    let files = Memory::of(&[("x.goal", text.as_bytes())]);
    let schedule = draw("[goal]\nfile = 'x.goal'", 2, &files);
    for Transfer { task, bytes, .. } in schedule.transfers() {
        let after: Vec<_> = schedule
            .successors(task)
            .iter()
            .map(|&(next, when)| (schedule.task(next).action, when))
            .collect();
        assert_eq!(
            after,
            [(Action::Delay(crate::units::Time(bytes * 1000)), Milestone::Delivered)]
        );
    }
}

/// Schedules that a trace can say, and what they are read back as.
fn exported(table: &str, ranks: u32) -> (Schedule, Schedule, Schedule) {
    let schedule = draw(table, ranks, &Memory::default());
    let back = |format, table: &str| {
        let exported = schedule
            .export(ranks, format)
            .unwrap_or_else(|error| panic!("{error:?}"));
        draw(table, ranks, &Memory(exported.files.into_iter().collect()))
    };
    let goal = back(ExportFormat::Goal, "[goal]\nfile = 'schedule.goal'");
    let chakra = back(ExportFormat::Chakra, "[chakra]\nprefix = 'trace'");
    (schedule, goal, chakra)
}

/// All but what operations are called.
fn without_spans(schedule: &Schedule) -> String {
    let dot = schedule.dot();
    let mut lines: Vec<&str> = dot.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn exported_traces_come_back_as_the_same_schedule() {
    for table in [
        "[all-reduce]\nsize = 80003",
        "[all-reduce]\nsize = 80003\nchunks = 3\nchannels = 2",
        "[all-reduce]\nsize = 80003\nalgorithm = 'direct'",
        "[all-reduce]\nsize = 80003\nalgorithm = 'halving-doubling'",
        "[all-reduce]\nsize = 80003\nalgorithm = 'double-binary-tree'\nchunks = 2",
        "[all-reduce]\nsize = 80003\nalgorithm = 'hierarchical'\nlocal = 4",
        "[all-gather]\nsize = 80003\nalgorithm = 'bruck'",
        "[all-to-all]\nmessage = 4321",
        "[all-to-all]\nmessage = 4321\nalgorithm = 'two-step'\nlocal = 2",
        "[permutation]\nmessage = 77",
        "[program]\nrepeat = 2\nops = [{ name = 'a', compute = '1234ps' }, { name = 'b', all-reduce = { size = 999 }, groups = { size = 2 }, after = ['a'] }, { name = 'c', compute = '7us', after = ['b'] }, { name = 'd', shift = { message = 5, offset = 3 }, after = ['a'] }]",
        "[training]\nmodel = { layers = 2, hidden = 64, ffn = 128, heads = 4, kv_heads = 4, vocab = 100 }\ntensor = 2\npipeline = 2\ndata = 2\nsequence = 128\nglobal_batch = 4\npeak = '1TFLOPS'\npipelined = false",
    ] {
        let (schedule, goal, chakra) = exported(table, 8);
        assert_eq!(without_spans(&schedule), without_spans(&goal), "{table}");
        assert_eq!(without_spans(&schedule), without_spans(&chakra), "{table}");
    }
}

#[test]
fn connection_matrices_come_back_as_the_same_flows() {
    for (table, exact) in [
        ("[all-to-all]\nmessage = 4321", true),
        ("[all-to-all]\nmessage = 4321\nwindow = 2", true),
        ("[shift]\nmessage = 10\noffset = 2", true),
        // What has been sent cannot release a flow there.
        ("[all-reduce]\nsize = 80003", false),
        ("[all-reduce]\nsize = 80003\nalgorithm = 'direct'", false),
    ] {
        let schedule = draw(table, 8, &Memory::default());
        let exported = schedule.export(8, ExportFormat::Cm).unwrap();
        assert_eq!(exported.warnings.is_empty(), exact, "{table}");
        let files = Memory(exported.files.into_iter().collect());
        let back = draw("[connection-matrix]\nfile = 'schedule.cm'", 8, &files);
        let transfers = |schedule: &Schedule| {
            let all = schedule
                .transfers()
                .map(|Transfer { task, src, dst, bytes }| (src, dst, bytes, schedule.task(task).step));
            all.collect::<Vec<_>>()
        };
        assert_eq!(transfers(&schedule), transfers(&back), "{table}");
        assert_eq!(time(&schedule), time(&back), "{table}");
    }
}

#[test]
fn what_a_format_cannot_say_is_refused() {
    let why = |table: &str, format| {
        let error = draw(table, 8, &Memory::default()).export(8, format).unwrap_err();
        format!("{} ({})", error.why, error.help)
    };
    let ring = "[broadcast]\nsize = 80003\nalgorithm = 'ring'\npipelined = true";
    let window = "[all-to-all]\nmessage = 4321\nwindow = 2";
    let computes = "[program]\nops = [{ name = 'a', compute = '1us' }]";
    let lines = [
        why(ring, ExportFormat::Goal),
        why(ring, ExportFormat::Cm),
        why(window, ExportFormat::Chakra),
        why(computes, ExportFormat::Cm),
        why("[all-reduce]\nsize = 80003", ExportFormat::Flows),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    data are passed on as they arrive, which a trace does not have (leave out `pipelined`)
    data are passed on as they arrive, which a connection matrix does not have (leave out `pipelined`)
    a sender has a window of messages, or a trigger starts one flow at a time, which a trace does not have (take `--to cm`, or a `window` of 0)
    its hosts compute, which a connection matrix does not have (take `--to goal` or `--to chakra`)
    its flows wait for each other or for computations, which a table of flows does not have (take `--to cm`, `--to goal` or `--to chakra`)
    ");
}

#[test]
fn a_table_of_flows_comes_back() {
    let schedule = draw("[all-to-all]\nmessage = 4321", 8, &Memory::default());
    let exported = schedule.export(8, ExportFormat::Flows).unwrap();
    let back = draw(
        "[flows]\nfile = 'flows.csv'",
        8,
        &Memory(exported.files.into_iter().collect()),
    );
    assert_eq!(schedule, back);
}

/// Data of all ranks go up once and come down once, and nobody is done before all are.
#[test]
fn switches_that_add_carry_every_byte_once() {
    let schedule = draw(
        "[all-reduce]\nsize = 1000\nalgorithm = 'in-network'",
        8,
        &Memory::default(),
    );
    assert_eq!(schedule.transfer_count(), 8);
    assert_eq!(time(&schedule), 500 + 1000);
    let (mut out, mut into) = ([0; 8], [0; 8]);
    for Transfer { src, dst, bytes, .. } in schedule.transfers() {
        out[src.index()] += bytes;
        into[dst.index()] += bytes;
    }
    assert_eq!((out, into), ([1000; 8], [1000; 8]));
    let program = "[program]\nops = [
        { name = 'late', compute = '400ps', groups = [[3]] },
        { name = 'sum', all-reduce = { size = 1000, algorithm = 'in-network' }, after = ['late'] },
        { name = 'next', compute = '1ps', after = ['sum'] }]";
    assert_eq!(time(&draw(program, 8, &Memory::default())), 400 + 1500 + 1);
    // Wherever the ranks live, neighbors in the fabric are neighbors in the sum.
    let mapped = draw(
        "[all-reduce]\nsize = 1000\nalgorithm = 'in-network'\nrank_map = 'random'",
        8,
        &Memory::default(),
    );
    for Transfer { src, dst, .. } in mapped.transfers() {
        assert_eq!((src.0 + 1) % 8, dst.0);
    }
}
