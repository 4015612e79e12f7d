//! Every rank sends to the next one.

use super::trip::{Circle, Trip};
use super::{Effect, Held, Hop, Job, Part};
use crate::workload::schedule_writer::Data;

/// A reduce-scatter by itself.
pub(crate) fn reduce_scatter(job: &mut Job) {
    let (trip, circles) = (Trip::of_all(job.ranks, 0), job.circles());
    let mut held = sum(job);
    job.settle_stream(trip, &circles, &mut held);
}

/// The share of a rank sets out from the rank after it and is added to on its way around.
pub(crate) fn sum(job: &mut Job) -> Held {
    let (held, cut, circles) = (job.held_from_start(), job.cut(job.ranks), job.circles());
    let trip = Trip::of_all(job.ranks, 0);
    collect(job, trip, held, &circles, |rank, part| cut.piece(rank, part))
}

/// The share of a rank sets out from it and is copied on its way around.
pub(crate) fn all_gather(job: &mut Job, first_round: u32, held: Held) {
    let (cut, circles) = (job.cut(job.ranks), job.circles());
    let trip = Trip::of_all(job.ranks, first_round);
    let mut held = spread(job, trip, held, &circles, |rank, part| cut.piece(rank, part));
    job.settle_stream(trip, &circles, &mut held);
}

/// In each circle, every member ends with the sum of its own block. `circles` are those of each channel.
pub(crate) fn collect<D: Data>(
    job: &mut Job,
    trip: Trip,
    held: Held,
    circles: &[Vec<Circle>],
    block: impl Fn(u32, Part) -> D,
) -> Held {
    travel(
        job,
        trip,
        held,
        Effect::Reduce,
        circles,
        |members, place, round, part| {
            let owner = (place + 2 * members.len() - 1 - round) % members.len();
            block(members[owner], part)
        },
    )
}

/// In each circle, every member ends with the blocks of all.
pub(crate) fn spread<D: Data>(
    job: &mut Job,
    trip: Trip,
    held: Held,
    circles: &[Vec<Circle>],
    block: impl Fn(u32, Part) -> D,
) -> Held {
    travel(job, trip, held, Effect::Copy, circles, |members, place, round, part| {
        let owner = (place + members.len() - round) % members.len();
        block(members[owner], part)
    })
}

/// In each round but one for every member, each passes on the block that the round before has brought.
fn travel<D: Data>(
    job: &mut Job,
    trip: Trip,
    mut held: Held,
    effect: Effect,
    circles: &[Vec<Circle>],
    block: impl Fn(&[u32], usize, usize, Part) -> D,
) -> Held {
    let rounds = circles[0].iter().map(|members| members.len() - 1).max().unwrap_or(0);
    let [lanes, first_lane] = trip.lanes;
    let mut sent = Vec::new();
    // What a rank has to begin with, until something that it has sent stands for it.
    let mut own = held.by.clone();
    let mut gathered = match trip.gathers {
        true => held.by.iter().map(|&own| vec![own]).collect(),
        false => Vec::new(),
    };
    for round in 0..rounds {
        for part in job.parts() {
            let held = held.of(part);
            for members in &circles[part.channel as usize] {
                for (place, &rank) in members.iter().enumerate() {
                    let hop = Hop {
                        src: rank,
                        dst: members[(place + 1) % members.len()],
                        step: job.step(trip.first_round + round as u32, part),
                        lane: Job::lane(part, lanes, first_lane + rank),
                        effect,
                    };
                    let slot = (part.index * job.ranks + rank) as usize;
                    let after = match round {
                        0 => [held[rank as usize], None],
                        _ => [held[rank as usize], own[slot]],
                    };
                    let transfer = job.draft.send(&hop, &block(members, place, round, part), &after);
                    if transfer.is_some() {
                        own[slot] = None;
                    }
                    sent.push(transfer);
                }
                // What a rank has sent is now what the next one holds.
                for (place, sent) in sent.drain(..).enumerate() {
                    let next = members[(place + 1) % members.len()];
                    held[next as usize] = sent;
                    if trip.gathers {
                        gathered[(part.index * job.ranks + next) as usize].push(sent);
                    }
                }
            }
        }
    }
    for (held, own) in held.by.iter_mut().zip(own).filter(|(_, own)| own.is_some()) {
        *held = job.draft.join([*held, own].into_iter());
    }
    for (held, all) in held.by.iter_mut().zip(gathered) {
        *held = job.draft.join(all.into_iter());
    }
    held
}

/// Broadcast from rank 0: the data passes from rank to rank, chunk after chunk.
pub(crate) fn broadcast(job: &mut Job) {
    chain(job, Effect::Copy, |place, _| place);
}

/// Reduction to rank 0: the sum passes from rank to rank, from the last to the first, chunk after chunk.
pub(crate) fn reduce(job: &mut Job) {
    chain(job, Effect::Reduce, |place, ranks| ranks - 1 - place);
}

/// The whole buffer passes along all ranks.
fn chain(job: &mut Job, effect: Effect, rank: impl Fn(u32, u32) -> u32) {
    let (ranks, cut) = (job.ranks, job.cut(1));
    for part in job.parts() {
        let mut held = None;
        for place in 0..ranks - 1 {
            let src = rank(place, ranks);
            let hop = Hop {
                src,
                dst: rank(place + 1, ranks),
                step: place + part.chunk,
                lane: Job::lane(part, ranks, src),
                effect,
            };
            held = job.draft.send(&hop, &cut.piece(0, part), &[held]);
        }
    }
}
