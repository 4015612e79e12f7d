//! Links that fail, recover or change their rate while packets travel.

use super::*;
use crate::ids::LinkId;
use crate::topology::LinkChange;
use crate::units::Rate;

/// The directed links of a cable by name.
fn links(fabric: &Fabric, name: &str) -> Vec<LinkId> {
    fabric.links_by_name()[name].to_vec()
}

fn at(time: Time, links: &[LinkId], rate: Rate) -> Vec<LinkEvent> {
    let change = |&link| LinkEvent {
        at: time,
        change: LinkChange { link, rate },
    };
    links.iter().map(change).collect()
}

/// One 10 MB flow between leaves at 100 Gb/s: about 0.8 ms on one of four spines.
fn long_flow(scheme: &str) -> Case {
    Case::new(leaf_spine(2, 4, 2, "100Gbps", "500ns"), flows([(0, 2, 10_000_000)])).with(scheme, r#"{"dctcp": {}}"#)
}

/// The spine link that the flow of a pinned case takes.
fn used_uplink(case: &Case) -> Vec<LinkId> {
    let outcome = case.run().unwrap();
    let busy = case
        .fabric
        .link_ids()
        .find(|&id| case.fabric.is_fabric_link(id) && outcome.links[id.index()].bytes > 0.0)
        .unwrap();
    vec![busy, LinkId(busy.0 ^ 1)]
}

#[test]
fn a_hashed_flow_waits_for_routing() {
    let mut case = long_flow(r#"{"ecmp": {}}"#);
    let dead = used_uplink(&case);
    case.link_events = at(Time::from_us(100), &dead, Rate::ZERO);
    case.packet.convergence = Time::from_us(20_000);
    let outcome = case.run().unwrap();
    assert!(outcome.cct > Time::from_us(20_100), "{}", outcome.cct);
    assert!(outcome.cct < Time::from_us(40_000), "{}", outcome.cct);
    assert_eq!(outcome.flows[0].paths, 2);
    assert!(outcome.counters.drops > 0);
}

#[test]
fn a_placed_flow_leaves_its_path_after_one_timeout() {
    let mut case = long_flow(r#"{"cut-line": {}}"#);
    case.schedule = flows((0..4).map(|_| (0, 2, 4_000_000)));
    let dead = used_uplink(&case);
    case.link_events = at(Time::from_us(100), &dead, Rate::ZERO);
    let outcome = case.run().unwrap();
    // One RTO of 1 ms after the failure, and the rest of 16 MB at 100 Gb/s.
    assert!(outcome.cct > Time::from_us(1_100), "{}", outcome.cct);
    assert!(outcome.cct < Time::from_us(3_500), "{}", outcome.cct);
}

#[test]
fn sprayed_flows_finish_over_a_dead_link() {
    for scheme in [
        r#"{"spray": {"choose": "random"}}"#,
        r#"{"spray": {"choose": "permuted"}}"#,
        r#"{"spray": {"choose": "round-robin"}}"#,
        r#"{"reps": {}}"#,
        r#"{"mrc": {}}"#,
        r#"{"bitmap": {}}"#,
        r#"{"adaptive": {}}"#,
        r#"{"flowlet": {}}"#,
        r#"{"plb": {}}"#,
        r#"{"weighted-spray": {}}"#,
    ] {
        let mut case = long_flow(scheme);
        let dead = links(&case.fabric, "leaf0-spine0");
        case.link_events = at(Time::from_us(50), &dead, Rate::ZERO);
        case.packet.convergence = Time::from_us(5_000);
        let outcome = case.run().unwrap();
        assert!(outcome.cct < Time::from_us(60_000), "{scheme} {}", outcome.cct);
    }
}

#[test]
fn a_slower_link_sends_what_it_holds_at_its_new_rate() {
    let mut case = Case::new(leaf_spine(2, 1, 2, "100Gbps", "1us"), flows([(0, 2, 4_086_000)]));
    let half = links(&case.fabric, "host0-leaf0")
        .into_iter()
        .filter(|&id| case.fabric.link(id).from.0 == 0)
        .collect::<Vec<_>>();
    // At the moment the first 100 packets have left the host.
    case.link_events = at(Time(100 * 332_000), &half, Rate::from_gbps(50));
    let outcome = case.run().unwrap();
    // 1000 packets: 100 at full rate, 900 at half; then three hops and the delay.
    let expected = 100 * 332_000 + 900 * 664_000 + 3 * 332_000 + 4_000_000;
    // The window is that of the old rate: it still fills the path.
    assert_eq!(outcome.cct, Time(expected));
}

#[test]
fn half_sent_packets_take_their_share_of_the_new_time() {
    let mut case = Case::new(leaf_spine(2, 1, 2, "100Gbps", "1us"), flows([(0, 2, 4_086)]));
    let up = links(&case.fabric, "host0->leaf0");
    // A quarter of the packet has left; the rest takes ten times as long.
    case.link_events = at(Time(83_000), &up, Rate::from_gbps(10));
    let outcome = case.run().unwrap();
    assert_eq!(outcome.cct, Time(83_000 + 249_000 * 10 + 3 * 332_000 + 4_000_000));
}

#[test]
fn a_flow_without_any_path_is_reported() {
    let mut case = long_flow(r#"{"spray": {}}"#);
    case.schedule = flows([(0, 2, 10_000_000), (1, 3, 1_000_000)]);
    let dead = links(&case.fabric, "leaf1-host2");
    case.link_events = at(Time::from_us(100), &dead, Rate::ZERO);
    case.packet.convergence = Time::from_us(1_000);
    let stuck = case.run().unwrap_err();
    assert_eq!((stuck.flows, stuck.unfinished.len()), (2, 1));
    let unfinished = &stuck.unfinished[0];
    assert_eq!(unfinished.task.0, 0);
    assert!(unfinished.delivered > 0 && unfinished.delivered < 10_000_000);
    assert_eq!(unfinished.reason, "no path was left from host0 to host2");
}

#[test]
fn a_link_that_comes_back_is_used_again() {
    let mut case = long_flow(r#"{"spray": {"choose": "random"}}"#);
    case.schedule = flows([(0, 2, 100_000_000)]);
    let dead = links(&case.fabric, "leaf0-spine0");
    case.packet.convergence = Time::from_us(100);
    case.link_events = at(Time::from_us(50), &dead, Rate::ZERO);
    case.link_events
        .extend(at(Time::from_us(2_000), &dead, Rate::from_gbps(100)));
    let outcome = case.run().unwrap();
    let on = |link: &LinkId| outcome.links[link.index()].bytes;
    let up = dead.iter().map(on).fold(0.0, f64::max);
    // About 8 ms in all, three quarters of them with four spines.
    assert!(up > 15e6 && up < 23e6, "{up}");
}

/// Nothing is left to do: the run ends at once instead of waiting for ever.
#[test]
fn transfers_that_never_start_are_listed() {
    use crate::workload::Milestone;
    let mut builder = ScheduleBuilder::default();
    let first = builder.transfer(0, 2, 1_000, 0);
    let second = builder.transfer(2, 0, 1_000, 0);
    let third = builder.transfer(1, 3, 1_000, 0);
    builder.depend(second, Milestone::Delivered, third);
    builder.depend(third, Milestone::Delivered, second);
    let _ = first;
    let case = Case::new(leaf_spine(2, 1, 2, "100Gbps", "500ns"), builder.build());
    let stuck = case.run().unwrap_err();
    let tasks: Vec<_> = stuck.unfinished.iter().map(|unfinished| unfinished.task.0).collect();
    assert_eq!(tasks, [1, 2]);
    assert!(stuck.at < Time::from_us(20), "{}", stuck.at);
}
