//! From a traffic and hosts to the best map that was found.

use super::assignment::reassign;
use super::climb::climb;
use super::exact::{MOST_RANKS, best_map};
use super::footprints::Footprints;
use super::key::{Key, Objective};
use super::kicks::{everywhere, nearby};
use super::load_tracker::{LoadTracker, SeatId};
use super::map::{Map, SeatOf};
use super::neighborhood::Neighborhood;
use super::neighbors::Neighbors;
use super::starts;
use super::tour::Tour;
use super::traffic::Traffic;
use super::tree::deepen;
use crate::ids::{Id, LinkId};
use crate::rng::{Stream, stream};
use crate::topology::Fabric;

/// A map, and what it comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Ordered {
    /// The host of each rank.
    pub hosts: Vec<u32>,
    /// What the map costs.
    pub key: Key,
    /// The most loaded link.
    pub worst: Option<LinkId>,
    /// Whether no map is better.
    pub optimal: bool,
}

/// Moves that are tried at most, times the ranks that one touches.
const TRIALS: usize = 3_000_000;
/// Sequences of moves that are tried at most.
const SEQUENCES: usize = 20_000;

/// The best map of ranks on hosts, of which there is one for each, in the order in which the ranks live there now. It is
/// never worse than that, nor than the ranks in the order of the hosts.
pub fn order(fabric: &Fabric, traffic: &Traffic, hosts: &[u32], objective: Objective, seed: u64) -> Ordered {
    let (mut tracker, seats) = search(fabric, traffic, hosts, objective, seed);
    let optimal = traffic.ranks <= MOST_RANKS;
    let seats = if optimal {
        best_map(&mut tracker, traffic, seats)
    } else {
        seats
    };
    evaluate(&mut tracker, traffic, &seats, optimal)
}

/// The same by local search and sequences of moves alone, as beyond few ranks.
#[cfg(test)]
pub(super) fn heuristic(fabric: &Fabric, traffic: &Traffic, hosts: &[u32], objective: Objective, seed: u64) -> Ordered {
    let (mut tracker, seats) = search(fabric, traffic, hosts, objective, seed);
    evaluate(&mut tracker, traffic, &seats, false)
}

fn search<'a>(
    fabric: &'a Fabric,
    traffic: &Traffic,
    hosts: &[u32],
    objective: Objective,
    seed: u64,
) -> (LoadTracker<'a>, SeatOf) {
    let mut sorted = hosts.to_vec();
    sorted.sort_unstable();
    let tracker = LoadTracker::new(
        Footprints::new(fabric, &sorted),
        objective,
        &sorted,
        traffic.steps.len(),
    );
    let seat = |host: &u32| SeatId::from_index(sorted.binary_search(host).unwrap_or_default());
    let now: SeatOf = hosts.iter().map(seat).collect();
    let mut random = stream(seed, "order", 0);
    let (seats, tracker) = match traffic.as_ring() {
        Some(bytes) => ring(tracker, bytes, now, &mut random),
        None => any(tracker, traffic, now, &mut random),
    };
    (tracker, seats)
}

/// What maps on the same hosts come to by congestion, the host of each rank being given, and their bytes times the links that they
/// cross.
pub fn evaluate_maps(fabric: &Fabric, traffic: &Traffic, maps: &[&[u32]]) -> Vec<(Ordered, f64)> {
    let mut sorted = maps.first().map_or_else(Vec::new, |hosts| hosts.to_vec());
    sorted.sort_unstable();
    let prints = Footprints::new(fabric, &sorted);
    let mut tracker = LoadTracker::new(prints, Objective::Congestion, &sorted, traffic.steps.len());
    let seat = |host: &u32| SeatId::from_index(sorted.binary_search(host).unwrap_or_default());
    let evaluated = maps.iter().map(|hosts| {
        let seats: SeatOf = hosts.iter().map(seat).collect();
        let ordered = evaluate(&mut tracker, traffic, &seats, false);
        (ordered, tracker.bytes())
    });
    evaluated.collect()
}

/// What a map comes to, the host of each rank being given.
pub fn evaluate_map(fabric: &Fabric, traffic: &Traffic, hosts: &[u32], objective: Objective) -> Ordered {
    let mut tracker = LoadTracker::new(Footprints::new(fabric, hosts), objective, hosts, traffic.steps.len());
    let seats: SeatOf = (0..hosts.len() as u32).map(SeatId).collect();
    evaluate(&mut tracker, traffic, &seats, false)
}

fn evaluate(tracker: &mut LoadTracker<'_>, traffic: &Traffic, seats: &SeatOf, optimal: bool) -> Ordered {
    tracker.clear();
    for (step, flows) in traffic.steps.iter().enumerate() {
        for flow in &flows.flows {
            let (from, to) = (seats[flow.src], seats[flow.dst]);
            tracker.add(step, from, to, flow.bytes);
        }
        tracker.keep();
    }
    Ordered {
        hosts: seats.iter().map(|&seat| tracker.host(seat)).collect(),
        key: tracker.key(),
        worst: tracker.worst_link(),
        optimal,
    }
}

/// A ring: the seat of each rank is its place in the tour.
fn ring<'a>(mut tracker: LoadTracker<'a>, bytes: f64, now: SeatOf, random: &mut Stream) -> (SeatOf, LoadTracker<'a>) {
    let along = starts::along_neighbors(&mut tracker);
    let neighbors = Neighbors::new(&mut tracker);
    let in_order: Vec<SeatId> = tracker.seats().collect();
    let mut tour = Tour::new(tracker, neighbors, bytes, now.to_vec());
    let mut best = (tour.key(), tour.order().to_vec());
    for start in [in_order, along] {
        tour.begin_with(start);
        if tour.key().beats(&best.0) {
            best = (tour.key(), tour.order().to_vec());
        }
    }
    tour.begin_with(best.1);
    let objective = tour.objective();
    improve(&mut tour, objective, TRIALS / 8, random);
    (tour.order().to_vec().into(), tour.into_tracker())
}

/// Any other traffic.
fn any<'a>(
    mut tracker: LoadTracker<'a>,
    traffic: &Traffic,
    now: SeatOf,
    random: &mut Stream,
) -> (SeatOf, LoadTracker<'a>) {
    let along = starts::along_neighbors(&mut tracker);
    let attracted = starts::by_attraction(&tracker, traffic, &along);
    let neighbors = Neighbors::new(&mut tracker);
    let in_order: Vec<SeatId> = tracker.seats().collect();
    let mut map = Map::new(tracker, neighbors, traffic, now);
    let mut best = (map.key(), map.seats().clone());
    for start in [in_order.into(), along.into(), attracted] {
        map.begin_with(start);
        if map.key().beats(&best.0) {
            best = (map.key(), map.seats().clone());
        }
    }
    map.begin_with(best.1);
    let flows: usize = traffic.steps.iter().map(|step| step.flows.len()).sum();
    let degree = (4 * flows / traffic.ranks.max(1) as usize).max(8);
    let objective = map.tracker().objective();
    if objective == Objective::Bytes {
        reassign(&mut map, SETS);
    }
    improve(&mut map, objective, TRIALS / degree, random);
    (map.seats().clone(), map.into_tracker())
}

/// Sets of ranks that are reassigned at most.
const SETS: usize = 2_000;

/// Local search, sequences of moves where it ends, and where these end, too, local search from maps nearby.
fn improve<N: Neighborhood>(state: &mut N, objective: Objective, trials: usize, random: &mut Stream) {
    let mut left = climb(state, trials);
    let each = (SEQUENCES / 10).min(trials / (4 * state.foci().max(1)) as usize);
    while left > 0 && each > 0 && deepen(state, random, each) {
        left = climb(state, left);
    }
    // Few ranks have all their maps looked at.
    if state.foci() <= MOST_RANKS || state.foci() > MOST_KICKED {
        return;
    }
    match objective {
        Objective::Congestion => everywhere(state, left, random),
        Objective::Bytes => nearby(state, trials, random),
    }
}

/// Most ranks for which local search begins again from maps nearby.
const MOST_KICKED: u32 = 512;
