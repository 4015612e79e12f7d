mod against_reference;
mod equal_steps;
mod folding;
mod reference;
mod tolerance;

use super::*;
use crate::input::NoFiles;
use crate::placement::{Ecmp, LoadBalancing, Spray};
use crate::topology::{Cable, LeafSpine};
use crate::units::{Bytes, Rate, Time};
use crate::workload::{AllReduce, AllToAll, Milestone, ScheduleBuilder, Workload};

const OBSERVE: Observe = Observe {
    flows: true,
    links: true,
    series: None,
    senders: None,
    tasks: false,
};

fn leaf_spine(leaves: u32, spines: u32, hosts_per_leaf: u32) -> Fabric {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };
    let spec = LeafSpine::uniform(leaves, spines, hosts_per_leaf, cable);
    Fabric::compile(&spec.blueprint().unwrap())
}

fn run(fabric: &Fabric, schedule: &Schedule, scheme: &LoadBalancing) -> Outcome {
    let placement = scheme.place(fabric, schedule, &NoFiles, 1).unwrap();
    simulate(fabric, schedule, &placement, &FlowOptions::default(), &OBSERVE).unwrap()
}

/// 7 peers of 64 KiB at 12.5 GB/s, and the delay of the longest path: every NIC is full all the time.
#[test]
fn all_to_all_takes_as_long_as_a_nic_is_busy() {
    let fabric = leaf_spine(4, 2, 2);
    let workload = Workload::AllToAll(AllToAll::new(Bytes(65_536)));
    let schedule = workload.schedule(8, &NoFiles, 1).unwrap();
    let outcome = run(&fabric, &schedule, &LoadBalancing::Spray(Spray::default()));
    assert_eq!(outcome.cct, Time(7 * 65_536 * 80) + Time::from_us(2));
    assert_eq!(outcome.flows.len(), 56);
    let up = fabric.out_links(crate::ids::NodeId(0))[0];
    assert_eq!(outcome.links[up.index()].bytes, 7.0 * 65_536.0);
}

/// Watching changes nothing, and who has seen enough ends the run, folded or not.
#[test]
fn runs_can_be_watched_and_ended() {
    let fabric = leaf_spine(4, 2, 2);
    let workload = Workload::AllReduce(AllReduce::ring(Bytes(65_536)));
    let schedule = workload.schedule(8, &NoFiles, 1).unwrap();
    for scheme in [
        LoadBalancing::Spray(Spray::default()),
        LoadBalancing::Ecmp(Ecmp::default()),
    ] {
        let placement = scheme.place(&fabric, &schedule, &NoFiles, 1).unwrap();
        for fold in [true, false] {
            let options = FlowOptions {
                fold,
                ..FlowOptions::default()
            };
            let run = |watch: &mut dyn FnMut(f64) -> bool| {
                simulate_watched(&fabric, &schedule, &placement, &options, &OBSERVE, watch)
            };
            let mut shares = Vec::new();
            let watched = run(&mut |share| {
                shares.push(share);
                true
            });
            assert_eq!(watched, simulate(&fabric, &schedule, &placement, &options, &OBSERVE));
            assert!(
                shares.is_sorted() && shares[0] == 0.0 && *shares.last().unwrap() == 1.0,
                "{shares:?}"
            );
            let mut looks = 0;
            let ended = run(&mut |_| {
                looks += 1;
                looks < 3
            });
            assert!(ended.is_err() && looks == 3, "{looks}");
        }
    }
}

/// The next transfer of a connection follows at once; what waits for data waits for the delay, too.
#[test]
fn a_sender_is_free_a_delay_before_its_data_are_there() {
    let fabric = leaf_spine(1, 1, 3);
    let mut builder = ScheduleBuilder::default();
    let first = builder.transfer(0, 1, 1_000_000, 0);
    let second = builder.transfer(0, 1, 1_000_000, 1);
    let passed_on = builder.transfer(1, 2, 1_000_000, 1);
    builder.depend(first, Milestone::Sent, second);
    builder.depend(first, Milestone::Delivered, passed_on);
    let outcome = run(&fabric, &builder.build(), &LoadBalancing::Ecmp(Ecmp::default()));
    let starts: Vec<_> = outcome.flows.iter().map(|flow| flow.start).collect();
    assert_eq!(starts, [Time::ZERO, Time::from_us(80), Time::from_us(81)]);
    assert_eq!(outcome.cct, Time::from_us(162));
}

/// Two flows into one receiver share it; the longer one has it alone once the shorter is done.
#[test]
fn flows_share_fairly_and_then_speed_up() {
    let fabric = leaf_spine(1, 1, 3);
    let mut builder = ScheduleBuilder::default();
    let short = builder.transfer(0, 2, 1_000_000, 0);
    let long = builder.transfer(1, 2, 3_000_000, 0);
    let next = builder.transfer(2, 0, 1_000_000, 1);
    builder.depend(short, Milestone::Acked, next);
    let outcome = run(&fabric, &builder.build(), &LoadBalancing::Ecmp(Ecmp::default()));
    let times = |task: crate::ids::TaskId| {
        let flow = &outcome.flows[task.index()];
        (flow.start, flow.delivered, flow.acked)
    };
    let us = Time::from_us;
    assert_eq!(times(short), (Time::ZERO, us(161), us(162)));
    assert_eq!(times(long), (Time::ZERO, us(321), us(322)));
    assert_eq!(times(next), (us(162), us(243), us(244)));
    assert_eq!(outcome.counters.events, 5);
}

/// Every pair across leaves has the same part of the up-links, and every pair below a leaf what is left of the hosts' links: they
/// start and end in four moments, whatever a third or a seventh of a rate is rounded to. One link is so fast that rates are rounded as
/// coarsely as among thousands of flows.
#[test]
fn equal_completions_are_not_split_by_rounding() {
    for (leaves, spines, hosts_per_leaf) in [(6, 3, 5), (7, 7, 11), (12, 6, 8), (9, 7, 13)] {
        let fabric = leaf_spine(leaves, spines, hosts_per_leaf);
        let into_the_first = fabric.path(crate::ids::NodeId(1), crate::ids::NodeId(0), 0)[1];
        let fabric = fabric.with(&[crate::topology::LinkChange {
            link: into_the_first,
            rate: Rate::from_gbps(5_000),
        }]);
        let workload = Workload::AllToAll(AllToAll::new(Bytes(65_536)));
        let schedule = workload.schedule(fabric.hosts(), &NoFiles, 1).unwrap();
        let outcome = run(&fabric, &schedule, &LoadBalancing::Spray(Spray::default()));
        let events = outcome.counters.events;
        assert!(events <= 4, "{leaves} x {spines} x {hosts_per_leaf}: {events}");
    }
}
