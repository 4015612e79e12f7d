//! Closed forms, brute force and the exact solver against the bounds.

use super::*;
use crate::input::NoFiles;
use crate::loads::Interval;
use crate::placement::{Ecmp, Hash, LoadBalancing, OptimalTransport, Placement, Solver, Spray, evaluate};
use crate::rng::mix;
use crate::topology::{Cable, Fabric, LeafSpine, LinkChange};
use crate::units::{Bytes, Rate, Time};
use crate::workload::{AllToAll, Milestone, Schedule, ScheduleBuilder, Transfer, Workload};

pub(super) fn leaf_spine(leaves: u32, spines: u32, hosts_per_leaf: u32, delay_ns: u64) -> Fabric {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(delay_ns),
    };
    let spec = LeafSpine::uniform(leaves, spines, hosts_per_leaf, cable);
    Fabric::compile(&spec.blueprint().unwrap())
}

/// Takes both directions of cables down.
pub(super) fn without(fabric: &Fabric, cables: &[&str]) -> Fabric {
    let names = fabric.links_by_name();
    let links = cables.iter().flat_map(|cable| names[*cable].iter());
    let changes: Vec<_> = links.map(|&link| LinkChange { link, rate: Rate::ZERO }).collect();
    fabric.with(&changes)
}

fn all_to_all(ranks: u32, bytes: u64) -> Schedule {
    Workload::AllToAll(AllToAll::new(Bytes(bytes)))
        .schedule(ranks, &NoFiles, 1)
        .unwrap()
}

fn spray(fabric: &Fabric, schedule: &Schedule) -> Placement {
    LoadBalancing::Spray(Spray::default())
        .place(fabric, schedule, &NoFiles, 1)
        .unwrap()
}

const NS: f64 = 1e3;

/// 100 Gb/s: 80 ps per byte.
const PS_PER_BYTE: f64 = 80.0;

#[test]
fn spray_loads_all_spines_alike() {
    let fabric = leaf_spine(4, 2, 2, 500);
    let schedule = all_to_all(8, 1_000);
    let loads = spray(&fabric, &schedule).link_loads(&fabric, &schedule).unwrap();
    for id in fabric.link_ids() {
        // 2 hosts x 6 peers elsewhere over 2 spines; 7 peers over a host link.
        let expected = if fabric.is_fabric_link(id) { 6_000.0 } else { 7_000.0 };
        assert_eq!(loads[id.index()], expected, "{}", fabric.link_name(id));
    }
}

#[test]
fn loads_add_up_over_pinned_paths() {
    let fabric = leaf_spine(3, 4, 2, 500);
    let schedule = all_to_all(6, 1_000);
    let placement = LoadBalancing::Ecmp(Ecmp::default())
        .place(&fabric, &schedule, &NoFiles, 7)
        .unwrap();
    let loads = placement.link_loads(&fabric, &schedule).unwrap();
    let mut expected = vec![0.0; loads.len()];
    for Transfer { task, src, dst, .. } in schedule.transfers() {
        for subflow in placement.of(task) {
            let crate::routes::Route::Pinned(index) = subflow.route else {
                panic!()
            };
            for link in fabric.path(src.node(), dst.node(), index) {
                expected[link.index()] += subflow.bytes as f64;
            }
        }
    }
    assert_eq!(loads, expected);
}

/// One host per leaf, so that all paths are alike: the bound is what spraying achieves.
#[test]
fn all_to_all_is_bound_by_the_nics() {
    let fabric = leaf_spine(16, 4, 1, 500);
    let schedule = all_to_all(16, 65_536);
    let bounds = bounds(&fabric, &schedule, Framing::Fluid);
    let exact = Time((15.0 * 65_536.0 * PS_PER_BYTE + 2_000.0 * NS) as u64);
    assert_eq!(bounds.parts.nic, exact);
    assert_eq!(bounds.cct, exact);
    let assessment = assess(&fabric, &schedule, &spray(&fabric, &schedule), Framing::Fluid);
    assert_eq!(assessment.predicted, Some(exact));
    assert_eq!(assessment.congestion_us(), Some(15.0 * 65_536.0 * PS_PER_BYTE / 1e6));
}

/// A chain over four hosts: three transfers one after the other.
#[test]
fn a_chain_is_as_long_as_its_links() {
    let fabric = leaf_spine(4, 2, 1, 500);
    let mut builder = ScheduleBuilder::default();
    let chain: Vec<_> = (0..3).map(|i| builder.transfer(i, i + 1, 1_000, i)).collect();
    builder.depend(chain[0], Milestone::Delivered, chain[1]);
    builder.depend(chain[1], Milestone::Acked, chain[2]);
    let schedule = builder.build();
    let bounds = bounds(&fabric, &schedule, Framing::Fluid);
    // Three transmissions, three ways there, one acknowledgement back.
    let expected = 3.0 * 1_000.0 * PS_PER_BYTE + 4.0 * 2_000.0 * NS;
    assert_eq!(bounds.parts.critical_path, Time(expected as u64));
    let assessment = assess(&fabric, &schedule, &spray(&fabric, &schedule), Framing::Fluid);
    assert_eq!(assessment.predicted, Some(bounds.cct));
}

/// Two messages on one connection: the second follows at once, the third waits for an acknowledgement.
#[test]
fn what_follows_on_a_connection_waits_for_no_delay() {
    let fabric = leaf_spine(4, 2, 1, 500);
    let mut builder = ScheduleBuilder::default();
    let [first, second, third] = [0, 1, 2].map(|step| builder.transfer(0, 1, 1_000, step));
    builder.depend(first, Milestone::Sent, second);
    builder.depend(second, Milestone::Acked, third);
    let schedule = builder.build();
    let bounds = bounds(&fabric, &schedule, Framing::Fluid);
    // Three transmissions, two ways there, one back.
    let expected = Time((3.0 * 1_000.0 * PS_PER_BYTE + 3.0 * 2_000.0 * NS) as u64);
    assert_eq!(bounds.parts.critical_path, expected);
    let assessment = assess(&fabric, &schedule, &spray(&fabric, &schedule), Framing::Fluid);
    assert_eq!(assessment.predicted, Some(bounds.cct));
}

/// A receiver that many send to: what has only been sent may still queue there, and whoever waits for that alone
/// does not wait for the queue.
#[test]
fn sent_is_not_delivered() {
    let fabric = leaf_spine(4, 2, 1, 500);
    let mut builder = ScheduleBuilder::default();
    let incast = [0, 1, 2].map(|src| builder.transfer(src, 3, 1_000, 0));
    let after = builder.transfer(0, 1, 1, 1);
    for before in incast {
        builder.depend(before, Milestone::Sent, after);
    }
    let bounds = bounds(&fabric, &builder.build(), Framing::Fluid);
    let critical = 1_001.0 * PS_PER_BYTE + 2_000.0 * NS;
    assert_eq!(bounds.parts.critical_path, Time(critical as u64));
    assert_eq!(bounds.parts.nic, Time((3_000.0 * PS_PER_BYTE + 2_000.0 * NS) as u64));
}

/// An 8 x 8 leaf cut of 1.5 uplinks per unit, and a pair that has a single spine in common.
#[test]
fn a_pair_with_few_common_spines_is_worse_than_the_leaf_cut() {
    let fabric = leaf_spine(2, 4, 1, 0);
    let broken = without(&fabric, &["leaf0-spine0", "leaf0-spine1", "leaf1-spine2"]);
    let mut builder = ScheduleBuilder::default();
    builder.transfer(0, 1, 1_000_000, 0);
    let bounds = bounds(&broken, &builder.build(), Framing::Fluid);
    // Only spine 3 is left: one link's worth.
    assert_eq!(bounds.optimal_fabric.lower, 80.0);
    assert_eq!(bounds.optimal_fabric.upper, 80.0);
}

fn ecmp(fabric: &Fabric, schedule: &Schedule, seed: u64) -> Placement {
    LoadBalancing::Ecmp(Ecmp::default())
        .place(fabric, schedule, &NoFiles, seed)
        .unwrap()
}

/// Up-links and down-links carry the same flows: the most of 16 leaves, each with 16 balls in 16 bins.
#[test]
fn hashing_a_shift_has_an_exact_expectation() {
    let fabric = leaf_spine(16, 16, 16, 500);
    let mut builder = ScheduleBuilder::default();
    for src in 0..256 {
        builder.transfer(src, (src + 16) % 256, 1_000, 0);
    }
    let schedule = builder.build();
    let expected = expected_over_all(&fabric, &schedule, &ecmp(&fabric, &schedule, 1), Hash::Transfer).unwrap();
    assert_eq!(expected.lower, expected.upper);
    assert!((expected.lower / 0.08 - 4.514).abs() < 0.0005, "{expected:?}");
    assert_eq!(
        expected_by_step(&fabric, &schedule, &ecmp(&fabric, &schedule, 2), Hash::Transfer),
        [Some(expected)]
    );
    // Whatever leaves leaf0, or enters it, has 15 spines to choose from: 400 000 draws have a mean of 4.5295, with a
    // standard error of 0.0011.
    let broken = without(&fabric, &["leaf0-spine3"]);
    let expected = expected_over_all(&broken, &schedule, &ecmp(&broken, &schedule, 1), Hash::Transfer).unwrap();
    assert!((expected.upper / 0.08 - 4.5295).abs() < 0.0033, "{expected:?}");
    // In an all-to-all what leaves leaf1 has 15 or 16.
    let schedule = all_to_all(256, 1_000);
    assert_eq!(
        expected_over_all(&broken, &schedule, &ecmp(&broken, &schedule, 1), Hash::Transfer),
        None
    );
}

/// Twice the same queue pairs are the same draw with twice the bytes; queue pairs of their own are 32 balls per leaf.
#[test]
fn connections_hash_once() {
    let fabric = leaf_spine(16, 16, 16, 500);
    let mut builder = ScheduleBuilder::default();
    for step in 0..2 {
        for src in 0..256 {
            let transfer = builder.transfer(src, (src + 16) % 256, 1_000, step);
            builder.connect(transfer, crate::ids::TaskId(src));
        }
    }
    let schedule = builder.build();
    let placement = ecmp(&fabric, &schedule, 1);
    let us = |hash| expected_over_all(&fabric, &schedule, &placement, hash).unwrap().lower;
    assert!((us(Hash::Connection) / 0.16 - 4.514).abs() < 0.0005);
    // The most of 16 leaves with 32 balls each in 16 bins.
    let balls = us(Hash::Transfer) / 0.08;
    assert!((6.0..7.0).contains(&balls), "{balls}");
    let worst = |step: usize| congestion_by_step(&fabric, &schedule, &placement).unwrap()[step].worst_fabric;
    assert_eq!(worst(0), worst(1));
}

/// The limits hold the mean over draws, and are not far apart.
#[test]
fn hashing_an_all_to_all_is_expected_where_draws_are() {
    let fabric = leaf_spine(4, 3, 4, 500);
    let schedule = all_to_all(16, 1_000);
    let draws = 2_000;
    let worst = |seed| {
        let loads = ecmp(&fabric, &schedule, seed).link_loads(&fabric, &schedule).unwrap();
        worst_fabric_link(&fabric, &loads).unwrap().time_ps / 1e6
    };
    let times: Vec<f64> = (0..draws).map(worst).collect();
    let mean = times.iter().sum::<f64>() / draws as f64;
    let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / draws as f64;
    let error = 4.0 * (variance / draws as f64).sqrt();
    let Interval { lower, upper } =
        expected_over_all(&fabric, &schedule, &ecmp(&fabric, &schedule, 1), Hash::Transfer).unwrap();
    assert!(
        (lower - error..=upper + error).contains(&mean),
        "{lower} {mean} {upper}"
    );
    assert!(upper < 1.1 * lower);
}

/// The cross-check of the two ways to the least congestion: over links (here) and over paths (the placement by optimal
/// transport). They have neither programmes, nor prices, nor cuts in common.
#[test]
fn the_optimum_over_links_is_that_over_paths() {
    let solver = OptimalTransport {
        solver: Solver::Exact,
        ..OptimalTransport::default()
    };
    for seed in 0..12_u64 {
        let random = |i: u64, below: u64| mix(seed << 32 | i) % below;
        let whole = leaf_spine(3, 3, 4, 500);
        let change = |link| LinkChange {
            link,
            rate: Rate::from_gbps(1 + random(link.0.into(), 100)),
        };
        let uneven = whole.link_ids().filter(|&id| whole.is_fabric_link(id)).map(change);
        let fabric = whole.with(&uneven.collect::<Vec<_>>());
        let mut builder = ScheduleBuilder::default();
        for i in 0..20 {
            let (src, dst) = (random(100 + i, 12), random(200 + i, 11));
            let dst = if dst < src { dst } else { dst + 1 };
            builder.transfer(src as u32, dst as u32, 1_000 + random(300 + i, 100_000), 0);
        }
        let schedule = builder.build();
        let over_links = certified_minimum(&fabric, &schedule);
        let placement = spray(&fabric, &schedule);
        let over_paths = evaluate(&fabric, &schedule, &placement, &solver).unwrap().steps[0].optimum_us;
        assert!(over_links.gap() <= 1e-3, "{seed}: {over_links:?}");
        let within = over_links.lower * (1.0 - 1e-7)..=over_links.upper * (1.0 + 1e-7);
        assert!(within.contains(&over_paths), "{seed}: {over_links:?} {over_paths}");
    }
}
