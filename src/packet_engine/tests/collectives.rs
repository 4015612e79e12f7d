//! What the network as a whole must do with well-known traffic.

use super::*;
use crate::ids::LinkId;
use crate::rng::mix;
use crate::topology::LinkChange;
use crate::units::Rate;

/// `senders` hosts of other leaves send `bytes` each to host 0.
fn incast(senders: u32, bytes: u64) -> Case {
    let fabric = leaf_spine(5, 8, 8, "100Gbps", "500ns");
    Case::new(fabric, flows((0..senders).map(|i| (8 + i, 0, bytes))))
}

/// How much longer than its lower bound (all wire bytes over the last link, and its latency) an incast took.
fn incast_excess(case: &Case) -> (f64, Outcome) {
    let outcome = case.run().unwrap();
    let wire: u64 = case
        .schedule
        .transfers()
        .map(|Transfer { bytes, .. }| bytes + bytes.div_ceil(4_086) * 64)
        .sum();
    // The first packet reaches the last link after three hops.
    let bound = wire * 80 + 3 * 4_150 * 80 + 4 * 500_000;
    (outcome.cct.0 as f64 / bound as f64 - 1.0, outcome)
}

#[test]
fn incast_with_one_window_each_fills_the_last_link_and_is_fair() {
    for senders in [2, 8, 32] {
        for scheme in [r#"{"spray": {"choose": "permuted"}}"#, r#"{"ecmp": {}}"#] {
            let case = incast(senders, 1_000_000).with(scheme, r#"{"ideal": {}}"#);
            let (excess, outcome) = incast_excess(&case);
            assert!((0.0..0.005).contains(&excess), "{senders} {scheme}: {excess}");
            let times = outcome.flows.iter().map(|flow| flow.delivered.as_us());
            let (first, last) = times.fold((f64::MAX, 0.0_f64), |(a, b), t| (a.min(t), b.max(t)));
            // Hashing adds collisions of its own at the up-links.
            let fair = scheme.contains("ecmp") || first > 0.99 * last;
            assert!(fair, "{senders} {scheme}: {first} {last}");
        }
    }
}

#[test]
fn incast_under_congestion_control() {
    for transport in [
        r#"{"dctcp": {}}"#,
        r#"{"nscc": {}}"#,
        r#"{"eqds": {}}"#,
        r#"{"swift": {}}"#,
    ] {
        for senders in [2, 8, 32] {
            let case = incast(senders, 1_000_000).with(r#"{"spray": {"choose": "permuted"}}"#, transport);
            let (excess, _) = incast_excess(&case);
            assert!((0.0..0.03).contains(&excess), "{transport} {senders}: {excess}");
        }
    }
}

/// Shift by one leaf on a fabric without oversubscription: the CCT over its bound. Every host sends
/// a flow and the acknowledgements of another, so that its link carries both.
fn shift_ratio(scheme: &str, transport: &str) -> f64 {
    let fabric = leaf_spine(8, 16, 16, "400Gbps", "500ns");
    let case = Case::new(fabric, flows((0..128).map(|h| (h, (h + 16) % 128, 2_000_000)))).with(scheme, transport);
    let outcome = case.run().unwrap();
    let acks = 2_000_000_u64.div_ceil(4_086) * 64 * 20;
    outcome.cct.0 as f64 / (outcome.flows[0].ideal.0 + acks) as f64
}

#[test]
fn shift_permutation_under_nscc() {
    let spray = |choose: &str| format!(r#"{{"spray": {{"choose": "{choose}"}}}}"#);
    for (scheme, most) in [
        (spray("round-robin"), 1.01),
        (spray("permuted"), 1.05),
        (r#"{"reps": {}}"#.to_owned(), 1.12),
        (spray("random"), 1.20),
        (r#"{"adaptive": {}}"#.to_owned(), 1.05),
        // A sixteenth of a flow ends with a short packet of its own.
        (r#"{"ethereal": {}}"#.to_owned(), 1.02),
    ] {
        let ratio = shift_ratio(&scheme, r#"{"nscc": {}}"#);
        assert!((0.999..=most).contains(&ratio), "{scheme}: {ratio}");
    }
}

/// ECMP: the CCT follows the flows that meet on the worst link.
#[test]
fn colliding_flows_share_their_worst_link() {
    let fabric = leaf_spine(4, 8, 8, "100Gbps", "500ns");
    for seed in 1..4 {
        let mut case = Case::new(fabric.clone(), flows((0..32).map(|h| (h, (h + 8) % 32, 2_000_000))));
        case.load_balancing = parsed(r#"{"ecmp": {}}"#);
        case.seed = seed;
        let outcome = case.run().unwrap();
        let worst = outcome.links.iter().map(|link| link.bytes).fold(0.0, f64::max);
        let colliding = (worst / 2e6).round();
        let wire = 2e6 + (2_000_000_f64 / 4_086.0).ceil() * 64.0;
        let bound = colliding * wire * 80.0 / 1e6 + 2.0;
        let ratio = outcome.cct.as_us() / bound;
        assert!(colliding >= 2.0 && (1.0..1.1).contains(&ratio), "{colliding} {ratio}");
    }
}

/// Bytes that a placement which pins everything puts on each link.
fn pinned_bytes(case: &Case) -> Vec<f64> {
    let mut assigned = vec![0.0; case.fabric.links().len()];
    case.setup(|setup| {
        for Transfer { task, src, dst, .. } in setup.schedule.transfers() {
            for subflow in setup.placement.of(task) {
                let crate::routes::Route::Pinned(path) = subflow.route else {
                    panic!("it pins")
                };
                for link in setup.fabric.path(src.node(), dst.node(), path) {
                    assigned[link.index()] += subflow.bytes as f64;
                }
            }
        }
    });
    assigned
}

/// Every byte crosses exactly the links that its placement says, once.
#[test]
fn links_carry_what_was_assigned() {
    let fabric = leaf_spine(3, 4, 3, "100Gbps", "500ns");
    let pairs = (0..9_u32).flat_map(|s| (0..9).filter(move |&d| d != s).map(move |d| (s, d, 10_000)));
    let case = Case::new(fabric, flows(pairs)).with(r#"{"ethereal": {}}"#, r#"{"ideal": {}}"#);
    let outcome = case.run().unwrap();
    let assigned = pinned_bytes(&case);
    let carried: Vec<_> = outcome.links.iter().map(|link| link.bytes).collect();
    assert_eq!(carried, assigned);
    let most = outcome.flows.iter().map(|flow| flow.paths).max();
    assert!(most > Some(1));
}

/// With unequal links and sizes, an optimal plan takes what its most loaded link does where hosts pace it, and longer
/// where they do not.
#[test]
fn paced_plans_take_as_long_as_their_most_loaded_link() {
    let fabric = leaf_spine(4, 4, 4, "100Gbps", "500ns");
    // Both directions of a cable alike: acknowledgements of a fast one would fill a slow one.
    let cable = |id: LinkId| u64::from(id.0.min(fabric.link(id).reverse.0));
    let is_slow = |&id: &LinkId| fabric.is_fabric_link(id) && mix(cable(id)).is_multiple_of(3);
    let slow = fabric.link_ids().filter(is_slow);
    let rate = Rate::from_gbps(25);
    let changes: Vec<_> = slow.map(|link| LinkChange { link, rate }).collect();
    let fabric = fabric.with(&changes);
    let size = |src: u32, dst: u32| 4_086 * (20 + mix(u64::from(src * 16 + dst)) % 500);
    let pairs = (0..16).flat_map(|src| [3, 5, 10].map(|offset| (src, (src + offset) % 16)));
    let transfers = pairs.map(|(src, dst)| (src, dst, size(src, dst)));
    let mut case = Case::new(fabric, flows(transfers)).with(r#"{"optimal-transport": {}}"#, r#"{"ideal": {}}"#);
    let longest = case.fabric.links().iter().zip(pinned_bytes(&case));
    let longest = longest.map(|(link, bytes)| bytes * 4_150.0 / 4_086.0 / link.rate.bytes_per_ps());
    let bound = longest.fold(0.0, f64::max);
    let unpaced = case.run().unwrap().cct.0 as f64 / bound;
    case.transport = parsed(r#"{"ideal": {"window": 16, "paced": true}}"#);
    let paced = case.run().unwrap().cct.0 as f64 / bound;
    assert!((1.0..1.03).contains(&paced), "{paced}");
    assert!(unpaced > 1.05, "{unpaced}");
}

/// Ports that list packets behave to the picosecond like those that know departures in advance, as long as all
/// packets are of one class: flow control that never pauses changes nothing.
#[test]
fn both_kinds_of_ports_agree() {
    for scheme in [
        r#"{"spray": {"choose": "permuted"}}"#,
        r#"{"ecmp": {}}"#,
        r#"{"adaptive": {}}"#,
    ] {
        let fabric = leaf_spine(4, 3, 4, "100Gbps", "500ns");
        let transfers = (0..16).flat_map(|h| [(h, (h + 4) % 16, 300_000), (h, (h + 7) % 16, 100_000)]);
        let mut case = Case::new(fabric, flows(transfers)).with(scheme, r#"{"ideal": {}}"#);
        let fifo = case.run().unwrap();
        case.switch.pfc = true;
        case.switch.buffer = Some(Bytes(1 << 40));
        let mut listed = case.run().unwrap();
        assert!(listed.counters.events > fifo.counters.events);
        listed.counters.events = fifo.counters.events;
        assert_eq!(listed, fifo);
    }
}

#[test]
fn flow_control_never_drops_and_pauses() {
    let mut case = incast(32, 300_000).with(r#"{"ecmp": {}}"#, r#"{"ideal": {"window": 4}}"#);
    case.switch.pfc = true;
    case.switch.buffer = Some(Bytes(4_000_000));
    let (excess, outcome) = incast_excess(&case);
    assert_eq!((outcome.counters.drops, outcome.counters.retransmits), (0, 0));
    assert!(outcome.counters.pauses > 0);
    assert!(excess < 0.01, "{excess}");
}

#[test]
fn trimmed_packets_come_again_without_timeouts() {
    let mut case = incast(16, 300_000).with(r#"{"spray": {}}"#, r#"{"ideal": {}}"#);
    case.switch.trimming = Some(true);
    case.switch.queue = Some(Bytes(40_000));
    case.packet.rto = Some(Time::from_us(100_000));
    let (_, outcome) = incast_excess(&case);
    assert!(outcome.counters.trims > 100);
    assert_eq!(outcome.counters.drops, 0);
    assert_eq!(outcome.counters.trims, outcome.counters.retransmits);
    assert!(outcome.cct < Time::from_us(10_000));
}

/// Four flows on one up-link: receivers hand out four times what it carries, and three of four packets are
/// trimmed. No credit may be used up without a packet that arrives, and none sent again twice.
#[test]
fn credits_outlast_an_overloaded_path() {
    let fabric = leaf_spine(2, 1, 4, "100Gbps", "1us");
    let mut case =
        Case::new(fabric, flows((0..4).map(|i| (i, 4 + i, 2_000_000)))).with(r#"{"ecmp": {}}"#, r#"{"eqds": {}}"#);
    case.packet.ack_priority = Some(true);
    let outcome = case.run().unwrap();
    assert!(outcome.counters.trims > 100);
    assert_eq!(outcome.counters.trims, outcome.counters.retransmits);
    let wire = 4 * (2_000_000 + 489 * 64 + 64);
    assert!(outcome.cct < Time(wire * 80 * 110 / 100), "{}", outcome.cct);
}

/// A slow link delays some packets beyond the timeout: a queue pair that waits to send them again is done
/// when their acknowledgements come after all.
#[test]
fn late_acknowledgements_end_queue_pairs_that_wait_to_repeat() {
    let fabric = leaf_spine(2, 2, 4, "100Gbps", "500ns");
    let slow = |id: LinkId| {
        let name = fabric.link_name(id);
        (name.contains("leaf0") && name.contains("spine0")).then_some(LinkChange {
            link: id,
            rate: Rate::from_gbps(10),
        })
    };
    let changes: Vec<_> = fabric.link_ids().filter_map(slow).collect();
    let pairs = (0..8).flat_map(|src| (1..8).map(move |k| (src, (src + k) % 8, 100_000)));
    let mut case = Case::new(fabric.with(&changes), flows(pairs)).with(r#"{"spray": {}}"#, r#"{"dctcp": {}}"#);
    case.packet.rto = Some(Time::from_us(100));
    for seed in 1..5 {
        case.seed = seed;
        let counters = case.run().unwrap().counters;
        assert!(counters.retransmits > counters.drops);
    }
}

#[test]
fn acknowledgements_overtake_with_priority() {
    // Two hosts fill the last link to host 0, on which its acknowledgements come back.
    let transfers = [(0, 2, 1_000_000), (2, 0, 8_000_000), (3, 0, 8_000_000)];
    let mut case = Case::new(leaf_spine(2, 2, 2, "100Gbps", "500ns"), flows(transfers));
    let plain = case.run().unwrap();
    case.packet.ack_priority = Some(true);
    let fast = case.run().unwrap();
    let way_back = |outcome: &Outcome| outcome.flows[0].acked - outcome.flows[0].delivered;
    // At most one packet in the way at each of four hops.
    assert!(way_back(&fast) < Time(4 * (500_000 + 5_120 + 332_000)));
    assert!(way_back(&plain) > way_back(&fast) + Time::from_us(1));
}

#[test]
fn both_recoveries_finish_after_drops() {
    for recovery in [Recovery::GoBackN, Recovery::SelectiveRepeat] {
        let mut case = incast(8, 500_000).with(r#"{"ecmp": {}}"#, r#"{"dctcp": {}}"#);
        case.switch.queue = Some(Bytes(50_000));
        case.switch.ecn = Some(Ecn {
            kmin: Bytes(1 << 40),
            kmax: Bytes(1 << 40),
            pmax: 1.0,
        });
        case.packet.recovery = recovery;
        let outcome = case.run().unwrap();
        assert!(outcome.counters.drops > 0 && outcome.counters.retransmits >= outcome.counters.drops / 2);
    }
}

/// What waits for a transfer starts at the picosecond of its milestone.
#[test]
fn dependent_transfers_start_when_their_moment_comes() {
    use crate::workload::Milestone;
    let mut builder = ScheduleBuilder::default();
    let first = builder.transfer(0, 2, 100_000, 0);
    let second = builder.transfer(2, 1, 100_000, 1);
    let third = builder.transfer(0, 3, 100_000, 1);
    builder.depend(first, Milestone::Delivered, second);
    builder.depend(first, Milestone::Acked, third);
    let case = Case::new(leaf_spine(2, 2, 2, "100Gbps", "1us"), builder.build());
    let flows = case.run().unwrap().flows;
    assert_eq!(flows[1].start, flows[0].delivered);
    assert_eq!(flows[2].start, flows[0].acked);
}

/// What waits until a transfer has been sent starts when its last byte has left the port, in both modes of
/// ports, for whole flows and for split ones; so the port is never idle.
#[test]
fn a_queue_pair_is_free_once_its_last_byte_has_left() {
    use crate::workload::Milestone;
    for (ways, packets) in [(1, 25), (3, 27)] {
        for ack_priority in [false, true] {
            let mut builder = ScheduleBuilder::default();
            let first = builder.transfer(0, 2, 100_000, 0);
            let second = builder.transfer(0, 2, 100_000, 1);
            builder.depend(first, Milestone::Sent, second);
            let fabric = leaf_spine(2, 1, 2, "100Gbps", "1us");
            let scheme = format!(r#"{{"ecmp-split": {{"ways": {ways}}}}}"#);
            let mut case = Case::new(fabric, builder.build()).with(&scheme, r#"{"udp": {}}"#);
            case.packet.ack_priority = Some(ack_priority);
            let flows = case.run().unwrap().flows;
            let sending = Time((100_000 + packets * 64) * 80);
            assert_eq!(flows[1].start, sending);
            assert_eq!(flows[1].delivered, flows[0].delivered + sending);
        }
    }
}

/// Another sender's packets leave by the same port between: the queue pair is free when its own last byte has left.
#[test]
fn a_shared_port_frees_a_queue_pair_later() {
    use crate::workload::Milestone;
    let mut builder = ScheduleBuilder::default();
    let first = builder.transfer(0, 2, 4_086 * 10, 0);
    builder.transfer(0, 3, 4_086 * 30, 0);
    let after = builder.transfer(0, 2, 4_086, 1);
    builder.depend(first, Milestone::Sent, after);
    let fabric = leaf_spine(2, 1, 2, "100Gbps", "1us");
    let case = Case::new(fabric, builder.build()).with(r#"{"ecmp": {}}"#, r#"{"udp": {}}"#);
    // Round robin once the other has joined, after the first packet: eight of the other's are between the ten.
    assert_eq!(case.run().unwrap().flows[2].start, Time(18 * 4_150 * 80));
}

/// A queue pair waits until its host serves fewer.
#[test]
fn hosts_serve_so_many_queue_pairs_at_a_time() {
    let mut case = Case::new(
        leaf_spine(2, 2, 4, "100Gbps", "500ns"),
        flows((4..8).map(|dst| (0, dst, 1_000_000))),
    );
    let all = case.run().unwrap();
    case.packet.active_queue_pairs = Some(1);
    let one = case.run().unwrap();
    let first = |outcome: &Outcome| outcome.flows.iter().map(|flow| flow.delivered).min().unwrap();
    assert!(first(&all) > Time::from_us(300) && first(&one) < Time::from_us(90));
}

#[test]
fn series_add_up_to_what_links_carried() {
    let outcome = incast(4, 200_000).run().unwrap();
    let series = outcome.series.unwrap();
    let mut sent = vec![0; outcome.links.len()];
    for sample in &series.samples {
        sent[sample.link.index()] += sample.sent;
        assert!(sample.queue as f64 <= outcome.links[sample.link.index()].max_queue as f64);
    }
    for (sent, link) in sent.into_iter().zip(&outcome.links) {
        assert_eq!(sent as f64, link.wire_bytes);
    }
}
