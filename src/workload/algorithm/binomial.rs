//! Broadcast and reduce over a binomial tree.

use super::{Effect, Hop, Job, Member};
use crate::ids::IdVec;

/// From rank 0. In round `k` the ranks below 2^k, which have the data, send it to those 2^k further on.
/// Each rank serves its receivers one after the other, and begins once the first chunk is there.
pub(crate) fn broadcast(job: &mut Job) {
    let (ranks, cut) = (job.ranks, job.cut(1));
    let mut held = job.held_from_start();
    // The step from which a rank is free to send.
    let mut free = IdVec::filled(0, ranks as usize);
    for distance in (0..ranks.next_power_of_two().ilog2()).map(|round| 1 << round) {
        let senders = distance.min(ranks - distance);
        for part in job.parts() {
            let held = held.of(part);
            for src in (0..senders).map(Member) {
                let hop = Hop {
                    src,
                    dst: Member(src.0 + distance),
                    step: free[src] + part.chunk,
                    lane: Job::lane(part, ranks, src.0),
                    effect: Effect::Copy,
                };
                let after = [held[src]];
                held[hop.dst] = job.draft.send(&hop, &cut.piece(0, part), &after);
            }
        }
        for src in (0..senders).map(Member) {
            free[Member(src.0 + distance)] = free[src] + 1;
            free[src] += job.chunks;
        }
    }
}

/// To rank 0: the broadcast backwards. A rank sends its sum once it has those of all that send to it.
pub(crate) fn reduce(job: &mut Job) {
    let (ranks, cut) = (job.ranks, job.cut(1));
    let of_part: IdVec<Member, _> = IdVec::filled(Vec::new(), ranks as usize);
    let mut arrived = IdVec::filled(of_part, cut.parts as usize);
    // The step after the last one that brings a rank something.
    let mut ready = IdVec::filled(0, ranks as usize);
    for distance in (0..ranks.next_power_of_two().ilog2()).rev().map(|round| 1 << round) {
        for src in (distance..ranks.min(2 * distance)).map(Member) {
            let parent = Member(src.0 - distance);
            for part in job.parts() {
                let hop = Hop {
                    src,
                    dst: parent,
                    step: ready[src] + part.chunk,
                    lane: Job::lane(part, ranks, src.0),
                    effect: Effect::Reduce,
                };
                let after = std::mem::take(&mut arrived[part.index][src]);
                let sent = job.draft.send(&hop, &cut.piece(0, part), &after);
                arrived[part.index][parent].push(sent);
            }
            ready[parent] = ready[parent].max(ready[src] + 1);
        }
    }
}
