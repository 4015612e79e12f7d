//! Datagrams that nobody acknowledges.

use super::*;

/// Every host of 128 sends 2 MB one leaf further at 400 Gb/s over links of 1 us, with the 30 bytes of header that
/// UDP, IPv4 and PPP take: 490 packets, one more on each further link, and the delays. ns-3 3.37 gives 44.541 us, too.
#[test]
fn a_shift_takes_as_long_as_in_ns3() {
    let shift = (0..128).map(|host| (host, (host + 16) % 128, 2_000_000));
    let mut case = Case::new(leaf_spine(8, 16, 16, "400Gbps", "1us"), flows(shift));
    case.packet.header = Bytes(30);
    case.transport = parsed(r#"{"udp": {}}"#);
    let mut run = |scheme| {
        case.load_balancing = parsed(scheme);
        case.run().unwrap()
    };
    let pinned = run(r#"{"ethereal": {"group": "leaf"}}"#);
    let full = 4_116;
    assert_eq!(pinned.cct, Time((2_000_000 + 490 * 30 + 3 * full) * 20 + 4_000_000));
    assert_eq!(pinned.cct, Time(44_540_960));
    let hops = pinned.counters.packet_hops;
    assert_eq!((pinned.counters.packets, hops), (128 * 490, 4 * 128 * 490));
    // By other spines the last packet, a short one, need not wait for the one before it.
    let sprayed = run(r#"{"spray": {"choose": "round-robin"}}"#);
    assert!(sprayed.cct <= pinned.cct && pinned.cct - sprayed.cct <= Time(3 * full * 20));
}

/// A flow is over for its sender when its last byte arrives, and lets the next queue pair go when the last has left.
#[test]
fn one_queue_pair_after_the_other() {
    let transfers = [(0, 2, 1_000_000), (0, 3, 1_000_000)];
    let mut case = Case::new(leaf_spine(2, 1, 2, "100Gbps", "1us"), flows(transfers));
    case = case.with(r#"{"ecmp": {}}"#, r#"{"udp": {}}"#);
    case.packet.active_queue_pairs = Some(1);
    let outcome = case.run().unwrap();
    let sent = (1_000_000 + 245 * 64) * 80;
    let rest = 3 * 4_150 * 80 + 4_000_000;
    for (flow, before) in outcome.flows.iter().zip([1, 2]) {
        assert_eq!(flow.delivered, Time(before * sent + rest));
        assert_eq!(flow.acked, flow.delivered);
    }
}

#[test]
fn what_is_lost_stays_lost() {
    let incast = (1..5).map(|host| (host, 0, 200_000));
    let mut case = Case::new(leaf_spine(2, 2, 4, "100Gbps", "500ns"), flows(incast));
    case = case.with(r#"{"ecmp": {}}"#, r#"{"udp": {}}"#);
    assert!(case.run().is_ok());
    for switch in [r#"{"queue": "20KB"}"#, r#"{"queue": "20KB", "trimming": true}"#] {
        case.switch = parsed(switch);
        let stuck = case.run().unwrap_err();
        assert_eq!(
            stuck.unfinished[0].reason,
            "packets were lost, and `udp` sends nothing again"
        );
        assert!(stuck.unfinished[0].delivered < 200_000);
    }
}

#[test]
fn schemes_that_learn_are_refused() {
    for scheme in [r#"{"reps": {}}"#, r#"{"bitmap": {}}"#, r#"{"plb": {}}"#] {
        let case = Case::new(leaf_spine(2, 2, 4, "100Gbps", "500ns"), flows([(0, 4, 1)]));
        let case = case.with(scheme, r#"{"udp": {}}"#);
        let error = case.unchecked(|setup| setup.check()).unwrap_err().to_string();
        assert!(error.contains("learns from acknowledgements"), "{error}");
    }
}
