//! Pairs of ranks exchange data, at another distance in every round: recursive halving and recursive
//! doubling. Ranks are a power of two, and the partner at distance d differs in that bit alone.

use super::exchange::{Round, across, exchange};
use super::{Effect, Held, Job, Part, Shares};

/// Recursive halving: every rank sends the half of its shares that belongs to its partner's side, and
/// adds what it gets to the other half. In the end it has its own share alone.
pub(crate) fn reduce_scatter(job: &mut Job, distances: &[u32]) -> Held {
    let (held, cut, all) = (job.held_from_start(), job.cut(job.ranks), job.ranks - 1);
    let mut settled = 0;
    let rounds = distances.iter().map(|&distance| {
        settled |= distance;
        let (settled, free) = (settled, all & !settled);
        let data = move |rank: u32, part: Part| {
            let common = (rank ^ distance) & settled;
            cut.pieces(Shares { common, free }, part)
        };
        round(distance, data)
    });
    exchange(job, 0, held, Effect::Reduce, rounds)
}

/// Recursive doubling of shares: every rank sends all that it has and has twice as many then.
pub(crate) fn all_gather(job: &mut Job, first_round: u32, held: Held, distances: &[u32]) {
    let cut = job.cut(job.ranks);
    let mut gathered = 0;
    let rounds = distances.iter().map(|&distance| {
        let free = gathered;
        gathered |= distance;
        let data = move |rank: u32, part: Part| {
            let common = rank & !free;
            cut.pieces(Shares { common, free }, part)
        };
        round(distance, data)
    });
    exchange(job, first_round, held, Effect::Copy, rounds);
}

/// Recursive doubling of sums: every rank sends the sum over the ranks it has heard of and adds its
/// partner's.
pub(crate) fn all_reduce(job: &mut Job, distances: &[u32]) {
    let (held, cut) = (job.held_from_start(), job.cut(1));
    let everything = move |_: u32, part: Part| cut.piece(0, part);
    let rounds = distances.iter().map(|&distance| round(distance, everything));
    exchange(job, 0, held, Effect::Reduce, rounds);
}

fn round<F>(distance: u32, data: F) -> Round<F> {
    Round {
        to: across,
        distance,
        data,
    }
}
