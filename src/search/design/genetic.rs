//! NSGA-II (Deb and others 2002) over the choices of a catalogue.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;

use super::catalogue::{Genes, Genome};
use crate::rng::{Stream, stream};

/// Candidates of a generation.
const POPULATION: usize = 60;
/// Generations without anything new after which it ends.
const PATIENCE: u32 = 30;

/// Price and time of a genome.
type Cost = [f64; 2];

/// The genomes that were found worth looking at, at most `evaluations` of which `evaluate` gives price and time; it says
/// `None` of what cannot be built.
pub(super) fn evolve(
    genes: &Genes<'_>,
    evaluations: usize,
    seed: u64,
    evaluate: &mut dyn FnMut(&[Genome]) -> Vec<Option<Cost>>,
    can_be_built: &dyn Fn(&Genome) -> bool,
) {
    let mut random = stream(seed, "design", 0);
    let mut known: BTreeMap<Genome, Option<Cost>> = BTreeMap::new();
    let mut population: Vec<Genome> = Vec::new();
    let mut idle = 0;
    while known.len() < evaluations && idle < PATIENCE {
        let room = POPULATION.min(evaluations - known.len());
        let children = offspring(genes, &population, &known, room, &mut random, can_be_built);
        idle = if children.is_empty() { idle + 1 } else { 0 };
        for (child, cost) in children.iter().zip(evaluate(&children)) {
            known.insert(*child, cost);
        }
        population.extend(children);
        population = survivors(&population, &known);
    }
}

/// Children that were not looked at before.
fn offspring(
    genes: &Genes<'_>,
    population: &[Genome],
    known: &BTreeMap<Genome, Option<Cost>>,
    room: usize,
    random: &mut Stream,
    can_be_built: &dyn Fn(&Genome) -> bool,
) -> Vec<Genome> {
    let lengths = genes.lengths();
    let mut children: BTreeSet<Genome> = BTreeSet::new();
    for _ in 0..room * 200 {
        if children.len() == room {
            break;
        }
        let child = if population.len() < 2 || random.random_range(0..10_u32) == 0 {
            lengths.map(|length| random.random_range(0..length))
        } else {
            let parent = |random: &mut Stream| {
                // Survivors are in the order of their rank: of two, the earlier is the better.
                let draw = |random: &mut Stream| random.random_range(0..population.len());
                population[draw(random).min(draw(random))]
            };
            cross(&parent(random), &parent(random), &lengths, random)
        };
        if !known.contains_key(&child) && can_be_built(&child) {
            children.insert(child);
        }
    }
    children.into_iter().collect()
}

/// Each choice from one of the parents, and some to the next or anything.
fn cross(a: &Genome, b: &Genome, lengths: &Genome, random: &mut Stream) -> Genome {
    let mut child = *a;
    for (k, gene) in child.iter_mut().enumerate() {
        if random.random::<bool>() {
            *gene = b[k];
        }
        let last = lengths[k] - 1;
        match random.random_range(0..12_u32) {
            0 => *gene = gene.saturating_sub(1),
            1 => *gene = (*gene + 1).min(last),
            2 => *gene = random.random_range(0..=last),
            _ => {}
        }
    }
    child
}

/// The best by rank of domination, then those with most room around them.
fn survivors(population: &[Genome], known: &BTreeMap<Genome, Option<Cost>>) -> Vec<Genome> {
    let mut left: Vec<(Genome, Cost)> = population
        .iter()
        .filter_map(|genome| Some((*genome, known.get(genome).copied()??)))
        .collect();
    left.sort_by(|a, b| {
        a.1[0]
            .total_cmp(&b.1[0])
            .then(a.1[1].total_cmp(&b.1[1]))
            .then(a.0.cmp(&b.0))
    });
    let mut kept = Vec::new();
    while !left.is_empty() && kept.len() < POPULATION {
        // By rising price, a front has falling times.
        let mut fastest = f64::INFINITY;
        let (mut front, mut rest) = (Vec::new(), Vec::new());
        for one in left {
            if one.1[1] < fastest {
                fastest = one.1[1];
                front.push(one);
            } else {
                rest.push(one);
            }
        }
        left = rest;
        kept.extend(by_room(&front));
    }
    kept.truncate(POPULATION);
    kept
}

/// A front, those with most room around them first; its ends have all there is.
fn by_room(front: &[(Genome, Cost)]) -> Vec<Genome> {
    let span = |k: usize| {
        let ends = (front[0].1[k], front[front.len() - 1].1[k]);
        (ends.0 - ends.1).abs().max(f64::MIN_POSITIVE)
    };
    let room = |index: usize| {
        if index == 0 || index + 1 == front.len() {
            return f64::INFINITY;
        }
        let side = |k: usize| (front[index + 1].1[k] - front[index - 1].1[k]).abs() / span(k);
        side(0) + side(1)
    };
    let mut order: Vec<usize> = (0..front.len()).collect();
    order.sort_by(|&a, &b| room(b).total_cmp(&room(a)).then(a.cmp(&b)));
    order.into_iter().map(|index| front[index].0).collect()
}
