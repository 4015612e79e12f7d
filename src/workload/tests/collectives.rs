//! What every collective delivers, by symbolic replay; what it moves and how long it takes, by the
//! closed forms of the alpha-beta model.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::replay::{Contributions, record, record_on};
use super::workload;
use crate::ids::TaskId;
use crate::input::NoFiles;
use crate::units::Time;
use crate::workload::{Action, Hosts, Milestone, Progress, Schedule, Transfer, Workload};

/// The first byte of share `i` of `n`, by counting the longer shares in front of it.
fn share_start(bytes: u64, n: u32, i: u32) -> u64 {
    (0..u64::from(i))
        .map(|j| bytes / u64::from(n) + u64::from(j < bytes % u64::from(n)))
        .sum()
}

fn all_ranks(n: u32) -> Contributions {
    Contributions::MAX >> (64 - n)
}

/// What the ranks hold of each byte first, and what they must hold in the end.
struct Promise {
    /// Where either of them changes.
    cuts: Vec<u64>,
    initial: Box<dyn Fn(u32, u64) -> Contributions>,
    expected: Box<dyn Fn(u32, u64) -> Option<Contributions>>,
}

fn promise(workload: &Workload, n: u32) -> Promise {
    let size = workload.size().unwrap().0;
    let cuts: Vec<u64> = (0..=n).map(|i| share_start(size, n, i)).collect();
    let ends = cuts[1..].to_vec();
    let owner = move |byte: u64| ends.partition_point(|&end| end <= byte) as u32;
    let bit = |rank: u32| 1 << rank;
    let only = move |holds: bool, rank: u32| if holds { bit(rank) } else { 0 };
    match workload {
        Workload::AllReduce(_) => Promise {
            cuts,
            initial: Box::new(move |r, _| bit(r)),
            expected: Box::new(move |_, _| Some(all_ranks(n))),
        },
        Workload::ReduceScatter(_) => Promise {
            cuts,
            initial: Box::new(move |r, _| bit(r)),
            expected: Box::new(move |r, byte| (owner(byte) == r).then_some(all_ranks(n))),
        },
        Workload::AllGather(_) => {
            let owner_of = owner.clone();
            Promise {
                cuts,
                initial: Box::new(move |r, byte| only(owner(byte) == r, r)),
                expected: Box::new(move |_, byte| Some(bit(owner_of(byte)))),
            }
        }
        Workload::Broadcast(_) => Promise {
            cuts,
            initial: Box::new(move |r, _| only(r == 0, 0)),
            expected: Box::new(move |_, _| Some(bit(0))),
        },
        Workload::Reduce(_) => Promise {
            cuts,
            initial: Box::new(move |r, _| bit(r)),
            expected: Box::new(move |r, _| (r == 0).then_some(all_ranks(n))),
        },
        Workload::Gather(_) => {
            let owner_of = owner.clone();
            Promise {
                cuts,
                initial: Box::new(move |r, byte| only(owner(byte) == r, r)),
                expected: Box::new(move |r, byte| (r == 0).then_some(bit(owner_of(byte)))),
            }
        }
        Workload::Scatter(_) => Promise {
            cuts,
            initial: Box::new(move |r, _| only(r == 0, 0)),
            expected: Box::new(move |r, byte| (owner(byte) == r).then_some(bit(0))),
        },
        Workload::SendRecv(spec) => {
            let (from, to) = (spec.from, spec.to);
            let sender = move |byte: u64| (byte / size) as u32;
            Promise {
                cuts: (0..=u64::from(n)).map(|i| i * size).collect(),
                initial: Box::new(move |r, byte| only(sender(byte) == r, r)),
                expected: Box::new(move |r, byte| {
                    let receives = match (from, to) {
                        (Some(from), Some(to)) => sender(byte) == from && r == to,
                        _ => (sender(byte) + 1) % n == r,
                    };
                    receives.then_some(bit(sender(byte)))
                }),
            }
        }
        // The matrix of messages, by source, then destination.
        Workload::AllToAll(_) => {
            let pair = move |byte: u64| ((byte / size) as u32 / n, (byte / size) as u32 % n);
            Promise {
                cuts: (0..=u64::from(n * n)).map(|i| i * size).collect(),
                initial: Box::new(move |r, byte| only(pair(byte).0 == r, r)),
                expected: Box::new(move |r, byte| (pair(byte).1 == r).then_some(bit(pair(byte).0))),
            }
        }
        other => panic!("{} promises nothing", other.name()),
    }
}

fn prove(workload: &Workload, ranks: u32) {
    let promise = promise(workload, ranks);
    let recording = record(workload.kind(), ranks).unwrap();
    let holdings = recording.holdings(ranks, &promise.cuts, promise.initial);
    for seed in 0..3 {
        recording.replay(holdings.clone(), seed).check(&promise.expected);
    }
}

/// Every collective with every algorithm that it has.
const COLLECTIVES: &[(&str, &[&str])] = &[
    (
        "all-reduce",
        &[
            "ring",
            "direct",
            "halving-doubling",
            "recursive-doubling",
            "double-binary-tree",
        ],
    ),
    ("reduce-scatter", &["ring", "direct", "halving-doubling", "pat"]),
    (
        "all-gather",
        &[
            "ring",
            "direct",
            "halving-doubling",
            "recursive-doubling",
            "pat",
            "bruck",
        ],
    ),
    ("reduce", &["binomial", "ring"]),
    ("broadcast", &["binomial", "ring", "double-binary-tree"]),
];

fn each_collective(mut visit: impl FnMut(&str, &str, bool)) {
    for (collective, algorithms) in COLLECTIVES {
        for algorithm in *algorithms {
            visit(collective, algorithm, algorithm.ends_with("-doubling"));
        }
    }
}

fn collective(name: &str, algorithm: &str, size: u64, more: &str) -> Workload {
    workload(&format!("[{name}]\nalgorithm = \"{algorithm}\"\nsize = {size}\n{more}"))
}

#[test]
fn collectives_deliver_what_they_promise() {
    each_collective(|name, algorithm, doubling| {
        for ranks in (2..=17).chain([32, 64]) {
            if doubling && !u32::is_power_of_two(ranks) {
                continue;
            }
            for size in [1, u64::from(ranks) + 1, 100_003] {
                prove(&collective(name, algorithm, size, ""), ranks);
            }
        }
    });
}

#[test]
fn channels_chunks_and_orders_change_nothing_in_what_is_delivered() {
    each_collective(|name, algorithm, doubling| {
        for ranks in if doubling { [2, 4, 8, 16] } else { [2, 3, 7, 12] } {
            for (channels, chunks) in [(1, 3), (2, 1), (3, 4)] {
                for size in [5, 997, 100_003] {
                    let mut more = format!("channels = {channels}\nchunks = {chunks}\n");
                    if doubling && chunks != 1 {
                        more += "order = \"far-first\"\n";
                    }
                    prove(&collective(name, algorithm, size, &more), ranks);
                }
            }
        }
    });
}

#[test]
fn the_other_collectives_deliver_what_they_promise() {
    for ranks in (2..=17).chain([32, 64]) {
        for size in [1, u64::from(ranks) + 1, 100_003] {
            prove(&workload(&format!("[gather]\nsize = {size}")), ranks);
            prove(&workload(&format!("[scatter]\nsize = {size}")), ranks);
            prove(&workload(&format!("[send-recv]\nmessage = {size}")), ranks);
        }
        prove(&workload("[send-recv]\nmessage = 9\nfrom = 1\nto = 0"), ranks);
        if ranks < 14 {
            prove(&workload("[all-to-all]\nmessage = 3\nalgorithm = \"bruck\""), ranks);
        }
    }
}

/// Servers of `local` ranks, of which there may be one, or each may hold one rank.
#[test]
fn servers_and_rails_deliver_what_they_promise() {
    for (ranks, local) in [
        (2, 1),
        (2, 2),
        (6, 2),
        (6, 3),
        (8, 4),
        (12, 4),
        (16, 8),
        (16, 2),
        (15, 5),
    ] {
        for more in ["", "channels = 2\nchunks = 3\n", "pipelined = true\nchannels = 2\n"] {
            for name in ["all-reduce", "reduce-scatter", "all-gather"] {
                for size in [7, 10_007] {
                    prove(
                        &collective(name, "hierarchical", size, &format!("local = {local}\n{more}")),
                        ranks,
                    );
                }
            }
        }
        prove(
            &workload(&format!(
                "[all-to-all]\nmessage = 3\nalgorithm = \"two-step\"\nlocal = {local}"
            )),
            ranks,
        );
    }
}

#[test]
fn streams_deliver_what_they_promise() {
    for ranks in [2, 3, 8, 13] {
        for name in ["all-reduce", "reduce-scatter", "all-gather", "broadcast", "reduce"] {
            for size in [5, 10_007] {
                prove(
                    &collective(name, "ring", size, "pipelined = true\nchannels = 2\n"),
                    ranks,
                );
            }
        }
    }
}

#[test]
fn all_to_all_delivers_every_block() {
    for ranks in [2, 3, 5, 8, 13] {
        for order in ["shifted", "in-order", "random"] {
            for window in [0, 1, 2, 5, 64] {
                let text = format!("[all-to-all]\nmessage = 3\nwindow = {window}\norder = \"{order}\"");
                prove(&workload(&text), ranks);
            }
        }
    }
}

/// When every transfer starts if each is sent in the time that `sending` gives for its bytes and arrives a
/// `latency` later, and no two share a link; acknowledgements take no time. Second: when the last one has
/// been delivered.
pub(super) fn run(schedule: &Schedule, latency: u64, sending: impl Fn(u64) -> u64) -> (BTreeMap<TaskId, u64>, u64) {
    let (mut progress, mut due) = Progress::<Time>::new(schedule);
    let mut coming = BinaryHeap::new();
    let (mut starts, mut end) = (BTreeMap::new(), 0);
    loop {
        for next in due.drain(..) {
            let mut sent = next.at.0;
            let mut delivered = sent;
            if let Action::Transfer { bytes, .. } = schedule.task(next.task).action {
                starts.insert(next.task, next.at.0);
                sent += sending(bytes);
                delivered = sent + latency;
                coming.push(Reverse((next.at.0 + latency, next.task, Milestone::Begun)));
                coming.push(Reverse((sent, next.task, Milestone::Sent)));
                coming.push(Reverse((delivered, next.task, Milestone::Acked)));
            }
            coming.push(Reverse((delivered, next.task, Milestone::Delivered)));
        }
        let Some(Reverse((now, task, milestone))) = coming.pop() else {
            return (starts, end);
        };
        end = now;
        progress.happened(schedule, task, milestone, Time(now), &mut due);
    }
}

/// Bytes that each rank sends, and receives.
fn traffic(schedule: &Schedule, ranks: u32) -> Vec<[u64; 2]> {
    let mut traffic = vec![[0; 2]; ranks as usize];
    for Transfer { src, dst, bytes, .. } in schedule.transfers() {
        traffic[src.index()][0] += bytes;
        traffic[dst.index()][1] += bytes;
    }
    traffic
}

#[test]
fn in_lockstep_every_transfer_starts_in_its_step() {
    let check = |workload: &Workload, ranks| {
        let schedule = workload.schedule(ranks, &NoFiles, 1).unwrap();
        let (starts, end) = run(&schedule, 0, |_| 1);
        for (task, start) in starts {
            assert_eq!(
                start,
                u64::from(schedule.task(task).step),
                "{workload:?} on {ranks}: {task}"
            );
        }
        assert_eq!(end, u64::from(schedule.steps()));
    };
    each_collective(|name, algorithm, doubling| {
        for ranks in if doubling { [2, 4, 8, 16] } else { [2, 5, 6, 13] } {
            for (channels, chunks) in [(1, 1), (1, 3), (2, 4)] {
                let more = format!("channels = {channels}\nchunks = {chunks}\n");
                check(&collective(name, algorithm, 1_000_000, &more), ranks);
            }
        }
    });
    for window in [0, 1, 3, 4] {
        check(&workload(&format!("[all-to-all]\nmessage = 3\nwindow = {window}")), 9);
    }
}

#[test]
fn bytes_and_times_are_those_of_the_alpha_beta_model() {
    const LATENCY: u64 = 500;
    each_collective(|name, algorithm, doubling| {
        for ranks in if doubling { [2_u32, 4, 8, 64] } else { [2, 3, 5, 64] } {
            let (n, rounds) = (u64::from(ranks), u64::from(ranks.next_power_of_two().ilog2()));
            let size = 64 * 15 * 100;
            let schedule = collective(name, algorithm, size, "")
                .schedule(ranks, &NoFiles, 1)
                .unwrap();
            let traffic = traffic(&schedule, ranks);
            let sent: u64 = traffic.iter().map(|[sent, _]| sent).sum();
            let (_, time) = run(&schedule, LATENCY, |bytes| bytes);
            let height = u64::from(ranks.ilog2());
            let phases = if name == "all-reduce" { 2 } else { 1 };
            let whole = name == "all-reduce" && algorithm == "recursive-doubling";
            assert_eq!(
                sent,
                if whole {
                    n * rounds * size
                } else {
                    phases * (n - 1) * size
                },
                "{name} {algorithm}"
            );
            let expected = match (name, algorithm) {
                ("all-reduce", "recursive-doubling") => rounds * (LATENCY + size),
                // A rank is reached over a hop for each bit of its number; the senders on the way send without a
                // gap, in all as often as its number has digits.
                ("broadcast", "binomial") => (1..ranks)
                    .map(|rank| u64::from(rank.count_ones()) * LATENCY + u64::from(rank.ilog2() + 1) * size)
                    .max()
                    .unwrap_or(0),
                ("broadcast" | "reduce", "ring") => (n - 1) * (LATENCY + size),
                // A rank's sum has as many hops before it as its number can have further digits.
                ("reduce", _) => (1..ranks).map(u32::count_ones).max().map_or(0, u64::from) * (LATENCY + size),
                ("broadcast", _) => (1 + u64::from((ranks - 1).ilog2())) * (LATENCY + size / 2),
                (_, "ring") => phases * (n - 1) * (LATENCY + size / n),
                (_, "direct") => phases * (LATENCY + size / n),
                (_, "double-binary-tree") => 2 * height * (LATENCY + size / 2),
                _ => phases * (rounds * LATENCY + size * (n - 1) / n),
            };
            assert_eq!(time, expected, "{name} {algorithm} on {ranks}");
            if ["ring", "direct", "halving-doubling"].contains(&algorithm) && !["broadcast", "reduce"].contains(&name) {
                assert!(traffic.iter().all(|&both| both == [phases * size * (n - 1) / n; 2]));
            }
        }
    });
}

/// The closed forms of hierarchies, two steps, Bruck and streams.
#[test]
fn what_goes_over_servers_and_in_streams_takes_its_time() {
    const LATENCY: u64 = 500;
    let measure = |workload: &Workload, ranks: u32| {
        let schedule = workload.schedule(ranks, &NoFiles, 1).unwrap();
        let bytes = traffic(&schedule, ranks);
        (
            run(&schedule, LATENCY, |bytes| bytes).1,
            bytes,
            schedule.transfer_count() as u64,
        )
    };
    for (ranks, local) in [(8_u64, 2_u64), (12, 4), (64, 8), (6, 6), (6, 1)] {
        let (g, servers, size) = (local, ranks / local, 64 * 15 * 100);
        let inside = (g - 1) * LATENCY + (g - 1) * size / g;
        let across = (servers - 1) * (LATENCY + size / ranks);
        for (name, phases) in [("all-reduce", 2), ("reduce-scatter", 1), ("all-gather", 1)] {
            let hierarchical = collective(name, "hierarchical", size, &format!("local = {local}"));
            let (time, bytes, _) = measure(&hierarchical, ranks as u32);
            assert_eq!(time, phases * (inside + across), "{name} {ranks} {local}");
            let each = phases * ((g - 1) * size / g + (servers - 1) * size / ranks);
            assert!(bytes.iter().all(|&both| both == [each; 2]), "{name} {ranks} {local}");
            let more = format!("local = {local}\npipelined = true");
            let (_, streamed, _) = measure(&collective(name, "hierarchical", size, &more), ranks as u32);
            assert_eq!(streamed, bytes);
        }
        let message = 100;
        let text = format!("[all-to-all]\nmessage = {message}\nalgorithm = \"two-step\"\nlocal = {local}");
        let (time, bytes, _) = measure(&workload(&text), ranks as u32);
        // All messages of a step go side by side here.
        let (near, far) = (u64::from(g > 1), u64::from(servers > 1));
        assert_eq!(
            time,
            near * (LATENCY + servers * message) + far * (LATENCY + g * message)
        );
        let each = ((g - 1) * servers + (servers - 1) * g) * message;
        assert!(bytes.iter().all(|&both| both == [each; 2]), "{ranks} {local}");
    }
    for ranks in [2_u64, 8, 64] {
        let (time, ..) = measure(
            &workload("[all-to-all]\nmessage = 10\nalgorithm = \"bruck\""),
            ranks as u32,
        );
        assert_eq!(time, u64::from(ranks.ilog2()) * (LATENCY + 10 * ranks / 2));
        let size = 64 * 1_500;
        for (name, phases) in [("all-reduce", 2), ("reduce-scatter", 1), ("all-gather", 1)] {
            let (time, bytes, transfers) = measure(&collective(name, "ring", size, "pipelined = true"), ranks as u32);
            let each = phases * (ranks - 1) * size / ranks;
            assert_eq!((time, transfers), (LATENCY + each, ranks), "{name} {ranks}");
            assert!(bytes.iter().all(|&both| both == [each; 2]));
        }
        for name in ["broadcast", "reduce"] {
            let (time, _, transfers) = measure(&collective(name, "ring", size, "pipelined = true"), ranks as u32);
            assert_eq!(
                (time, transfers),
                ((ranks - 1) * LATENCY + size, ranks - 1),
                "{name} {ranks}"
            );
        }
    }
}

/// On servers of 8, each of 8 rings leaves a server by another rank, and arrives at the one in the same place.
#[test]
fn channels_of_a_ring_leave_a_server_by_different_ranks() {
    let hosts = Hosts {
        count: 32,
        per_server: Some(8),
    };
    let workload = collective("all-reduce", "ring", 1 << 20, "channels = 8");
    let schedule = workload.schedule(hosts, &NoFiles, 1).unwrap();
    let mut crossings: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for transfer in schedule.transfers() {
        let (src, dst, bytes) = (transfer.src.0, transfer.dst.0, transfer.bytes);
        if src / 8 == dst / 8 {
            continue;
        }
        assert_eq!(src % 8, dst % 8, "{src} to {dst}");
        *crossings.entry((src, dst)).or_default() += bytes;
    }
    let mean = 2 * 31 * (1_u64 << 20) / 32 / 8;
    assert_eq!(crossings.len(), 32);
    assert!(
        crossings.values().all(|bytes| bytes.abs_diff(mean) < 100),
        "{crossings:?}"
    );
    let promise = promise(&workload, 32);
    let mut draft = record_on(workload.kind(), 32, Some((0..32).map(|rank| rank / 8).collect())).unwrap();
    let holdings = draft.holdings(32, &promise.cuts, promise.initial);
    draft.replay(holdings, 1).check(&promise.expected);
    draft = record(workload.kind(), 32).unwrap();
    assert!(draft.schedule.transfers().all(|t| (t.src.0 + 1) % 32 == t.dst.0));
}

#[test]
fn chunks_turn_a_tree_and_a_chain_into_pipelines() {
    let time = |name: &str, algorithm: &str, size, chunks: u64, ranks| {
        let more = format!("chunks = {chunks}");
        let schedule = collective(name, algorithm, size, &more)
            .schedule(ranks, &NoFiles, 1)
            .unwrap();
        run(&schedule, 500, |bytes| bytes).1
    };
    // The first chunk takes all hops; the others follow as fast as a sender sends, not a latency apart.
    assert_eq!(time("broadcast", "ring", 64_000, 16, 9), 8 * (500 + 4_000) + 15 * 4_000);
    assert_eq!(
        time("all-reduce", "double-binary-tree", 64_000, 16, 64),
        2 * 6 * (500 + 2_000) + 15 * 2_000
    );
    // In a ring the chunks of the next round are there before the sender is free: one latency in all.
    assert_eq!(time("all-reduce", "ring", 64_000, 4, 8), 2 * 7 * 4 * 2_000 + 500);
    // Unless sending them all takes less than a latency: every round waits for its first chunk.
    assert_eq!(time("all-reduce", "ring", 320, 4, 8), 2 * 7 * (500 + 10) + 3 * 10);
}

/// One latency is longer than all others: each datum pays it as often as it crosses that link, and no sender
/// waits for its own deliveries.
#[test]
fn a_ring_pays_a_long_link_as_often_as_data_cross_it() {
    let schedule = collective("all-reduce", "ring", 8, "")
        .schedule(8, &NoFiles, 1)
        .unwrap();
    let (mut progress, mut due) = Progress::<Time>::new(&schedule);
    let (mut coming, mut end) = (BinaryHeap::new(), 0);
    loop {
        for next in due.drain(..) {
            let Action::Transfer { src, .. } = schedule.task(next.task).action else {
                unreachable!("a ring has no joins")
            };
            let sent = next.at.0 + 1;
            let latency = if src.0 == 7 { 1_000 } else { 10 };
            coming.push(Reverse((sent, next.task, Milestone::Sent)));
            coming.push(Reverse((sent + latency, next.task, Milestone::Delivered)));
        }
        let Some(Reverse((now, task, milestone))) = coming.pop() else {
            break;
        };
        end = now;
        progress.happened(&schedule, task, milestone, Time(now), &mut due);
    }
    // 14 hops in a row cross it twice at most.
    assert_eq!(end, 14 + 2 * 1_000 + 12 * 10);
}

/// A connection joins the transfers between two ranks on one channel, of one tree and way where there are two.
#[test]
fn connections_last_as_long_as_the_collective() {
    each_collective(|name, algorithm, _| {
        let workload = collective(name, algorithm, 48_000, "channels = 3\nchunks = 2");
        let schedule = workload.schedule(16, &NoFiles, 1).unwrap();
        let mut connections: BTreeMap<TaskId, (u32, u32)> = BTreeMap::new();
        for Transfer { task, src, dst, .. } in schedule.transfers() {
            let first = schedule.task(task).connection;
            assert!(first <= task);
            assert_eq!(*connections.entry(first).or_insert((src.0, dst.0)), (src.0, dst.0));
            assert_eq!(schedule.task(first).connection, first);
        }
        let mut pairs: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        connections
            .values()
            .for_each(|&pair| *pairs.entry(pair).or_default() += 1);
        let trees = if algorithm == "double-binary-tree" { 2 } else { 1 };
        assert!(
            pairs.values().all(|&count| count % 3 == 0 && count <= 3 * trees),
            "{name} {algorithm}: {pairs:?}"
        );
    });
}

#[test]
fn in_a_double_binary_tree_nobody_is_inside_both_trees() {
    for ranks in 2..=40_u32 {
        for (name, most) in [("all-reduce", 2), ("broadcast", 1)] {
            let schedule = collective(name, "double-binary-tree", 2_000, "")
                .schedule(ranks, &NoFiles, 1)
                .unwrap();
            let traffic = traffic(&schedule, ranks);
            let fair = |[sent, received]: &[u64; 2]| *sent <= most * 2_000 && *received <= most * 2_000;
            assert!(traffic.iter().all(fair), "{name} on {ranks}: {traffic:?}");
        }
    }
}

#[test]
fn near_first_keeps_the_largest_messages_near() {
    for (order, nearest) in [("near-first", 1), ("far-first", 8)] {
        let more = format!("order = \"{order}\"");
        let schedule = collective("all-reduce", "halving-doubling", 1_600, &more)
            .schedule(16, &NoFiles, 1)
            .unwrap();
        let by_distance = |distance: u32| {
            let sizes = schedule
                .transfers()
                .filter(|Transfer { src, dst, .. }| src.0 ^ dst.0 == distance);
            sizes
                .map(|transfer| transfer.bytes)
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(by_distance(nearest), [800].into());
        assert_eq!(by_distance(8 / nearest), [100].into());
    }
}
