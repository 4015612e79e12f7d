//! What is known of every queue pair, by its position among all sub-flows of the placement.
//!
//! A transfer of the schedule is a flow; each sub-flow of it is a queue pair. What every hop needs of it lies in one dense
//! array; the states of its two ends exist only while they are needed.

use super::ids::{ReceiverId, SenderId};
use super::setup::{MOST_PACKETS, Setup};
use crate::ids::{HostId, Id, IdVec, PathIndex, SubflowId, TaskId};
use crate::routes::Route;
use crate::workload::{Schedule, Transfer};

/// Where a queue pair leads: all that a hop needs of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub src: HostId,
    pub dst: HostId,
    /// The path that packets' path numbers count from; NONE where switches decide.
    pub base: PathIndex,
}

/// What outlives the two ends of a queue pair: half a cache line, of which every hop reads a part.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub(super) struct QueuePair {
    pub ends: Ends,
    /// The task it belongs to.
    pub task: TaskId,
    /// Slots of its two ends: each is written by the host at that end alone.
    pub sender: SenderId,
    pub receiver: ReceiverId,
    /// Data packets in all.
    pub packets: u32,
    /// Wire bytes of the last one.
    pub last: u16,
    /// Whether its placement has pinned it to one path.
    pub pinned: bool,
    /// How many packets its ends tell apart, as a power of two: the sender says so when it starts.
    pub log_span: u8,
}

/// All queue pairs, by sub-flow of the placement.
pub(super) fn queue_pairs(setup: &Setup<'_>, switches_decide: bool) -> IdVec<SubflowId, QueuePair> {
    let mut pairs = IdVec::with_capacity(setup.placement.subflows().len());
    let options = setup.packet;
    for Transfer { task, src, dst, bytes } in setup.schedule.transfers() {
        let most = match options.stop {
            Some(stop) if bytes >= Schedule::ENDLESS => setup.most_packets(src, stop).min(MOST_PACKETS),
            _ => MOST_PACKETS,
        };
        for subflow in setup.placement.of(task) {
            let pinned = match subflow.route {
                Route::Pinned(path) => Some(path),
                _ => None,
            };
            let open = if switches_decide { PathIndex::NONE } else { PathIndex(0) };
            let base = pinned.unwrap_or(open);
            let packets = subflow.bytes.div_ceil(options.payload.0).clamp(1, most);
            let last = (subflow.bytes - (packets - 1) * options.payload.0).min(options.payload.0) + options.header.0;
            pairs.push(QueuePair {
                ends: Ends { src, dst, base },
                task,
                sender: SenderId::NONE,
                receiver: ReceiverId::NONE,
                packets: packets as u32,
                last: last as u16,
                pinned: pinned.is_some(),
                log_span: packets.next_power_of_two().trailing_zeros() as u8,
            });
        }
    }
    pairs
}
