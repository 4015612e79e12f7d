//! Flow control: its headroom, and deadlocks.

use super::*;

/// Four hosts of a leaf send to one of another over links of 1 us, while it sends to them: pause frames wait for
/// data of the other direction.
fn crossing() -> Case {
    let fabric = leaf_spine(2, 1, 4, "100Gbps", "1us");
    let pairs = (0..4).flat_map(|i| [(i, 4, 400_000), (4 + i, i, 400_000)]);
    let mut case = Case::new(fabric, flows(pairs)).with(r#"{"ecmp": {}}"#, r#"{"ideal": {"window": 16}}"#);
    case.switch.pfc = true;
    case.switch.pfc_pause = Some(Bytes(30_000));
    case
}

/// Drops of a run in which links have `less` bytes of headroom less than computed.
fn drops(case: &Case, less: u64) -> u64 {
    case.setup(|setup| {
        let mut engine = Engine::<Wheel>::new(setup);
        engine.net.flow_control.as_mut().unwrap().shrink_headroom(less);
        let engine = engine.run(&mut |_| Continue::Yes);
        engine.net.links.counts.iter().map(|counts| counts.drops).sum()
    })
}

/// With the headroom that is computed nothing is dropped; with two packets less something is.
#[test]
fn headroom_is_what_it_takes() {
    let case = crossing();
    assert_eq!(drops(&case, 0), 0);
    assert!(drops(&case, 2 * 4_150) > 0);
}

/// Switches in a ring, a host at each, which sends to the one `ahead` further on.
fn ring(switches: u32, ahead: u32) -> Case {
    let name = |kind: &str, k: u32| format!(r#""{kind}{}""#, k % switches);
    let nodes = ["h", "s"].map(|kind| {
        let spell = |k| {
            let what = if kind == "h" { "host" } else { "switch" };
            format!(r#"{{"name": {}, "kind": "{what}"}}"#, name(kind, k))
        };
        (0..switches).map(spell).collect::<Vec<_>>().join(",")
    });
    let cable = |a: String, b: String| format!(r#"{{"a": {a}, "b": {b}, "rate": "100Gbps", "delay": "1us"}}"#);
    let links = (0..switches).flat_map(|k| [cable(name("h", k), name("s", k)), cable(name("s", k), name("s", k + 1))]);
    let links = links.collect::<Vec<_>>().join(",");
    let spec = format!(
        r#"{{"graph": {{"nodes": [{},{}], "links": [{links}]}}}}"#,
        nodes[0], nodes[1]
    );
    let spec: Topology = parsed(&spec);
    let fabric = Fabric::compile(&spec.blueprint(&NoFiles).unwrap());
    let pairs = flows((0..switches).map(|k| (k, (k + ahead) % switches, 4_000_000)));
    let mut case = Case::new(fabric, pairs).with(r#"{"ecmp": {}}"#, r#"{"ideal": {"window": 16}}"#);
    case.switch.pfc = true;
    case.switch.pfc_pause = Some(Bytes(20_000));
    case
}

/// Every link of the ring holds packets that go on over the next one: buffers depend on each other in a circle, and fill.
#[test]
fn a_deadlock_is_named_with_its_circle() {
    let stuck = ring(7, 3).run().unwrap_err();
    let links: Vec<_> = (0..7).map(|k| format!("s{k}->s{}", (k + 1) % 7)).collect();
    let deadlock = stuck.deadlock.as_ref().unwrap();
    assert!(
        deadlock.starts_with(&format!("PFC deadlock: {} are paused", links.join(", "))),
        "{deadlock}"
    );
    assert!(stuck.to_string().contains("PFC deadlock"), "{stuck}");
    assert!(stuck.unfinished.iter().all(|flow| flow.reason.contains("PFC deadlock")));
}

/// Flows that cross one link of the ring each cannot wait for each other; nor can a circle with a way out.
#[test]
fn congestion_is_no_deadlock() {
    let outcome = ring(7, 1).run().unwrap();
    assert_eq!(outcome.counters.drops, 0);
    let case = crossing();
    case.setup(|setup| {
        let mut engine = Engine::<Wheel>::new(setup);
        engine.begin();
        let mut paused = 0;
        while engine.flows.unfinished > 0 && engine.step().is_some() {
            let pauses: u64 = engine.net.links.counts.iter().map(|counts| counts.pauses).sum();
            if pauses > paused {
                paused = pauses;
                assert_eq!(engine.net.deadlock(), None);
            }
        }
        assert!(paused > 10 && engine.flows.unfinished == 0);
    });
}
