//! Equal-cost multipath: every switch hashes a flow onto one of its next links.

use super::{Placement, Route};
use crate::ids::NodeId;
use crate::rng::{index_below, mix};
use crate::topology::Fabric;
use crate::workload::Schedule;

pub(super) fn place(fabric: &Fabric, schedule: &Schedule, seed: u64) -> Placement {
    Placement::whole(schedule, |task, src, dst| {
        Route::Pinned(hashed_path(fabric, seed, u64::from(task.0) << 32, src, dst))
    })
}

/// The path of a queue pair with a given label. Every switch salts the hash with its own number:
/// without the salt all tiers would pick alike (hash polarisation).
pub(super) fn hashed_path(fabric: &Fabric, seed: u64, label: u64, src: NodeId, dst: NodeId) -> u32 {
    let flow = mix(mix(seed) ^ label);
    let path = fabric.walk(src, dst, |switch, hops| {
        index_below(mix(flow ^ mix(u64::from(switch.0))), hops.len() as u32) as usize
    });
    path.expect("transfers are placed only where a path exists").0
}
