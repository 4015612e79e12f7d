//! A sender's line rate is that of its own ports, whatever is behind them.

use super::*;
use crate::ids::{LinkId, NodeId};
use crate::packet_engine::transport::PathProperties;
use crate::topology::LinkChange;
use crate::units::Rate;

/// Hosts a and b at as many switches as there are rates: a reaches each at its own, and b all at the far rate.
fn ports(rates: &[&str], far: &str) -> Fabric {
    let (mut nodes, mut links) = (String::new(), String::new());
    for (switch, rate) in rates.iter().enumerate() {
        nodes += &format!(r#", {{"name": "s{switch}", "kind": "switch"}}"#);
        links += &format!(r#"{{"a": "a", "b": "s{switch}", "rate": "{rate}"}}, "#);
        links += &format!(r#"{{"a": "b", "b": "s{switch}", "rate": "{far}"}}, "#);
    }
    let spec = format!(
        r#"{{"graph": {{"nodes": [{{"name": "a", "kind": "host"}}, {{"name": "b", "kind": "host"}}{nodes}],
        "links": [{}]}}}}"#,
        links.trim_end_matches(", ")
    );
    let spec: Topology = serde_json::from_str(&spec).unwrap();
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

/// Two ports.
fn two_ports(to_s: &str, to_t: &str, far: &str) -> Fabric {
    ports(&[to_s, to_t], far)
}

/// Hosts a and b at one switch, at two rates.
fn one_port(a: &str, b: &str) -> Fabric {
    let spec = format!(
        r#"{{"graph": {{"nodes": [
            {{"name": "a", "kind": "host"}}, {{"name": "b", "kind": "host"}}, {{"name": "s", "kind": "switch"}}],
        "links": [{{"a": "a", "b": "s", "rate": "{a}"}}, {{"a": "s", "b": "b", "rate": "{b}"}}]}}}}"#
    );
    let spec: Topology = serde_json::from_str(&spec).unwrap();
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

fn conditions(case: &Case) -> Vec<PathProperties> {
    case.setup(|setup| {
        let engine = Engine::<Wheel>::new(setup);
        engine
            .net
            .pairs
            .ids()
            .map(|qp| engine.sending.conditions(&engine.net, qp))
            .collect()
    })
}

#[test]
fn it_is_the_sum_of_the_ports_in_use() {
    let schemes = [
        (r#"{"spray": {"choose": "round-robin"}}"#, 1.0),
        (r#"{"spray": {"choose": "permuted"}}"#, 1.0),
        (r#"{"adaptive": {}}"#, 1.0),
        (r#"{"weighted-spray": {}}"#, 1.0),
        (r#"{"ecmp": {}}"#, 0.5),
        (r#"{"ecmp-split": {"ways": 2}}"#, 0.5),
    ];
    for (scheme, share) in schemes {
        let case = Case::new(two_ports("200Gbps", "200Gbps", "100Gbps"), flows([(0, 1, 100_000)]));
        for found in conditions(&case.with(scheme, r#"{"dcqcn": {}}"#)) {
            assert_eq!(found.rate, share * 0.05, "{scheme}");
            // Whole packets that the ports send in one round trip.
            let packets = (found.rtt as f64 * found.rate / found.full as f64).ceil();
            assert_eq!(found.bdp, packets as u64 * found.full, "{scheme}");
        }
    }
    let unequal = Case::new(two_ports("400Gbps", "100Gbps", "400Gbps"), flows([(0, 1, 100_000)]));
    let found = conditions(&unequal.with(r#"{"spray": {"choose": "permuted"}}"#, r#"{"dcqcn": {}}"#))[0];
    assert_eq!(found.rate, 0.0625);
    assert!(found.longest_rtt > found.rtt, "the slower port is further");
}

/// A 100 Gb/s card does not know that the receiver has 25: it starts at its own rate, and the switch holds the rest.
#[test]
fn a_fast_sender_fills_the_queue_of_a_slow_receiver() {
    let rate = Rate::from_gbps(100);
    for transport in [r#"{"dcqcn": {}}"#, r#"{"dctcp": {"control": "rate"}}"#] {
        let mut case = Case::new(one_port("100Gbps", "25Gbps"), flows([(0, 1, 2_000_000)]));
        case = case.with(r#"{"ecmp": {}}"#, transport);
        case.switch.ecn = Some(parsed(r#"{"kmin": "83200B", "kmax": "338000B", "pmax": 0.2}"#));
        let outcome = case.setup(simulate).unwrap();
        let first = outcome
            .series
            .as_ref()
            .unwrap()
            .samples
            .iter()
            .find(|s| s.link == LinkId(0));
        let (sent, interval) = (first.unwrap().sent, Time::from_us(5));
        let lacking = interval - rate.transmission_time(sent);
        assert!(
            lacking < rate.transmission_time(2 * 4_150),
            "{transport}: {sent} bytes in 5 us"
        );
        assert!(outcome.counters.ecn_marks > 0, "{transport}");
        let queue = outcome.links.iter().map(|link| link.max_queue).max();
        assert!(queue > Some(83_200), "{transport}: {queue:?}");
    }
}

/// Two ports together carry a sprayed flow twice as fast as one.
#[test]
fn bonded_ports_add_up() {
    let wire = |bytes: u64| bytes + bytes.div_ceil(4_086) * 64;
    for transport in [
        r#"{"dcqcn": {}}"#,
        r#"{"dctcp": {}}"#,
        r#"{"ideal": {}}"#,
        r#"{"swift": {}}"#,
    ] {
        let case = Case::new(two_ports("200Gbps", "200Gbps", "200Gbps"), flows([(0, 1, 10_000_000)]));
        let case = case.with(r#"{"spray": {"choose": "round-robin"}}"#, transport);
        let cct = case.run().unwrap().cct.0 as f64;
        let least = Rate::from_gbps(400).transmission_time(wire(10_000_000)).0 as f64;
        assert!(cct >= least && cct < 1.02 * least, "{transport}: {cct} of {least}");
    }
}

/// Whatever names the paths: every port sends all the time, however fast each of them is.
#[test]
fn sprayed_flows_keep_all_ports_busy() {
    let schemes = [
        r#"{"spray": {"choose": "round-robin"}}"#,
        r#"{"spray": {"choose": "permuted"}}"#,
        r#"{"spray": {"choose": "random"}}"#,
        r#"{"adaptive": {}}"#,
        r#"{"adaptive": {"quantise": []}}"#,
        r#"{"weighted-spray": {}}"#,
        r#"{"reps": {}}"#,
        r#"{"bitmap": {}}"#,
    ];
    let transports = ["dcqcn", "dctcp", "ideal", "swift", "nscc", "eqds", "udp"];
    let bytes = 20_000_000_u64;
    let wire = bytes + bytes.div_ceil(4_086) * 64;
    let hosts: [(&[&str], u64); 3] = [
        (&["200Gbps", "200Gbps"], 400),
        (&["200Gbps", "50Gbps"], 250),
        (&["400Gbps", "200Gbps", "100Gbps"], 700),
    ];
    for (rates, sum) in hosts {
        let least = Rate::from_gbps(sum).transmission_time(wire).0 as f64;
        for (scheme, transport) in schemes.iter().flat_map(|scheme| transports.map(|t| (scheme, t))) {
            if transport == "udp" && (scheme.contains("reps") || scheme.contains("bitmap")) {
                continue;
            }
            let case = Case::new(ports(rates, "400Gbps"), flows([(0, 1, bytes)]));
            let case = case.with(scheme, &format!(r#"{{"{transport}": {{}}}}"#));
            let cct = case.setup(simulate).unwrap().cct.0 as f64 / least;
            assert!((1.0..1.02).contains(&cct), "{rates:?} {scheme} {transport}: {cct}");
        }
    }
}

/// A port whose cable is cut takes as many packets as it would have sent until routing knows, and not all.
#[test]
fn a_dead_port_does_not_swallow_all() {
    for scheme in [
        r#"{"spray": {"choose": "permuted"}}"#,
        r#"{"spray": {"choose": "round-robin"}}"#,
    ] {
        let mut case = Case::new(ports(&["200Gbps", "200Gbps"], "200Gbps"), flows([(0, 1, 20_000_000)]));
        case = case.with(scheme, r#"{"udp": {}}"#);
        case.packet.convergence = Time::from_us(50);
        let cut = |link| LinkEvent {
            at: Time::from_us(100),
            change: LinkChange {
                link: LinkId(link),
                rate: Rate::ZERO,
            },
        };
        case.link_events = vec![cut(0), cut(1)];
        // Nobody sends again what was lost.
        let drops = case.setup(|setup| {
            let engine = Engine::<Wheel>::new(setup).run(&mut |_| Continue::Yes);
            engine.net.links.counts[LinkId(0)].drops
        });
        let sent = Time::from_us(50).0 / Rate::from_gbps(200).transmission_time(4_150).0;
        assert!(drops.abs_diff(sent) < 10, "{scheme}: {drops} packets, {sent} expected");
    }
}

/// A receiver tells of marks at most once in 50 us for each queue pair, and the sender hears it a path's delay later.
#[test]
fn notifications_are_paced_by_the_receiver() {
    use crate::packet_engine::packet::Kind;
    let mut case = Case::new(
        one_port("100Gbps", "25Gbps"),
        flows([(0, 1, 4_000_000), (0, 1, 4_000_000)]),
    );
    case = case.with(r#"{"ecmp": {}}"#, r#"{"dcqcn": {}}"#);
    case.switch.ecn = Some(parsed(r#"{"kmin": "40KB", "kmax": "40KB"}"#));
    case.setup(|setup| {
        let mut engine = Engine::<Wheel>::new(setup);
        engine.begin();
        let mut last: [Option<u64>; 2] = [None; 2];
        let mut heard = 0;
        while engine.flows.unfinished > 0 {
            let Some(event) = engine.step() else { break };
            if event.packet.kind == Kind::Notification && engine.net.forwarding.end_of(event.link()) == NodeId(0) {
                let qp = event.packet.qp.index();
                // They wait for one data packet of the other direction at most; here is none.
                assert!(last[qp].is_none_or(|before| engine.net.events.now - before >= 49_000_000));
                last[qp] = Some(engine.net.events.now);
                heard += 1;
            }
        }
        assert!(heard > 8, "{heard}");
    });
}
