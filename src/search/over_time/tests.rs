//! Plans over time, held against closed forms.

use std::collections::BTreeMap;

use super::*;
use crate::ids::{HostId, LinkId};
use crate::runner::{Profile, Profiles};
use crate::topology::{Cable, Fabric, Fault, LeafSpine, resolve_faults};
use crate::units::{Rate, Time};
use crate::workload::{Schedule, ScheduleBuilder};

/// A job whose rounds of `period` parts use one link in full in their last `duty` parts.
fn job(name: &str, period: usize, duty: usize, rounds: usize) -> Profile {
    let usage = (0..period * rounds).map(|part| if part % period >= period - duty { 1.0 } else { 0.0 });
    Profile {
        name: name.into(),
        start: Time::ZERO,
        time: Time((period * rounds) as u64),
        period: Time(period as u64),
        links: BTreeMap::from([(LinkId(0), usage.collect())]),
    }
}

fn found(jobs: Vec<Profile>) -> Shifts {
    shifts(&Profiles { part: Time(1), jobs }, 1)
}

/// Two of 45 % fit beside each other, with the same room before and after.
#[test]
fn peaks_of_two_jobs_are_kept_apart() {
    let found = found(vec![job("a", 100, 45, 5), job("b", 100, 45, 5)]);
    assert_eq!(found.parts, [0, 50]);
    assert_eq!(found.excess, [0.0, 0.0]);
}

/// Three of 30 % fit, and so do two beside one of half the period.
#[test]
fn peaks_of_three_jobs_are_kept_apart() {
    let three = found(vec![job("a", 100, 30, 6), job("b", 100, 30, 6), job("c", 100, 30, 6)]);
    assert_eq!(three.excess, [0.0; 3], "{three:?}");
    let mixed = found(vec![job("a", 60, 20, 6), job("b", 120, 30, 3), job("c", 120, 30, 3)]);
    assert_eq!(mixed.excess, [0.0; 3], "{mixed:?}");
}

/// Two of 60 % overlap for 20 % of every round but what the shift itself avoids: the best of all shifts, tried one by one.
#[test]
fn what_does_not_fit_overlaps_least() {
    let jobs = || [job("a", 50, 30, 4), job("b", 50, 30, 4)];
    let excess = |shift: usize| {
        let [a, b] = jobs().map(|job| job.links[&LinkId(0)].clone());
        let beside = |(at, own): (usize, &f64)| {
            let other = at.checked_sub(shift).and_then(|at| b.get(at)).unwrap_or(&0.0);
            (own + other - 1.0).max(0.0)
        };
        a.iter().enumerate().map(beside).sum::<f64>()
    };
    let least = (0..50).map(excess).fold(f64::INFINITY, f64::min);
    let found = found(jobs().into());
    assert_eq!(found.excess, [least; 2], "{found:?}");
    assert!(least > 0.0);
}

/// Leaves of three hosts below two spines, bytes from host to host, outages (leaf, spine, Gb/s, from us, until us), and the
/// least end in nanoseconds.
type Case = (
    u32,
    &'static [(u32, u32, u64)],
    &'static [(u32, u32, u64, u64, u64)],
    f64,
);

/// As `scripts/over_time_check.py` prints them: by HiGHS, over nodes and arcs slot by slot.
#[rustfmt::skip]
const BY_HIGHS: &[Case] = &[
    (3, &[(1, 5, 31000), (6, 0, 25000), (8, 3, 14000), (8, 0, 7000), (0, 7, 32000), (2, 7, 2000), (1, 4, 25000), (5, 1, 28000), (4, 7, 39000)], &[(2, 0, 0, 2, 4), (0, 0, 0, 0, 3), (1, 1, 0, 2, 5)], 5840.000000),
    (2, &[(0, 4, 17000), (0, 5, 39000), (5, 1, 14000), (1, 5, 39000), (4, 1, 3000), (5, 0, 38000), (3, 2, 11000), (3, 1, 28000), (1, 4, 26000)], &[(1, 1, 50, 1, 4), (1, 0, 0, 1, 3), (1, 1, 25, 1, 3)], 7740.000000),
    (3, &[(2, 6, 5000), (6, 1, 39000), (5, 7, 1000), (1, 5, 31000), (3, 8, 17000), (6, 2, 36000), (5, 0, 15000), (6, 4, 13000), (8, 4, 31000)], &[(1, 0, 0, 0, 3), (1, 0, 50, 1, 4), (1, 0, 0, 0, 2)], 7040.000000),
    (2, &[(2, 4, 2000), (3, 0, 26000), (1, 3, 36000), (3, 2, 19000), (2, 3, 4000), (5, 2, 15000), (0, 5, 34000), (0, 4, 35000), (3, 1, 24000)], &[(0, 1, 0, 0, 2), (0, 1, 0, 0, 2), (0, 1, 50, 2, 3)], 5690.000000),
    (3, &[(6, 3, 30000), (2, 7, 16000), (7, 5, 4000), (3, 7, 11000), (7, 2, 8000), (8, 3, 24000), (6, 5, 31000), (5, 6, 16000), (0, 4, 25000)], &[(1, 1, 25, 0, 1), (1, 0, 0, 1, 2), (0, 1, 50, 2, 3)], 5435.000000),
    (2, &[(0, 5, 24000), (5, 0, 21000), (2, 5, 2000), (0, 3, 18000), (4, 2, 32000), (5, 2, 13000), (3, 1, 27000), (3, 0, 35000), (2, 4, 35000)], &[(1, 0, 25, 2, 4), (0, 1, 0, 1, 3), (1, 0, 25, 1, 2)], 7245.000000),
    (3, &[(3, 2, 38000), (1, 6, 4000), (4, 1, 33000), (6, 5, 14000), (0, 6, 3000), (0, 7, 6000), (5, 7, 28000), (1, 3, 27000), (3, 8, 5000)], &[(0, 0, 0, 2, 5), (1, 0, 50, 2, 5), (0, 0, 25, 2, 3)], 4880.000000),
    (2, &[(2, 4, 16000), (3, 2, 33000), (4, 0, 14000), (0, 5, 26000), (1, 3, 2000), (5, 1, 30000), (0, 3, 32000), (0, 4, 30000), (4, 2, 25000)], &[(0, 0, 25, 0, 1), (0, 1, 25, 2, 4), (1, 0, 50, 1, 4)], 7540.000000),
    (3, &[(4, 8, 33000), (6, 3, 30000), (3, 8, 39000), (2, 8, 6000), (1, 5, 22000), (1, 8, 36000), (7, 1, 3000), (0, 3, 25000), (3, 6, 11000)], &[(2, 0, 0, 0, 1), (1, 0, 0, 0, 3), (2, 0, 50, 1, 3)], 9120.000000),
    (2, &[(0, 4, 11000), (4, 1, 3000), (5, 0, 34000), (3, 0, 32000), (0, 3, 21000), (1, 3, 5000), (2, 4, 16000), (3, 2, 24000), (1, 4, 3000)], &[(0, 1, 25, 1, 3), (0, 1, 50, 0, 3), (0, 1, 0, 1, 2)], 5280.000000),
    (3, &[(4, 7, 33000), (5, 8, 31000), (8, 1, 12000), (4, 8, 7000), (8, 5, 29000), (5, 2, 20000), (6, 1, 10000), (2, 3, 6000), (1, 8, 35000)], &[(2, 0, 25, 1, 4), (2, 0, 50, 0, 1), (0, 0, 0, 0, 3)], 5840.000000),
    (2, &[(5, 0, 30000), (2, 5, 39000), (3, 2, 15000), (0, 5, 36000), (2, 3, 1000), (0, 3, 10000), (1, 5, 29000), (2, 4, 24000), (1, 4, 11000)], &[(0, 1, 0, 0, 3), (0, 0, 0, 1, 2), (1, 0, 50, 2, 3)], 9820.000000),
];

fn case(&(leaves, demand, outages, _): &Case) -> (Fabric, Vec<Fault>, Schedule) {
    let cable = Cable::new(Rate::from_gbps(100), Time::ZERO);
    let fabric = Fabric::compile(&LeafSpine::uniform(leaves, 2, 3, cable).blueprint().unwrap());
    let fault = |&(leaf, spine, gbps, from, until): &(u32, u32, u64, u64, u64)| Fault {
        link: Some(format!("leaf{leaf}-spine{spine}")),
        rate: (gbps > 0).then(|| Rate::from_gbps(gbps)),
        down: gbps == 0,
        from: Some(Time::from_us(from)),
        until: Some(Time::from_us(until)),
        ..Fault::default()
    };
    let mut builder = ScheduleBuilder::default();
    for &(src, dst, bytes) in demand {
        builder.transfer(src, dst, bytes, 0);
    }
    (fabric, outages.iter().map(fault).collect(), builder.build())
}

fn planned(case: (Fabric, Vec<Fault>, Schedule)) -> (TimedPlan, Schedule) {
    let (fabric, faults, schedule) = case;
    let states = resolve_faults(&fabric, &faults).unwrap();
    let plan = outage_plan(&fabric.with(&states.changes), &states.events, &schedule).unwrap();
    (plan, schedule)
}

#[test]
fn plans_over_outages_end_when_highs_says() {
    for one in BY_HIGHS {
        let (plan, _) = planned(case(one));
        let (end, bound) = (plan.end_ps / 1e3, plan.bound_ps / 1e3);
        assert!((end - one.3).abs() <= 1e-6 * one.3, "{end} is not {}", one.3);
        assert!((bound - one.3).abs() <= 1e-6 * one.3, "{bound} is not {}", one.3);
    }
}

/// All bytes are handed out once, and no link carries more in a span than it can.
#[test]
fn plans_over_outages_can_be_carried_out() {
    for one in BY_HIGHS {
        let (plan, schedule) = planned(case(one));
        let mut left: BTreeMap<(HostId, HostId), u64> = BTreeMap::new();
        for transfer in schedule.transfers() {
            *left.entry((transfer.src, transfer.dst)).or_default() += transfer.bytes;
        }
        for span in &plan.spans {
            let end = span.until.map_or(plan.end_ps, |until| plan.end_ps.min(until.0 as f64));
            let mut loads: BTreeMap<LinkId, u64> = BTreeMap::new();
            for flow in &span.flows {
                *left.get_mut(&(flow.src, flow.dst)).unwrap() -= flow.bytes;
                for link in span.fabric.path(flow.src.node(), flow.dst.node(), flow.path) {
                    *loads.entry(link).or_default() += flow.bytes;
                }
            }
            for (link, bytes) in loads {
                // Whole bytes of a few flows may be one more each.
                let most = span.fabric.link(link).rate.bytes_per_ps() * (end - span.from.0 as f64) + 9.0;
                assert!(bytes as f64 <= most, "{bytes} on {link:?} of {most}");
            }
        }
        assert!(left.values().all(|&bytes| bytes == 0), "{left:?}");
    }
}
