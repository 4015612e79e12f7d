//! One flow on an idle fabric, to the picosecond.

use super::*;
use crate::units::Rate;

/// Completion at receiver and sender as ethereal's worked closed form gives it, in plain arithmetic.
fn by_hand(rate: Rate, hops: u64, delay: u64, bytes: u64) -> (Time, Time) {
    let ps = 8_000_000_000_000 / rate.0;
    let packets = bytes.div_ceil(4_086);
    let full = (4_086 + 64) * ps;
    let last = (bytes - (packets - 1) * 4_086 + 64) * ps;
    // With one packet nothing waits for a full one.
    let receiver = match packets {
        1 => hops * (last + delay),
        _ => (packets - 1) * full + (hops - 1) * full + last + hops * delay,
    };
    (Time(receiver), Time(receiver + hops * (delay + 64 * ps)))
}

/// The figures worked out by hand for 2 MB: last acknowledgement at the sender.
#[test]
fn the_worked_examples() {
    for (rate, dst, acked) in [
        ("100Gbps", 2, Time(171_525_280)),
        ("100Gbps", 1, Time(166_851_040)),
        ("400Gbps", 2, Time(48_881_320)),
    ] {
        for transport in [r#"{"ideal": {}}"#, r#"{"dctcp": {}}"#, r#"{"nscc": {}}"#] {
            let case = Case::new(leaf_spine(2, 4, 2, rate, "1us"), flows([(0, dst, 2_000_000)]));
            let outcome = case.with(r#"{"ecmp": {}}"#, transport).run().unwrap();
            assert_eq!(outcome.flows[0].acked, acked, "{rate} to {dst}, {transport}");
        }
    }
}

#[test]
fn one_flow_on_an_idle_fabric() {
    for (rate, dst, transport_json) in [
        ("100Gbps", 1, r#"{"ideal": {}}"#),
        ("100Gbps", 2, r#"{"ideal": {}}"#),
        ("400Gbps", 1, r#"{"ideal": {}}"#),
        ("400Gbps", 2, r#"{"ideal": {}}"#),
        ("100Gbps", 2, r#"{"dctcp": {}}"#),
        ("400Gbps", 2, r#"{"dctcp": {"control": "rate"}}"#),
    ] {
        for bytes in [1, 4_086, 4_087, 65_536, 1_000_000, 2_000_000, 16_777_216] {
            // With several spines a short last packet would overtake sprayed ones.
            for (spines, scheme) in [(4, r#"{"ecmp": {}}"#), (1, r#"{"spray": {"choose": "round-robin"}}"#)] {
                let mut case = Case::new(leaf_spine(2, spines, 2, rate, "1us"), flows([(0, dst, bytes)]));
                case.load_balancing = parsed(scheme);
                case.transport = parsed(transport_json);
                let outcome = case.run().unwrap();
                let hops = if dst == 1 { 2 } else { 4 };
                let (receiver, sender) = by_hand(rate.parse().unwrap(), hops, 1_000_000, bytes);
                let what = format!("{rate} to {dst}, {bytes} B, {scheme}, {transport_json}");
                assert_eq!(outcome.cct, receiver, "{what}");
                let flow = outcome.flows[0];
                assert_eq!((flow.delivered, flow.acked), (receiver, sender), "{what}");
                assert_eq!(flow.ideal, receiver, "{what}");
                let packets = bytes.div_ceil(4_086);
                assert_eq!(outcome.counters.packets, packets);
                assert_eq!(outcome.counters.packet_hops, packets * hops * 2);
            }
        }
    }
}
