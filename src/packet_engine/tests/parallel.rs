//! Several threads, held against one.

use std::cell::Cell;

use proptest::prelude::*;

use super::laws::draws;
use super::*;
use crate::packet_engine::parallel::run as run_in_parts;
use crate::path_selection::Policy;
use crate::workload::{Action, Milestone};

/// What parts of a network can see of themselves.
const OBSERVE: Observe = Observe {
    flows: true,
    links: true,
    series: None,
    senders: None,
    tasks: true,
};

impl Case {
    /// The outcome by so many threads, and whether several had a part in it.
    fn by_threads(&mut self, threads: u32) -> (Result<Outcome, Stuck>, bool) {
        self.packet.threads = threads;
        self.observed(OBSERVE, |setup| {
            let divided = run_in_parts(0, &Policy::default(), setup, &mut |_| Continue::Yes).is_some();
            (simulate(setup), divided)
        })
    }
}

/// The same outcome, to the bit, by 1, 2 and 3 threads; whether the run could be divided.
fn same(case: &mut Case) -> bool {
    let (one, _) = case.by_threads(1);
    let divided = [2, 3].map(|threads| {
        let (several, divided) = case.by_threads(threads);
        assert_eq!(one, several, "{threads} threads differ from one");
        divided
    });
    divided[0]
}

/// How transfers wait for each other: one of them, the one after it, what it waits for, and for how long something is computed between.
type Link = (usize, usize, u8, u64);

/// Makes later transfers wait for earlier ones, often so that all happens at one host.
fn linked(schedule: &Schedule, links: &[Link]) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    let transfers: Vec<_> = schedule.transfers().collect();
    for transfer in &transfers {
        builder.transfer(transfer.src, transfer.dst, transfer.bytes, 0);
    }
    for &(before, after, milestone, delay) in links {
        let (before, after) = (before % transfers.len(), after % transfers.len());
        let (before, after) = (before.min(after), before.max(after));
        let (before, after) = (transfers[before], transfers[after]);
        let milestone = match milestone {
            0 => Milestone::Begun,
            1 => Milestone::Delivered,
            2 => Milestone::Sent,
            _ => Milestone::Acked,
        };
        let happens = match milestone {
            Milestone::Begun | Milestone::Delivered => before.dst,
            _ => before.src,
        };
        // One of ten elsewhere: such runs are not divided.
        if before.task == after.task || (happens != after.src && delay % 10 > 0) {
            continue;
        }
        let between = builder.delay(Time(delay));
        builder.depend(before.task, milestone, between);
        builder.depend(between, Milestone::Delivered, after.task);
    }
    builder.build()
}

fn links() -> impl Strategy<Value = Vec<Link>> {
    proptest::collection::vec((0_usize..20, 0_usize..20, 0_u8..4, 0_u64..3_000_000), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn threads_do_not_change_a_bit(draw in draws(), links in links(), stop in proptest::option::of(1_u64..40_000_000)) {
        let mut case = draw.healthy().case();
        case.schedule = linked(&case.schedule, &links);
        case.packet.stop = stop.map(Time);
        same(&mut case);
    }
}

/// A shift between leaves and a ring, under every transport that answers: divided indeed.
#[test]
fn collectives_are_divided() {
    for transport in TRANSPORTS
        .into_iter()
        .filter(|&transport| transport != UDP && !transport.contains("hpcc"))
    {
        for scheme in SCHEMES.into_iter().filter(|scheme| !scheme.contains("learned")) {
            let fabric = leaf_spine(4, 4, 4, "100Gbps", "500ns");
            let mut case = Case::new(fabric, flows((0..16).map(|host| (host, (host + 4) % 16, 200_000))));
            case = case.with(scheme, transport);
            assert!(same(&mut case), "{scheme} {transport} is not divided");
        }
    }
    let mut case = Case::new(leaf_spine(4, 4, 4, "100Gbps", "500ns"), ring(16, 5, 20_000));
    assert!(same(&mut case), "a ring is not divided");
}

/// Steps of a ring: every host passes on what it has received.
fn ring(hosts: u32, steps: u32, bytes: u64) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    let mut before: Vec<crate::ids::TaskId> = Vec::new();
    for step in 0..steps {
        let sent: Vec<_> = (0..hosts)
            .map(|host| builder.transfer(host, (host + 1) % hosts, bytes, step))
            .collect();
        for host in 0..before.len() {
            let next = sent[(host + 1) % before.len()];
            builder.depend(before[host], Milestone::Delivered, next);
        }
        before = sent;
    }
    builder.build()
}

/// A transfer that waits for what happens at other hosts cannot begin in a window that has begun.
#[test]
fn a_barrier_is_not_divided() {
    let mut builder = ScheduleBuilder::default();
    let first = builder.transfer(0, 4, 50_000, 0);
    let second = builder.transfer(1, 2, 50_000, 1);
    builder.depend(first, Milestone::Delivered, second);
    let schedule = builder.build();
    assert!(matches!(schedule.task(second).action, Action::Transfer { .. }));
    let mut case = Case::new(leaf_spine(2, 2, 4, "100Gbps", "500ns"), schedule);
    assert!(!same(&mut case));
}

/// Pinned flows that time out take other paths: one thread starts over, and the outcome is its own.
#[test]
fn a_run_whose_flows_change_paths_starts_over() {
    let mut case = Case::new(
        leaf_spine(4, 2, 8, "100Gbps", "500ns"),
        flows((0..24).map(|i| (8 + i, 0, 400_000))),
    );
    case = case.with(r#"{"ethereal": {}}"#, r#"{"ideal": {"window": 64}}"#);
    case.switch = parsed(r#"{"queue": "20KB"}"#);
    case.packet.recovery = Recovery::GoBackN;
    case.packet.rto = Some(Time::from_us(30));
    assert!(!same(&mut case));
}

/// A pause frame is on a slow link for less time than acknowledgements that are larger: it may be what crosses soonest.
#[test]
fn frames_of_flow_control_cross_in_time() {
    let senders = (0..24).map(|i| (8 + i, i % 2, 60_000));
    let mut case = Case::new(leaf_spine(4, 2, 8, "10Gbps", "100ns"), flows(senders));
    case = case.with(r#"{"spray": {}}"#, r#"{"ideal": {"window": 64}}"#);
    case.switch = parsed(r#"{"pfc": true, "buffer": "1MB", "pfc_pause": "20KB"}"#);
    case.packet.ack = Bytes(4_000);
    case.packet.header = Bytes(2_000);
    let paused = case.by_threads(1).0.unwrap().counters.pauses;
    assert!(paused > 0, "nothing is paused");
    assert!(same(&mut case), "not divided");
}

/// Who watches is asked now and then, and can end the run.
#[test]
fn a_divided_run_can_be_ended() {
    let hosts = 64;
    let mut case = Case::new(
        leaf_spine(8, 8, 8, "100Gbps", "500ns"),
        flows((0..hosts).map(|host| (host, (host + 8) % hosts, 10_000_000))),
    );
    case.packet.threads = 2;
    case.observed(OBSERVE, |setup| {
        let asked = Cell::new(0);
        let outcome = simulate_watched(setup, &mut |status| {
            asked.set(asked.get() + 1);
            assert!(status.fraction() > 0.0 && status.unfinished > 0 && status.events >= 1 << 20);
            Continue::No
        });
        assert!(outcome.is_err());
        assert_eq!(asked.get(), 1);
    });
}
