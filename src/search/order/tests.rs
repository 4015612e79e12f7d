//! The search against all maps there are, on loads that are added up path by path.

use rand::{Rng, RngExt};

use super::*;
use crate::ids::{LinkId, NodeId, RankId};
use crate::input::NoFiles;
use crate::rng::{Stream, shuffle, stream};
use crate::topology::{Fabric, LinkChange, Topology};
use crate::units::Rate;

fn leaf_spine(leaves: u32, spines: u32, hosts_per_leaf: u32) -> Fabric {
    let topology: Topology = toml::from_str(&format!(
        "leaf-spine = {{ leaves = {leaves}, spines = {spines}, hosts_per_leaf = {hosts_per_leaf}, host_link = {{ rate = \"400Gbps\" }}, fabric_link = {{ rate = \"400Gbps\" }} }}"
    ))
    .unwrap();
    Fabric::compile(&topology.blueprint(&NoFiles).unwrap())
}

/// A fabric with some switch-to-switch links degraded, and as many of its hosts as there are ranks.
fn random_case(random: &mut Stream, most: u32) -> (Fabric, Vec<u32>) {
    let fabric = leaf_spine(
        random.random_range(2..5),
        random.random_range(1..4),
        random.random_range(2..5),
    );
    let mut changes = Vec::new();
    for link in fabric.link_ids().filter(|&id| fabric.is_fabric_link(id)) {
        if random.random_range(0..3_u32) == 0 {
            let rate = Rate::from_gbps([50, 100, 200][random.random_range(0..3_usize)]);
            changes.push(LinkChange { link, rate });
        }
    }
    let fabric = fabric.with(&changes);
    let mut hosts: Vec<u32> = (0..fabric.hosts()).collect();
    shuffle(random, &mut hosts);
    hosts.truncate(random.random_range(3..=most.min(fabric.hosts())) as usize);
    (fabric, hosts)
}

/// Picoseconds that a byte from host to host takes on each switch-to-switch link, by enumerating paths, and the number
/// of such links crossed.
fn by_paths(fabric: &Fabric, hosts: &[u32]) -> Vec<Vec<Vec<(LinkId, f64)>>> {
    let pair = |a: u32, b: u32| {
        let count = f64::from(fabric.path_count(NodeId(a), NodeId(b)));
        let mut found: Vec<(LinkId, f64)> = Vec::new();
        for path in fabric.paths(NodeId(a), NodeId(b)) {
            found.extend(
                path.iter()
                    .filter(|&&id| fabric.is_fabric_link(id))
                    .map(|&id| (id, 1.0 / count / fabric.link(id).rate.bytes_per_ps())),
            );
        }
        found
    };
    hosts
        .iter()
        .map(|&a| {
            hosts
                .iter()
                .map(|&b| if a == b { vec![] } else { pair(a, b) })
                .collect()
        })
        .collect()
}

/// All orders of `0..n` whose first element stays, or all.
fn permutations(n: usize, fixed: usize, visit: &mut dyn FnMut(&[usize])) {
    let mut order: Vec<usize> = (0..n).collect();
    let mut state = vec![0; n];
    visit(&order);
    let mut i = fixed;
    while i < n {
        if state[i] < i - fixed {
            let j = if (i - fixed).is_multiple_of(2) {
                fixed
            } else {
                fixed + state[i]
            };
            order.swap(i, j);
            visit(&order);
            state[i] += 1;
            i = fixed;
        } else {
            state[i] = 0;
            i += 1;
        }
    }
}

/// Time on the most loaded link of any step.
fn worst(traffic: &Traffic, places: &[usize], paths: &[Vec<Vec<(LinkId, f64)>>], loads: &mut [f64]) -> f64 {
    let mut worst = 0.0_f64;
    for step in &traffic.steps {
        loads.fill(0.0);
        for flow in &step.flows {
            for &(link, time) in &paths[places[flow.src.index()]][places[flow.dst.index()]] {
                loads[link.index()] += flow.bytes * time;
            }
        }
        worst = loads.iter().fold(worst, |a, &b| a.max(b));
    }
    worst
}

#[test]
fn rings_equal_brute_force_over_all_orders() {
    let mut random = stream(1, "rings", 0);
    for case in 0..50 {
        let (fabric, hosts) = random_case(&mut random, 9);
        let traffic = Traffic::ring(hosts.len() as u32, 1e6);
        let paths = by_paths(&fabric, &hosts);
        let mut loads = vec![0.0; fabric.links().len()];
        let mut least = f64::INFINITY;
        permutations(hosts.len(), 1, &mut |places| {
            least = least.min(worst(&traffic, places, &paths, &mut loads))
        });
        let found = order(&fabric, &traffic, &hosts, Objective::Congestion, case);
        assert!(found.optimal);
        let Key([first, second, _]) = found.key;
        assert!(
            (first - least).abs() <= 1e-9 * least,
            "case {case}: {first} and {least}"
        );
        assert!(second <= first);
        let places: Vec<usize> = found
            .hosts
            .iter()
            .map(|host| hosts.iter().position(|h| h == host).unwrap())
            .collect();
        let again = worst(&traffic, &places, &paths, &mut loads);
        assert!(
            (again - least).abs() <= 1e-9 * least,
            "case {case}: the map has {again}"
        );
        assert_eq!(
            evaluate_map(&fabric, &traffic, &found.hosts, Objective::Congestion).hosts,
            found.hosts
        );
    }
}

#[test]
fn maps_of_any_traffic_equal_brute_force() {
    let mut random = stream(2, "maps", 0);
    for case in 0..50 {
        let (fabric, hosts) = random_case(&mut random, 7);
        let n = hosts.len() as u32;
        let steps = (0..random.random_range(1..4)).map(|_| {
            let flows = (0..n).flat_map(|src| (0..n).map(move |dst| (src, dst)));
            let mut drawn = Vec::new();
            for (src, dst) in flows.filter(|(src, dst)| src != dst) {
                if random.random_range(0..3_u32) == 0 {
                    let bytes = f64::from(random.random_range(1..9_u32)) * 1e5;
                    drawn.push(Flow {
                        src: RankId(src),
                        dst: RankId(dst),
                        bytes,
                    });
                }
            }
            Step { flows: drawn }
        });
        let steps = steps.collect();
        let traffic = Traffic { ranks: n, steps };
        let paths = by_paths(&fabric, &hosts);
        let mut loads = vec![0.0; fabric.links().len()];
        let (mut least, mut fewest) = (f64::INFINITY, f64::INFINITY);
        permutations(hosts.len(), 0, &mut |places| {
            least = least.min(worst(&traffic, places, &paths, &mut loads));
            let flows = traffic.steps.iter().flat_map(|step| &step.flows);
            // Every path of a pair crosses two links between switches, or none.
            let crossing = flows.filter(|flow| !paths[places[flow.src.index()]][places[flow.dst.index()]].is_empty());
            fewest = fewest.min(crossing.map(|flow| 2.0 * flow.bytes).sum());
        });
        let found = order(&fabric, &traffic, &hosts, Objective::Congestion, case);
        assert!((found.key.0[0] - least).abs() <= 1e-9 * least, "case {case}");
        let found = order(&fabric, &traffic, &hosts, Objective::Bytes, case);
        assert!((found.key.0[0] - fewest).abs() <= 1e-9 * fewest, "case {case}");
    }
}

/// The heuristics alone, as they work beyond nine ranks, come to what brute force does.
#[test]
fn the_local_search_alone_is_seldom_beaten() {
    let mut random = stream(3, "local", 0);
    let mut missed = 0;
    for case in 0..50 {
        let (fabric, hosts) = random_case(&mut random, 9);
        let traffic = Traffic::ring(hosts.len() as u32, 1e6);
        let exact = order(&fabric, &traffic, &hosts, Objective::Congestion, case);
        let found = search::heuristic(&fabric, &traffic, &hosts, Objective::Congestion, case);
        missed += usize::from(exact.key.0[0] < found.key.0[0] * (1.0 - 1e-9));
    }
    assert!(missed <= 1, "{missed} of 50");
}

#[test]
fn a_scattered_ring_loads_no_link_twice() {
    let fabric = leaf_spine(16, 4, 16);
    let mut random = stream(4, "scattered", 0);
    let mut hosts: Vec<u32> = (0..256).collect();
    shuffle(&mut random, &mut hosts);
    hosts.truncate(64);
    let traffic = Traffic::ring(64, 4e6);
    let found = order(&fabric, &traffic, &hosts, Objective::Congestion, 1);
    let host_link = 4e6 / fabric.link(LinkId(0)).rate.bytes_per_ps();
    // One flow over four equal links.
    assert!(
        (found.key.0[0] - host_link / 4.0).abs() < 1e-6 * host_link,
        "{:?}",
        found.key
    );
    let mut sorted = found.hosts.clone();
    sorted.sort_unstable();
    hosts.sort_unstable();
    assert_eq!(sorted, hosts);
}

/// Tensor groups of 8, pipelines of 4 and data groups of 8 as they talk in training: much, little, middling.
fn training(tensor: u32, pipeline: u32, data: u32) -> Traffic {
    let rank = |t: u32, d: u32, p: u32| t + tensor * (d + data * p);
    let mut flows = Vec::new();
    for p in 0..pipeline {
        for d in 0..data {
            for t in 0..tensor {
                let mut send = |dst: u32, bytes: f64| {
                    let src = rank(t, d, p);
                    if src != dst {
                        flows.push(Flow {
                            src: RankId(src),
                            dst: RankId(dst),
                            bytes,
                        });
                    }
                };
                send(rank((t + 1) % tensor, d, p), 100e6);
                send(rank(t, (d + 1) % data, p), 10e6);
                if p + 1 < pipeline {
                    send(rank(t, d, p + 1), 1e6);
                }
            }
        }
    }
    Traffic {
        ranks: tensor * pipeline * data,
        steps: vec![Step { flows }],
    }
}

#[test]
fn training_on_scattered_hosts_crosses_leaves_with_half_the_bytes_of_a_random_map() {
    let fabric = leaf_spine(32, 4, 16);
    let traffic = training(8, 4, 8);
    for seed in 1..=3 {
        let mut hosts: Vec<u32> = (0..512).collect();
        shuffle(&mut stream(seed, "hosts", 0), &mut hosts);
        hosts.truncate(256);
        let crossing = |hosts: &[u32]| evaluate_map(&fabric, &traffic, hosts, Objective::Bytes).key.0[0];
        let found = order(&fabric, &traffic, &hosts, Objective::Bytes, seed);
        let drawn = crossing(&hosts);
        hosts.sort_unstable();
        let in_order = crossing(&hosts);
        assert!(
            found.key.0[0] <= 0.5 * drawn && found.key.0[0] <= in_order,
            "{:?} {drawn} {in_order}",
            found.key
        );
        assert_eq!(crossing(&found.hosts), found.key.0[0]);
    }
}

#[test]
fn hosts_behind_slow_cables_count() {
    // Rank 1 sends most, and rank 2 least; host 2 has a slow cable.
    let fabric = leaf_spine(1, 1, 4);
    let slow = LinkChange {
        link: fabric.attachment(NodeId(2)).unwrap().up,
        rate: Rate::from_gbps(100),
    };
    let fabric = fabric.with(&[slow]);
    let flow = |src, bytes| Flow {
        src: RankId(src),
        dst: RankId(0),
        bytes,
    };
    let flows = vec![flow(1, 4e6), flow(2, 1e6), flow(3, 2e6)];
    let traffic = Traffic {
        ranks: 4,
        steps: vec![Step { flows }],
    };
    let found = order(&fabric, &traffic, &[0, 2, 1, 3], Objective::Congestion, 1);
    assert!(
        [0, 2].contains(&found.hosts.iter().position(|&host| host == 2).unwrap()),
        "{:?}",
        found.hosts
    );
}

#[test]
fn the_same_seed_gives_the_same_map() {
    let fabric = leaf_spine(8, 2, 8);
    let mut random = stream(5, "same", 0);
    let mut hosts: Vec<u32> = (0..64).collect();
    shuffle(&mut random, &mut hosts);
    let traffic = training(4, 4, 4);
    let first = order(&fabric, &traffic, &hosts, Objective::Bytes, random.next_u64());
    let second = order(&fabric, &traffic, &hosts, Objective::Bytes, 7);
    let third = order(&fabric, &traffic, &hosts, Objective::Bytes, 7);
    assert_eq!(second, third);
    assert!(!first.optimal);
}
