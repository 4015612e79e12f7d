//! All-to-all over rails: first inside the servers, to the rank on the receiver's rail, then along the rails.

use std::ops::Range;

use crate::ids::IdVec;
use crate::input::InputError;
use crate::units::Bytes;
use crate::workload::schedule_writer::{Effect, Extent, Hop, ScheduleWriter};
use crate::workload::scope::Member;

/// Every rank hands each of its server's ranks all that it has for that one's rail; then every rank sends each rank of
/// its rail all that its server has for it. Block `d` of rank `s` lies at `(s * ranks + d) * message`.
pub(crate) fn all_to_all(draft: &mut ScheduleWriter, message: Bytes, local: Option<u32>) -> Result<(), InputError> {
    let (ranks, servers) = (draft.ranks(), draft.servers(local)?);
    let (size, count) = (servers[0].len(), servers.len());
    let (near, far) = (
        u128::from(ranks) * (size - 1) as u128,
        u128::from(ranks) * (count - 1) as u128,
    );
    draft.expect(
        "message",
        message,
        &Extent {
            transfers: near + far,
            joins: ranks.into(),
            edges: near + far,
            bytes: u128::from(message.0) * (near * count as u128 + far * size as u128),
        },
    )?;
    let block = |src: Member, dst: Member| -> Range<u64> {
        let first = (u64::from(src.0) * u64::from(ranks) + u64::from(dst.0)) * message.0;
        first..first + message.0
    };
    let mut arrived = IdVec::filled(Vec::new(), ranks as usize);
    for (src, dst, data) in servers
        .iter()
        .flat_map(|server| {
            (0..size).flat_map(move |from| (1..size).map(move |next| (server, from, (from + next) % size)))
        })
        .map(|(server, from, to)| {
            let src = server[from];
            let data: Vec<Range<u64>> = servers.iter().map(|other| block(src, other[to])).collect();
            (src, server[to], data)
        })
    {
        arrived[dst].push(draft.send(&hop(src, dst, 0), &data, &[]));
    }
    let ready: IdVec<Member, _> = arrived.into_iter().map(|parts| draft.join(parts.into_iter())).collect();
    for place in 0..size {
        for from in 0..count {
            for to in (1..count).map(|next| (from + next) % count) {
                let (src, dst) = (servers[from][place], servers[to][place]);
                let data: Vec<Range<u64>> = servers[from].iter().map(|&rank| block(rank, dst)).collect();
                draft.send(&hop(src, dst, 1), &data, &[ready[src]]);
            }
        }
    }
    Ok(())
}

fn hop(src: Member, dst: Member, step: u32) -> Hop {
    Hop {
        src,
        dst,
        step,
        lane: None,
        effect: Effect::Copy,
    }
}
