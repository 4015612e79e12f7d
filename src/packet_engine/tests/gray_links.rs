//! Links that lose a share of their packets.

use proptest::prelude::*;

use super::*;
use crate::ids::LinkId;
use crate::packet_engine::options::Recovery;
use crate::topology::{Loss, LossChange};

/// `packets` full packets from one leaf to the other over a link that loses a share of them.
fn over_a_gray_link(packets: u64, share: f64, recovery: Recovery, seed: u64) -> Case {
    let fabric = leaf_spine(2, 1, 1, "100Gbps", "1us");
    let link = fabric.links_by_name()["leaf0->spine0"][0];
    let loss = Loss::new(share).unwrap();
    let at = Time::ZERO;
    let mut case = Case::new(
        fabric.with_losses(&[LossChange { at, link, loss }]),
        flows([(0, 1, packets * 4_086)]),
    )
    .with(r#"{"ecmp": {}}"#, r#"{"ideal": {}}"#);
    case.packet.recovery = recovery;
    case.seed = seed;
    case
}

const SEEDS: u64 = 10;
const PACKETS: u64 = 10_000;

/// Packets lost and packets sent again, over all seeds.
fn losses(share: f64, recovery: Recovery) -> (f64, f64) {
    let runs = (1..=SEEDS).map(|seed| over_a_gray_link(PACKETS, share, recovery, seed).run().unwrap());
    runs.fold((0.0, 0.0), |(lost, again), outcome| {
        let counters = outcome.counters;
        (lost + counters.drops as f64, again + counters.retransmits as f64)
    })
}

/// Every packet is lost with probability p each time that it is sent: n p / (1 - p) of n are sent again.
#[test]
fn selective_repeat_sends_again_what_was_lost() {
    for share in [1e-3, 1e-2] {
        let n = (SEEDS * PACKETS) as f64;
        let (expected, sigma) = (n * share / (1.0 - share), (n * share).sqrt() / (1.0 - share));
        let (lost, again) = losses(share, Recovery::SelectiveRepeat);
        assert!((lost - expected).abs() < 3.0 * sigma, "{share}: {lost} lost of {n}");
        assert!(
            (again - expected).abs() < 3.0 * sigma,
            "{share}: {again} of {n} sent again"
        );
    }
}

/// Go-back-N sends again all that is under way when a loss is heard of: the W packets of a round trip, W n p / (1 - p) in
/// all (every loss on that way counts once more). The round trip is four hops there and back, and one packet more.
#[test]
fn go_back_n_sends_a_round_trip_again() {
    let share = 1e-3;
    let (lost, again) = losses(share, Recovery::GoBackN);
    let (_, selective) = losses(share, Recovery::SelectiveRepeat);
    let window = (4.0 * (0.332 + 1.0) + 4.0 * (0.00512 + 1.0)) / 0.332;
    let per_loss = again / lost;
    assert!(
        (per_loss / window - 1.0).abs() < 0.1,
        "{per_loss} packets for each loss, {window} in flight"
    );
    assert!(again > 20.0 * selective);
}

/// One that loses nothing is as if nothing had been written.
#[test]
fn a_link_that_loses_nothing_changes_nothing() {
    let case = |share| {
        over_a_gray_link(500, share, Recovery::SelectiveRepeat, 3)
            .run()
            .unwrap()
    };
    let fine = case(0.0);
    assert_eq!(fine.counters.drops, 0);
    let mut none = over_a_gray_link(500, 0.0, Recovery::SelectiveRepeat, 3);
    none.fabric = leaf_spine(2, 1, 1, "100Gbps", "1us");
    assert_eq!(none.run().unwrap().cct, fine.cct);
    let all = over_a_gray_link(500, 1.0, Recovery::SelectiveRepeat, 3)
        .run()
        .unwrap_err();
    assert_eq!(all.unfinished.len(), 1);
}

/// A loss that ends: what was lost before is sent again after, and no more.
#[test]
fn losses_begin_and_end() {
    let mut case = over_a_gray_link(2_000, 0.0, Recovery::SelectiveRepeat, 3);
    let link = case.fabric.links_by_name()["leaf0->spine0"][0];
    let change = |us, share| LossChange {
        at: Time::from_us(us),
        link,
        loss: Loss::new(share).unwrap(),
    };
    case.fabric = case.fabric.with_losses(&[change(100, 1.0), change(103, 0.0)]);
    let outcome = case.run().unwrap();
    // Three microseconds are nine packets of 332 ns.
    assert_eq!((outcome.counters.drops, outcome.counters.retransmits), (9, 9));
}

const TRANSPORTS: [&str; 7] = [
    r#"{"ideal": {}}"#,
    r#"{"dctcp": {}}"#,
    r#"{"dcqcn": {}}"#,
    r#"{"swift": {}}"#,
    r#"{"nscc": {}}"#,
    r#"{"eqds": {}}"#,
    r#"{"udp": {}}"#,
];

const SCHEMES: [&str; 6] = [
    r#"{"ecmp": {}}"#,
    r#"{"spray": {}}"#,
    r#"{"reps": {}}"#,
    r#"{"mrc": {}}"#,
    r#"{"bitmap": {}}"#,
    r#"{"ethereal": {}}"#,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// A run ends by finishing, or by naming what did not.
    #[test]
    fn every_run_with_losses_ends(
        transfers in proptest::collection::vec((0_u32..6, 1_u32..6, 1_u64..100_000), 1..8),
        gray in proptest::collection::vec((0_u32..1_000, 0.0..0.5), 1..4),
        kinds in (0..TRANSPORTS.len(), 0..SCHEMES.len()),
        trimming in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let fabric = leaf_spine(3, 2, 2, "100Gbps", "500ns");
        let links = fabric.links().len() as u32;
        let losses: Vec<_> = gray
            .iter()
            .map(|&(link, share)| LossChange { at: Time::ZERO, link: LinkId(link % links), loss: Loss::new(share).unwrap() })
            .collect();
        let pairs = transfers.iter().map(|&(src, offset, bytes)| (src, (src + offset) % 6, bytes));
        let udp = TRANSPORTS[kinds.0].contains("udp");
        let scheme = if udp { SCHEMES[0] } else { SCHEMES[kinds.1] };
        let mut case = Case::new(fabric.with_losses(&losses), flows(pairs)).with(scheme, TRANSPORTS[kinds.0]);
        if trimming {
            case.switch = parsed(r#"{"queue": "40KB", "trimming": true}"#);
        }
        case.seed = seed;
        match case.run() {
            Ok(outcome) => prop_assert!(outcome.flows.iter().all(|flow| flow.delivered >= flow.start)),
            Err(stuck) => prop_assert!(!stuck.unfinished.is_empty()),
        }
    }
}
