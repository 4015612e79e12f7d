//! Every rank sends to every other at once.

use super::{Effect, Held, Hop, Job, Member, Part};
use crate::ids::{IdVec, TaskId};

/// Every rank sends every other one its share, to be added up there.
pub(crate) fn reduce_scatter(job: &mut Job) -> Held {
    let (ranks, cut) = (job.ranks, job.cut(job.ranks));
    let mut held = job.held_from_start();
    let mut arrivals = IdVec::filled(Vec::with_capacity(ranks as usize - 1), ranks as usize);
    for part in job.parts() {
        for (src, dst) in pairs(ranks) {
            let hop = hop(job, 0, part, [src, dst], Effect::Reduce);
            let transfer = job.draft.send(&hop, &cut.piece(dst, part), &[]);
            arrivals[hop.dst].push(transfer);
        }
        for (held, arrivals) in held.of(part).iter_mut().zip(&mut arrivals) {
            *held = job.draft.join(arrivals.drain(..));
        }
    }
    held
}

/// Every rank sends its share to every other one.
pub(crate) fn all_gather(job: &mut Job, first_round: u32, mut held: Held) {
    let (ranks, cut) = (job.ranks, job.cut(job.ranks));
    for part in job.parts() {
        for (src, dst) in pairs(ranks) {
            let hop = hop(job, first_round, part, [src, dst], Effect::Copy);
            let after: [Option<TaskId>; 1] = [held.of(part)[hop.src]];
            job.draft.send(&hop, &cut.piece(src, part), &after);
        }
    }
}

/// Every rank sends rank 0 its share.
pub(crate) fn gather(job: &mut Job) {
    let cut = job.cut(job.ranks);
    for part in job.parts() {
        for src in 1..job.ranks {
            let hop = hop(job, 0, part, [src, 0], Effect::Copy);
            job.draft.send(&hop, &cut.piece(src, part), &[]);
        }
    }
}

/// Rank 0 sends every rank its share.
pub(crate) fn scatter(job: &mut Job) {
    let cut = job.cut(job.ranks);
    for part in job.parts() {
        for dst in 1..job.ranks {
            let hop = hop(job, 0, part, [0, dst], Effect::Copy);
            job.draft.send(&hop, &cut.piece(dst, part), &[]);
        }
    }
}

/// All pairs of ranks: each rank begins with the one after it.
fn pairs(ranks: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..ranks).flat_map(move |src| (src + 1..ranks).chain(0..src).map(move |dst| (src, dst)))
}

fn hop(job: &Job, round: u32, part: Part, [src, dst]: [u32; 2], effect: Effect) -> Hop {
    let ranks = job.ranks as usize;
    Hop {
        src: Member(src),
        dst: Member(dst),
        step: job.step(round, part),
        lane: Some((part.channel.0 as usize * ranks + src as usize) * ranks + dst as usize),
        effect,
    }
}
