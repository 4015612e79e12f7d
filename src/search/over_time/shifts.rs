//! Start shifts that keep the peaks of jobs apart which repeat: by how much later each job begins.
//!
//! A link is in excess while jobs together ask for more of it than there is. Shifts are told in parts of a period, and
//! the total excess over all links that jobs share is made small: of two jobs exactly, as every shift is looked at; of more, one
//! job after the other from several beginnings, until no job alone can do better. Of shifts that are alike the middle of
//! the longest row is taken, which leaves most room on both sides.

use std::collections::BTreeMap;

use rand::Rng;

use crate::ids::LinkId;
use crate::rng::{index_below, stream};
use crate::runner::{Profile, Profiles};

/// Beginnings that are drawn at random.
const DRAWN: u64 = 2;
/// Rounds over all jobs at most.
const MOST_ROUNDS: usize = 20;
/// Excesses that differ by no more, in parts, are alike.
const ALIKE: f64 = 1e-9;

/// Parts by which each job begins later, and what excess is left.
#[derive(Debug, Clone, PartialEq)]
pub struct Shifts {
    /// By job.
    pub parts: Vec<usize>,
    /// Parts of time by which the worst link that each job shares is asked for too much.
    pub excess: Vec<f64>,
}

/// The best shifts that are found.
pub fn shifts(profiles: &Profiles, seed: u64) -> Shifts {
    let problem = Problem::of(profiles);
    let jobs = profiles.jobs.len();
    let mut random = stream(seed, "shifts", 0);
    let staggered = (0..jobs).map(|job| problem.periods[job] * job / jobs.max(1)).collect();
    let drawn = (0..DRAWN).map(|_| {
        let draw = problem.periods.iter();
        draw.map(|&period| index_below(random.next_u64(), period.max(1) as u32) as usize)
            .collect()
    });
    let mut beginnings: Vec<Vec<usize>> = vec![vec![0; jobs], staggered];
    beginnings.extend(drawn.filter(|_| jobs > 2));
    let found = beginnings.into_iter().map(|parts| problem.improve(parts));
    // Of equal ones the first.
    let best = found.reduce(|a, b| if b.0 < a.0 - ALIKE { b } else { a });
    let parts = best.map_or_else(Vec::new, |(_, parts)| parts);
    Shifts {
        excess: problem.excess_by_job(&parts),
        parts,
    }
}

/// Links that jobs share, those alike once.
struct Problem {
    /// For each link the share that each job uses, part by part; empty where it does not use it. And how many links
    /// are like it.
    links: Vec<(Vec<Vec<f64>>, f64)>,
    /// By job, in parts.
    starts: Vec<usize>,
    periods: Vec<usize>,
}

impl Problem {
    fn of(profiles: &Profiles) -> Self {
        let part = profiles.part.0.max(1);
        let jobs = &profiles.jobs;
        let mut shared: BTreeMap<LinkId, usize> = BTreeMap::new();
        jobs.iter()
            .flat_map(|job| job.links.keys())
            .for_each(|&link| *shared.entry(link).or_default() += 1);
        let mut known: BTreeMap<Vec<Vec<u64>>, usize> = BTreeMap::new();
        let mut links: Vec<(Vec<Vec<f64>>, f64)> = Vec::new();
        for (link, _) in shared.into_iter().filter(|&(_, count)| count > 1) {
            let of = |job: &Profile| job.links.get(&link).cloned().unwrap_or_default();
            let usage: Vec<Vec<f64>> = jobs.iter().map(of).collect();
            let most = |of: &Vec<f64>| of.iter().copied().fold(0.0, f64::max);
            if usage.iter().map(most).sum::<f64>() <= 1.0 + ALIKE {
                // Not even all peaks at once are too much.
                continue;
            }
            let bits = usage
                .iter()
                .map(|of| of.iter().map(|x| x.to_bits()).collect())
                .collect();
            let at = *known.entry(bits).or_insert(links.len());
            match links.get_mut(at) {
                Some((_, count)) => *count += 1.0,
                None => links.push((usage, 1.0)),
            }
        }
        Self {
            links,
            starts: jobs.iter().map(|job| (job.start.0 / part) as usize).collect(),
            periods: jobs.iter().map(|job| (job.period.0 / part).max(1) as usize).collect(),
        }
    }

    /// One job after the other, to where there is least excess; the first stays. With the excess that is left.
    fn improve(&self, mut parts: Vec<usize>) -> (f64, Vec<usize>) {
        for _ in 0..MOST_ROUNDS {
            let before = parts.clone();
            for job in 1..parts.len() {
                parts[job] = self.best_of(job, &parts);
            }
            if parts == before {
                break;
            }
        }
        (self.excess(&parts), parts)
    }

    fn excess(&self, parts: &[usize]) -> f64 {
        let of = |(usage, count): &(Vec<Vec<f64>>, f64)| excess(&self.together(usage, parts, None)) * count;
        self.links.iter().map(of).sum()
    }

    /// The shift of a job that leaves the least excess.
    fn best_of(&self, job: usize, parts: &[usize]) -> usize {
        let mut excesses = vec![0.0; self.periods[job]];
        for (usage, count) in self.links.iter().filter(|(usage, _)| !usage[job].is_empty()) {
            let others = self.together(usage, parts, Some(job));
            for (shift, total) in excesses.iter_mut().enumerate() {
                let from = self.starts[job] + shift;
                let beside = others
                    .get(from..)
                    .unwrap_or_default()
                    .iter()
                    .chain(std::iter::repeat(&0.0));
                let more = |(own, other): (&f64, &f64)| (own + other - 1.0).max(0.0) - (other - 1.0).max(0.0);
                *total += count * usage[job].iter().zip(beside).map(more).sum::<f64>();
            }
        }
        middle_of_least(&excesses)
    }

    /// What all jobs, or all but one, use of a link.
    fn together(&self, usage: &[Vec<f64>], parts: &[usize], but: Option<usize>) -> Vec<f64> {
        let mut sum: Vec<f64> = Vec::new();
        for (job, of) in usage.iter().enumerate().filter(|&(job, _)| Some(job) != but) {
            let from = self.starts[job] + parts[job];
            if sum.len() < from + of.len() {
                sum.resize(from + of.len(), 0.0);
            }
            sum[from..].iter_mut().zip(of).for_each(|(sum, share)| *sum += share);
        }
        sum
    }

    /// The excess of the worst link that each job uses.
    fn excess_by_job(&self, parts: &[usize]) -> Vec<f64> {
        let mut worst = vec![0.0_f64; parts.len()];
        for (usage, _) in &self.links {
            let excess = excess(&self.together(usage, parts, None));
            for (worst, _) in worst.iter_mut().zip(usage).filter(|(_, of)| !of.is_empty()) {
                *worst = worst.max(excess);
            }
        }
        worst
    }
}

/// By how much a link is asked for too much, in parts of time.
fn excess(usage: &[f64]) -> f64 {
    usage.iter().map(|share| (share - 1.0).max(0.0)).sum()
}

/// The middle of the longest row of least values, on a circle; 0 where all are alike.
fn middle_of_least(values: &[f64]) -> usize {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let is_least = |at: usize| values[at % values.len()] <= least + ALIKE;
    let Some(edge) = (0..values.len()).find(|&at| !is_least(at)) else {
        return 0;
    };
    let (mut best, mut length) = (0, 0);
    let mut at = edge;
    while at < edge + values.len() {
        let row = (at..edge + values.len()).take_while(|&at| is_least(at)).count();
        if row > length {
            (best, length) = (at + (row - 1) / 2, row);
        }
        at += row.max(1);
    }
    best % values.len()
}
