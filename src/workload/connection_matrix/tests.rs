//! Matrices of htsim as they come, what triggers do, and what is wrong with broken files.

use super::*;
use crate::input::Files;
use crate::workload::{Progress, RankMap, Transfer};

/// One file in memory.
struct Text<'a>(&'a str);

impl Files for Text<'_> {
    fn read(&self, _name: &str) -> Result<String, InputError> {
        Ok(self.0.to_owned())
    }
}

fn read(text: &str, hosts: u32) -> Result<Schedule, InputError> {
    read_in(TimeUnit::Ps, text, hosts)
}

fn read_in(start_unit: TimeUnit, text: &str, hosts: u32) -> Result<Schedule, InputError> {
    let spec = ConnectionMatrix {
        file: "x.cm".to_owned(),
        start_unit,
        ranks: None,
        rank_map: RankMap::default(),
    };
    crate::workload::Workload::ConnectionMatrix(spec).schedule(hosts, &Text(text), 1)
}

/// A file over 8 nodes with these lines after its header.
fn file(connections: u32, triggers: u32, lines: &str) -> String {
    format!("Nodes 8\nConnections {connections}\nTriggers {triggers}\n{lines}")
}

fn error(connections: u32, triggers: u32, lines: &str) -> String {
    read(&file(connections, triggers, lines), 8).unwrap_err().to_string()
}

fn fixture(name: &str, hosts: u32) -> Schedule {
    let path = format!("{}/tests/fixtures/htsim/{name}.cm", env!("CARGO_MANIFEST_DIR"));
    read(&std::fs::read_to_string(path).unwrap(), hosts).unwrap()
}

#[test]
fn matrices_of_htsim_are_read_as_they_are() {
    for (name, nodes, flows) in [
        ("one", 16, 1),
        ("bidir", 16, 2),
        ("incast", 16, 15),
        ("outcast_incast", 128, 21),
        ("perm_16n_16c_2MB", 16, 16),
        ("perm_32n_32c_2MB", 32, 32),
    ] {
        let schedule = fixture(name, nodes);
        assert_eq!((schedule.transfer_count(), schedule.steps()), (flows, 1), "{name}");
        assert!(schedule.transfers().all(|Transfer { bytes, .. }| bytes == 2_000_000));
    }
}

/// Every node sends to the 15 others one after the other: 15 steps, each of them a flow from every node.
#[test]
fn a_serial_all_to_all_has_a_step_for_every_peer() {
    let schedule = fixture("alltoall_serial_16n", 16);
    assert_eq!(
        (schedule.transfer_count(), schedule.tasks().len(), schedule.steps()),
        (240, 240, 15)
    );
    for step in 0..15 {
        let of_step = schedule
            .transfers()
            .filter(|&Transfer { task, .. }| schedule.task(task).step == step);
        let mut sources: Vec<_> = of_step.map(|transfer| transfer.src.0).collect();
        sources.sort_unstable();
        assert!(sources.into_iter().eq(0..16));
    }
}

/// The tasks that start when these milestones happen, one list for each.
fn starts(schedule: &Schedule, milestones: &[(u32, Milestone)]) -> Vec<Vec<u32>> {
    let (mut progress, _) = Progress::new(schedule);
    let mut after = |&(task, milestone): &(u32, Milestone)| {
        let mut due = Vec::new();
        progress.happened(schedule, TaskId(task), milestone, Time(7), &mut due);
        due.iter().map(|next| next.task.0).collect()
    };
    milestones.iter().map(&mut after).collect()
}

use Milestone::{Acked, Delivered};

#[test]
fn a_oneshot_starts_all_its_flows() {
    let lines = "0->1 id 1 start 0 size 10 send_done_trigger 1\n\
                 1->2 id 2 trigger 1 size 10\n\
                 3->2 id 3 trigger 1 size 10\n\
                 trigger id 1 oneshot";
    let schedule = read(&file(3, 1, lines), 8).unwrap();
    assert_eq!(starts(&schedule, &[(0, Delivered), (0, Acked)]), [vec![], vec![1, 2]]);
}

#[test]
fn a_multishot_starts_its_next_flow_each_time() {
    let lines = "0->1 id 1 start 0 size 10 recv_done_trigger 9 send_done_trigger 9\n\
                 0->2 id 2 start 0 size 10 recv_done_trigger 9\n\
                 0->3 id 3 start 0 size 10 recv_done_trigger 9\n\
                 1->2 id 4 trigger 9 size 10\n\
                 3->2 id 5 trigger 9 size 10\n\
                 5->2 id 6 trigger 9 size 10\n\
                 trigger id 9 multishot";
    let schedule = read(&file(6, 1, lines), 8).unwrap();
    let milestones = [(2, Delivered), (0, Delivered), (1, Delivered), (0, Acked)];
    assert_eq!(starts(&schedule, &milestones), [vec![3], vec![4], vec![5], vec![]]);
}

#[test]
fn a_barrier_waits_for_all_that_pull_it() {
    let lines = "0->1 id 1 start 0 size 10 recv_done_trigger 1\n\
                 1->0 id 2 start 0 size 10 send_done_trigger 1\n\
                 1->2 id 3 trigger 1 size 10\n\
                 2->1 id 4 trigger 1 size 10\n\
                 trigger id 1 barrier count 2";
    let schedule = read(&file(4, 1, lines), 8).unwrap();
    let milestones = [(0, Delivered), (0, Acked), (1, Delivered), (1, Acked)];
    assert_eq!(starts(&schedule, &milestones), [vec![], vec![], vec![], vec![2, 3]]);
    assert_eq!(schedule.steps(), 2);
}

#[test]
fn starts_are_in_picoseconds_and_sizes_may_pass_32_bits() {
    let schedule = read(&file(1, 0, "0->1 start 1500000 size 10737418240 prio 3"), 8).unwrap();
    let task = schedule.task(TaskId(0));
    assert_eq!(task.earliest, Time::from_ns(1_500));
    assert!(matches!(
        task.action,
        Action::Transfer {
            bytes: 10_737_418_240,
            ..
        }
    ));
}

#[test]
fn messages_of_one_connection_are_told_apart() {
    for second in ["msg 2", "msg"] {
        let lines =
            format!("0->1 id 1 msg 1 start 0 size 10\n0->1 id 1 {second} start 5 size 10\n0->1 id 2 start 0 size 10");
        let schedule = read(&file(3, 0, &lines), 8).unwrap();
        let connections: Vec<_> = schedule.tasks().map(|task| task.connection.0).collect();
        assert_eq!(connections, [0, 0, 2]);
    }
    let lines = "0->1 id 1 msg start 0 size 10\n".repeat(3) + "0->1 start 0 size 10 msg # the last word\n";
    assert_eq!(read(&file(4, 0, &lines), 8).unwrap().transfer_count(), 4);
}

#[test]
fn starts_are_decimal_numbers_in_the_unit_of_the_program() {
    let lines = "0->1 start 0.000000 size 10\n1->2 start 1e6 size 10 # as fprintf writes it\n2->3 start 2.5 size 10";
    let starts = |unit| {
        let schedule = read_in(unit, &file(3, 0, lines), 8).unwrap();
        schedule.tasks().map(|task| task.earliest.0).collect::<Vec<_>>()
    };
    assert_eq!(starts(TimeUnit::Ps), [0, 1_000_000, 3]);
    assert_eq!(starts(TimeUnit::Us), [0, 1_000_000_000_000, 2_500_000]);
}

#[test]
fn starts_that_look_like_the_other_unit_are_doubted() {
    let warnings = |unit, start: &str, size: u64| {
        let lines = format!("0->1 start 0 size {size}\n1->2 start {start} size {size}");
        read_in(unit, &file(2, 0, &lines), 8).unwrap().warnings().join("\n")
    };
    insta::assert_snapshot!(warnings(TimeUnit::Ps, "40", 2_000_000), @"x.cm: with starts such as 40 in ps, all flows start practically at once; if they are in us (htsim_uec reads us, csg-htsim ps), set start_unit = \"us\"");
    insta::assert_snapshot!(warnings(TimeUnit::Us, "40000000", 2_000_000), @"x.cm: with starts such as 40000000 in us, flows start very late; if they are in ps (htsim_uec reads us, csg-htsim ps), set start_unit = \"ps\"");
    for (unit, start, size) in [
        (TimeUnit::Ps, "0", 2_000_000),
        (TimeUnit::Ps, "1e6", 50_000),
        (TimeUnit::Ps, "40000000", 2_000_000),
        (TimeUnit::Us, "0", 2_000_000),
        (TimeUnit::Us, "40", 2_000_000),
        (TimeUnit::Us, "5000", 1_000),
        (TimeUnit::Us, "40", 0),
    ] {
        assert_eq!(warnings(unit, start, size), "", "{unit:?} {start} {size}");
    }
    // A hundredth of a nanosecond, whatever is sent.
    assert!(!warnings(TimeUnit::Ps, "10", 0).is_empty());
}

#[test]
fn size_0_has_no_end() {
    let schedule = read(&file(2, 0, "0->5 start 0 size 0\n1->6 start 0 size 50000"), 8).unwrap();
    let sizes: Vec<_> = schedule.transfers().map(|transfer| transfer.bytes).collect();
    assert_eq!(sizes, [Schedule::ENDLESS, 50_000]);
    assert!(schedule.has_endless());
    insta::assert_snapshot!(error(4_097, 0, &"0->1 start 0 size 0\n".repeat(4_097)), @"x.cm:4100: all connections up to here together exceed 2^62 bytes (a flow of size 0 counts as 2^50: at most 4096 can be there)");
}

#[test]
fn triggers_that_cannot_work_are_refused() {
    insta::assert_snapshot!(error(1, 0, "0->1 start 0 size 10 send_done_trigger 3"),
        @"x.cm:4: there is no trigger 3 (declare it, as in `trigger id 3 oneshot`)");
    insta::assert_snapshot!(error(1, 1, "0->1 id 1 trigger 3 size 10\ntrigger id 3 oneshot"),
        @"x.cm:5: nothing pulls trigger 3 (a flow pulls it by `send_done_trigger` or `recv_done_trigger`)");
    insta::assert_snapshot!(error(1, 1, "0->1 start 0 size 10 send_done_trigger 3\ntrigger id 3 oneshot"),
        @"x.cm:5: trigger 3 starts nothing (a flow is started by `trigger 3`)");
    let two = "0->1 start 0 size 10 send_done_trigger 3\n1->0 start 0 size 10 send_done_trigger 3\n";
    insta::assert_snapshot!(error(3, 1, &format!("{two}2->3 trigger 3 size 10\ntrigger id 3 oneshot")),
        @"x.cm:7: the oneshot trigger 3 is pulled 2 times (to wait for all of them make it `barrier count 2`, to start one flow each time `multishot`)");
    insta::assert_snapshot!(error(3, 1, &format!("{two}2->3 trigger 3 size 10\ntrigger id 3 barrier count 3")),
        @"x.cm:7: the barrier 3 counts to 3, and it is pulled 2 times");
    insta::assert_snapshot!(error(5, 1, &format!("{two}{}trigger id 3 multishot", "2->3 trigger 3 size 10\n".repeat(3))),
        @"x.cm:8: this flow never starts: it is number 3 of trigger 3, which is pulled 2 times");
}

#[test]
fn flows_that_wait_for_one_another_are_refused() {
    insta::assert_snapshot!(error(1, 1, "0->1 trigger 3 size 10 send_done_trigger 3\ntrigger id 3 oneshot"),
        @"x.cm:4: this flow waits for itself (give one of them a `start`)");
    let lines = "0->1 start 0 size 10 send_done_trigger 1\n\
                 1->2 trigger 2 size 10 send_done_trigger 3\n\
                 2->3 trigger 1 size 10 recv_done_trigger 2\n\
                 3->4 trigger 3 size 10 recv_done_trigger 1\n\
                 trigger id 1 barrier count 2\ntrigger id 2 oneshot\ntrigger id 3 oneshot";
    insta::assert_snapshot!(error(4, 3, lines),
        @"x.cm:5: this flow waits for itself, by way of lines 6, 7 (give one of them a `start`)");
}

#[test]
fn lines_that_say_nothing_are_refused() {
    let one = |line: &str| error(1, 0, line);
    insta::assert_snapshot!(one("0->1 start 0"), @"x.cm:4: this connection has no `size`");
    insta::assert_snapshot!(one("0->1 size 10"), @"x.cm:4: this connection has no `start` (or let a `trigger` start it)");
    insta::assert_snapshot!(one("0->1 start 0 trigger 2 size 10"), @"x.cm:4: this connection starts more than once (give it one `start` or one `trigger`)");
    insta::assert_snapshot!(one("0->1 start 0 size 10 size 11"), @"x.cm:4: `size` is given twice");
    insta::assert_snapshot!(one("0->1 start 0 size"), @"x.cm:4: `size` has no value");
    insta::assert_snapshot!(one("0->1 start -5 size 10"), @"x.cm:4: `start` is `-5` (it must be a number of ps from 0 to 9223372036854775807)");
    insta::assert_snapshot!(one("0->1 start NaN size 10"), @"x.cm:4: `start` is `NaN` (it must be a number of ps from 0 to 9223372036854775807)");
    insta::assert_snapshot!(one("0->1 start 0 size 99999999999999999999"), @"x.cm:4: `size` is `99999999999999999999` (it must be a whole number from 0 to 4611686018427387904)");
    insta::assert_snapshot!(one("0->8 start 0 size 10"), @"x.cm:4: `the destination` is `8` (it must be a whole number from 0 to 7)");
    insta::assert_snapshot!(one("3->3 start 0 size 10"), @"x.cm:4: node 3 sends to itself");
    insta::assert_snapshot!(one("0 -> 1 start 0 size 10"), @"x.cm:4: no line begins with `0` (lines begin with Nodes, Connections, Triggers, Failures, SRC->DST, trigger or failure)");
    insta::assert_snapshot!(one("0->1 start 0 size 10 color 3"), @"x.cm:4: `color` says nothing about a connection (it can have id, start or trigger, size, msg, prio, send_done_trigger and recv_done_trigger)");
    insta::assert_snapshot!(error(0, 1, "trigger id 1"), @"x.cm:4: trigger 1 has no kind (it is oneshot, multishot or barrier)");
    insta::assert_snapshot!(error(0, 1, "trigger oneshot"), @"x.cm:4: this trigger has no `id`");
    insta::assert_snapshot!(error(0, 1, "trigger id 1 barrier"), @"x.cm:4: the barrier 1 has no `count`");
    insta::assert_snapshot!(error(0, 2, "trigger id 1 oneshot\ntrigger id 1 oneshot"), @"x.cm:5: trigger 1 is declared in line 4 already");
    insta::assert_snapshot!(error(0, 0, "failure switch_type AGG switch_id 3 link_id 1"), @"x.cm:4: failed links, such as link 1 of AGG switch 3, are not read from here (take the failures out of the file and name the link under [[faults]] in the experiment, with down = true)");
}

#[test]
fn headers_that_do_not_fit_are_refused() {
    let whole = |text: &str| read(text, 8).unwrap_err().to_string();
    insta::assert_snapshot!(whole(""), @"x.cm: there is no line `Nodes ...`");
    insta::assert_snapshot!(whole("Nodes 8"), @"x.cm: there is no line `Connections ...`");
    insta::assert_snapshot!(whole("Nodes 8\nConnections 0"), @"x.cm: it has no connection (add a line such as `0->1 start 0 size 1000`)");
    insta::assert_snapshot!(whole("0->1 start 0 size 10\nNodes 8"), @"x.cm:1: `Nodes` must come before the first connection");
    insta::assert_snapshot!(whole("Nodes 8\nNodes 9"), @"x.cm:2: `Nodes` is given twice");
    insta::assert_snapshot!(whole("Nodes 8 9"), @"x.cm:1: `9` has no place at the end of this line");
    insta::assert_snapshot!(whole("Nodes 9\nConnections 1\n0->1 start 0 size 10"), @"x.cm:1: the file has 9 nodes, and there are 8 ranks (take a larger fabric, or more `ranks`)");
    insta::assert_snapshot!(error(2, 0, "0->1 start 0 size 10"), @"x.cm:2: `Connections` says 2, and the file has 1");
    insta::assert_snapshot!(error(1, 2, "0->1 start 0 size 10"), @"x.cm:3: `Triggers` says 2, and the file has 0");
    insta::assert_snapshot!(error(2, 0, "0->1 id 4 start 0 size 10\n1->2 id 4 start 0 size 10"), @"x.cm:5: another connection has the same id (ids must differ, or their `msg` numbers where they are messages of one connection)");
    let huge = "0->1 start 0 size 4611686018427387904\n";
    insta::assert_snapshot!(error(2, 0, &huge.repeat(2)), @"x.cm:5: all connections up to here together exceed 2^62 bytes");
}
