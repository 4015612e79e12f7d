//! Parallel aggregated trees: one binomial tree for every share, and what goes between the same two ranks in a round goes
//! together.
//!
//! S. Jeaugey, "PAT: a new algorithm for all-gather and reduce-scatter operations at scale", 2025 (NCCL 2.23). Far ranks
//! exchange few shares and near ones many. The buffer of a round is not limited here: all shares of a round go at once.

use std::ops::Range;

use super::exchange::{Round, ahead, behind, exchange};
use super::{Effect, Held, Job, Part};

/// The largest power of two below the number of ranks.
fn farthest(ranks: u32) -> u32 {
    ranks.next_power_of_two() / 2
}

/// Down the trees, from the farthest distance to the nearest: rank `root + v` sends on to `root + v + d` where `v` is a
/// multiple of `2d`.
pub(crate) fn all_gather(job: &mut Job, held: Held) {
    let (ranks, cut) = (job.ranks, job.cut(job.ranks));
    let distances = std::iter::successors(Some(farthest(ranks)), |distance| Some(distance / 2));
    let rounds = distances.take_while(|&distance| distance > 0).map(|distance| Round {
        to: ahead,
        distance,
        data: move |rank: u32, part: Part| -> Vec<Range<u64>> {
            let senders = (0..ranks - distance).step_by(2 * distance as usize);
            senders.map(|v| cut.piece(behind(rank, v, ranks), part)).collect()
        },
    });
    exchange(job, 0, held, Effect::Copy, rounds);
}

/// Up the trees, from the nearest distance to the farthest: rank `root + v` sends its sum to `root + v - d` where `v` is
/// an odd multiple of `d`.
pub(crate) fn reduce_scatter(job: &mut Job) -> Held {
    let (ranks, cut, held) = (job.ranks, job.cut(job.ranks), job.held_from_start());
    let distances = std::iter::successors(Some(1), |distance| Some(distance * 2));
    let rounds = distances
        .take_while(|&distance| distance < ranks)
        .map(|distance| Round {
            to: behind,
            distance,
            data: move |rank: u32, part: Part| -> Vec<Range<u64>> {
                let senders = (distance..ranks).step_by(2 * distance as usize);
                senders.map(|v| cut.piece(behind(rank, v, ranks), part)).collect()
            },
        });
    exchange(job, 0, held, Effect::Reduce, rounds)
}
