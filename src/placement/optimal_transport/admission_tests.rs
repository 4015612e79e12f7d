//! Who is left out, against all subsets and against the rule by prices.

use rand::RngExt;

use super::admission::Admission;
use super::*;
use crate::ids::{Id, LinkId};
use crate::math::exp;
use crate::optimal_transport::ot3;
use crate::rng::{Stream, stream};
use crate::topology::{Cable, Fabric, LeafSpine, LinkChange};
use crate::units::{Rate, Time};
use crate::workload::{Schedule, ScheduleBuilder};

/// A leaf-spine of links of three rates, a fifth of those to spines but the first down where `failed`.
fn fabric(leaves: u32, spines: u32, hosts: u32, failed: bool, random: &mut Stream) -> Fabric {
    let cable = Cable::new(Rate::from_gbps(100), Time::from_ns(500));
    let fabric = Fabric::compile(&LeafSpine::uniform(leaves, spines, hosts, cable).blueprint().unwrap());
    let first_spine = leaves * hosts + leaves;
    let change = |link: LinkId| {
        let spine = fabric.link(link).to.0.max(fabric.link(link).from.0);
        let rate = match failed && spine > first_spine && random.random::<f64>() < 0.2 {
            true => Rate::ZERO,
            false => Rate::from_gbps([100, 50, 25][random.random_range(0..3)]),
        };
        LinkChange { link, rate }
    };
    let links = fabric.link_ids().filter(|&id| fabric.is_fabric_link(id));
    let changes: Vec<LinkChange> = links.map(change).collect();
    fabric.with(&changes)
}

fn flows(hosts: u32, per_leaf: u32, count: usize, sizes: f64, random: &mut Stream) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    let mut added = 0;
    while added < count {
        let (src, dst) = (random.random_range(0..hosts), random.random_range(0..hosts));
        if src / per_leaf != dst / per_leaf {
            let bytes = 100_000.0 * exp(sizes * (random.random::<f64>() * 4.0 - 2.0));
            builder.transfer(src, dst, bytes as u64, 0);
            added += 1;
        }
    }
    builder.build()
}

fn step(fabric: &Fabric, schedule: &Schedule, of: impl Fn(usize) -> bool) -> Step {
    let tasks = schedule.transfers().map(|transfer| transfer.task);
    let tasks: Vec<TaskId> = tasks
        .enumerate()
        .filter(|&(at, _)| of(at))
        .map(|(_, task)| task)
        .collect();
    Step::new(fabric, schedule, &tasks, &Preferences::NONE).unwrap()
}

/// The least congestion of some flows, by the linear program.
fn least(fabric: &Fabric, schedule: &Schedule, of: impl Fn(usize) -> bool) -> f64 {
    ot3::exact_least_congestion(&step(fabric, schedule, of).table)
        .unwrap()
        .theta
}

/// Which flows are admitted, and their share of the bytes.
fn admitted(step: &Step, share: f64) -> (Vec<bool>, f64) {
    let admission = Admission::new(step, &OptimalTransport::default(), share).unwrap();
    let mut is_admitted = vec![false; step.flows.len()];
    admission.admitted().for_each(|f| is_admitted[f.index()] = true);
    let sum = |of: &dyn Fn(usize) -> bool| {
        let flows = step.flows.iter().enumerate().filter(|&(at, _)| of(at));
        flows.map(|(_, flow)| flow.bytes).sum::<u64>() as f64
    };
    let all = sum(&|_| true);
    (is_admitted.clone(), sum(&|at| is_admitted[at]) / all)
}

#[test]
fn who_is_left_out_is_nearly_the_best_of_all_subsets() {
    let (mut ratios, mut by_price) = (Vec::new(), Vec::new());
    for seed in 0..16 {
        let mut random = stream(seed, "tiny", 0);
        let fabric = fabric(4, 2, 2, seed % 2 == 1, &mut random);
        let schedule = flows(8, 2, 10, [0.0, 0.5][seed as usize / 2 % 2], &mut random);
        let step = step(&fabric, &schedule, |_| true);
        let (chosen, share) = admitted(&step, 0.7);
        assert!((0.7..1.0).contains(&share), "{share}");
        let bytes: Vec<u64> = step.flows.iter().map(|flow| flow.bytes).collect();
        let all: u64 = bytes.iter().sum();
        let kept = |subset: u32| -> u64 {
            (0..bytes.len())
                .filter(|at| subset >> at & 1 == 1)
                .map(|at| bytes[at])
                .sum()
        };
        let enough = (1..1 << bytes.len()).filter(|&subset| kept(subset) as f64 >= 0.7 * all as f64);
        // More flows are never less congested: only those subsets count from which no flow can be taken.
        let tight = enough.filter(|&subset| {
            (0..bytes.len()).all(|at| subset >> at & 1 == 0 || ((kept(subset) - bytes[at]) as f64) < 0.7 * all as f64)
        });
        let best = tight.map(|subset| least(&fabric, &schedule, |at| subset >> at & 1 == 1));
        let best = best.fold(f64::INFINITY, f64::min);
        ratios.push(least(&fabric, &schedule, |at| chosen[at]) / best);
        let priced = by_prices(&step, 0.7);
        by_price.push(least(&fabric, &schedule, |at| priced[at]) / best);
    }
    assert!(ratios.iter().all(|&ratio| ratio > 1.0 - 1e-6), "{ratios:?}");
    let mean = |ratios: &[f64]| ratios.iter().sum::<f64>() / ratios.len() as f64;
    let optimal = |ratios: &[f64]| ratios.iter().filter(|&&ratio| ratio < 1.000_1).count();
    let (found, priced) = ((mean(&ratios), optimal(&ratios)), (mean(&by_price), optimal(&by_price)));
    eprintln!("{found:?} {priced:?}");
    assert!(
        found.0 - 1.0 < 0.5 * (priced.0 - 1.0) && found.1 >= 8 && found.1 > priced.1,
        "{found:?} {priced:?}"
    );
}

/// The dearest flows at the prices of the links that bind, the smallest first, as far as there is room.
fn by_prices(step: &Step, share: f64) -> Vec<bool> {
    let prices = step.solve(&OptimalTransport::default()).unwrap().congestion.prices;
    let cost = |pair: PairId| {
        let of_cell = |cell: usize| step.table.members(cell).map(|e| prices[e]).sum::<f64>();
        step.cells(pair).map(of_cell).fold(f64::INFINITY, f64::min)
    };
    let mut order: Vec<(f64, u64, usize)> = step
        .flows
        .iter()
        .enumerate()
        .map(|(at, flow)| (cost(flow.pair.unwrap()), flow.bytes, at))
        .collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut room = (1.0 - share) * order.iter().map(|flow| flow.1 as f64).sum::<f64>();
    let mut is_admitted = vec![true; order.len()];
    for (_, bytes, at) in order {
        if bytes as f64 <= room {
            room -= bytes as f64;
            is_admitted[at] = false;
        }
    }
    is_admitted
}

const SEEDS: u64 = 3;

/// On degraded fabrics with more traffic than they carry at once: prices of what all flows load say little of what loads links when some are
/// left out.
#[test]
fn plans_of_part_of_the_bytes_leave_less_congestion_than_prices() {
    for (failed, sizes) in [(false, 0.0), (false, 0.5), (true, 0.0), (true, 0.5)] {
        let mut sums = [0.0; 2];
        let (mut better, mut bounds) = (0, Vec::new());
        for seed in 0..SEEDS {
            let mut random = stream(seed, "subset", 0);
            let fabric = fabric(8, 5, 8, failed, &mut random);
            let schedule = flows(64, 8, 192, sizes, &mut random);
            let step = step(&fabric, &schedule, |_| true);
            let (chosen, _) = admitted(&step, 0.9);
            let priced = by_prices(&step, 0.9);
            let found = [&chosen, &priced].map(|kept| least(&fabric, &schedule, |at| kept[at]));
            let bytes: Vec<f64> = step.table.demands().to_vec();
            let most = 0.1 * bytes.iter().sum::<f64>();
            let bound = ot3::least_partial_congestion(&step.table, &bytes, most, ot3::exact_least_congestion).unwrap();
            bounds.push((found[0] / bound.theta, found[1] / bound.theta));
            better += usize::from(found[0] < found[1]);
            sums.iter_mut()
                .zip(found)
                .for_each(|(sum, found)| *sum += found / SEEDS as f64);
        }
        let mean = |of: fn(&(f64, f64)) -> f64| bounds.iter().map(of).sum::<f64>() / SEEDS as f64;
        eprintln!(
            "{failed} {sizes} {sums:?} {better} over the bound {:.3} {:.3}",
            mean(|b| b.0),
            mean(|b| b.1)
        );
        assert!(
            better == SEEDS as usize && sums[0] < 0.95 * sums[1],
            "{failed} {sizes}: {sums:?} {better}"
        );
    }
}
