//! Bruck's algorithms: ceil(log2 N) rounds for any number of ranks.
//!
//! J. Bruck, C.-T. Ho, S. Kipnis, E. Upfal, D. Weathersby, "Efficient algorithms for all-to-all communications in
//! multiport message-passing systems", IEEE TPDS 8 (1997).

use std::ops::Range;

use super::exchange::{Round, ahead, behind, exchange};
use super::{Effect, Held, Job, Part};

/// The distances of the rounds: all powers of two below the number of ranks.
fn distances(ranks: u32) -> impl Iterator<Item = u32> + use<> {
    (0..u32::BITS - (ranks - 1).leading_zeros()).map(|round| 1 << round)
}

/// Every rank sends all that it has to the rank before it at distance 1, 2, 4, ...: it holds the shares that follow its
/// own, and the last round sends only what is missing.
pub(crate) fn all_gather(job: &mut Job, held: Held) {
    let (ranks, cut) = (job.ranks, job.cut(job.ranks));
    let rounds = distances(ranks).map(|distance| {
        let count = distance.min(ranks - distance);
        Round {
            to: behind,
            distance,
            data: move |rank: u32, part: Part| -> Vec<Range<u64>> {
                (0..count).map(|next| cut.piece((rank + next) % ranks, part)).collect()
            },
        }
    });
    exchange(job, 0, held, Effect::Copy, rounds);
}

/// A block travels by the distances that its own distance is the sum of; blocks that go the same way in a round go
/// together. Block `d` of rank `s` lies at `(s * ranks + d) * message`.
pub(crate) fn all_to_all(job: &mut Job, message: u64) {
    let (ranks, held) = (job.ranks, job.held_from_start());
    let block = move |src: u32, dst: u32| {
        let first = (u64::from(src) * u64::from(ranks) + u64::from(dst)) * message;
        first..first + message
    };
    let rounds = distances(ranks).map(|distance| Round {
        to: ahead,
        distance,
        data: move |rank: u32, _: Part| -> Vec<Range<u64>> {
            let offsets = (1..ranks).filter(|offset| offset & distance != 0);
            let blocks = offsets.map(|offset| {
                let src = behind(rank, offset & (distance - 1), ranks);
                block(src, ahead(src, offset, ranks))
            });
            blocks.collect()
        },
    });
    exchange(job, 0, held, Effect::Copy, rounds);
}

/// Blocks that all transfers of an all-to-all carry together.
pub(crate) fn blocks(ranks: u32) -> u128 {
    let hops: u32 = (1..ranks).map(u32::count_ones).sum();
    u128::from(ranks) * u128::from(hops)
}

/// Rounds of an exchange between so many ranks.
pub(crate) fn rounds(ranks: u32) -> u128 {
    distances(ranks).count() as u128
}
