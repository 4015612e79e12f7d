//! Splitting in the application: the load of even spraying, with as few sub-flows as can be.

use super::*;
use crate::workload::Transfer;

fn gcd(a: u64, b: u64) -> u64 {
    if a == 0 { b } else { gcd(b % a, a) }
}

/// Sub-flows of n equal flows between two leaves of a fabric with s spines.
fn subflows(name: &str, n: u32, s: u32, bytes: u64) -> usize {
    let fabric = leaf_spine(2, s, n);
    let flows: Vec<_> = (0..n).map(|k| (0, n + k, bytes, 0)).collect();
    place(&scheme(name, json!({})), &fabric, &schedule(&flows))
        .subflows()
        .len()
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

/// Leaf-spine, fat-tree and rail fabrics with at most 12 paths per pair.
fn any_fabric() -> impl Strategy<Value = Fabric> {
    let two_tiers =
        (2..6_u32, 1..9_u32, 1..5_u32).prop_map(|(leaves, spines, hosts)| leaf_spine(leaves, spines, hosts));
    let three_tiers = (2..4_u32, 1..4_u32, 1..5_u32, 1..4_u32, 1..4_u32)
        .prop_map(|(pods, tors, aggs, cores, hosts)| fat_tree(pods, tors, aggs, aggs * cores, hosts));
    let rails = (1..5_u32, 1..5_u32, 1..5_u32).prop_map(|(servers, gpus, spines)| rail(servers, gpus, spines));
    prop_oneof![two_tiers, three_tiers, rails]
}

/// A fabric with some fabric links down, and transfers of equal size, any number between two hosts
/// that still have a path. The size divides by any number of paths up to 12.
fn equal_demands() -> impl Strategy<Value = (Fabric, Schedule)> {
    let dead = prop_oneof![Just(0.0), 0.0..0.4];
    (any_fabric(), dead, any::<u64>(), 1..200_u64).prop_flat_map(|(fabric, dead, seed, units)| {
        let fabric = without_some_links(&fabric, dead, seed);
        let hosts = fabric.hosts();
        let pair = (0..hosts, 0..hosts, 0..3_u32);
        prop::collection::vec(pair, 1..120).prop_map(move |pairs| {
            let joined = pairs
                .into_iter()
                .filter(|&(src, dst, _)| fabric.path_count(NodeId(src), NodeId(dst)) > 0);
            let flows: Vec<_> = joined
                .map(|(src, dst, step)| (src, dst, units * 27_720, step))
                .collect();
            (fabric.clone(), schedule(&flows))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The theorem: on every link the load of even spraying, whatever the demands, on two and three
    /// tiers, over whichever paths survive.
    #[test]
    fn splitting_loads_links_as_spraying_does((fabric, schedule) in equal_demands()) {
        let even = loads(&fabric, &schedule, &place(&scheme("spray", json!({})), &fabric, &schedule));
        for group in ["host", "leaf"] {
            let ethereal = place(&scheme("ethereal", json!({ "group": group })), &fabric, &schedule);
            assert_sound(&fabric, &schedule, &ethereal);
            prop_assert_eq!(&loads(&fabric, &schedule, &ethereal), &even, "ethereal by {}", group);
        }
    }

    /// The same for the cut line, and never with more sub-flows, where the surviving paths have equal
    /// capacities: on three tiers faults make them unequal.
    #[test]
    fn the_cut_line_balances_with_fewer_subflows((fabric, schedule) in equal_demands()) {
        let even = loads(&fabric, &schedule, &place(&scheme("spray", json!({})), &fabric, &schedule));
        let weights_are_equal = schedule.transfers().all(|Transfer { src, dst, .. }| {
            path_weights(&fabric, src.node(), dst.node()).iter().all(|&weight| weight == 1)
        });
        for group in ["host", "leaf"] {
            let of = |name| place(&scheme(name, json!({ "group": group })), &fabric, &schedule);
            let (cut, ethereal) = (of("cut-line"), of("ethereal"));
            assert_sound(&fabric, &schedule, &cut);
            if weights_are_equal {
                prop_assert!(cut.subflows().len() <= ethereal.subflows().len());
                prop_assert_eq!(&loads(&fabric, &schedule, &cut), &even, "by {}", group);
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
        prop_assert!(placement.subflows().len() < sizes.len() + 4);
        let loads = loads(&fabric, &schedule, &placement);
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

/// Three tiers: what several paths share counts for all of them together.
#[test]
fn weights_see_links_that_paths_share() {
    let even = fat_tree(2, 1, 2, 4, 1);
    assert_eq!(path_weights(&even, NodeId(0), NodeId(1)), [1, 1, 1, 1]);
    let names = even.links_by_name();
    let half = |name: &str| LinkChange {
        link: names[name][0],
        rate: Rate::from_gbps(50),
    };
    // The slow link halves both paths behind it: a quarter of their 200 Gb/s each.
    let slow_tor_link = even.with(&[half("tor0->agg0")]);
    assert_eq!(path_weights(&slow_tor_link, NodeId(0), NodeId(1)), [1, 1, 2, 2]);
    // The 150 Gb/s behind the first aggregation switch are more than the 100 Gb/s of the link to it,
    // of which the slow core gets a third.
    let slow_core_link = even.with(&[half("agg0->core0")]);
    assert_eq!(path_weights(&slow_core_link, NodeId(0), NodeId(1)), [2, 4, 3, 3]);
}

/// Hosts with two cables are balanced by the leaf that their paths share, not one by one.
#[test]
fn flows_to_one_rail_are_a_group() {
    let fabric = rail(4, 2, 2);
    // From host 0 (server 0, rail 0) to rail 1 of the three other servers.
    let flows = schedule(&[(0, 3, 100, 0), (0, 5, 100, 0), (0, 7, 100, 0)]);
    for name in ["ethereal", "cut-line"] {
        assert_eq!(
            place(&scheme(name, json!({})), &fabric, &flows).subflows().len(),
            4,
            "{name}"
        );
    }
    let slow = LinkChange {
        link: fabric.links_by_name()["rail0->spine1"][0],
        rate: Rate::from_gbps(50),
    };
    assert_eq!(path_weights(&fabric.with(&[slow]), NodeId(0), NodeId(3)), [2, 1]);
}

/// Rates without a common divisor: rounded, but never to nothing.
#[test]
fn weights_of_odd_rates() {
    let even = leaf_spine(2, 4, 1);
    let ups: Vec<_> = even
        .link_ids()
        .filter(|&id| even.is_fabric_link(id) && even.node(even.link(id).from).name == "leaf0")
        .collect();
    let rates = [1, (1 << 61) - 1, (1 << 62) - 57, 99_999_999_977];
    let changes = ups
        .iter()
        .zip(rates)
        .map(|(&link, rate)| LinkChange { link, rate: Rate(rate) });
    let downs = ups.iter().map(|&up| even.next_hops(even.link(up).to, NodeId(1))[0]);
    let wide = downs.map(|link| LinkChange {
        link,
        rate: Rate(1 << 62),
    });
    let fabric = even.with(&changes.chain(wide).collect::<Vec<_>>());
    let weights = path_weights(&fabric, NodeId(0), NodeId(1));
    assert_eq!(weights[0], 1);
    let sum: u64 = weights.iter().sum();
    let whole: u64 = rates.iter().sum();
    for (&weight, rate) in weights.iter().zip(rates).skip(1) {
        let (share, exact) = (weight as f64 / sum as f64, rate as f64 / whole as f64);
        assert!((share / exact - 1.0).abs() < 1e-4, "{weight} of {sum}");
    }
}
