//! Every rank sends to the next one.

use super::trip::{Circles, Trip};
use super::{Effect, Held, Hop, Job, Member, Part, PartId};
use crate::ids::IdVec;
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
    collect(job, trip, held, &circles, |rank, part| cut.piece(rank.0, part))
}

/// The share of a rank sets out from it and is copied on its way around.
pub(crate) fn all_gather(job: &mut Job, first_round: u32, held: Held) {
    let (cut, circles) = (job.cut(job.ranks), job.circles());
    let trip = Trip::of_all(job.ranks, first_round);
    let mut held = spread(job, trip, held, &circles, |rank, part| cut.piece(rank.0, part));
    job.settle_stream(trip, &circles, &mut held);
}

/// In each circle, every member ends with the sum of its own block. `circles` are those of each channel.
pub(crate) fn collect<D: Data>(
    job: &mut Job,
    trip: Trip,
    held: Held,
    circles: &Circles,
    block: impl Fn(Member, Part) -> D,
) -> Held {
    let owner = |place: usize, round: usize, members: usize| (place + 2 * members - 1 - round) % members;
    travel(job, trip, held, Effect::Reduce, circles, owner, block)
}

/// In each circle, every member ends with the blocks of all.
pub(crate) fn spread<D: Data>(
    job: &mut Job,
    trip: Trip,
    held: Held,
    circles: &Circles,
    block: impl Fn(Member, Part) -> D,
) -> Held {
    let owner = |place: usize, round: usize, members: usize| (place + members - round) % members;
    travel(job, trip, held, Effect::Copy, circles, owner, block)
}

/// In each round but one for every member, each passes on the block that the round before has brought: that of the `owner` in a
/// place, by place, round and number of members.
fn travel<D: Data>(
    job: &mut Job,
    trip: Trip,
    mut held: Held,
    effect: Effect,
    circles: &Circles,
    owner: impl Fn(usize, usize, usize) -> usize,
    block: impl Fn(Member, Part) -> D,
) -> Held {
    let members = circles.iter().flatten().map(|members| members.len() - 1);
    let rounds = members.max().unwrap_or(0);
    let [lanes, first_lane] = trip.lanes;
    let mut sent = Vec::new();
    // What a rank has to begin with, until something that it has sent stands for it.
    let mut own = held.by.clone();
    let mut gathered: IdVec<PartId, IdVec<Member, Vec<_>>> = match trip.gathers {
        true => held
            .by
            .iter()
            .map(|of_part| of_part.iter().map(|&own| vec![own]).collect())
            .collect(),
        false => IdVec::new(),
    };
    let streams: IdVec<PartId, Vec<Option<u64>>> = job
        .parts()
        .map(|part| {
            circles[part.channel]
                .iter()
                .map(|members| stream(job, members, part, &block))
                .collect()
        })
        .collect();
    for round in 0..rounds {
        for part in job.parts() {
            let held = held.of(part);
            for (members, &stream) in circles[part.channel].iter().zip(&streams[part.index]) {
                if stream.is_some() && round > 0 {
                    continue;
                }
                for (place, &rank) in members.iter().enumerate() {
                    let hop = Hop {
                        src: rank,
                        dst: members[(place + 1) % members.len()],
                        step: job.step(trip.first_round + round as u32, part),
                        lane: Job::lane(part, lanes, first_lane + rank.0),
                        effect,
                    };
                    let own = &mut own[part.index][rank];
                    let after = match round {
                        0 => [held[rank], None],
                        _ => [held[rank], *own],
                    };
                    let of = |round| block(members[owner(place, round, members.len())], part);
                    let transfer = job.draft.send(&hop, &of(round), &after);
                    if let (Some(all), Some(transfer)) = (stream, transfer) {
                        // It carries what later rounds bring, too: all but the block of the round that there is not.
                        let missing = of(members.len() - 1).bytes();
                        job.draft.schedule.extend(transfer, all - missing - of(0).bytes());
                    }
                    if transfer.is_some() {
                        *own = None;
                    }
                    sent.push(transfer);
                }
                // What a rank has sent is now what the next one holds.
                for (place, sent) in sent.drain(..).enumerate() {
                    let next = members[(place + 1) % members.len()];
                    held[next] = sent;
                    if trip.gathers {
                        gathered[part.index][next].push(sent);
                    }
                }
            }
        }
    }
    let owned = own.into_iter().flatten();
    for (held, own) in held.by.iter_mut().flatten().zip(owned).filter(|(_, own)| own.is_some()) {
        *held = job.draft.join([*held, own].into_iter());
    }
    for (held, all) in held.by.iter_mut().flatten().zip(gathered.into_iter().flatten()) {
        *held = job.draft.join(all.into_iter());
    }
    held
}

/// All bytes that go round a circle of which every connection carries one transfer, so that there is nothing to draw after the first
/// round; none where rounds are to be drawn one by one.
fn stream<D: Data>(job: &Job, members: &[Member], part: Part, block: impl Fn(Member, Part) -> D) -> Option<u64> {
    if !job.draft.streams() || members.len() < 2 {
        return None;
    }
    let bytes = |&rank: &Member| Some(block(rank, part).bytes()).filter(|&bytes| bytes > 0);
    members.iter().map(bytes).sum()
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
                src: Member(src),
                dst: Member(rank(place + 1, ranks)),
                step: place + part.chunk,
                lane: Job::lane(part, ranks, src),
                effect,
            };
            held = job.draft.send(&hop, &cut.piece(0, part), &[held]);
        }
    }
}
