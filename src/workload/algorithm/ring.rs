//! Every rank sends to the next one.

use super::{Effect, Held, Hop, Job};

/// Share `s` sets out from rank `s + 1` and is added to on its way around to rank `s`.
pub fn reduce_scatter(job: &mut Job) -> Held {
    let (held, ranks) = (job.held_from_start(), job.ranks);
    travel(job, 0, held, Effect::Reduce, |rank, round| {
        (rank + ranks - 1 - round) % ranks
    })
}

/// Share `s` sets out from rank `s` and is copied on its way around to rank `s - 1`.
pub fn all_gather(job: &mut Job, first_round: u32, held: Held) {
    let ranks = job.ranks;
    travel(job, first_round, held, Effect::Copy, |rank, round| {
        (rank + ranks - round) % ranks
    });
}

/// In each of N - 1 rounds every rank passes on the share that the round before has brought.
fn travel(job: &mut Job, first_round: u32, mut held: Held, effect: Effect, share: impl Fn(u32, u32) -> u32) -> Held {
    let (ranks, cut) = (job.ranks, job.cut(job.ranks));
    for round in 0..ranks - 1 {
        for part in job.parts() {
            let held = held.of(part);
            for rank in 0..ranks {
                let hop = Hop {
                    src: rank,
                    dst: (rank + 1) % ranks,
                    step: job.step(first_round + round, part),
                    lane: Job::lane(part, ranks, rank),
                    effect,
                };
                let data = cut.piece(share(rank, round), part);
                let after = [held[rank as usize]];
                held[rank as usize] = job.draft.send(&hop, &data, &after);
            }
            // What a rank has sent is now what the next one holds.
            held.rotate_right(1);
        }
    }
    held
}

/// Broadcast from rank 0: the data passes from rank to rank, chunk after chunk.
pub fn broadcast(job: &mut Job) {
    let (ranks, cut) = (job.ranks, job.cut(1));
    for part in job.parts() {
        let mut held = None;
        for rank in 0..ranks - 1 {
            let hop = Hop {
                src: rank,
                dst: rank + 1,
                step: rank + part.chunk,
                lane: Job::lane(part, ranks, rank),
                effect: Effect::Copy,
            };
            held = job.draft.send(&hop, &cut.piece(0, part), &[held]);
        }
    }
}
