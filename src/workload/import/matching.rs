//! Which receive gets which message, and which collectives of the ranks of a communicator are one.

use std::collections::{BTreeMap, BTreeSet};

use super::trace::{ANY, CommunicatorId, OpId, Trace, What};
use crate::ids::{Id, IdVec, id};
use crate::input::InputError;

id! {
    /// A collective of the ranks of a communicator.
    pub(super) InstanceId;
}

/// Sender, receiver, tag and size, the last of which counts where sizes must match; and the node.
type Message = ((u32, u32, u32, u64), OpId);

/// By node, the send of a receive and the receive of a send.
///
/// Messages of one sender, receiver and tag are received in their order; what is received from anyone is the first
/// message that is left for the rank.
///
/// # Errors
/// A message that nobody receives, a receive for which there is none, and one that is too small.
pub(super) fn messages(trace: &Trace) -> Result<IdVec<OpId, OpId>, InputError> {
    let mut partner = IdVec::filled(OpId::NONE, trace.nodes().len());
    let (mut sends, mut receives) = (Vec::new(), Vec::new());
    let mut open = Vec::new();
    for rank in 0..trace.ranks() {
        for node in trace.of_rank(rank) {
            let size = |bytes: u64| if trace.sizes_match { bytes } else { 0 };
            match trace.nodes()[node].what {
                What::Send { to, tag, bytes } => sends.push(((rank, to, tag, size(bytes)), node)),
                What::Receive { from, tag, bytes } if from != ANY && tag != ANY => {
                    receives.push(((from, rank, tag, size(bytes)), node));
                }
                What::Receive { .. } => open.push((rank, node)),
                _ => {}
            }
        }
    }
    sends.sort_unstable();
    receives.sort_unstable();
    let mut left = Vec::new();
    let mut unmatched = Vec::new();
    let mut next = receives.into_iter().peekable();
    for chunk in sends.chunk_by(|a, b| a.0 == b.0) {
        while let Some((_, node)) = next.next_if(|&(key, _)| key < chunk[0].0) {
            unmatched.push(node);
        }
        for &(key, send) in chunk {
            match next.next_if(|&(other, _)| other == key) {
                Some((_, receive)) => pair(&mut partner, send, receive),
                None => left.push((key, send)),
            }
        }
    }
    unmatched.extend(next.map(|(_, node)| node));
    let left = from_anyone(trace, &mut partner, &left, &open, &mut unmatched);
    if let Some(&first) = unmatched.iter().min() {
        return Err(never_sent(trace, first, unmatched.len()));
    }
    if let Some(&first) = left.iter().min() {
        return Err(never_received(trace, first, left.len()));
    }
    check_sizes(trace, &partner)?;
    Ok(partner)
}

fn pair(partner: &mut IdVec<OpId, OpId>, send: OpId, receive: OpId) {
    partner[send] = receive;
    partner[receive] = send;
}

/// Gives receives that take a message from anyone, or with any tag, the first that is left; yields the sends that still
/// are.
fn from_anyone(
    trace: &Trace,
    partner: &mut IdVec<OpId, OpId>,
    left: &[Message],
    open: &[(u32, OpId)],
    unmatched: &mut Vec<OpId>,
) -> Vec<OpId> {
    // By receiver, sender and tag, where each of the latter may be left open.
    let mut waiting = BTreeSet::new();
    let views = |&((from, to, tag, _), send): &Message| {
        [
            (to, from, tag, send),
            (to, ANY, tag, send),
            (to, from, ANY, send),
            (to, ANY, ANY, send),
        ]
    };
    let mut keys = BTreeMap::new();
    if !open.is_empty() {
        for entry in left {
            waiting.extend(views(entry));
            keys.insert(entry.1, *entry);
        }
    }
    for &(rank, node) in open {
        let What::Receive { from, tag, .. } = trace.nodes()[node].what else {
            continue;
        };
        let found = waiting
            .range((rank, from, tag, OpId(0))..=(rank, from, tag, OpId::NONE))
            .next()
            .copied();
        match found {
            Some((.., send)) => {
                for view in views(&keys[&send]) {
                    waiting.remove(&view);
                }
                pair(partner, send, node);
            }
            None => unmatched.push(node),
        }
    }
    let sends = left.iter().map(|&(_, send)| send);
    sends.filter(|&send| partner[send] == OpId::NONE).collect()
}

fn more(count: usize) -> String {
    match count - 1 {
        0 => String::new(),
        1 => "; there is 1 more like it".to_owned(),
        others => format!("; there are {others} more like it"),
    }
}

fn never_sent(trace: &Trace, node: OpId, count: usize) -> InputError {
    let What::Receive { from, tag, bytes } = trace.nodes()[node].what else {
        return trace.error(node, "it waits for a message that nobody sends");
    };
    let from = if from == ANY {
        "anyone".to_owned()
    } else {
        format!("rank {from}")
    };
    let tag = if tag == ANY {
        "any tag".to_owned()
    } else {
        format!("tag {tag}")
    };
    let message = format!(
        "nobody sends the {bytes} bytes that it receives from {from} with {tag}{}",
        more(count)
    );
    trace
        .error(node, &message)
        .help("every receive needs a send with the same sender, receiver and tag")
}

fn never_received(trace: &Trace, node: OpId, count: usize) -> InputError {
    let What::Send { to, tag, bytes } = trace.nodes()[node].what else {
        return trace.error(node, "nobody receives what it sends");
    };
    let message = format!(
        "rank {to} never receives these {bytes} bytes with tag {tag}{}",
        more(count)
    );
    trace
        .error(node, &message)
        .help("every send needs a receive with the same sender, receiver and tag")
}

fn check_sizes(trace: &Trace, partner: &IdVec<OpId, OpId>) -> Result<(), InputError> {
    for (node, &send) in partner.entries() {
        let What::Receive { bytes: room, .. } = trace.nodes()[node].what else {
            continue;
        };
        if let What::Send { bytes, .. } = trace.nodes()[send].what
            && bytes > room
        {
            let message = format!("it receives {room} bytes, and {} sends it {bytes}", trace.mention(send));
            return Err(trace
                .error(node, &message)
                .help("a receive must have room for its message"));
        }
    }
    Ok(())
}

/// A collective with the node of each member, in the order of the communicator.
pub(super) struct Instance {
    pub communicator: CommunicatorId,
    pub members: Vec<OpId>,
}

/// All collectives.
pub(super) struct Collectives {
    pub instances: IdVec<InstanceId, Instance>,
    /// By node, the collective that it takes part in, NONE for others; empty where there are no collectives.
    pub of: IdVec<OpId, InstanceId>,
}

/// The collectives of all communicators: the first that each member takes part in, then the second, and so on.
///
/// # Errors
/// Members that take part in more of them than others, or in another one, or that are none.
pub(super) fn collectives(trace: &Trace) -> Result<Collectives, InputError> {
    let mut of_member: IdVec<CommunicatorId, BTreeMap<u32, Vec<OpId>>> =
        IdVec::filled(BTreeMap::new(), trace.communicators.len());
    let mut some = false;
    for rank in 0..trace.ranks() {
        for node in trace.of_rank(rank) {
            if let What::Collective { communicator, .. } = trace.nodes()[node].what {
                some = true;
                of_member[communicator].entry(rank).or_default().push(node);
            }
        }
    }
    let mut instances = IdVec::new();
    let mut instance_of = IdVec::filled(InstanceId::NONE, if some { trace.nodes().len() } else { 0 });
    for (number, mut members) in trace.communicators.ids().zip(of_member) {
        let communicator = &trace.communicators[number];
        let Some((&first, reference)) = members.iter().next() else {
            continue;
        };
        let (reference, all) = (reference.clone(), &communicator.ranks);
        for (&rank, nodes) in &members {
            if !all.contains(&rank) {
                let message = format!("rank {rank} is not in communicator {}", communicator.name);
                return Err(trace
                    .error(nodes[0], &message)
                    .help("a rank takes part in collectives of its own groups"));
            }
        }
        for &rank in all {
            let nodes = members.entry(rank).or_default();
            agree(trace, &communicator.name, (first, &reference), (rank, nodes))?;
        }
        for place in 0..reference.len() {
            let members: Vec<OpId> = all.iter().map(|rank| members[rank][place]).collect();
            let instance = instances.push(Instance {
                communicator: number,
                members,
            });
            for &member in &instances[instance].members {
                instance_of[member] = instance;
            }
        }
    }
    Ok(Collectives {
        instances,
        of: instance_of,
    })
}

/// Whether two members of a communicator take part in the same collectives.
fn agree(
    trace: &Trace,
    name: &str,
    (first, expected): (u32, &[OpId]),
    (rank, nodes): (u32, &[OpId]),
) -> Result<(), InputError> {
    let help = "all ranks of a communicator take part in the same collectives in the same order";
    for (place, (&one, &other)) in expected.iter().zip(nodes).enumerate() {
        let what = |node: OpId| match trace.nodes()[node].what {
            What::Collective { collective, .. } => (collective.name.text(), collective.bytes),
            _ => ("", 0),
        };
        let ((a, a_bytes), (b, b_bytes)) = (what(one), what(other));
        if (a, a_bytes) != (b, b_bytes) {
            let message = format!(
                "collective {place} of communicator {name} is here {b} of {b_bytes} bytes, and on rank {first} {a} of {a_bytes} bytes"
            );
            return Err(trace.error(other, &message).help(help));
        }
    }
    if expected.len() != nodes.len() {
        let (longer, has, lacks) = match expected.len() > nodes.len() {
            true => (expected, first, rank),
            false => (nodes, rank, first),
        };
        let extra = longer[expected.len().min(nodes.len())];
        let message = format!(
            "rank {lacks} never takes part in it: communicator {name} has {} collectives on rank {has} and {} on rank {lacks}",
            expected.len().max(nodes.len()),
            expected.len().min(nodes.len())
        );
        return Err(trace.error(extra, &message).help(help));
    }
    Ok(())
}
