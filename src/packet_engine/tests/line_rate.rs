//! A sender's line rate is that of its own ports, whatever is behind them.

use super::*;
use crate::ids::LinkId;
use crate::packet_engine::transport::Conditions;
use crate::units::Rate;

/// Hosts a and b at switches s and t, of which a reaches s and t at two rates, and b both at the third.
fn two_ports(to_s: &str, to_t: &str, far: &str) -> Fabric {
    let spec = format!(
        r#"{{"graph": {{"nodes": [
            {{"name": "a", "kind": "host"}}, {{"name": "b", "kind": "host"}},
            {{"name": "s", "kind": "switch"}}, {{"name": "t", "kind": "switch"}}],
        "links": [
            {{"a": "a", "b": "s", "rate": "{to_s}"}}, {{"a": "a", "b": "t", "rate": "{to_t}"}},
            {{"a": "b", "b": "s", "rate": "{far}"}}, {{"a": "b", "b": "t", "rate": "{far}"}}]}}}}"#
    );
    let spec: Topology = serde_json::from_str(&spec).unwrap();
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
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

fn conditions(case: &Case) -> Vec<Conditions> {
    case.setup(|setup| {
        let engine = Engine::<Wheel>::new(setup);
        (0..engine.queue_pairs.len() as u32)
            .map(|qp| engine.conditions(qp))
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
    // A slower second port holds a flow that alternates back to twice its own rate, and no further.
    let case = Case::new(two_ports("200Gbps", "50Gbps", "200Gbps"), flows([(0, 1, 10_000_000)]));
    let case = case.with(r#"{"spray": {"choose": "round-robin"}}"#, r#"{"dcqcn": {}}"#);
    let cct = case.run().unwrap().cct.0 as f64;
    let alternating = Rate::from_gbps(100).transmission_time(wire(10_000_000)).0 as f64;
    assert!(
        cct >= 0.98 * alternating && cct < 1.05 * alternating,
        "{cct} of {alternating}"
    );
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
        while engine.unfinished > 0 {
            let Some(event) = engine.step() else { break };
            if event.packet.kind == Kind::Notification && engine.forwarding.end_of(event.key - 3) == 0 {
                let qp = event.packet.qp as usize;
                // They wait for one data packet of the other direction at most; here is none.
                assert!(last[qp].is_none_or(|before| engine.now - before >= 49_000_000));
                last[qp] = Some(engine.now);
                heard += 1;
            }
        }
        assert!(heard > 8, "{heard}");
    });
}
