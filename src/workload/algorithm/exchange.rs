//! Rounds in which every rank sends to one other rank: what most algorithms of log2 N steps are made of.

use super::{Effect, Held, Hop, Job, Member, Part};
use crate::ids::IdVec;
use crate::workload::schedule_writer::Data;

/// One round.
pub(super) struct Round<F> {
    /// The receiver of a rank: another one for every rank.
    pub to: fn(u32, u32, u32) -> u32,
    pub distance: u32,
    /// What a rank sends of a part.
    pub data: F,
}

/// The rank that differs in one bit.
pub(super) fn across(rank: u32, distance: u32, _ranks: u32) -> u32 {
    rank ^ distance
}

/// The rank so much further on, around the end.
pub(super) fn ahead(rank: u32, distance: u32, ranks: u32) -> u32 {
    (rank + distance) % ranks
}

/// The rank so much before, around the end.
pub(super) fn behind(rank: u32, distance: u32, ranks: u32) -> u32 {
    (rank + ranks - distance) % ranks
}

/// In every round each rank sends, once it has everything that the rounds before have brought it.
pub(super) fn exchange<D: Data, F: Fn(u32, Part) -> D>(
    job: &mut Job,
    first_round: u32,
    mut held: Held,
    effect: Effect,
    rounds: impl Iterator<Item = Round<F>>,
) -> Held {
    let ranks = job.ranks;
    let mut arrivals = IdVec::filled(None, ranks as usize);
    for (round, Round { to, distance, data }) in (first_round..).zip(rounds) {
        for part in job.parts() {
            let held = held.of(part);
            for (rank, &mut held) in (0..).zip(held.iter_mut()) {
                let hop = Hop {
                    src: Member(rank),
                    dst: Member(to(rank, distance, ranks)),
                    step: job.step(round, part),
                    lane: Job::lane(part, ranks, rank),
                    effect,
                };
                arrivals[hop.dst] = job.draft.send(&hop, &data(rank, part), &[held]);
            }
            for (held, arrival) in held.iter_mut().zip(&mut arrivals) {
                *held = job.draft.join([*held, arrival.take()].into_iter());
            }
        }
    }
    held
}
