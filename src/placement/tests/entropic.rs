//! Weights of an entropic plan in tables of few entries, and plans of part of the bytes.

use super::*;
use crate::loads::worst_link;
use crate::placement::{WeightedSpray, Weights};

/// All-to-all of 24 hosts over links of three rates.
fn unequal() -> (Fabric, Schedule) {
    let fabric = leaf_spine(6, 4, 4);
    let mut changes = Vec::new();
    for link in fabric.link_ids().filter(|&id| fabric.is_fabric_link(id)) {
        let rate = Rate::from_gbps([100, 50, 25][mix(u64::from(link.0 / 2)) as usize % 3]);
        changes.push(LinkChange { link, rate });
    }
    let mut schedule = ScheduleBuilder::default();
    for src in 0..24 {
        for dst in (0..24).filter(|&dst| dst != src) {
            schedule.transfer(src, dst, 1_000_000, 0);
        }
    }
    (fabric.with(&changes), schedule.build())
}

fn congestion(fabric: &Fabric, schedule: &Schedule, scheme: &LoadBalancing) -> f64 {
    let placement = scheme.place(fabric, schedule, &NoFiles, 1).unwrap();
    let loads = placement.link_loads(fabric, schedule).unwrap();
    let links = fabric.link_ids().filter(|&id| fabric.is_fabric_link(id));
    worst_link(fabric, &loads, links).unwrap().time_ps
}

fn entropic(table: u32) -> LoadBalancing {
    LoadBalancing::WeightedSpray(WeightedSpray {
        weights: Weights::Entropic,
        epsilon: Some(0.05),
        table: Some(table),
    })
}

#[test]
fn large_tables_come_to_the_optimum_and_small_ones_near_it() {
    let (fabric, schedule) = unequal();
    let optimum = congestion(
        &fabric,
        &schedule,
        &LoadBalancing::OptimalTransport(OptimalTransport::default()),
    );
    let capacity = congestion(
        &fabric,
        &schedule,
        &LoadBalancing::WeightedSpray(WeightedSpray::default()),
    );
    let over = |table: u32| congestion(&fabric, &schedule, &entropic(table)) / optimum;
    let ratios = [16, 64, 256].map(over);
    assert!(ratios[0] < 1.2 && ratios[1] < 1.05 && ratios[2] < 1.02, "{ratios:?}");
    assert!(
        ratios[1] * optimum < capacity,
        "{ratios:?}, by capacity {}",
        capacity / optimum
    );
}

#[test]
fn tables_are_full_and_bytes_follow_them() {
    let (fabric, schedule) = unequal();
    let tables = entropic(16).tables(&fabric, &schedule, &NoFiles, 1).unwrap().unwrap();
    assert_eq!(tables.len(), 6 * 5);
    assert!(tables.iter().all(|table| table.weights.iter().sum::<u32>() == 16));
    let placement = entropic(16).place(&fabric, &schedule, &NoFiles, 1).unwrap();
    for transfer in schedule.transfers() {
        let subflows = placement.of(transfer.task);
        assert_eq!(
            subflows.iter().map(|subflow| subflow.bytes).sum::<u64>(),
            transfer.bytes
        );
        let ends = (fabric.edge(transfer.src.node()), fabric.edge(transfer.dst.node()));
        let Some(table) = tables.iter().find(|table| (table.from, table.to) == ends) else {
            assert_eq!(subflows.len(), 1);
            continue;
        };
        for subflow in subflows {
            let Route::Pinned(path) = subflow.route else { panic!() };
            let share = transfer.bytes as f64 * f64::from(table.weights[path.index()]) / 16.0;
            assert!((subflow.bytes as f64 - share).abs() <= 1.0);
        }
    }
}

#[test]
fn what_is_not_admitted_is_placed_whole_and_last() {
    let (fabric, schedule) = unequal();
    let scheme = |admit: Option<f64>| {
        LoadBalancing::OptimalTransport(OptimalTransport {
            admit,
            ..OptimalTransport::default()
        })
    };
    let all = congestion(&fabric, &schedule, &scheme(None));
    assert_eq!(congestion(&fabric, &schedule, &scheme(Some(1.0))), all);
    for share in [0.95, 0.9, 0.5] {
        let scheme = scheme(Some(share));
        let placement = scheme.place(&fabric, &schedule, &NoFiles, 1).unwrap();
        for transfer in schedule.transfers() {
            let bytes: u64 = placement.of(transfer.task).iter().map(|subflow| subflow.bytes).sum();
            assert_eq!(bytes, transfer.bytes);
        }
        let over = congestion(&fabric, &schedule, &scheme) / all;
        assert!((0.999..1.3).contains(&over), "{share}: {over}");
    }
    let error = scheme(Some(0.0)).check().unwrap_err().to_string();
    insta::assert_snapshot!(error, @"admit: `admit` is 0.0 (it is the share of the bytes that are placed first, above 0 and at most 1)");
}
