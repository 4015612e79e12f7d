//! The parts of an ended run as one.

use super::ids::PartId;
use super::parts::Parts;
use super::windows::Part;
use crate::ids::{Id, IdVec, TaskId};
use crate::packet_engine::ids::{ReceiverId, SenderId};
use crate::workload::Action;

/// One engine with all that reports ask for.
pub(super) fn merge<'a>(parts: &Parts, engines: IdVec<PartId, Part<'a>>) -> Part<'a> {
    let mut engines = parts.ids().zip(engines);
    let (_, mut whole) = engines.next().expect("a run has parts");
    for (part, engine) in engines {
        absorb(&mut whole, engine, part, parts);
    }
    whole
}

/// Adds a part to those before it.
fn absorb<'a>(whole: &mut Part<'a>, mut other: Part<'a>, part: PartId, parts: &Parts) {
    whole.events += other.events;
    whole.ended = whole.ended.or(other.ended);
    whole.net.packet_hops += other.net.packet_hops;
    whole.net.events.now = whole.net.events.now.max(other.net.events.now);
    for (link, border) in parts.borders.entries() {
        if border.from == part {
            whole.net.links.absorb(link, &other.net.links);
        } else {
            whole.net.links.absorb_lost(link, &other.net.links);
        }
    }
    let schedule = whole.net.setup.schedule;
    let arrives = |task: TaskId| match schedule.task(task).action {
        Action::Transfer { dst, .. } => parts.of_host(dst) == part,
        _ => parts.homes[task] == part,
    };
    whole
        .flows
        .absorb(&other.flows, |task| parts.homes[task] == part, arrives);
    for task in whole.receiving.paths_taken.ids().filter(|&task| arrives(task)) {
        whole.receiving.paths_taken[task] = std::mem::take(&mut other.receiving.paths_taken[task]);
    }
    whole.receiving.news += other.receiving.news;
    whole.sending.packets += other.sending.packets;
    whole.sending.retransmits += other.sending.retransmits;
    absorb_ends(whole, &mut other, part, parts);
}

/// Adds the ends of queue pairs that are at the hosts of a part.
fn absorb_ends<'a>(whole: &mut Part<'a>, other: &mut Part<'a>, part: PartId, parts: &Parts) {
    for qp in whole.net.pairs.ids() {
        let theirs = other.net.pairs[qp];
        let pair = &mut whole.net.pairs[qp];
        if parts.of_host(pair.ends.src) == part {
            let sender = match theirs.sender {
                SenderId::NONE => None,
                slot => other.sending.senders.remove(slot),
            };
            pair.sender = sender.map_or(SenderId::NONE, |sender| whole.sending.senders.insert(sender));
        }
        if parts.of_host(pair.ends.dst) == part {
            let receiver = match theirs.receiver {
                ReceiverId::NONE | ReceiverId::COMPLETE => None,
                slot => other.receiving.receivers.remove(slot),
            };
            let insert = |receiver| whole.receiving.receivers.insert(receiver);
            pair.receiver = receiver.map_or(theirs.receiver, insert);
        }
    }
}
