//! How losses are found, how runs are stopped, and that nothing goes on for ever.

use super::*;
use crate::topology::LinkChange;
use crate::units::Rate;

/// Changes of all links of a cable at the given times.
fn changes(fabric: &Fabric, cable: &str, events: &[(u64, Rate)]) -> Vec<LinkEvent> {
    let links = &fabric.links_by_name()[cable];
    let event = |&(us, rate): &(u64, Rate)| {
        links.iter().map(move |&link| LinkEvent {
            at: Time::from_us(us),
            change: LinkChange { link, rate },
        })
    };
    events.iter().flat_map(event).collect()
}

/// Sixteen sprayed flows of 4 MB between two leaves, over spines one of which is slow: its queues are long, the others'
/// are not.
fn uneven(choose: &str, transport: &str) -> Case {
    let fabric = leaf_spine(2, 4, 8, "100Gbps", "500ns");
    let pairs = (0..16).map(|host| (host, (host + 8) % 16, 4_000_000));
    let scheme = format!(r#"{{"spray": {{"choose": "{choose}"}}}}"#);
    let mut case = Case::new(fabric, flows(pairs)).with(&scheme, transport);
    case.link_events = changes(&case.fabric, "leaf0-spine0", &[(0, Rate::from_gbps(60))]);
    // Swift's target is longer than what the slow spine's own buffer holds.
    case.switch.buffer = Some(Bytes(16_000_000));
    case
}

#[test]
fn uneven_queues_are_no_losses() {
    for transport in [r#"{"dctcp": {}}"#, r#"{"swift": {}}"#, r#"{"dcqcn": {}}"#] {
        for choose in ["random", "permuted"] {
            let outcome = uneven(choose, transport).run().unwrap();
            let counters = outcome.counters;
            assert_eq!(counters.drops, 0, "{transport} {choose}");
            assert_eq!(counters.retransmits, 0, "{transport} {choose}");
        }
    }
}

/// One sprayed flow of 10 MB: about 0.8 ms. A spine's link is away for 2 us: what it carried is lost.
fn interrupted() -> Case {
    let fabric = leaf_spine(2, 4, 2, "100Gbps", "500ns");
    let mut case =
        Case::new(fabric, flows([(0, 2, 10_000_000)])).with(r#"{"spray": {"choose": "random"}}"#, r#"{"dctcp": {}}"#);
    case.link_events = changes(
        &case.fabric,
        "leaf0-spine0",
        &[(100, Rate::ZERO), (102, Rate::from_gbps(100))],
    );
    case
}

#[test]
fn losses_of_sprayed_flows_are_found_long_before_the_timeout() {
    let mut case = interrupted();
    let found = case.run().unwrap();
    assert!(found.counters.drops > 0);
    // Some of the packets lost are acknowledgements, which later ones make good.
    assert!(
        (1..=found.counters.drops).contains(&found.counters.retransmits),
        "only what was lost is sent again"
    );
    case.packet.reordering = Some(Time::from_us(1_000_000));
    let waited = case.run().unwrap();
    // The bytes at line rate take 823 us; the timeout alone takes 1 ms more.
    assert!(found.cct < Time::from_us(1_000), "{}", found.cct);
    assert!(waited.cct > Time::from_us(1_100), "{}", waited.cct);
}

/// Both ways of ending at a time agree with the closed form: packets of one flow arrive one after the other.
#[test]
fn an_endless_flow_delivers_what_the_link_carries_until_the_run_stops() {
    for bytes in [Schedule::ENDLESS, 50_000_000] {
        let mut case = Case::new(leaf_spine(2, 1, 2, "100Gbps", "1us"), flows([(0, 2, bytes)]));
        case.packet.stop = Some(Time::from_us(100));
        let outcome = case.run().unwrap();
        // The first packet arrives after four links of 1 us and 332 ns, then one every 332 ns.
        let packets = (100_000_000 - 4 * 1_332_000) / 332_000 + 1;
        assert_eq!(outcome.flows[0].delivered_bytes, packets * 4_086);
        assert_eq!(outcome.stopped, Some(Time::from_us(100)));
        assert_eq!(outcome.flows[0].reached, crate::outcome::Reached::Started);
    }
}

#[test]
fn an_endless_flow_needs_a_stop() {
    let case = Case::new(
        leaf_spine(2, 1, 2, "100Gbps", "1us"),
        flows([(0, 2, Schedule::ENDLESS)]),
    );
    let refused = case.unchecked(|setup| setup.check().unwrap_err());
    assert_eq!(
        (refused.part, refused.to_string().starts_with("stop: ")),
        (Part::Packet, true)
    );
}

/// A threshold below one packet trims every packet: headers and NACKs travel for ever.
#[test]
fn what_never_delivers_anything_is_ended() {
    let mut case = Case::new(leaf_spine(2, 1, 1, "100Gbps", "1us"), flows([(0, 1, 65_536)]))
        .with(r#"{"ecmp": {}}"#, r#"{"nscc": {}}"#);
    case.switch = parsed(r#"{"buffer": "100KB", "alpha": 0.04}"#);
    let stuck = case.unchecked(|setup| simulate(setup).unwrap_err());
    assert_eq!(stuck.unfinished.len(), 1);
    let reason = &stuck.unfinished[0].reason;
    assert!(
        reason.contains("nothing new was delivered") || reason.contains("gave up"),
        "{reason}"
    );
}

/// Ten seconds of delay, and a link that is away for two seconds, are no silence.
#[test]
fn waiting_is_no_silence() {
    use crate::workload::Milestone;
    let mut builder = ScheduleBuilder::default();
    let first = builder.transfer(0, 2, 1_000_000, 0);
    let delay = builder.delay(Time::from_us(10_000_000));
    let second = builder.transfer(2, 0, 1_000_000, 1);
    builder.depend(first, Milestone::Delivered, delay);
    builder.depend(delay, Milestone::Delivered, second);
    let mut case =
        Case::new(leaf_spine(2, 1, 2, "100Gbps", "1us"), builder.build()).with(r#"{"ecmp": {}}"#, r#"{"dctcp": {}}"#);
    case.packet.retries = 1_000;
    case.link_events = changes(
        &case.fabric,
        "leaf0-spine0",
        &[(20, Rate::ZERO), (2_000_000, Rate::from_gbps(100))],
    );
    let outcome = case.run().unwrap();
    assert!(outcome.cct > Time::from_us(10_000_000), "{}", outcome.cct);
}

/// Senders whose packets were lost together do not send them again together.
#[test]
fn timeouts_of_many_senders_are_spread() {
    let fabric = leaf_spine(5, 4, 16, "100Gbps", "500ns");
    let incast = (16..80).map(|host| (host, 0, 400_000));
    let mut case = Case::new(fabric, flows(incast)).with(r#"{"ecmp": {}}"#, r#"{"dctcp": {}}"#);
    case.switch = parsed(r#"{"queue": "20KB"}"#);
    let outcome = case.run().unwrap();
    // 64 flows of 98 packets of 4 150 bytes on one link take 2.1 ms; each round of timeouts costs 1 ms and more.
    assert!(outcome.cct < Time::from_us(40_000), "{}", outcome.cct);
}

#[test]
fn long_windows_keep_their_cumulative_number() {
    use super::super::packet::{Kind, Packet, Stamps};
    let mut ack = Packet::alarm(Kind::Ack, 0);
    ack.seq = 200_000;
    ack.set_cumulative(7);
    // The distance does not fit: this one acknowledges its packet only, and the next that can tells of all.
    assert_eq!((ack.seq, ack.cumulative()), (200_000, 0));
    ack.seq = 7;
    ack.set_cumulative(200_001);
    assert_eq!((ack.seq, ack.cumulative()), (200_000, 200_001));
    for (longest, now) in [(1 << 20, 1 << 41), (1 << 50, 1 << 53)] {
        let stamps = Stamps::new(longest);
        let error = (1 << 10).max(longest >> 31);
        let since = stamps.since(now + longest, stamps.of(now));
        assert!(since.abs_diff(longest) <= error, "{since} for {longest}");
    }
}

/// Acknowledgements that cross a link: what is not data, by the size of either.
fn acknowledgements(outcome: &Outcome, case: &Case, link: &str) -> f64 {
    let id = case.fabric.links_by_name()[link][0];
    outcome.links[id.index()].wire_bytes / 64.0
}

/// One acknowledgement of 64 bytes for four packets, and one for the last.
#[test]
fn acknowledgements_are_coalesced() {
    let mut case = Case::new(leaf_spine(2, 1, 2, "100Gbps", "1us"), flows([(0, 2, 4_086 * 1_001)]))
        .with(r#"{"spray": {}}"#, r#"{"dcqcn": {}}"#);
    let every = case.run().unwrap();
    assert_eq!(acknowledgements(&every, &case, "host2->leaf1"), 1_001.0);
    case.packet.ack_every = Some(Bytes(4 * 4_086));
    let some = case.run().unwrap();
    // Until the first answer, a round trip after the start, a sender that has heard of nothing asks.
    let count = acknowledgements(&some, &case, "host2->leaf1");
    assert!((251.0..=300.0).contains(&count), "{count}");
    assert_eq!((some.cct, some.counters.retransmits), (every.cct, 0));
}

/// Windows, rates, sprays and marks: every flow ends, and nothing is sent twice that was not lost.
#[test]
fn coalesced_acknowledgements_leave_no_sender_waiting() {
    for transport in ["ideal", "dctcp", "dcqcn", "swift", "nscc", "eqds"] {
        for scheme in [r#"{"spray": {}}"#, r#"{"reps": {}}"#, r#"{"ecmp": {}}"#] {
            let pairs = (0..16).map(|host| (host, (host * 5 + 8) % 16, 300_000));
            let pairs = pairs.filter(|(src, dst, _)| src != dst);
            let mut case = Case::new(leaf_spine(2, 4, 8, "100Gbps", "500ns"), flows(pairs))
                .with(scheme, &format!(r#"{{"{transport}": {{}}}}"#));
            let every = case.run().unwrap();
            case.packet.ack_every = Some(Bytes(16_384));
            let some = case.run().unwrap();
            let what = format!("{transport} {scheme}");
            assert!(
                some.cct < every.cct + Time::from_us(300),
                "{what}: {} after {}",
                some.cct,
                every.cct
            );
            if some.counters.drops + some.counters.trims == 0 {
                assert_eq!(some.counters.retransmits, 0, "{what}");
            }
        }
    }
}

/// Two flows over one marking link: the queue stays where every packet's own acknowledgement keeps it.
#[test]
fn marks_are_told_faithfully() {
    let pairs = [(0, 2, 20_000_000), (1, 2, 20_000_000)];
    let mut case =
        Case::new(leaf_spine(2, 2, 2, "100Gbps", "1us"), flows(pairs)).with(r#"{"ecmp": {}}"#, r#"{"dctcp": {}}"#);
    let marks = |case: &Case| case.run().unwrap();
    let every = marks(&case);
    case.packet.ack_every = Some(Bytes(16_384));
    let some = marks(&case);
    let ratio = some.cct.as_us() / every.cct.as_us();
    assert!((0.97..1.03).contains(&ratio), "{} and {}", some.cct, every.cct);
}
