//! What is skipped takes as long as it would have taken, and is counted.

use super::*;
use crate::ids::LinkId;
use crate::packet_engine::FastForward;
use crate::rng::mix;
use crate::topology::LinkChange;
use crate::units::Rate;
use crate::workload::Milestone;

/// The outcome without samples; of what only repeats, with `error`, nothing is simulated.
fn outcome(case: &Case, error: Option<f64>) -> Result<Outcome, Stuck> {
    case.unchecked(|setup| {
        let mut packet = setup.packet.clone();
        packet.fast_forward = error.map(|error| FastForward { error });
        let setup = Setup {
            packet: &packet,
            observe: Observe {
                flows: true,
                links: true,
                ..Observe::default()
            },
            ..setup.clone()
        };
        let wheel = report::outcome(Engine::<Wheel>::new(&setup).run(&mut |_| Continue::Yes));
        if error.is_some() {
            let heap = report::outcome(Engine::<Heap>::new(&setup).run(&mut |_| Continue::Yes));
            assert_eq!(wheel, heap, "wheel and heap differ");
        }
        wheel
    })
}

/// By which part one time is longer than another.
fn off(found: Time, expected: Time) -> f64 {
    found.0 as f64 / expected.0 as f64 - 1.0
}

fn payload(outcome: &Outcome) -> f64 {
    outcome.links.iter().map(|link| link.bytes).sum()
}

/// A long flow alone is over when its packets have crossed its links; its links have carried all of them.
#[test]
fn a_flow_alone_is_skipped_to_its_end() {
    let case = Case::new(leaf_spine(2, 1, 1, "100Gbps", "500ns"), flows([(0, 1, 64_000_000)]))
        .with(r#"{"ecmp": {}}"#, r#"{"dctcp": {}}"#);
    let (every, skipped) = (outcome(&case, None).unwrap(), outcome(&case, Some(0.01)).unwrap());
    assert!(
        skipped.counters.events * 10 < every.counters.events,
        "{:?}",
        skipped.counters
    );
    assert!(
        off(skipped.cct, every.cct).abs() < 0.003,
        "{} {}",
        skipped.cct,
        every.cct
    );
    assert!((payload(&skipped) / payload(&every) - 1.0).abs() < 0.003);
    assert_eq!(skipped.counters.packets, every.counters.packets);
    assert_eq!(skipped.flows[0].delivered_bytes, 64_000_000);
    assert!(
        skipped.skipped.0 as f64 > 0.8 * skipped.cct.0 as f64,
        "{}",
        skipped.skipped
    );
    assert!((skipped.skip_error.0 as f64) < 0.01 * skipped.cct.0 as f64);
    assert_eq!((every.skipped, every.skip_error), (Time::ZERO, Time::ZERO));
}

/// Faults and what a schedule says come at their time, in the middle of what only repeats.
#[test]
fn what_comes_at_a_time_is_not_skipped() {
    let mut builder = ScheduleBuilder::default();
    builder.transfer(0, 1, 40_000_000, 0);
    let pause = builder.delay(Time::from_us(1_500));
    let late = builder.transfer(0, 1, 4_000_000, 1);
    builder.depend(pause, Milestone::Delivered, late);
    let fabric = leaf_spine(2, 1, 1, "100Gbps", "500ns");
    let link = fabric.links_by_name()["leaf0-spine0"][0];
    let mut case = Case::new(fabric, builder.build()).with(r#"{"ecmp": {}}"#, r#"{"ideal": {}}"#);
    let event = |us, gbps| LinkEvent {
        at: Time::from_us(us),
        change: LinkChange {
            link,
            rate: Rate::from_gbps(gbps),
        },
    };
    case.link_events = vec![event(800, 25), event(2_000, 100)];
    let (every, skipped) = (outcome(&case, None).unwrap(), outcome(&case, Some(0.01)).unwrap());
    assert_eq!(skipped.flows[1].start, Time::from_us(1_500));
    assert!(
        off(skipped.cct, every.cct).abs() < 0.005,
        "{} {}",
        skipped.cct,
        every.cct
    );
    assert!(
        skipped.counters.events * 2 < every.counters.events,
        "{:?}",
        skipped.counters
    );
}

/// An endless flow delivers as much until the run is stopped.
#[test]
fn endless_flows_are_skipped_to_the_stop() {
    let mut case = Case::new(
        leaf_spine(2, 1, 2, "100Gbps", "1us"),
        flows([(0, 2, Schedule::ENDLESS), (1, 3, Schedule::ENDLESS)]),
    )
    .with(r#"{"ecmp": {}}"#, r#"{"ideal": {}}"#);
    case.packet.stop = Some(Time::from_us(20_000));
    let (every, skipped) = (outcome(&case, None).unwrap(), outcome(&case, Some(0.01)).unwrap());
    assert_eq!(skipped.stopped, every.stopped);
    assert!(
        skipped.counters.events * 3 < every.counters.events,
        "{:?}",
        skipped.counters
    );
    let goodput = |outcome: &Outcome| outcome.flows.iter().map(|flow| flow.delivered_bytes).sum::<u64>() as f64;
    assert!((goodput(&skipped) / goodput(&every) - 1.0).abs() < 0.005);
}

/// Links that lose packets at random, and datagrams, have no steady state.
#[test]
fn where_nothing_is_steady_nothing_is_skipped() {
    let case = Case::new(leaf_spine(2, 1, 1, "100Gbps", "500ns"), flows([(0, 1, 16_000_000)]))
        .with(r#"{"ecmp": {}}"#, r#"{"udp": {}}"#);
    assert_eq!(outcome(&case, Some(0.01)), outcome(&case, None));
}

/// Some transfers, some of which wait for others, on a small fabric, a link of which may change its rate.
fn random_case(number: u64) -> Case {
    let draw = |purpose: u64, below: u64| mix(mix(number) ^ purpose) % below;
    let rate = ["100Gbps", "400Gbps", "56Gbps"][draw(4, 3) as usize];
    let shape = [1, 2, 3].map(|purpose| draw(purpose, 3) as u32 + 1);
    let fabric = leaf_spine(shape[0] + 1, shape[1], shape[2], rate, "500ns");
    let hosts = u64::from(fabric.hosts());
    let (equal, mut before) = (draw(8, 2) == 0, None);
    let mut builder = ScheduleBuilder::default();
    for flow in 0..=draw(5, 8) {
        let src = draw(100 + flow, hosts);
        let dst = (src + 1 + draw(200 + flow, hosts - 1)) % hosts;
        let bytes = if equal {
            6_000_000
        } else {
            200_000 + draw(300 + flow, 12_000_000)
        };
        let task = builder.transfer(src as u32, dst as u32, bytes, 0);
        if let Some(before) = before.filter(|_| draw(400 + flow, 3) == 0) {
            builder.depend(before, Milestone::Delivered, task);
        }
        before = Some(task);
    }
    let mut case = Case::new(fabric, builder.build()).with(
        SCHEMES[number as usize % SCHEMES.len()],
        TRANSPORTS[number as usize / SCHEMES.len() % TRANSPORTS.len()],
    );
    case.seed = number;
    if draw(9, 4) == 0 {
        let link = LinkId(draw(10, case.fabric.links().len() as u64) as u32);
        let rate = case.fabric.link(link).rate;
        let event = |us, rate| LinkEvent {
            at: Time::from_us(us),
            change: LinkChange { link, rate },
        };
        case.link_events = vec![event(100 + draw(11, 400), Rate(rate.0 / 2)), event(900, rate)];
    }
    case
}

/// Every transport with every load balancing, with faults and dependencies.
#[test]
fn random_cases_end_within_the_error() {
    let (mut total, mut cases, mut skipped) = (0.0, 0, 0);
    for number in 0..(SCHEMES.len() * TRANSPORTS.len()) as u64 {
        let case = random_case(number);
        if case.unchecked(|setup| setup.check().is_err()) {
            continue;
        }
        let Ok(every) = outcome(&case, None) else { continue };
        let some = outcome(&case, Some(0.01)).unwrap();
        let off = off(some.cct, every.cct);
        assert!(off.abs() < 0.01, "case {number}: {off}");
        let bytes = payload(&some) / payload(&every) - 1.0;
        assert!(bytes.abs() < 0.01, "case {number}: {bytes} of the bytes");
        (total, cases) = (total + off.abs(), cases + 1);
        skipped += u32::from(some.skipped > Time::ZERO);
    }
    assert!(
        cases > 130 && skipped > 10,
        "{cases} cases, {skipped} with something skipped"
    );
    assert!(
        total / f64::from(cases) < 0.003,
        "{} on average",
        total / f64::from(cases)
    );
}
