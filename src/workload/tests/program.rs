//! Programs: who waits for whom, over which connections, and what is refused.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::collectives::run;
use super::workload;
use crate::ids::{HostId, TaskId};
use crate::input::NoFiles;
use crate::workload::{Action, Schedule, Transfer};

fn program(text: &str) -> Schedule {
    let all = format!("[program]\n{text}");
    workload(&all)
        .schedule(8, &NoFiles, 1)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn refused(text: &str) -> String {
    let all = format!("[program]\n{text}");
    workload(&all).schedule(8, &NoFiles, 1).unwrap_err().to_string()
}

/// When all is done, with a latency of 500 and a byte per picosecond, no two transfers sharing a link.
fn time(text: &str) -> u64 {
    run(&program(text), 500, |bytes| bytes).1
}

fn starts(text: &str) -> (Schedule, BTreeMap<TaskId, u64>) {
    let schedule = program(text);
    let (starts, _) = run(&schedule, 500, |bytes| bytes);
    (schedule, starts)
}

#[test]
fn computation_alone_takes_its_time() {
    let text = "
        repeat = 3
        ops = [
            { name = 'a', compute = '7ps' },
            { name = 'b', compute = '5ps', groups = [[0, 1]] },
            { name = 'c', compute = '11ps', after = ['a'] },
        ]";
    // A rank computes one after the other, even what does not depend on each other.
    assert_eq!(time(text), 3 * (7 + 5 + 11));
}

#[test]
fn ranks_wait_for_themselves_alone() {
    // Ranks 0 and 1 compute long, and only their group sends late.
    let (schedule, starts) = starts(
        "ops = [
            { name = 'long', compute = '1000ps', groups = [[0, 1]] },
            { name = 'short', compute = '10ps', groups = [[2, 3, 4, 5, 6, 7]] },
            { name = 'sum', all-reduce = { size = 16 }, groups = { size = 2 }, after = ['long', 'short'] },
        ]",
    );
    for Transfer { task, src, .. } in schedule.transfers() {
        let src = src.0;
        let first = if src < 2 { 1000 } else { 10 };
        assert!(
            [first, first + 508].contains(&starts[&task]),
            "rank {src} at {}",
            starts[&task]
        );
    }
}

#[test]
fn communication_runs_beside_computation() {
    let text = "ops = [
        { name = 'a', compute = '4000ps' },
        { name = 'sum', all-reduce = { size = 800 }, after = ['a'] },
        { name = 'b', compute = '4000ps', after = ['a'] },
        { name = 'c', compute = '1ps', after = ['sum', 'b'] },
    ]";
    // The ring takes 14 * (500 + 100): more than the second computation.
    assert_eq!(time(text), 4000 + 14 * 600 + 1);
    assert_eq!(
        time(
            &text
                .replace("size = 800", "size = 8")
                .replace("'4000ps', after", "'9000ps', after")
        ),
        4000 + 9000 + 1
    );
}

#[test]
fn a_rank_goes_on_when_its_own_part_is_done() {
    // The chain 0, 1, 2, 3 of a broadcast: rank 0 is done when it has sent.
    let (schedule, starts) = starts(
        "ops = [
            { name = 'data', broadcast = { size = 100, algorithm = 'ring' }, groups = [[0, 1, 2, 3]] },
            { name = 'work', compute = '1ps', groups = [[0, 1, 2, 3]], after = ['data'] },
            { name = 'out', shift = { message = 1, offset = 1 }, groups = [[0, 4], [1, 5], [2, 6], [3, 7]], after = ['work'] },
        ]",
    );
    let first = |rank: u32| {
        let mine = schedule.transfers().filter(|t| t.src.0 == rank && t.dst.0 == rank + 4);
        mine.map(|t| starts[&t.task]).min().unwrap()
    };
    assert_eq!([first(0), first(1), first(2), first(3)], [101, 701, 1301, 1801]);
}

#[test]
fn rounds_follow_rank_by_rank() {
    let text =
        "ops = [{ name = 'a', compute = '10ps', groups = [[0]] }, { name = 'b', compute = '3ps', groups = [[1]] }]";
    assert_eq!(time(&format!("repeat = 5\n{text}")), 50);
    let sum = "ops = [{ name = 'sum', all-reduce = { size = 80 } }]";
    assert_eq!(time(&format!("repeat = 3\n{sum}")), 3 * 14 * 510);
    let names: Vec<String> = program(&format!("repeat = 3\n{sum}"))
        .spans()
        .iter()
        .map(|span| span.name.to_string())
        .collect();
    assert_eq!(names, ["sum", "sum#2", "sum#3"]);
}

#[test]
fn operations_of_one_communicator_share_connections_and_keep_their_order() {
    let text = "ops = [
        { name = 'a', all-gather = { size = 800 } },
        { name = 'b', reduce-scatter = { size = 800 } },
        { name = 'c', all-to-all = { message = 10 } },
        { name = 'd', all-to-all = { message = 10 } },
    ]";
    let (schedule, starts) = starts(text);
    let connections = schedule
        .transfers()
        .filter(|t| schedule.task(t.task).connection == t.task);
    // A ring of 8, and a pair for each of 8 * 7 of the all-to-all.
    assert_eq!(connections.count(), 8 + 56);
    let times = |name: &str| {
        let span = schedule.spans().iter().find(|span| &*span.name == name).unwrap();
        let tasks = (span.tasks.start..span.tasks.end).map(TaskId);
        let transfers = tasks.filter(|&task| matches!(schedule.task(task).action, Action::Transfer { .. }));
        let times: Vec<u64> = transfers.map(|task| starts[&task]).collect();
        (*times.iter().min().unwrap(), *times.iter().max().unwrap())
    };
    let all = ["a", "b", "c", "d"].map(times);
    assert!(all.windows(2).all(|pair| pair[0].1 < pair[1].0), "{all:?}");
    // In other groups they go side by side, over connections of their own.
    let other = text.replace(
        "reduce-scatter = { size = 800 }",
        "reduce-scatter = { size = 800 }, groups = [[1, 0, 2, 3, 4, 5, 6, 7]]",
    );
    let schedule = program(&other);
    let connections = schedule
        .transfers()
        .filter(|t| schedule.task(t.task).connection == t.task);
    assert_eq!(connections.count(), 8 + 8 + 56);
}

#[test]
fn steps_follow_the_operations() {
    let schedule = program(
        "ops = [
            { name = 'a', all-gather = { size = 800 } },
            { name = 'b', all-gather = { size = 800 }, groups = { size = 2, stride = 4 } },
            { name = 'c', all-gather = { size = 800 }, groups = { size = 4 }, after = ['b'] },
        ]",
    );
    let steps = |span: usize| {
        let tasks = (schedule.spans()[span].tasks.start..schedule.spans()[span].tasks.end).map(TaskId);
        let transfers = tasks.filter(|&task| matches!(schedule.task(task).action, Action::Transfer { .. }));
        let steps: Vec<u32> = transfers.map(|task| schedule.task(task).step).collect();
        (*steps.iter().min().unwrap(), *steps.iter().max().unwrap())
    };
    assert_eq!((steps(0), steps(1), steps(5)), ((0, 6), (0, 0), (1, 3)));
    assert_eq!(schedule.spans()[1].ranks[..], [HostId(0), HostId(4)]);
    assert_eq!(schedule.spans()[5].bytes, 4 * 3 * 200);
}

#[test]
fn programs_that_cannot_be_are_refused() {
    let one = |op: &str| refused(&format!("ops = [{op}]"));
    let mut messages = vec![refused("ops = []")];
    messages.push(refused("repeat = 0\nops = [{ name = 'a', compute = '1ps' }]"));
    messages.push(one("{ name = 'a' }"));
    messages.push(one("{ name = '', compute = '1ps' }"));
    messages.push(one(
        "{ name = 'a', compute = '1ps', shift = { message = 1, offset = 1 } }",
    ));
    messages.push(one(
        "{ name = 'a', all-to-all = { message = 1 }, shift = { message = 1, offset = 1 } }",
    ));
    messages.push(one("{ name = 'a', all-to-all = { message = 1, ranks = 4 } }"));
    messages.push(one("{ name = 'a', all-to-all = { message = 1, rank_map = 'random' } }"));
    messages.push(one("{ name = 'a', all-reduce = { size = 0 }, groups = { size = 4 } }"));
    messages.push(one("{ name = 'a', compute = '1ps', after = ['b'] }"));
    messages.push(one("{ name = 'a', compute = '1ps', after = ['a'] }"));
    messages.push(one("{ name = 'a', compute = '1ps' }, { name = 'a', compute = '1ps' }"));
    messages.push(one(
        "{ name = 'a', compute = '1ps', after = ['c'] }, { name = 'b', compute = '1ps', after = ['a'] }, { name = 'c', compute = '1ps', after = ['b'] }"
    ));
    for groups in [
        "{ size = 3 }",
        "{ size = 0 }",
        "{ size = 2, stride = 8 }",
        "{ size = 1 }",
        "[]",
        "[[]]",
        "[[0, 1], [2]]",
        "[[0, 8]]",
        "[[0, 1], [1, 2]]",
        "[[0, 1, 0]]",
    ] {
        messages.push(one(&format!(
            "{{ name = 'a', all-reduce = {{ size = 1 }}, groups = {groups} }}"
        )));
    }
    insta::assert_snapshot!(messages.join("\n"));
}

/// One operation of a random program: what it does, over which groups, and after which of those before it.
fn op(number: usize, [kind, groups, after]: [usize; 3]) -> String {
    const KINDS: [&str; 10] = [
        "compute = '700ps'",
        "compute = '90ps'",
        "all-reduce = { size = 400 }",
        "all-reduce = { size = 400, pipelined = true }",
        "all-gather = { size = 300, algorithm = 'bruck' }",
        "reduce-scatter = { size = 100, algorithm = 'direct', channels = 2 }",
        "all-to-all = { message = 30, window = 1 }",
        "broadcast = { size = 500, algorithm = 'ring', pipelined = true }",
        "reduce = { size = 3 }",
        "send-recv = { message = 200 }",
    ];
    const GROUPS: [&str; 5] = [
        "{ size = 8 }",
        "{ size = 4 }",
        "{ size = 2, stride = 4 }",
        "[[1, 5, 0], [7, 2]]",
        "[[3, 4]]",
    ];
    let after: Vec<String> = (0..number)
        .filter(|i| after >> i & 1 == 1)
        .map(|i| format!("'{i}'"))
        .collect();
    format!(
        "{{ name = '{number}', {}, groups = {}, after = [{}] }}",
        KINDS[kind],
        GROUPS[groups],
        after.join(", ")
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// By the times at which transfers happen, and nothing else: on every rank, nothing that it sends or computes in an operation
    /// begins before all that it sends, receives and computes in those before is over; and everything happens.
    #[test]
    fn no_rank_begins_before_it_may(
        ops in proptest::collection::vec([0_usize..10, 0..5, 0..256], 1..8),
        repeat in 1_usize..3,
    ) {
        let texts: Vec<String> = ops.iter().enumerate().map(|(number, &choice)| op(number, choice)).collect();
        let schedule = program(&format!("repeat = {repeat}\nops = [{}]", texts.join(", ")));
        let (starts, _) = run(&schedule, 500, |bytes| bytes);
        prop_assert_eq!(starts.len(), schedule.transfer_count());
        // Of each operation and rank: the first start of what it does itself, and the end of all that it takes part in.
        let mut own: BTreeMap<(&str, HostId), u64> = BTreeMap::new();
        let mut ends: BTreeMap<(&str, HostId), u64> = BTreeMap::new();
        for span in schedule.spans().iter().filter(|span| span.compute.is_none()) {
            for task in (span.tasks.start..span.tasks.end).map(TaskId) {
                if let Action::Transfer { src, dst, bytes } = schedule.task(task).action {
                    let first = own.entry((&span.name, src)).or_insert(u64::MAX);
                    *first = (*first).min(starts[&task]);
                    for (rank, end) in [(src, starts[&task] + bytes), (dst, starts[&task] + bytes + 500)] {
                        let last = ends.entry((&span.name, rank)).or_default();
                        *last = (*last).max(end);
                    }
                }
            }
        }
        for round in 0..repeat {
            let name = |number: usize| match round {
                0 => number.to_string(),
                _ => format!("{number}#{}", round + 1),
            };
            for (number, &[_, _, after]) in ops.iter().enumerate() {
                for before in (0..number).filter(|i| after >> i & 1 == 1) {
                    for rank in 0..8 {
                        let (before, number) = (name(before), name(number));
                        let (end, start) = (ends.get(&(&*before, HostId(rank))), own.get(&(&*number, HostId(rank))));
                        if let (Some(end), Some(start)) = (end, start) {
                            prop_assert!(end <= start, "rank {}: {} ends at {}, {} begins at {}", rank, before, end, number, start);
                        }
                    }
                }
            }
        }
    }
}
