//! Switches add what passes through them, and send copies of the sum back (as SHARP does).

use super::{Effect, Hop, Job, Member};

/// Every rank sends its data up once and gets the sum down once.
///
/// There are no transfers between hosts that do that. What stands for them has the same bytes on the same links: each
/// host, in the order of the hosts, sends all of its data to the next one. Every host's cable carries them once up and
/// once down, and so does every set of neighboring hosts, such as a leaf. No rank is done before all are.
pub(crate) fn all_reduce(job: &mut Job) {
    let order = job.draft.ranks_by_host();
    let cut = job.cut(1);
    job.draft.begin_stream();
    for part in job.parts() {
        let lane = |rank: Member| Job::lane(part, job.ranks, rank.0);
        for (place, &src) in order.iter().enumerate() {
            let hop = Hop {
                src,
                dst: order[(place + 1) % order.len()],
                step: 0,
                lane: lane(src),
                effect: Effect::Reduce,
            };
            job.draft.send(&hop, &cut.piece(0, part), &[]);
        }
    }
    let mut lanes = Vec::new();
    for part in job.parts() {
        lanes.extend(order.iter().filter_map(|&rank| Job::lane(part, job.ranks, rank.0)));
    }
    job.draft.end_stream(&order, lanes.into_iter());
}
