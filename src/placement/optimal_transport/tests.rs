//! Placement against the certified optimum on families of random traffic, and its laws.

use rand::RngExt;

use super::*;
use crate::ids::NodeId;
use crate::input::NoFiles;
use crate::math::{exp, ln};
use crate::optimal_transport::ot3;
use crate::optimal_transport::ot3::Congestion;
use crate::placement::{LoadBalancing, PlanFile};
use crate::rng::{Stream, stream};
use crate::topology::{Cable, Fabric, LeafSpine, LinkChange};
use crate::units::{Rate, Time};
use crate::workload::{Schedule, ScheduleBuilder, Transfer};

const LEAVES: u32 = 8;
const SPINES: u32 = 5;
const HOSTS: u32 = 8;

/// The traffic and fabrics of docs/placement.md.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Family {
    Equal,
    Unequal,
    Heavy,
    Product,
    Heterogeneous,
    HeterogeneousUnequal,
    Skewed,
    AllToAll,
    Ring,
    RingUnequal,
}

const FAMILIES: [Family; 10] = [
    Family::Equal,
    Family::Unequal,
    Family::Heavy,
    Family::Product,
    Family::Heterogeneous,
    Family::HeterogeneousUnequal,
    Family::Skewed,
    Family::AllToAll,
    Family::Ring,
    Family::RingUnequal,
];

/// How many links of a family fail, if any do: enough to bring a ring near its critical load.
fn failing(family: Family) -> f64 {
    if matches!(family, Family::Ring | Family::RingUnequal) {
        0.3
    } else {
        0.1
    }
}

/// The fabric of a family, healthy or with failed links.
fn fabric(family: Family, failed: bool, seed: u64) -> Fabric {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };
    let spec = LeafSpine::uniform(LEAVES, SPINES, HOSTS, cable);
    let fabric = Fabric::compile(&spec.blueprint().unwrap());
    let mut random = stream(seed, "fabric", family as u64);
    let mut fate = stream(seed, "failures", family as u64);
    let speeds: Vec<u64> = (0..SPINES).map(|_| 100 << random.random_range(0..3)).collect();
    let mut changes = Vec::new();
    for id in fabric.link_ids().filter(|&id| fabric.is_fabric_link(id)) {
        let cable_end = fabric.link(id).to.0.max(fabric.link(id).from.0);
        let spine = (cable_end - LEAVES * HOSTS - LEAVES) as usize;
        let gbps = match family {
            Family::Product => speeds[spine],
            Family::Heterogeneous | Family::HeterogeneousUnequal | Family::RingUnequal => {
                100 << random.random_range(0..3)
            }
            _ => 100,
        };
        // Spine 0 never fails, so that every pair has a way.
        let dies = fate.random::<f64>() < failing(family) && failed && spine > 0;
        changes.push(LinkChange {
            link: id,
            rate: Rate::from_gbps(if dies { 0 } else { gbps }),
        });
    }
    fabric.with(&changes)
}

fn bytes(family: Family, random: &mut Stream) -> u64 {
    let uniform: f64 = 1.0 - random.random::<f64>();
    let normal = (-2.0 * ln(uniform)).sqrt() * (std::f64::consts::TAU * random.random::<f64>()).cos();
    match family {
        Family::Unequal | Family::HeterogeneousUnequal | Family::Skewed => (1e5 * exp(normal)) as u64 + 1,
        Family::Heavy => (1e5 * exp(-ln(uniform) / 1.2)) as u64,
        _ => 100_000,
    }
}

fn schedule(family: Family, seed: u64) -> Schedule {
    let mut random = stream(seed, "flows", family as u64);
    let mut builder = ScheduleBuilder::default();
    let hosts = LEAVES * HOSTS;
    for src in 0..hosts {
        match family {
            Family::AllToAll => {
                for offset in 1..hosts {
                    builder.transfer(src, (src + offset) % hosts, 100_000, 0);
                }
            }
            Family::Ring | Family::RingUnequal => {
                builder.transfer(src, (src + HOSTS) % hosts, 100_000, 0);
            }
            _ => {
                for _ in 0..3 {
                    let hot = family == Family::Skewed && random.random::<f64>() < 0.35;
                    let dst = loop {
                        let dst = random.random_range(0..if hot { 2 * HOSTS } else { hosts });
                        if dst / HOSTS != src / HOSTS || hot && src / HOSTS < 2 && dst != src {
                            break dst;
                        }
                    };
                    builder.transfer(src, dst, bytes(family, &mut random), 0);
                }
            }
        }
    }
    builder.build()
}

/// Loads of the links between switches in microseconds, the largest.
fn congestion(fabric: &Fabric, schedule: &Schedule, placement: &Placement) -> f64 {
    let mut loads = vec![0_u64; fabric.links().len()];
    for Transfer { task, src, dst, bytes } in schedule.transfers() {
        let subflows = placement.of(task);
        assert_eq!(subflows.iter().map(|p| p.bytes).sum::<u64>(), bytes);
        for subflow in subflows {
            let Route::Pinned(path) = subflow.route else {
                panic!("transport pins every piece");
            };
            for link in fabric.path(src.node(), dst.node(), path) {
                loads[link.index()] += subflow.bytes;
            }
        }
    }
    let inner = fabric
        .link_ids()
        .filter(|&id| fabric.is_fabric_link(id) && loads[id.index()] > 0);
    let time = |id: crate::ids::LinkId| loads[id.index()] as f64 * 8e6 / fabric.link(id).rate.0 as f64;
    inner.map(time).fold(0.0, f64::max)
}

fn place(fabric: &Fabric, schedule: &Schedule, max_pieces: Option<u32>) -> Placement {
    let spec = OptimalTransport {
        max_pieces,
        ..OptimalTransport::default()
    };
    LoadBalancing::OptimalTransport(spec)
        .place(fabric, schedule, &NoFiles, 1)
        .unwrap()
}

fn whole_step(fabric: &Fabric, schedule: &Schedule) -> Step {
    let tasks: Vec<TaskId> = schedule.transfers().map(|transfer| transfer.task).collect();
    Step::new(fabric, schedule, &tasks, &Preferences::NONE).unwrap()
}

/// Equal flows that stay whole fill a path of width c with at most floor(theta c / bytes) of them: no theta at which the
/// paths of a pair hold fewer than its flows will do.
fn bound_for_whole_flows(step: &Step) -> f64 {
    let mut bound = 0.0_f64;
    for (pair, flows) in step.of_pair.entries() {
        let bytes = step.flows[flows[0]].bytes as f64;
        let width = |cell: usize| {
            let members = step.table.members(cell);
            members
                .map(|e| step.table.capacities()[e] / bytes)
                .fold(f64::INFINITY, f64::min)
        };
        let widths: Vec<f64> = step.cells(pair).map(width).collect();
        let fits = |theta: f64| widths.iter().map(|c| (theta * c + 1e-9).floor()).sum::<f64>() >= flows.len() as f64;
        let thetas = widths.iter().flat_map(|c| (1..=flows.len()).map(move |n| n as f64 / c));
        bound = bound.max(thetas.filter(|&theta| fits(theta)).fold(f64::INFINITY, f64::min));
    }
    bound
}

/// Ratios to the certified optimum (for k sub-flows, to the bound for them), per family: mean and worst over the seeds.
#[test]
fn ratios_to_the_optimum() {
    let seeds = 10;
    println!(
        "{:<28} {:>13} {:>13} {:>13} {:>13} {:>13}",
        "family", "fractional", "vertex", "k=1", "k=2", "k=4"
    );
    let states = FAMILIES
        .into_iter()
        .flat_map(|family| [(family, false), (family, true)]);
    for (family, failed) in states {
        let name = format!("{family:?}{}", if failed { ", failed" } else { "" });
        let mut ratios: [Vec<f64>; 5] = Default::default();
        for seed in 0..seeds {
            let (fabric, schedule) = (fabric(family, failed, seed), schedule(family, seed));
            let step = whole_step(&fabric, &schedule);
            let exact = ot3::exact_least_congestion(&step.table).unwrap();
            let fractional = step.solve(&OptimalTransport::default()).unwrap();
            assert!(fractional.congestion.bound <= exact.theta * (1.0 + 1e-6));
            ratios[0].push(fractional.congestion.theta / exact.theta);
            let flows = schedule.transfer_count();
            for (column, k) in [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(4))] {
                let placement = place(&fabric, &schedule, k);
                let reached = congestion(&fabric, &schedule, &placement);
                let mut bound = k.map_or(exact.bound, |k| step.bound_for_subflows(exact.bound, k));
                if matches!(family, Family::Ring | Family::RingUnequal) && k == Some(1) {
                    // Few equal flows on few paths: whole flows cannot come near the fractional optimum.
                    bound = bound.max(bound_for_whole_flows(&step));
                }
                // Whole bytes cost at most one byte per flow and link.
                assert!(
                    reached >= bound * (1.0 - 1e-6),
                    "{name}: {reached} below the certificate {bound}"
                );
                ratios[column].push(reached / bound);
                let extra = placement.subflows().len() - flows;
                match k {
                    None => assert!(extra <= 2 * (LEAVES * SPINES) as usize, "{name}: {extra} extra"),
                    Some(k) => assert!(
                        schedule
                            .transfers()
                            .all(|Transfer { task: t, .. }| placement.of(t).len() <= k as usize)
                    ),
                }
            }
        }
        let mean = |r: &[f64]| r.iter().sum::<f64>() / r.len() as f64;
        let worst = |r: &[f64]| r.iter().copied().fold(0.0, f64::max);
        let shown: Vec<String> = ratios
            .iter()
            .map(|r| format!("{:.3} ({:.3})", mean(r), worst(r)))
            .collect();
        println!("{name:<28} {}", shown.join(" "));
        assert!(mean(&ratios[0]) <= 1.002 && worst(&ratios[0]) <= 1.005, "{name}");
        assert!(mean(&ratios[1]) <= 1.000_5, "{name}");
        assert!(
            mean(&ratios[2]) <= if family == Family::Heavy { 1.02 } else { 1.20 },
            "{name}"
        );
        assert!(mean(&ratios[3]) <= 1.01, "{name}");
        assert!(mean(&ratios[4]) <= 1.002, "{name}");
    }
}

/// Equal costs would send all flows of a pair to the same k spines: jitter spreads them, and a local search does the rest.
#[test]
fn jitter_and_a_local_search_repair_sparsity_constrained_transport() {
    let seeds = 5;
    let mut ratios = 0.0;
    for seed in 0..seeds {
        let (fabric, schedule) = (fabric(Family::Equal, false, seed), schedule(Family::Equal, seed));
        let step = whole_step(&fabric, &schedule);
        let Congestion { plan, bound, .. } = step.solve(&OptimalTransport::default()).unwrap().congestion;
        let mut random = stream(seed, "start", 0);
        let subflows = starts::sparse(&step, &plan, 2, &mut random).unwrap();
        let mut search = local_search::Search::new(&step, subflows, 2);
        search.run(bound, 50_000);
        assert!(search.subflows.iter().all(|subflows| subflows.len() <= 2));
        ratios += search.congestion() / bound;
    }
    assert!(ratios / seeds as f64 <= 1.01, "{}", ratios / seeds as f64);
}

fn place_by(spec: &OptimalTransport, fabric: &Fabric, schedule: &Schedule) -> Placement {
    LoadBalancing::OptimalTransport(spec.clone())
        .place(fabric, schedule, &NoFiles, 1)
        .unwrap()
}

/// Loads that are even over a step are not all: hosts of a leaf reach another leaf at about the same time.
#[test]
fn every_pair_of_leaves_uses_all_spines_alike() {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_us(1),
    };
    let fabric = Fabric::compile(&LeafSpine::uniform(4, 4, 4, cable).blueprint().unwrap());
    let mut builder = ScheduleBuilder::default();
    for (src, dst) in (0..16).flat_map(|src| (0..16).map(move |dst| (src, dst))) {
        if src != dst {
            builder.transfer(src, dst, 8_000, 0);
        }
    }
    let schedule = builder.build();
    let placement = place(&fabric, &schedule, None);
    let mut flows = [[[0; 4]; 4]; 4];
    for Transfer { task, src, dst, .. } in schedule.transfers() {
        let [subflow] = placement.of(task) else {
            panic!("a flow is divided")
        };
        if let Route::Pinned(path) = subflow.route {
            flows[src.index() / 4][dst.index() / 4][path.index()] += 1;
        }
    }
    for (from, to) in (0..4)
        .flat_map(|from| (0..4).map(move |to| (from, to)))
        .filter(|(from, to)| from != to)
    {
        assert_eq!(flows[from][to], [4; 4]);
    }
}

#[test]
fn equal_steps_are_placed_alike_and_the_whole_schedule_on_request() {
    let fabric = fabric(Family::Equal, true, 3);
    let mut builder = ScheduleBuilder::default();
    for step in 0..3 {
        for src in 0..LEAVES * HOSTS {
            let to = src + if step == 2 { 2 } else { 1 } * HOSTS;
            builder.transfer(src, to % (LEAVES * HOSTS), 50_000, step);
        }
    }
    let schedule = builder.build();
    let placement = place(&fabric, &schedule, Some(2));
    let hosts = (LEAVES * HOSTS) as usize;
    for flow in 0..hosts {
        let of = |step: usize| placement.of(TaskId::from(step * hosts + flow));
        assert_eq!(of(0), of(1));
    }
    let whole = OptimalTransport {
        scope: Scope::Schedule,
        ..OptimalTransport::default()
    };
    let together = place_by(&whole, &fabric, &schedule);
    let reached = congestion(&fabric, &schedule, &together);
    let exact = ot3::exact_least_congestion(&whole_step(&fabric, &schedule).table).unwrap();
    assert!(reached <= exact.theta * 1.001 && reached <= congestion(&fabric, &schedule, &placement) * 1.001);
}

#[test]
fn a_kept_plan_stays_where_it_is_as_good() {
    struct Kept(String);
    impl crate::input::Files for Kept {
        fn read(&self, _: &str) -> Result<String, InputError> {
            Ok(self.0.clone())
        }
    }
    let (fabric, schedule) = (fabric(Family::Equal, false, 2), schedule(Family::Equal, 2));
    let place = |seed, keep: Option<&Placement>| {
        let spec = OptimalTransport {
            keep: keep.map(|_| crate::placement::PlannedPaths {
                file: "before.json".to_owned(),
            }),
            ..OptimalTransport::default()
        };
        let text =
            keep.map(|p| serde_json::to_string(&PlanFile::from_placement(&fabric, &schedule, p).unwrap()).unwrap());
        let files = Kept(text.unwrap_or_default());
        LoadBalancing::OptimalTransport(spec)
            .place(&fabric, &schedule, &files, seed)
            .unwrap()
    };
    let first = place(1, None);
    let moved = |placement: &Placement, before: &Placement| -> u64 {
        let stays = |task: TaskId| {
            let of = |p: &Placement, route| {
                p.of(task)
                    .iter()
                    .filter(|q| q.route == route)
                    .map(|q| q.bytes)
                    .sum::<u64>()
            };
            let routes = before.of(task).iter().map(|subflow| subflow.route);
            routes
                .map(|route| of(placement, route).min(of(before, route)))
                .sum::<u64>()
        };
        schedule
            .transfers()
            .map(|Transfer { task, bytes, .. }| bytes - stays(task))
            .sum()
    };
    let again = place(1, Some(&first));
    let total: u64 = schedule.transfers().map(|transfer| transfer.bytes).sum();
    assert!(
        moved(&again, &first) * 20 <= total,
        "{} of {total} bytes move",
        moved(&again, &first)
    );
    assert!(congestion(&fabric, &schedule, &again) <= congestion(&fabric, &schedule, &first) * 1.001);
    // Against ECMP's plan, which is far from balanced, less moves than when it is ignored.
    let hashed: LoadBalancing = serde_json::from_value(serde_json::json!({ "ecmp": {} })).unwrap();
    let hashed = hashed.place(&fabric, &schedule, &NoFiles, 1).unwrap();
    let near = place(1, Some(&hashed));
    assert!(moved(&near, &hashed) < moved(&first, &hashed));
    assert!(congestion(&fabric, &schedule, &near) <= congestion(&fabric, &schedule, &first) * 1.001);
}

#[test]
fn three_tiers_with_dead_links_reach_the_optimum() {
    let cable = serde_json::json!({ "rate": "100Gbps" });
    let spec: crate::topology::Topology = serde_json::from_value(serde_json::json!({ "fat-tree": {
        "pods": 4, "tors_per_pod": 2, "aggs_per_pod": 2, "cores": 4, "hosts_per_tor": 2,
        "host_link": cable, "tor_link": cable, "core_link": cable,
    } }))
    .unwrap();
    let fabric = Fabric::compile(&spec.blueprint(&NoFiles).unwrap());
    let dead = fabric
        .link_ids()
        .filter(|&id| fabric.is_fabric_link(id))
        .nth(6)
        .unwrap();
    let fabric = fabric.with(&[LinkChange {
        link: dead,
        rate: Rate::ZERO,
    }]);
    let mut builder = ScheduleBuilder::default();
    let hosts = fabric.hosts();
    for src in 0..hosts {
        for offset in 1..hosts {
            builder.transfer(src, (src + offset) % hosts, 10_000 + u64::from(src * offset), 0);
        }
    }
    let schedule = builder.build();
    let exact = ot3::exact_least_congestion(&whole_step(&fabric, &schedule).table).unwrap();
    for k in [None, Some(1), Some(2)] {
        let reached = congestion(&fabric, &schedule, &place(&fabric, &schedule, k));
        let most = if k == Some(1) { 1.02 } else { 1.001 };
        assert!(
            reached <= exact.theta * most && reached >= exact.bound * (1.0 - 1e-9),
            "k = {k:?}"
        );
    }
}

/// What each leaf has to send and to receive, in whole flows on its links, is the bound that coloring reaches.
#[test]
fn coloring_shares_whole_flows_as_well_as_can_be() {
    for seed in 0..20 {
        let (fabric, schedule) = (fabric(Family::Equal, false, seed), schedule(Family::Equal, seed));
        let (mut sent, mut received) = ([0_u32; LEAVES as usize], [0_u32; LEAVES as usize]);
        for Transfer { src, dst, .. } in schedule.transfers() {
            sent[src.index() / HOSTS as usize] += 1;
            received[dst.index() / HOSTS as usize] += 1;
        }
        let most = sent
            .iter()
            .chain(&received)
            .map(|flows| flows.div_ceil(SPINES))
            .max()
            .unwrap();
        let (step, time) = (
            whole_step(&fabric, &schedule),
            100_000.0 * 8e6 / 100e9 * f64::from(most),
        );
        assert!(
            (step.bound_for_subflows(0.0, 1) / time - 1.0).abs() < 1e-12,
            "seed {seed}"
        );
        let laid = coloring::colored(&step, 1, &mut stream(seed, "test", 0)).unwrap();
        let reached = local_search::Search::new(&step, laid, 1).congestion();
        assert!(
            (reached / time - 1.0).abs() < 1e-12,
            "seed {seed}: {reached} instead of {time}"
        );
    }
}

/// A permutation fills every link of a full fat-tree with one flow, tier by tier; and six flows of a leaf share four spines
/// in halves as they cannot whole.
#[test]
fn coloring_climbs_tiers_and_cuts_flows_in_equal_parts() {
    let cable = serde_json::json!({ "rate": "100Gbps" });
    let fabric_of = |spec: serde_json::Value| {
        let spec: crate::topology::Topology = serde_json::from_value(spec).unwrap();
        Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
    };
    let fat_tree = fabric_of(serde_json::json!({ "fat-tree": {
        "pods": 6, "tors_per_pod": 4, "aggs_per_pod": 4, "cores": 16, "hosts_per_tor": 4,
        "host_link": cable, "tor_link": cable, "core_link": cable,
    } }));
    let three_to_two = fabric_of(serde_json::json!({ "leaf-spine": {
        "leaves": 8, "spines": 4, "hosts_per_leaf": 6, "host_link": cable, "fabric_link": cable,
    } }));
    for (fabric, parts, loads) in [(&fat_tree, 1, 1.0), (&three_to_two, 1, 2.0), (&three_to_two, 2, 1.5)] {
        let mut to: Vec<u32> = (0..fabric.hosts()).collect();
        crate::rng::shuffle(&mut stream(7, "test", 0), &mut to);
        // Every leaf sends all that it has.
        while let Some(at) = (0..to.len()).find(|&at| fabric.edge(NodeId::from(at)) == fabric.edge(NodeId(to[at]))) {
            let other = (at * 31 + to[at] as usize * 17 + 5) % to.len();
            to.swap(at, other);
        }
        let mut builder = ScheduleBuilder::default();
        (0..).zip(&to).for_each(|(src, &dst)| {
            builder.transfer(src, dst, 100_000, 0);
        });
        let step = whole_step(fabric, &builder.build());
        let laid = coloring::colored(&step, parts, &mut stream(1, "test", 0)).unwrap();
        assert!(
            laid.iter()
                .all(|subflows| subflows.iter().map(|s| s.1).sum::<u64>() == 100_000)
        );
        let reached = local_search::Search::new(&step, laid, parts).congestion();
        assert!(
            (reached / (8.0 * loads) - 1.0).abs() < 1e-12,
            "{parts} parts: {reached}"
        );
    }
}

/// A permutation of equal flows over a fabric with a twentieth of its links dead, two pieces each: the certified optimum.
#[test]
fn two_pieces_reach_the_optimum_on_broken_fabrics() {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };
    for seed in 0..3 {
        let (leaves, spines, hosts) = [(16, 16, 16), (24, 12, 16), (12, 20, 24)][seed as usize];
        let healthy = Fabric::compile(&LeafSpine::uniform(leaves, spines, hosts, cable).blueprint().unwrap());
        let mut random = stream(seed, "broken", 0);
        let dies = |&id: &crate::ids::LinkId| healthy.is_fabric_link(id) && random.random::<f64>() < 0.05;
        let dead: Vec<_> = healthy.link_ids().filter(dies).collect();
        let changes = dead.into_iter().map(|link| LinkChange { link, rate: Rate::ZERO });
        let fabric = healthy.with(&changes.collect::<Vec<_>>());
        let mut to: Vec<u32> = (0..fabric.hosts()).collect();
        crate::rng::shuffle(&mut random, &mut to);
        let mut builder = ScheduleBuilder::default();
        for (src, &dst) in (0..).zip(&to).filter(|&(src, &dst)| src != dst) {
            builder.transfer(src, dst, 1_000_000, 0);
        }
        let schedule = builder.build();
        let placement = place(&fabric, &schedule, Some(2));
        assert!(
            schedule
                .transfers()
                .all(|transfer| placement.of(transfer.task).len() <= 2)
        );
        let reached = congestion(&fabric, &schedule, &placement);
        let optimum = whole_step(&fabric, &schedule)
            .solve(&OptimalTransport::default())
            .unwrap();
        let ratio = reached / optimum.congestion.bound;
        assert!(
            (0.999..=1.002).contains(&ratio),
            "{leaves} x {spines} x {hosts}: {ratio}"
        );
    }
}

#[test]
fn a_judgement_matches_the_loads_and_knows_the_optimum() {
    let (fabric, schedule) = (
        fabric(Family::Heterogeneous, false, 4),
        schedule(Family::Heterogeneous, 4),
    );
    let solver = OptimalTransport::default();
    let transport = place(&fabric, &schedule, None);
    let spray: LoadBalancing = serde_json::from_value(serde_json::json!({ "spray": {} })).unwrap();
    let spray = spray.place(&fabric, &schedule, &NoFiles, 1).unwrap();
    let evaluated = crate::placement::evaluate(&fabric, &schedule, &transport, &solver).unwrap();
    let worst = *evaluated.worst().unwrap();
    assert!((worst.congestion_us / congestion(&fabric, &schedule, &transport) - 1.0).abs() < 1e-9);
    assert!(worst.ratio() < 1.001 && worst.ratio() >= 1.0 - 1e-6);
    assert!(worst.subflows < worst.spray_subflows && worst.flows <= worst.subflows);
    assert!(worst.monge_gap_us >= 0.0 && worst.monge_gap_us <= worst.regret_us + 1e-9);
    let evaluated = crate::placement::evaluate(&fabric, &schedule, &spray, &solver).unwrap();
    let sprayed = evaluated.worst().unwrap();
    assert!(sprayed.ratio() > 1.2, "{sprayed:?}");
    assert_eq!(sprayed.subflows, sprayed.spray_subflows);
    assert!(
        sprayed.monge_gap_us <= sprayed.regret_us + 1e-9 && sprayed.regret_us > 0.0,
        "{sprayed:?}"
    );
    // On equal links, with equal demands, spraying leaves nobody anything to gain.
    let (even, all) = (
        self::fabric(Family::AllToAll, false, 1),
        self::schedule(Family::AllToAll, 1),
    );
    let spread = Placement::whole(&all, |_| Route::Even);
    let content = *crate::placement::evaluate(&even, &all, &spread, &solver)
        .unwrap()
        .worst()
        .unwrap();
    assert!(
        content.regret_us < 1e-6 && content.monge_gap_us < 1e-6 && content.ratio() < 1.000_001,
        "{content:?}"
    );
}

#[test]
fn bad_options_are_named() {
    let (fabric, schedule) = (fabric(Family::Equal, false, 1), schedule(Family::Equal, 1));
    let error = |json: serde_json::Value| {
        let scheme: LoadBalancing = serde_json::from_value(serde_json::json!({ "optimal-transport": json })).unwrap();
        scheme.place(&fabric, &schedule, &NoFiles, 1).unwrap_err().to_string()
    };
    insta::assert_snapshot!(error(serde_json::json!({ "max_pieces": 0 })), @"max_pieces: `max_pieces` is 0 (a flow has at least 1 piece; leave it out to have no limit)");
    insta::assert_snapshot!(error(serde_json::json!({ "epsilon": 0.0 })), @"epsilon: `epsilon` is 0.0 (it must be between 1e-3 and 1)");
    insta::assert_snapshot!(error(serde_json::json!({ "tolerance": 2.0 })), @"tolerance: `tolerance` is 2.0 (it must be between 1e-9 and 1)");
    insta::assert_snapshot!(error(serde_json::json!({ "keep": { "file": "before.json" } })), @"before.json: there is no such file");
    // More sub-flows than paths are as good as one per path.
    let placement = place(&fabric, &schedule, Some(1_000));
    assert!(
        schedule
            .transfers()
            .all(|Transfer { task, .. }| placement.of(task).len() <= SPINES as usize)
    );
}
