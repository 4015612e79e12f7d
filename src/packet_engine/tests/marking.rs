//! Marks and thresholds of switches against their definitions.

use super::*;
use crate::packet_engine::links::Links;
use crate::packet_engine::packet::{Kind, MARKED, Packet};

const WIRE: u64 = 4_150;

/// Of `count` packets that each meet a queue of `backlog` packets on the first port of the first leaf, how many are marked.
fn marked(ecn: Ecn, backlog: u64, count: u64) -> u64 {
    let mut case = Case::new(leaf_spine(2, 1, 1, "100Gbps", "500ns"), flows([(0, 1, 1)]));
    case.switch.ecn = Some(ecn);
    case.setup(|setup| {
        let leaf = crate::ids::NodeId(setup.fabric.hosts());
        let link = setup.fabric.out_links(leaf)[0];
        let mut links = Links::new(setup, 0, false);
        let data = Packet {
            size: WIRE as u16,
            ..Packet::alarm(Kind::Data, 0)
        };
        (0..backlog).for_each(|_| _ = links.enqueue(link, 0, &data).unwrap());
        let offered = (0..count).map(|k| {
            // One leaves, one comes: the queue stays as long as it is.
            let (_, flags) = links.enqueue(link, k * WIRE * 80, &data).unwrap();
            u64::from(flags & MARKED)
        });
        offered.sum()
    })
}

#[test]
fn a_step_marks_all_from_its_threshold_on() {
    let step = |bytes: u64| Ecn {
        kmin: Bytes(bytes),
        kmax: Bytes(bytes),
        pmax: 1.0,
    };
    assert_eq!(marked(step(10 * WIRE), 9, 100), 0);
    assert_eq!(marked(step(10 * WIRE), 10, 100), 100);
}

/// Between the thresholds the chance rises in a straight line to `pmax`, and is certain from `kmax` on.
#[test]
fn red_marks_by_chance() {
    let red = Ecn {
        kmin: Bytes(10 * WIRE),
        kmax: Bytes(30 * WIRE),
        pmax: 0.2,
    };
    assert_eq!(marked(red, 9, 1_000), 0);
    assert_eq!(marked(red, 30, 1_000), 1_000);
    let count = 20_000;
    for (backlog, chance) in [(12, 0.02), (20, 0.1), (29, 0.19)] {
        let deviation = (count as f64 * chance * (1.0 - chance)).sqrt();
        let off = marked(red, backlog, count) as f64 - count as f64 * chance;
        assert!(off.abs() < 4.0 * deviation, "{backlog}: {off} by chance {chance}");
    }
}

/// Dynamic thresholds: a queue stops at alpha times the free buffer, alone at alpha/(1 + alpha) of all of it
/// (Choudhury and Hahne, 1998).
#[test]
fn a_queue_alone_takes_its_share_of_the_buffer() {
    for (alpha, share) in [(0.5, 1.0 / 3.0), (1.0, 0.5), (4.0, 0.8)] {
        let senders = flows((4..12).map(|src| (src, 0, 500_000)));
        let case = Case::new(leaf_spine(3, 4, 4, "100Gbps", "500ns"), senders);
        let mut case = case.with(r#"{"spray": {"choose": "permuted"}}"#, r#"{"ideal": {"window": 8}}"#);
        case.switch.buffer = Some(Bytes(600_000));
        case.switch.alpha = alpha;
        let outcome = case.run().unwrap();
        let (host, leaf) = (crate::ids::NodeId(0), crate::ids::NodeId(case.fabric.hosts()));
        let down = case
            .fabric
            .link_ids()
            .find(|&id| case.fabric.link(id).to == host)
            .unwrap();
        assert_eq!(case.fabric.link(down).from, leaf);
        let (most, limit) = (outcome.links[down.index()].max_queue as f64, 600_000.0 * share);
        assert!(outcome.counters.drops > 0);
        assert!(
            most <= limit + WIRE as f64 && most > limit - 3.0 * WIRE as f64,
            "{alpha}: {most} of {limit}"
        );
    }
}
