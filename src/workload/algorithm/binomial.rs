//! Broadcast and reduce over a binomial tree.

use super::{Effect, Hop, Job};

/// From rank 0. In round `k` the ranks below 2^k, which have the data, send it to those 2^k further on.
/// Each rank serves its receivers one after the other, and begins once the first chunk is there.
pub(crate) fn broadcast(job: &mut Job) {
    let (ranks, cut) = (job.ranks, job.cut(1));
    let mut held = job.held_from_start();
    // The step from which a rank is free to send.
    let mut free = vec![0; ranks as usize];
    for distance in (0..ranks.next_power_of_two().ilog2()).map(|round| 1 << round) {
        let senders = distance.min(ranks - distance);
        for part in job.parts() {
            let held = held.of(part);
            for src in 0..senders {
                let hop = Hop {
                    src,
                    dst: src + distance,
                    step: free[src as usize] + part.chunk,
                    lane: Job::lane(part, ranks, src),
                    effect: Effect::Copy,
                };
                let after = [held[src as usize]];
                held[hop.dst as usize] = job.draft.send(&hop, &cut.piece(0, part), &after);
            }
        }
        for src in 0..senders as usize {
            free[src + distance as usize] = free[src] + 1;
            free[src] += job.chunks;
        }
    }
}

/// To rank 0: the broadcast backwards. A rank sends its sum once it has those of all that send to it.
pub(crate) fn reduce(job: &mut Job) {
    let (ranks, cut) = (job.ranks, job.cut(1));
    let mut arrived = vec![Vec::new(); ranks as usize * job.channels as usize * job.chunks as usize];
    // The step after the last one that brings a rank something.
    let mut ready = vec![0; ranks as usize];
    for distance in (0..ranks.next_power_of_two().ilog2()).rev().map(|round| 1 << round) {
        for src in distance..ranks.min(2 * distance) {
            for part in job.parts() {
                let place = |rank: u32| (part.index * ranks + rank) as usize;
                let hop = Hop {
                    src,
                    dst: src - distance,
                    step: ready[src as usize] + part.chunk,
                    lane: Job::lane(part, ranks, src),
                    effect: Effect::Reduce,
                };
                let after = std::mem::take(&mut arrived[place(src)]);
                let sent = job.draft.send(&hop, &cut.piece(0, part), &after);
                arrived[place(hop.dst)].push(sent);
            }
            let parent = (src - distance) as usize;
            ready[parent] = ready[parent].max(ready[src as usize] + 1);
        }
    }
}
