//! Hosts with a port in each of several planes.

use super::*;
use crate::topology::{Fault, resolve_faults};
use crate::units::Rate;

fn planes(count: u32, rate: &str) -> Fabric {
    let cable = format!(r#"{{"rate": "{rate}", "delay": "500ns"}}"#);
    let spec: Topology = parsed(&format!(
        r#"{{"multi-plane": {{"planes": {count}, "plane": {{"leaf-spine": {{"leaves": 2, "spines": 4, "hosts_per_leaf": 4,
        "host_link": {cable}, "fabric_link": {cable}}}}}}}}}"#
    ));
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

fn shift(bytes: u64) -> Schedule {
    flows((0..8).map(|src| (src, (src + 4) % 8, bytes)))
}

const SPRAYED: [&str; 4] = [
    r#"{"spray": {"choose": "permuted"}}"#,
    r#"{"reps": {}}"#,
    r#"{"mrc": {}}"#,
    r#"{"bitmap": {}}"#,
];

/// 8 MB of each host over eight ports of 100 Gb/s: not much more than the 80 us and headers that they take.
#[test]
fn sprayed_flows_fill_all_ports() {
    for scheme in SPRAYED {
        let case = Case::new(planes(8, "100Gbps"), shift(8_000_000)).with(scheme, r#"{"ideal": {}}"#);
        let outcome = case.setup(simulate).unwrap();
        let wire = 8_000_000.0 / 4_086.0 * 4_150.0 * 80.0 / 8.0;
        let ratio = outcome.cct.0 as f64 / wire;
        // Hashing gives some paths of `bitmap` more entropies than others.
        let most = if scheme.contains("bitmap") { 2.0 } else { 1.4 };
        assert!((1.0..most).contains(&ratio), "{scheme}: {ratio}");
    }
}

/// One port of eight is down from the start, and routing knows: its host is done 8/7 later.
#[test]
fn a_port_less_costs_an_eighth_in_packets_too() {
    let healthy = planes(8, "100Gbps");
    let port = Fault {
        port: Some("host1.plane3".into()),
        down: true,
        ..Fault::default()
    };
    let broken = healthy.with(&resolve_faults(&healthy, &[port]).unwrap().changes);
    let transfer = || flows([(1, 5, 64_000_000)]);
    for scheme in [SPRAYED[0], SPRAYED[2]] {
        let cct = |fabric: &Fabric| {
            let case = Case::new(fabric.clone(), transfer()).with(scheme, r#"{"ideal": {}}"#);
            case.setup(simulate).unwrap().cct.0 as f64
        };
        let cost = cct(&broken) / cct(&healthy);
        assert!((cost / (8.0 / 7.0) - 1.0).abs() < 0.02, "{scheme}: {cost}");
    }
}

/// A port dies under way and nobody says so: `mrc` gives up its paths after some round trips, before any timeout.
#[test]
fn mrc_gives_up_a_dead_plane_before_routing_knows() {
    let mut case =
        Case::new(planes(4, "100Gbps"), flows([(0, 4, 20_000_000)])).with(r#"{"mrc": {}}"#, r#"{"ideal": {}}"#);
    let healthy = case.setup(simulate).unwrap().cct;
    let dead = case.fabric.links_of_port("host4.plane2");
    case.link_events = dead
        .iter()
        .map(|&link| LinkEvent {
            at: Time::from_us(100),
            change: crate::topology::LinkChange { link, rate: Rate::ZERO },
        })
        .collect();
    case.packet.convergence = Time::from_us(100_000);
    let mrc = case.setup(simulate).unwrap();
    let spray = case
        .with(r#"{"spray": {"choose": "permuted"}}"#, r#"{"ideal": {}}"#)
        .setup(simulate)
        .unwrap();
    // 300 us of four planes are left, and take three a third longer; a timeout is a millisecond.
    assert!(mrc.cct < Time(healthy.0 * 3 / 2), "{} after {healthy}", mrc.cct);
    assert!(
        mrc.counters.retransmits * 5 < spray.counters.retransmits,
        "{:?} {:?}",
        mrc.counters,
        spray.counters
    );
}

/// NCCL's rule: a queue pair whose port is dead moves after the probe delay; the next message keeps off the port until the
/// recovery time is over, and takes it again then.
#[test]
fn queue_pairs_fail_over_to_another_port_and_come_back() {
    let fabric = planes(2, "100Gbps");
    let port = fabric.links_of_port("host0.plane0");
    let mut builder = ScheduleBuilder::default();
    for start in [0, 50_000, 300_000] {
        let transfer = crate::workload::Action::transfer(0, 4, 1_000_000);
        builder.add(transfer, Time::from_us(start), 0);
    }
    let mut case = Case::new(fabric, builder.build()).with(r#"{"qp-stripe": {"qps": 1}}"#, r#"{"dctcp": {}}"#);
    let change = |us, rate| {
        let change = move |&link: &crate::ids::LinkId| LinkEvent {
            at: Time::from_us(us),
            change: crate::topology::LinkChange { link, rate },
        };
        port.iter().map(change).collect::<Vec<_>>()
    };
    case.link_events = [change(10, Rate::ZERO), change(250_000, Rate::from_gbps(100))].concat();
    case.packet.convergence = Time::from_us(10_000_000);
    case.packet.port_failover = Some(PortFailover::default());
    let outcome = case.setup(simulate).unwrap();
    let took = |flow: usize| (outcome.flows[flow].delivered - outcome.flows[flow].start).as_us();
    // The first moves 10 ms after its first timeout of 1 ms; the others never meet the dead port.
    assert!((11_000.0..30_000.0).contains(&took(0)), "{}", took(0));
    assert!(took(1) < 200.0 && took(2) < 200.0, "{} {}", took(1), took(2));
    let bytes = |link: usize| outcome.links[port[link].index()].bytes;
    assert!(
        bytes(0) > 1_000_000.0,
        "the third message is on the first port again: {}",
        bytes(0)
    );
    case.packet.port_failover = None;
    case.packet.path_penalty = Time::ZERO;
    let waits = case.setup(simulate).unwrap();
    assert!(waits.flows[0].delivered > Time::from_us(250_000));
}
