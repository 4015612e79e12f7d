//! Pairs of ranks exchange data, at another distance in every round: recursive halving and recursive
//! doubling. Ranks are a power of two, and the partner at distance d differs in that bit alone.

use super::{Cut, Effect, Held, Hop, Job, Shares};

/// Recursive halving: every rank sends the half of its shares that belongs to its partner's side, and
/// adds what it gets to the other half. In the end it has its own share alone.
pub fn reduce_scatter(job: &mut Job, distances: &[u32]) -> Held {
    let (held, cut, all) = (job.held_from_start(), job.cut(job.ranks), job.ranks - 1);
    let mut settled = 0;
    let rounds = distances.iter().map(|&distance| {
        settled |= distance;
        let (settled, free) = (settled, all & !settled);
        let common = move |rank: u32| (rank ^ distance) & settled;
        (distance, move |rank| Shares {
            common: common(rank),
            free,
        })
    });
    exchange(job, 0, held, cut, Effect::Reduce, rounds)
}

/// Recursive doubling of shares: every rank sends all that it has and has twice as many then.
pub fn all_gather(job: &mut Job, first_round: u32, held: Held, distances: &[u32]) {
    let cut = job.cut(job.ranks);
    let mut gathered = 0;
    let rounds = distances.iter().map(|&distance| {
        let free = gathered;
        gathered |= distance;
        (distance, move |rank: u32| Shares {
            common: rank & !free,
            free,
        })
    });
    exchange(job, first_round, held, cut, Effect::Copy, rounds);
}

/// Recursive doubling of sums: every rank sends the sum over the ranks it has heard of and adds its
/// partner's.
pub fn all_reduce(job: &mut Job, distances: &[u32]) {
    let (held, cut) = (job.held_from_start(), job.cut(1));
    let everything = |_: u32| Shares { common: 0, free: 0 };
    let rounds = distances.iter().map(|&distance| (distance, everything));
    exchange(job, 0, held, cut, Effect::Reduce, rounds);
}

/// In every round each rank sends some of its shares to the rank at the round's distance, once it has
/// everything that the rounds before have brought it.
fn exchange<F: Fn(u32) -> Shares>(
    job: &mut Job,
    first_round: u32,
    mut held: Held,
    cut: Cut,
    effect: Effect,
    rounds: impl Iterator<Item = (u32, F)>,
) -> Held {
    let ranks = job.ranks;
    let mut sent = Vec::with_capacity(ranks as usize);
    for (round, (distance, shares)) in (first_round..).zip(rounds) {
        for part in job.parts() {
            let held = held.of(part);
            for (rank, &mut held) in (0..).zip(held.iter_mut()) {
                let hop = Hop {
                    src: rank,
                    dst: rank ^ distance,
                    step: job.step(round, part),
                    lane: Job::lane(part, ranks, rank),
                    effect,
                };
                let data = cut.pieces(shares(rank), part);
                sent.push(job.draft.send(&hop, &data, &[held]));
            }
            for (rank, held) in (0..).zip(held) {
                let arrival = sent[(rank ^ distance) as usize];
                *held = job.draft.join([*held, arrival].into_iter());
            }
            sent.clear();
        }
    }
    held
}
