//! What hashing flows onto paths is expected to cost, over hash functions.

use rand::Rng;

use crate::config::FileStore;
use crate::congestion;
use crate::experiment::{Experiment, Instance};
use crate::loads::{Interval, WorstLink};
use crate::rng::stream;

/// Draws of the hash functions, as long as all their sub-flows together are no more than the second.
const DRAWS: usize = 200;
const DRAWN_SUBFLOWS: usize = 20_000_000;
/// Draws there are in any case.
const LEAST_DRAWS: usize = 10;

/// The expected largest congestion of a switch-to-switch link: limits from its exact distribution, where
/// the fabric has one, and means over draws.
pub(super) struct Hashing {
    pub over_all: Option<Interval>,
    pub by_step: Vec<Option<Interval>>,
    pub sampled_over_all_us: f64,
    pub sampled_by_step_us: Vec<f64>,
}

impl Hashing {
    /// `None` for a load balancing that does not hash.
    pub(super) fn of(experiment: &Experiment, instance: &Instance, files: &FileStore) -> Option<Self> {
        let scheme = &experiment.load_balancing;
        let hash = scheme.hashes()?;
        let (fabric, schedule, placement) = (&instance.network.fabric, &instance.schedule, &instance.placement);
        let draws = (DRAWN_SUBFLOWS / placement.subflows().len().max(1)).clamp(LEAST_DRAWS, DRAWS);
        let mut over_all = 0.0;
        let mut by_step = vec![0.0; schedule.steps() as usize];
        let time_us = |worst: Option<WorstLink>| worst.map_or(0.0, |worst| worst.time_ps / 1e6);
        for draw in 0..draws {
            let seed = stream(experiment.seed, "expected-congestion", draw as u64).next_u64();
            let drawn = scheme.place(fabric, schedule, files, seed).ok()?;
            let loads = drawn.link_loads(fabric, schedule)?;
            over_all += time_us(congestion::worst_fabric_link(fabric, &loads));
            let steps = congestion::congestion_by_step(fabric, schedule, &drawn)?;
            for (sum, step) in by_step.iter_mut().zip(&steps) {
                *sum += time_us(step.worst_fabric);
            }
        }
        Some(Self {
            over_all: congestion::expected_over_all(fabric, schedule, placement, hash),
            by_step: congestion::expected_by_step(fabric, schedule, placement, hash),
            sampled_over_all_us: over_all / draws as f64,
            sampled_by_step_us: by_step.into_iter().map(|sum| sum / draws as f64).collect(),
        })
    }
}
