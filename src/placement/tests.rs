//! Laws of placement, in exact integers.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ids::{LinkId, TaskId};
use crate::input::NoFiles;
use crate::topology::{Cable, LeafSpine, LinkChange, Topology};
use crate::units::{Rate, Time};
use crate::workload::ScheduleBuilder;

pub(super) fn leaf_spine(leaves: u32, spines: u32, hosts_per_leaf: u32) -> Fabric {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };
    let spec = Topology::LeafSpine(LeafSpine {
        leaves,
        spines,
        hosts_per_leaf,
        host_link: cable,
        fabric_link: cable,
        parallel: 1,
    });
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

/// A schedule of transfers (source, destination, bytes, step).
pub(super) fn schedule(transfers: &[(u32, u32, u64, u32)]) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    for &(src, dst, bytes, step) in transfers {
        builder.transfer(src, dst, bytes, step);
    }
    builder.build()
}

pub(super) fn all_to_all(hosts: u32, bytes: u64) -> Schedule {
    let pairs = (0..hosts).flat_map(|src| (1..hosts).map(move |k| (src, (src + k) % hosts, bytes, 0)));
    schedule(&pairs.collect::<Vec<_>>())
}

/// A scheme from its name and options, as an experiment file gives them.
pub(super) fn scheme(name: &str, options: serde_json::Value) -> LoadBalancing {
    serde_json::from_value(json!({ name: options })).unwrap()
}

pub(super) fn place(scheme: &LoadBalancing, fabric: &Fabric, schedule: &Schedule) -> Placement {
    scheme.place(fabric, schedule, &NoFiles, 7).unwrap()
}

/// Bytes on every link, times `scale`, so that even shares are whole.
pub(super) fn loads(fabric: &Fabric, schedule: &Schedule, placement: &Placement, scale: u64) -> Vec<u64> {
    let mut loads = vec![0; fabric.links().len()];
    let mut add = |path: &[LinkId], amount: u64| path.iter().for_each(|link| loads[link.index()] += amount);
    for (task, src, dst, _) in schedule.transfers() {
        let (src, dst) = (NodeId(src), NodeId(dst));
        let s = u64::from(fabric.path_count(src, dst));
        for piece in placement.of(task) {
            match piece.route {
                Route::Pinned(index) => add(&fabric.path(src, dst, index), piece.bytes * scale),
                Route::Even => {
                    assert_eq!(piece.bytes * scale % s, 0, "the scale must fit the number of paths");
                    fabric
                        .paths(src, dst)
                        .for_each(|path| add(&path, piece.bytes * scale / s));
                }
                other => panic!("{other:?} has no fixed load"),
            }
        }
    }
    loads
}

/// Pieces add up to their transfers, none is empty, every pinned path exists, and delays have none.
pub(super) fn assert_sound(fabric: &Fabric, schedule: &Schedule, placement: &Placement) {
    let mut pieces = 0;
    for (task, src, dst, bytes) in schedule.transfers() {
        let own = placement.of(task);
        pieces += own.len();
        assert_eq!(own.iter().map(|piece| piece.bytes).sum::<u64>(), bytes);
        assert_eq!(&placement.pieces()[placement.first(task)..][..own.len()], own);
        for piece in own {
            assert!(piece.bytes > 0);
            if let Route::Pinned(index) = piece.route {
                assert!(index < fabric.path_count(NodeId(src), NodeId(dst)));
            }
        }
    }
    assert_eq!(placement.pieces().len(), pieces);
}

fn gcd(a: u64, b: u64) -> u64 {
    if a == 0 { b } else { gcd(b % a, a) }
}

/// Sub-flows of n equal flows between two leaves of a fabric with s spines.
fn subflows(name: &str, n: u32, s: u32, bytes: u64) -> usize {
    let fabric = leaf_spine(2, s, n);
    let flows: Vec<_> = (0..n).map(|k| (0, n + k, bytes, 0)).collect();
    place(&scheme(name, json!({})), &fabric, &schedule(&flows))
        .pieces()
        .len()
}

#[test]
fn names_are_those_of_the_file() {
    for (name, _) in LoadBalancing::ALL {
        if let Ok(scheme) = serde_json::from_value::<LoadBalancing>(json!({ *name: {} })) {
            assert_eq!((scheme.name(), scheme.label()), (*name, (*name).to_owned()));
            scheme.check().unwrap();
            assert!(serde_json::from_value::<LoadBalancing>(json!({ *name: { "nonsense": 1 } })).is_err());
        }
    }
}

#[test]
fn labels_show_what_is_not_default() {
    let label = |name, options| scheme(name, options).label();
    assert_eq!(label("ecmp-split", json!({ "ways": 4 })), "ecmp-split(ways=4)");
    assert_eq!(label("ecmp-split", json!({ "ways": 2 })), "ecmp-split");
    assert_eq!(
        label("spray", json!({ "choose": "round-robin" })),
        "spray(choose=round-robin)"
    );
    assert_eq!(
        label("plb", json!({ "threshold": 0.25, "rounds": 3 })),
        "plb(rounds=3 threshold=0.25)"
    );
    assert_eq!(label("flowlet", json!({ "gap": "5us" })), "flowlet(gap=5us)");
    assert_eq!(
        label("adaptive", json!({ "quantise": ["50KB", "100KB"] })),
        "adaptive(quantise=50KB/100KB)"
    );
}

#[test]
fn options_without_sense_are_refused() {
    let message = |name, options| scheme(name, options).check().unwrap_err().to_string();
    insta::assert_snapshot!(message("ecmp-split", json!({ "ways": 0 })), @"ways: a flow cannot be split in 0 queue pairs (`ways` is from 1 to 1024)");
    insta::assert_snapshot!(message("plb", json!({ "rounds": 0 })), @"rounds: a flow cannot move after 0 congested round-trip times (`rounds` is at least 1)");
    insta::assert_snapshot!(message("plb", json!({ "threshold": 1.5 })), @"threshold: 1.5 is no share of marked packets (`threshold` is above 0 and at most 1)");
    insta::assert_snapshot!(message("flowlet", json!({ "gap": "0us" })), @r#"gap: the gap between two flowlets is zero (with no gap every packet takes a random path: that is load_balancing = "spray")"#);
    insta::assert_snapshot!(message("adaptive", json!({ "quantise": ["2KB", "1KB"] })), @r#"quantise: the queue levels do not rise from above zero (write them in rising order, such as ["50KB", "100KB", "200KB"])"#);
    insta::assert_snapshot!(message("reps", json!({ "ring": 0 })), @"ring: a ring of 0 entropies cannot be simulated (`ring` is from 1 to 65536; the published one has 8 entries)");
}

#[test]
fn transfers_without_a_path_are_refused() {
    let fabric = leaf_spine(2, 1, 1);
    let place = |fabric: &Fabric, src, dst| {
        let flow = schedule(&[(src, dst, 1, 0)]);
        let error = scheme("ecmp", json!({})).place(fabric, &flow, &NoFiles, 1).unwrap_err();
        error.to_string()
    };
    insta::assert_snapshot!(place(&fabric, 0, 5), @"transfer 0 goes from host 0 to host 5, but the fabric has 2 hosts (hosts are numbered from 0 to 1)");
    insta::assert_snapshot!(place(&fabric, 1, 1), @"transfer 0 goes from host1 to host1, between which there is no path (a host cannot send to itself, nor over links that are down)");
    let link = fabric.link_ids().find(|&id| fabric.is_fabric_link(id)).unwrap();
    let broken = fabric.with(&[LinkChange { link, rate: Rate::ZERO }]);
    insta::assert_snapshot!(place(&broken, 0, 1), @"transfer 0 goes from host0 to host1, between which there is no path (a host cannot send to itself, nor over links that are down)");
}

/// The examples of sub-flow counts for 16 spines: n, the paper's rule, the cut line.
#[test]
fn subflow_counts_of_sixteen_spines() {
    for (n, paper, cut) in [(3, 48, 18), (15, 240, 30), (31, 256, 46), (255, 480, 270), (16, 16, 16)] {
        assert_eq!(subflows("ethereal", n, 16, 65_536), paper, "ethereal, {n} flows");
        assert_eq!(subflows("cut-line", n, 16, 65_536), cut, "cut-line, {n} flows");
    }
}

#[test]
fn the_cut_line_needs_n_plus_s_minus_gcd() {
    for n in 1..=20 {
        for s in 1..=12 {
            let (n64, s64) = (u64::from(n), u64::from(s));
            let r = n64 % s64;
            let g = gcd(r, s64);
            assert_eq!(subflows("cut-line", n, s, 10_007) as u64, n64 + s64 - gcd(n64, s64));
            assert_eq!(subflows("ethereal", n, s, 10_007) as u64, n64 + r / g * (s64 - g));
        }
    }
}

/// All ways of filling paths with parts of flows, in units of bytes: the true minimum.
fn brute_force(n: usize, s: usize) -> usize {
    fn fill(flow: usize, left: usize, n: usize, room: &mut [usize], from: usize, used: usize, best: &mut usize) {
        if used >= *best {
            return;
        }
        if left == 0 {
            if flow + 1 == n {
                *best = used;
            } else {
                fill(flow + 1, room.len(), n, room, 0, used, best);
            }
            return;
        }
        for path in from..room.len() {
            for part in 1..=left.min(room[path]) {
                room[path] -= part;
                fill(flow, left - part, n, room, path + 1, used + 1, best);
                room[path] += part;
            }
        }
    }
    let mut best = usize::MAX;
    fill(0, s, n, &mut vec![n; s], 0, 0, &mut best);
    best
}

#[test]
fn no_split_into_fewer_subflows_is_exact() {
    for n in 1..=4 {
        for s in 1..=4 {
            assert_eq!(
                subflows("cut-line", n as u32, s as u32, 12_000),
                brute_force(n, s),
                "{n} flows, {s} paths"
            );
        }
    }
}

/// A fabric, and equal transfers of which any number goes from one host to one leaf.
fn equal_demands() -> impl Strategy<Value = (Fabric, Schedule, u64)> {
    (2..6_u32, 1..9_u32, 1..5_u32, 1..200_u64).prop_flat_map(|(leaves, spines, hosts_per_leaf, units)| {
        let hosts = leaves * hosts_per_leaf;
        let bytes = units * u64::from(spines) * 840;
        let pair = (0..hosts, 0..hosts, 0..3_u32).prop_filter("two hosts", |(a, b, _)| a != b);
        prop::collection::vec(pair, 1..120).prop_map(move |pairs| {
            let flows: Vec<_> = pairs.iter().map(|&(src, dst, step)| (src, dst, bytes, step)).collect();
            (
                leaf_spine(leaves, spines, hosts_per_leaf),
                schedule(&flows),
                u64::from(spines),
            )
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The theorem: on every link the load of even spraying.
    #[test]
    fn splitting_loads_links_as_spraying_does((fabric, schedule, s) in equal_demands()) {
        let spray = place(&scheme("spray", json!({})), &fabric, &schedule);
        let even = loads(&fabric, &schedule, &spray, s);
        for name in ["ethereal", "cut-line"] {
            for group in ["host", "leaf"] {
                let placement = place(&scheme(name, json!({ "group": group })), &fabric, &schedule);
                assert_sound(&fabric, &schedule, &placement);
                prop_assert_eq!(&loads(&fabric, &schedule, &placement, s), &even, "{} by {}", name, group);
            }
        }
    }

    #[test]
    fn the_cut_line_never_needs_more_subflows((fabric, schedule, _) in equal_demands()) {
        for group in ["host", "leaf"] {
            let count = |name| place(&scheme(name, json!({ "group": group })), &fabric, &schedule).pieces().len();
            prop_assert!(count("cut-line") <= count("ethereal"));
        }
    }

    /// Whatever the sizes, down to single bytes: every piece is sound under every scheme.
    #[test]
    fn pieces_add_up(
        seed in 0..u64::MAX,
        flows in prop::collection::vec((0..12_u32, 0..12_u32, 1..40_u64, 0..2_u32), 1..60),
    ) {
        let fabric = leaf_spine(4, 5, 3);
        let flows: Vec<_> = flows.into_iter().filter(|(src, dst, ..)| src != dst).collect();
        let schedule = schedule(&flows);
        for (name, _) in LoadBalancing::ALL {
            let Ok(scheme) = serde_json::from_value::<LoadBalancing>(json!({ *name: {} })) else { continue };
            if let Ok(placement) = scheme.place(&fabric, &schedule, &NoFiles, seed) {
                assert_sound(&fabric, &schedule, &placement);
            }
        }
    }

    /// Unequal sizes on unequal links: the cut line gives every path its share to within a byte.
    #[test]
    fn the_cut_line_follows_weights(
        rates in prop::collection::vec(1..5_u64, 4),
        sizes in prop::collection::vec(1..1_000_000_u64, 1..40),
    ) {
        let even = leaf_spine(2, 4, 4);
        let uplinks: Vec<_> = even.link_ids().filter(|&id| even.is_fabric_link(id) && even.node(even.link(id).from).name == "leaf0").collect();
        let changes: Vec<_> = uplinks.iter().zip(&rates).map(|(&link, &rate)| LinkChange { link, rate: Rate::from_gbps(rate) }).collect();
        let fabric = even.with(&changes);
        let flows: Vec<_> = sizes.iter().enumerate().map(|(i, &bytes)| (0, 4 + i as u32 % 4, bytes, 0)).collect();
        let schedule = schedule(&flows);
        let placement = place(&scheme("cut-line", json!({})), &fabric, &schedule);
        assert_sound(&fabric, &schedule, &placement);
        prop_assert!(placement.pieces().len() < sizes.len() + 4);
        let loads = loads(&fabric, &schedule, &placement, 1);
        let (total, whole) = (sizes.iter().sum::<u64>(), rates.iter().sum::<u64>());
        for (link, rate) in uplinks.iter().zip(&rates) {
            let exact = total * rate;
            prop_assert!((loads[link.index()] * whole).abs_diff(exact) < whole, "{} of {exact} / {whole}", loads[link.index()]);
        }
    }
}

#[test]
fn weights_are_the_smallest_rates_in_lowest_terms() {
    let even = leaf_spine(2, 3, 1);
    assert_eq!(path_weights(&even, NodeId(0), NodeId(1)), [1, 1, 1]);
    let names = even.links_by_name();
    let change = |name: &str, gbps| LinkChange {
        link: names[name][0],
        rate: Rate::from_gbps(gbps),
    };
    let fabric = even.with(&[change("leaf0->spine0", 25), change("spine2->leaf1", 50)]);
    assert_eq!(path_weights(&fabric, NodeId(0), NodeId(1)), [1, 4, 2]);
    assert_eq!(path_weights(&fabric, NodeId(1), NodeId(0)), [1, 1, 1]);
}

/// Hashing chooses all paths alike: chi-square with 15 degrees of freedom, 99.99 % at 44.3.
#[test]
fn hashing_is_uniform() {
    let fabric = leaf_spine(2, 16, 4);
    let flows: Vec<_> = (0..16_000).map(|i| (i % 4, 4 + i / 4 % 4, 1, 0)).collect();
    let schedule = schedule(&flows);
    for (name, ways) in [("ecmp", 1), ("ecmp-split", 3)] {
        let options = if ways == 1 { json!({}) } else { json!({ "ways": ways }) };
        let flows: Vec<_> = flows.iter().map(|&(a, b, _, step)| (a, b, ways, step)).collect();
        let schedule = if ways == 1 {
            schedule.clone()
        } else {
            super::tests::schedule(&flows)
        };
        let placement = place(&scheme(name, options), &fabric, &schedule);
        let mut counts = BTreeMap::<_, f64>::new();
        for piece in placement.pieces() {
            let Route::Pinned(path) = piece.route else { panic!() };
            *counts.entry(path).or_default() += 1.0;
        }
        let expected = placement.pieces().len() as f64 / 16.0;
        let chi_square: f64 = counts.values().map(|count| (count - expected).powi(2) / expected).sum();
        assert!(
            counts.len() == 16 && chi_square < 44.3,
            "{name}: {chi_square} {counts:?}"
        );
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
            .map(|piece| piece.bytes)
            .collect::<Vec<_>>()
    };
    assert_eq!((bytes(0), bytes(1)), (vec![25, 25, 25, 28], vec![3]));
}

/// Placing is a function of the seed.
#[test]
fn seeds_decide() {
    let fabric = leaf_spine(4, 4, 4);
    let schedule = all_to_all(16, 4_096);
    for (name, _) in LoadBalancing::ALL {
        let Ok(scheme) = serde_json::from_value::<LoadBalancing>(json!({ *name: {} })) else {
            continue;
        };
        let place = |seed| scheme.place(&fabric, &schedule, &NoFiles, seed).unwrap();
        assert_eq!(place(3), place(3), "{name}");
        let random = ["ecmp", "ecmp-split", "ethereal", "cut-line", "least-bytes"].contains(name);
        assert_eq!(place(3) != place(4), random, "{name}");
    }
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
            // Placed together with the other step, judged alone.
            let all = schedule(&flows);
            let placement = place(&scheme("edge-coloring", json!({})), &fabric, &all);
            let kept = Placement::split(&all, |task, _, _, _, pieces| {
                if all.task(task).step == step {
                    pieces.extend_from_slice(placement.of(task));
                }
            });
            let loads = loads(&fabric, &all, &kept, 1);
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
    insta::assert_snapshot!(error(&broken, &[(0, 1, 8, 0), (1, 2, 8, 0)]), @"edge-coloring needs as many paths between all leaves, but leaf0 and leaf1 have 1 and leaf1 and leaf2 have 2");
    let slow = fabric.with(&[change("leaf0->spine0", Rate::from_gbps(1))]);
    insta::assert_snapshot!(error(&slow, &[(1, 2, 8, 0), (0, 1, 8, 0)]), @"edge-coloring needs equal links, but leaf0->spine0 has 1Gbps and others have 100Gbps");
}

/// Fabric load of the worst link in flows of one byte.
fn worst(fabric: &Fabric, schedule: &Schedule, name: &str) -> u64 {
    let loads = loads(fabric, schedule, &place(&scheme(name, json!({})), fabric, schedule), 1);
    fabric
        .link_ids()
        .filter(|&id| fabric.is_fabric_link(id))
        .map(|id| loads[id.index()])
        .max()
        .unwrap()
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
        .map(|(_, src, dst, bytes)| (src, dst, bytes, 0))
        .collect();
    crate::rng::shuffle(&mut crate::rng::stream(1, "order", 0), &mut flows);
    let mixed = schedule(&flows);
    let loads = loads(
        &fabric,
        &mixed,
        &place(&scheme("least-bytes", json!({})), &fabric, &mixed),
        1,
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
        1,
    );
    assert_eq!(loads[link.index()], 20);
}
