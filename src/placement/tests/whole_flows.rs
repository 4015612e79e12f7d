//! Whole flows: hashed, colored, greedy, and onto the up-link with the fewest bytes.

use crate::ids::PathIndex;
use std::collections::BTreeMap;

use super::*;
use crate::workload::Transfer;

/// Hashing chooses all 16 paths alike: chi-square with 15 degrees of freedom, 99.99 % at 44.3. On three
/// tiers this fails where two switches of a path choose alike.
#[test]
fn hashing_is_uniform() {
    for fabric in [leaf_spine(2, 16, 4), fat_tree(2, 1, 4, 16, 4)] {
        let flows: Vec<_> = (0..16_000).map(|i| (i % 4, 4 + i / 4 % 4, 3, 0)).collect();
        for (name, options) in [("ecmp", json!({})), ("ecmp-split", json!({ "ways": 3 }))] {
            let placement = place(&scheme(name, options), &fabric, &schedule(&flows));
            let mut counts = BTreeMap::<_, f64>::new();
            for subflow in placement.subflows() {
                let Route::Pinned(path) = subflow.route else {
                    panic!("{subflow:?}")
                };
                *counts.entry(path).or_default() += 1.0;
            }
            let expected = placement.subflows().len() as f64 / 16.0;
            let chi_square: f64 = counts.values().map(|count| (count - expected).powi(2) / expected).sum();
            assert!(
                counts.len() == 16 && chi_square < 44.3,
                "{name}: {chi_square} {counts:?}"
            );
        }
    }
}

/// A ring sends over the same queue pairs in all its rounds: by connection they keep their paths, by transfer
/// every one draws anew. Where every transfer is its own queue pair there is no difference.
#[test]
fn hashing_by_connection_keeps_paths() {
    let fabric = leaf_spine(8, 16, 1);
    for name in ["ecmp", "ecmp-split"] {
        let [kept, drawn] = ["connection", "transfer"].map(|hash| scheme(name, json!({ "hash": hash })));
        let ring: crate::workload::Workload =
            serde_json::from_value(json!({ "all-reduce": { "size": 8_000_000 } })).unwrap();
        let ring = ring.schedule(8, &NoFiles, 1).unwrap();
        let pinned = |route| match route {
            Route::Pinned(path) => path,
            other => panic!("{other:?}"),
        };
        let paths = |scheme| {
            let placement = place(scheme, &fabric, &ring);
            let mut paths = BTreeMap::<u32, std::collections::BTreeSet<Vec<PathIndex>>>::new();
            for Transfer { task, src, .. } in ring.transfers() {
                let routes = placement.of(task).iter().map(|subflow| pinned(subflow.route)).collect();
                paths.entry(src.0).or_default().insert(routes);
            }
            paths
        };
        let of_kept = paths(&kept);
        assert!(of_kept.values().all(|routes| routes.len() == 1));
        let of_drawn = paths(&drawn);
        assert!(of_drawn.values().all(|routes| routes.len() > 5), "14 draws of 16 paths");
        for (kept, drawn) in of_kept.values().zip(of_drawn.values()) {
            assert!(drawn.is_superset(kept), "the first transfer draws alike");
        }
        let flows = all_to_all(8, 1_000);
        assert_eq!(place(&kept, &fabric, &flows), place(&drawn, &fabric, &flows));
    }
}

#[test]
fn a_split_flow_sends_equal_queue_pairs() {
    let fabric = leaf_spine(2, 4, 1);
    let placement = place(
        &scheme("ecmp-split", json!({ "ways": 4 })),
        &fabric,
        &schedule(&[(0, 1, 103, 0), (1, 0, 3, 0)]),
    );
    let bytes = |task| {
        placement
            .of(TaskId(task))
            .iter()
            .map(|subflow| subflow.bytes)
            .collect::<Vec<_>>()
    };
    assert_eq!((bytes(0), bytes(1)), (vec![25, 25, 25, 28], vec![3]));
}

/// Flows of a few steps between the hosts of a fabric, all of one size.
fn equal_flows(hosts: u32, count: usize) -> impl Strategy<Value = Vec<(u32, u32, u64, u32)>> {
    let pair = (0..hosts, 0..hosts, 0..2_u32).prop_filter("two hosts", |(a, b, _)| a != b);
    prop::collection::vec(pair, 1..count)
        .prop_map(|pairs| pairs.into_iter().map(|(a, b, step)| (a, b, 10, step)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No fabric link carries more than ceil(D / spines) flows of a step, D counted at the leaves.
    #[test]
    fn edge_coloring_is_the_best_without_splitting(spines in 1..9_u32, flows in equal_flows(12, 150)) {
        let fabric = leaf_spine(4, spines, 3);
        for step in 0..2 {
            let of_step: Vec<_> = flows.iter().copied().filter(|flow| flow.3 == step).collect();
            let leaves = of_step.iter().map(|&(a, b, ..)| (a / 3, b / 3)).filter(|(a, b)| a != b);
            let degree = |leaf: u32, out: bool| leaves.clone().filter(|&(a, b)| if out { a == leaf } else { b == leaf }).count();
            let largest = (0..4).flat_map(|leaf| [degree(leaf, true), degree(leaf, false)]).max().unwrap() as u64;
            // Placed together with the other step, evaluated alone.
            let all = schedule(&flows);
            let placement = place(&scheme("edge-coloring", json!({})), &fabric, &all);
            let kept = Placement::split(&all, |Transfer { task, .. }, subflows| {
                if all.task(task).step == step {
                    subflows.extend_from_slice(placement.of(task));
                }
            });
            let loads = loads(&fabric, &all, &kept);
            let worst = fabric.link_ids().filter(|&id| fabric.is_fabric_link(id)).map(|id| loads[id.index()]).max().unwrap();
            prop_assert_eq!(worst, 10 * largest.div_ceil(u64::from(spines)));
        }
    }
}

#[test]
fn edge_coloring_says_where_it_does_not_fit() {
    let fabric = leaf_spine(3, 2, 1);
    let error = |fabric: &Fabric, flows: &[(u32, u32, u64, u32)]| {
        let scheme = scheme("edge-coloring", json!({}));
        scheme.place(fabric, &schedule(flows), &NoFiles, 1).unwrap_err().message
    };
    let change = |name: &str, rate| LinkChange {
        link: fabric.links_by_name()[name][0],
        rate,
    };
    insta::assert_snapshot!(error(&fabric, &[(0, 1, 8, 0), (1, 2, 9, 0)]), @"edge-coloring needs flows of equal size, but transfer 0 has 8B and transfer 1 of the same step 9B");
    let broken = fabric.with(&[change("leaf0->spine0", Rate::ZERO)]);
    insta::assert_snapshot!(error(&broken, &[(1, 2, 8, 0), (0, 1, 8, 0)]), @"edge-coloring needs as many paths between all leaves, but leaf1 and leaf2 have 2 and leaf0 and leaf1 have 1");
    insta::assert_snapshot!(error(&broken, &[(0, 1, 8, 0), (1, 2, 8, 0)]), @"edge-coloring needs as many paths between all leaves, but leaf1 and leaf2 have 2 and leaf0 and leaf1 have 1");
    let slow = fabric.with(&[change("leaf0->spine0", Rate::from_gbps(1))]);
    insta::assert_snapshot!(error(&slow, &[(1, 2, 8, 0), (0, 1, 8, 0)]), @"edge-coloring needs equal links, but leaf0->spine0 has 1Gbps and others have 100Gbps");
}

/// All-to-all of 4 x 4 hosts over 4 spines: 48 flows leave each leaf, 12 per up-link at the least.
#[test]
fn whole_flows_of_an_all_to_all() {
    let (fabric, schedule) = (leaf_spine(4, 4, 4), all_to_all(16, 1));
    assert_eq!(worst(&fabric, &schedule, "greedy"), 12);
    assert_eq!(worst(&fabric, &schedule, "edge-coloring"), 12);
    assert!(worst(&fabric, &schedule, "ecmp") > 12);
}

/// Every up-link gets its share from each host. The down-links get theirs where the flows of a host
/// follow each other leaf by leaf, and are left to luck in any other order.
#[test]
fn least_bytes_balances_up_links_alone() {
    let fabric = leaf_spine(4, 4, 4);
    let in_order = all_to_all(16, 1);
    assert_eq!(worst(&fabric, &in_order, "least-bytes"), 12);

    let mut flows: Vec<_> = in_order
        .transfers()
        .map(|Transfer { src, dst, bytes, .. }| (src.0, dst.0, bytes, 0))
        .collect();
    crate::rng::shuffle(&mut crate::rng::stream(1, "order", 0), &mut flows);
    let mixed = schedule(&flows);
    let loads = loads(
        &fabric,
        &mixed,
        &place(&scheme("least-bytes", json!({})), &fabric, &mixed),
    );
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for id in fabric.link_ids().filter(|&id| fabric.is_fabric_link(id)) {
        let rises = fabric.node(fabric.link(id).to).tier == 2;
        if rises { &mut up } else { &mut down }.push(loads[id.index()]);
    }
    assert!(up.iter().all(|&load| load == 12), "{up:?}");
    assert!(down.iter().any(|&load| load > 13), "{down:?}");
}

/// Small cases against the best of all assignments of whole flows: longest-first is within 4/3 of it.
#[test]
fn greedy_is_near_the_best_assignment() {
    let fabric = leaf_spine(2, 3, 1);
    for sizes in [
        [7, 7, 6, 6, 5, 4, 4, 4],
        [9, 1, 1, 1, 1, 1, 1, 1],
        [3, 3, 2, 2, 2, 2, 2, 2],
    ] {
        let flows: Vec<_> = sizes.iter().map(|&bytes| (0, 1, bytes, 0)).collect();
        let greedy = worst(&fabric, &schedule(&flows), "greedy");
        let best = (0..3_u32.pow(8)).map(|code| {
            let mut loads = [0; 3];
            (0..8).for_each(|i| loads[(code / 3_u32.pow(i) % 3) as usize] += sizes[i as usize]);
            *loads.iter().max().unwrap()
        });
        let best = best.min().unwrap();
        assert!(best <= greedy && 3 * greedy <= 4 * best, "{greedy} of {best}");
    }
}

/// A slow path gets flows until it would be the worst.
#[test]
fn greedy_sees_capacities() {
    let even = leaf_spine(2, 2, 1);
    let link = even.links_by_name()["spine1->leaf1"][0];
    let fabric = even.with(&[LinkChange {
        link,
        rate: Rate::from_gbps(25),
    }]);
    let schedule = schedule(&[(0, 1, 10, 0); 10]);
    let loads = loads(
        &fabric,
        &schedule,
        &place(&scheme("greedy", json!({})), &fabric, &schedule),
    );
    assert_eq!(loads[link.index()], 20);
}

/// A flow that has no choice counts for those that have.
#[test]
fn whole_flows_make_way_for_those_without_a_choice() {
    let even = leaf_spine(3, 2, 1);
    let link = even.links_by_name()["spine1->leaf1"][0];
    let fabric = even.with(&[LinkChange { link, rate: Rate::ZERO }]);
    let schedule = schedule(&[(0, 1, 10, 0), (0, 2, 10, 0)]);
    for seed in 0..20 {
        for name in ["greedy", "least-bytes"] {
            let placement = scheme(name, json!({}))
                .place(&fabric, &schedule, &NoFiles, seed)
                .unwrap();
            assert_eq!(placement.of(TaskId(1))[0].route, Route::pinned(1), "{name}");
        }
    }
}

/// Hosts with two cables: the leaves are the rails.
#[test]
fn rails_are_colored_as_leaves() {
    let (fabric, schedule) = (rail(5, 2, 4), all_to_all(10, 1));
    // Each of the 5 hosts of a rail sends to 4 hosts of the other one: 20 flows on 4 spines.
    let of_rails = |name: &str| {
        let loads = loads(&fabric, &schedule, &place(&scheme(name, json!({})), &fabric, &schedule));
        let ups = fabric
            .link_ids()
            .filter(|&id| fabric.node(fabric.link(id).to).tier == 2);
        ups.map(|id| loads[id.index()]).collect::<Vec<_>>()
    };
    assert_eq!(of_rails("edge-coloring"), [5; 8]);
    assert_eq!(of_rails("least-bytes"), [5; 8]);
}

/// Largest load of a fabric link over that of even spraying, 16 leaves x 16 hosts x 16 spines, averaged over
/// seeds: against the exact expectation for one queue pair per flow (16 balls in 16 bins, the most of 16 leaves,
/// as what leaves a leaf enters the next one) and Monte Carlo over hash draws made apart from this code for the others.
#[test]
fn hashing_collides_as_often_as_it_should() {
    let fabric = leaf_spine(16, 16, 16);
    let step: Vec<_> = (0..256).map(|host| (host, (host + 16) % 256, 8, 0)).collect();
    let (step, all) = (schedule(&step), all_to_all(256, 8));
    let mean = |scheme: &LoadBalancing, schedule: &Schedule, even: f64, seeds: u64| {
        let worst_of = |seed| {
            let loads = loads(
                &fabric,
                schedule,
                &scheme.place(&fabric, schedule, &NoFiles, seed).unwrap(),
            );
            let fabric_links = fabric.link_ids().filter(|&id| fabric.is_fabric_link(id));
            fabric_links.map(|id| loads[id.index()]).max().unwrap() as f64
        };
        (0..seeds).map(worst_of).sum::<f64>() / seeds as f64 / even
    };
    for (ways, expected) in [(1, 4.514), (2, 3.35), (4, 2.59), (8, 2.08)] {
        let scheme = scheme("ecmp-split", json!({ "ways": ways }));
        let mean = mean(&scheme, &step, 8.0, 1_500);
        assert!((mean / expected - 1.0).abs() < 0.015, "{ways} ways: {mean}");
    }
    // 240 of the 255 flows of each of 16 hosts leave their leaf.
    let mean = mean(&scheme("ecmp", json!({})), &all, 8.0 * 240.0, 8);
    assert!((mean - 1.19).abs() < 0.02, "{mean}");
}
