//! Receivers that hand out credits: incasts, lost credits, oversubscribed fabrics; what trimmed headers and control packets do.

use rand::seq::SliceRandom;

use super::*;
use crate::ids::{LinkId, NodeId};
use crate::packet_engine::packet::{Event, Kind};
use crate::rng;
use crate::topology::LinkChange;
use crate::units::Rate;

const WIRE: u64 = 4_150;

/// Eight flows of so many packets into host 0, from other leaves, over a fabric that carries them.
fn incast(rate: &str, packets: u64, transport: &str) -> Case {
    let senders = flows((1..9).map(|src| (src, 0, 4_086 * packets)));
    Case::new(leaf_spine(9, 8, 1, rate, "1us"), senders).with(r#"{"spray": {}}"#, transport)
}

/// A full fat tree of k pods, 1 us a link.
fn fat_tree(k: u32, rate: &str) -> Fabric {
    let (half, cores) = (k / 2, k * k / 4);
    let cable = format!(r#"{{"rate": "{rate}", "delay": "1us"}}"#);
    let spec = format!(
        r#"{{"fat-tree": {{"pods": {k}, "tors_per_pod": {half}, "aggs_per_pod": {half}, "cores": {cores},
        "hosts_per_tor": {half}, "host_link": {cable}, "tor_link": {cable}, "core_link": {cable}}}}}"#
    );
    let spec: Topology = serde_json::from_str(&spec).unwrap();
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

/// The link into a host.
fn last_link(fabric: &Fabric, host: u32) -> LinkId {
    fabric.link(fabric.out_links(NodeId(host))[0]).reverse
}

/// All data over the last link, after the first packet's way to it: nothing ends earlier, and credits at line rate end little later. The
/// queue there is no longer than its limit of eight packets, and as much again for headers.
#[test]
fn incasts_end_at_their_bound() {
    // Flows of the same time at each rate, some windows long.
    for (rate, packets) in [("100Gbps", 150), ("400Gbps", 600), ("800Gbps", 1_200)] {
        for transport in [
            r#"{"eqds": {}}"#,
            r#"{"eqds": {"mode": "rccc", "initial_window": 1.5}}"#,
            r#"{"eqds": {"mode": "rccc", "initial_window": 1.5, "nscc": {}}}"#,
        ] {
            let mut case = incast(rate, packets, transport);
            case.switch.queue = Some(Bytes(8 * WIRE));
            let outcome = case.run().unwrap();
            let link = case.fabric.link(last_link(&case.fabric, 0));
            let packet = link.rate.transmission_time(WIRE).0;
            let bound = packet * 8 * packets + 3 * packet + 4 * 1_000_000;
            let excess = outcome.cct.0 as f64 / bound as f64 - 1.0;
            // Rccc credits 99 % of the line.
            let most = if transport.contains("rccc") { 0.05 } else { 0.03 };
            assert!((0.0..most).contains(&excess), "{rate} {transport}: {excess}");
            let queue = outcome.links[last_link(&case.fabric, 0).index()].max_queue;
            assert!(queue <= 16 * WIRE, "{rate} {transport}: {queue}");
            assert_eq!(outcome.counters.drops, 0, "{rate} {transport}");
        }
    }
}

/// While an incast lasts, the port of its receiver is never idle: credits for as many packets as it sends are out at any time.
#[test]
fn an_incast_keeps_its_port_busy() {
    let case = incast("400Gbps", 122, r#"{"eqds": {}}"#);
    let outcome = case.run().unwrap();
    let link = last_link(&case.fabric, 0);
    let series = outcome.series.unwrap();
    let full = 5_000_000 / 20;
    let samples: Vec<_> = series.samples.iter().filter(|sample| sample.link == link).collect();
    // From 10 us on, and but for the last two intervals.
    let steady = &samples[2..samples.len() - 2];
    assert!(steady.len() >= 10);
    assert!(steady.iter().all(|sample| sample.sent * 100 >= full * 97), "{steady:?}");
}

/// Cuts a link in one direction between two moments; routing does not notice.
fn cut(case: &mut Case, from: &str, to: &str, begin: Time, end: Time) {
    let node = |id: NodeId| case.fabric.node(id).name.clone();
    let link = case.fabric.link_ids().find(|&id| {
        let link = case.fabric.link(id);
        node(link.from) == from && node(link.to) == to
    });
    let link = link.unwrap();
    let rates = [(begin, Rate::ZERO), (end, case.fabric.link(link).rate)];
    case.link_events = rates
        .map(|(at, rate)| LinkEvent {
            at,
            change: LinkChange { link, rate },
        })
        .to_vec();
    case.packet.convergence = Time::from_us(1_000_000);
}

fn one_flow(bytes: u64, spines: u32) -> Case {
    let fabric = leaf_spine(2, spines, 4, "100Gbps", "500ns");
    Case::new(fabric, flows([(0, 4, bytes)])).with(r#"{"adaptive": {}}"#, r#"{"eqds": {}}"#)
}

/// One in eight credits is lost for good, and no data: the next one brings what the lost one held.
#[test]
fn lost_credits_come_with_the_next() {
    let mut case = one_flow(5_000_000, 8);
    let whole = case.run().unwrap().cct;
    cut(&mut case, "spine0", "leaf0", Time::from_us(50), Time::from_us(900_000));
    let outcome = case.run().unwrap();
    assert!(outcome.counters.drops > 100);
    assert!(outcome.cct < whole + Time::from_us(10), "{} {whole}", outcome.cct);
}

/// All that comes back is lost for a while, the last credits before it among them: the sender asks for credits after
/// one timeout, and again as long as its requests, or the credits that they bring, are lost.
#[test]
fn a_sender_without_credits_asks_for_them() {
    let mut case = one_flow(2_000_000, 1);
    let whole = case.run().unwrap().cct;
    cut(&mut case, "spine0", "leaf0", Time::from_us(50), Time::from_us(130));
    let outcome = case.run().unwrap();
    // Silent from 50 us on; the first timeout of 100 us ends when the way back is there again.
    assert!(outcome.cct < whole + Time::from_us(130), "{} {whole}", outcome.cct);
    assert!(outcome.cct > whole + Time::from_us(80), "{} {whole}", outcome.cct);
}

/// Data that are lost cost no credits for good: the next packets state what is missing, or a request does.
#[test]
fn credits_of_lost_data_are_made_good() {
    let mut case = one_flow(5_000_000, 8);
    let whole = case.run().unwrap().cct;
    cut(&mut case, "spine0", "leaf1", Time::from_us(50), Time::from_us(300));
    let outcome = case.run().unwrap();
    assert!(outcome.counters.drops > 10);
    // At worst nothing of use was sent for 250 us and a timeout of 100.
    assert!(outcome.cct < whole + Time::from_us(350), "{} {whole}", outcome.cct);
}

/// Counts requests for credits and credits of a run.
fn requests_and_credits(case: &Case) -> (usize, usize) {
    case.setup(|setup| {
        let mut engine = Engine::<Wheel>::new(setup);
        engine.begin();
        let mut count = [0; 2];
        let at_end = |engine: &Engine<'_, Wheel>, event: &Event| {
            let end = engine.net.forwarding.end_of(event.link());
            end.0 < setup.fabric.hosts()
        };
        while engine.flows.unfinished > 0 {
            let Some(event) = engine.step() else { break };
            if event.packet.kind.is_packet() && at_end(&engine, &event) {
                count[0] += usize::from(event.packet.kind == Kind::Request);
                count[1] += usize::from(event.packet.kind == Kind::Credit);
            }
        }
        (count[0], count[1])
    })
}

/// Without losses nobody has to ask, and a receiver sends a credit for each packet beyond the first window.
#[test]
fn nobody_asks_without_need() {
    let case = one_flow(4_086 * 500, 4);
    let (requests, credits) = requests_and_credits(&case);
    let window = case.setup(|setup| {
        let path = setup.fabric.path(NodeId(0), NodeId(4), 0);
        let conditions = unloaded::conditions(setup.fabric, &path, Rate::from_gbps(100), setup.packet, true);
        setup.transport.credits(&conditions).unwrap() as usize
    });
    assert_eq!((requests, credits), (0, 500 - window));
}

/// Where switches trim and nothing is lost whole, no flow waits for a timeout: not for the last packets either, whose
/// replacements no later packet of the sender can ask for.
#[test]
fn replacements_of_the_last_packets_are_asked_for_at_once() {
    let mut trims = 0;
    for seed in 1..=8 {
        let mut receivers: Vec<u32> = (0..128).collect();
        receivers.shuffle(&mut rng::stream(seed, "receivers", 0));
        let pairs = (0..).zip(receivers).filter(|(src, dst)| src != dst);
        let permutation = flows(pairs.map(|(src, dst)| (src, dst, 2_000_000)));
        let transport = r#"{"eqds": {"initial_window": 1.5}}"#;
        let mut case = Case::new(fat_tree(8, "100Gbps"), permutation).with(r#"{"bitmap": {}}"#, transport);
        case.switch.queue = Some(Bytes(150_000));
        case.packet.rto = Some(Time::from_us(100_000));
        case.seed = seed;
        let outcome = case.run().unwrap();
        trims += outcome.counters.trims;
        assert_eq!(outcome.counters.drops, 0);
        assert!(outcome.cct < Time::from_us(250), "seed {seed}: {}", outcome.cct);
    }
    assert!(trims > 1_000, "{trims}");
}

/// Four senders of a leaf share one up-link: receivers that watch the fabric lower the rate of their credits until few packets are trimmed.
#[test]
fn receivers_find_out_that_the_fabric_is_oversubscribed() {
    let run = |transport| {
        let fabric = leaf_spine(2, 1, 4, "100Gbps", "1us");
        let pairs = flows((0..4).map(|i| (i, 4 + i, 4_000_000)));
        let mut case = Case::new(fabric, pairs).with(r#"{"ecmp": {}}"#, transport);
        case.switch.queue = Some(Bytes(36 * WIRE));
        case.run().unwrap()
    };
    let credits = run(r#"{"eqds": {}}"#);
    let rccc = run(r#"{"eqds": {"mode": "rccc"}}"#);
    assert!(rccc.counters.trims * 4 < credits.counters.trims, "{:?}", rccc.counters);
    // Nine tenths of a fair share is the least, at 99 % of the line.
    let bound = 4 * (4_000_000 + 979 * 64) * 80;
    assert!(rccc.cct > Time(bound), "{}", rccc.cct);
    assert!((rccc.cct.0 as f64) < bound as f64 / (0.9 * 0.99) + 50e6, "{}", rccc.cct);
}

/// A sender that hears of nothing but trimmed packets gives up like one that hears nothing.
#[test]
fn nacks_alone_use_up_the_tries() {
    for transport in [r#"{"nscc": {}}"#, r#"{"eqds": {}}"#, r#"{"dctcp": {}}"#] {
        let mut case = Case::new(leaf_spine(2, 1, 1, "100Gbps", "500ns"), flows([(0, 1, 100_000)]))
            .with(r#"{"ecmp": {}}"#, transport);
        case.switch.trimming = Some(true);
        case.switch.queue = Some(Bytes(WIRE - 1));
        case.packet.rto = Some(Time::from_us(10));
        case.packet.retries = 5;
        // Impossible, as `check` says: every packet is trimmed.
        let stuck = case.unchecked(simulate).unwrap_err();
        assert_eq!(
            stuck.unfinished[0].reason, "gave up after 5 timeouts in a row",
            "{transport}"
        );
        // RFC 6298's first estimate is three unloaded round trips, 16.05 us. It doubles up to six times, the last one still
        // pending when the sender has given up, and each is longer by chance, by half at most.
        assert!(
            stuck.at < Time((127.0 * 16.05e6 * 1.5) as u64),
            "{transport}: {}",
            stuck.at
        );
    }
}

/// Where switches trim, acknowledgements, NACKs and credits do not queue with data, nor are they dropped with it.
#[test]
fn control_has_its_class_where_switches_trim() {
    let both_ways = flows((4..16).flat_map(|src| [(src, 0, 200_000), (0, src, 200_000)]));
    for transport in [r#"{"nscc": {}}"#, r#"{"eqds": {}}"#] {
        let case =
            Case::new(leaf_spine(4, 4, 4, "100Gbps", "500ns"), both_ways.clone()).with(r#"{"spray": {}}"#, transport);
        let outcome = case.run().unwrap();
        assert!(outcome.counters.trims > 0, "{transport}");
        assert_eq!(outcome.counters.drops, 0, "{transport}");
        assert_eq!(outcome.counters.trims, outcome.counters.retransmits, "{transport}");
    }
}
