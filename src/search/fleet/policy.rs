//! Which of the free hosts a job gets.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;

use crate::experiment::FleetPolicy;
use crate::ids::NodeId;
use crate::rng::stream;
use crate::topology::Fabric;

/// Hosts for a job, of those that are free; none where they are too few. The same job gets the same ones of the
/// same.
pub(super) fn hosts_for(
    policy: FleetPolicy,
    fabric: &Fabric,
    free: &[u32],
    count: usize,
    (seed, job): (u64, u64),
) -> Option<Vec<u32>> {
    if free.len() < count {
        return None;
    }
    Some(match policy {
        FleetPolicy::Packed => free[..count].to_vec(),
        FleetPolicy::Spread => spread(&by_leaf(fabric, free), count),
        FleetPolicy::ByLeaf => fewest_leaves(by_leaf(fabric, free), count),
        FleetPolicy::Random | FleetPolicy::Ordered => {
            let mut hosts = free.to_vec();
            hosts.shuffle(&mut stream(seed, "fleet hosts", job));
            hosts.truncate(count);
            hosts
        }
    })
}

/// The free hosts of each leaf.
fn by_leaf(fabric: &Fabric, free: &[u32]) -> Vec<Vec<u32>> {
    let mut leaves: BTreeMap<NodeId, Vec<u32>> = BTreeMap::new();
    for &host in free {
        leaves.entry(fabric.edge(NodeId(host))).or_default().push(host);
    }
    leaves.into_values().collect()
}

/// One of each leaf in turn.
fn spread(leaves: &[Vec<u32>], count: usize) -> Vec<u32> {
    let most = leaves.iter().map(Vec::len).max().unwrap_or(0);
    let in_turn = (0..most).flat_map(|turn| leaves.iter().filter_map(move |leaf| leaf.get(turn).copied()));
    in_turn.take(count).collect()
}

/// The leaf with the fewest hosts that has enough; where none has, all of the emptiest, and the rest likewise.
fn fewest_leaves(mut leaves: Vec<Vec<u32>>, count: usize) -> Vec<u32> {
    let mut hosts = Vec::with_capacity(count);
    while hosts.len() < count {
        let left = count - hosts.len();
        let enough = (0..leaves.len())
            .filter(|&leaf| leaves[leaf].len() >= left)
            .min_by_key(|&leaf| leaves[leaf].len());
        let most = || (0..leaves.len()).rev().max_by_key(|&leaf| leaves[leaf].len());
        let Some(leaf) = enough.or_else(most) else {
            break;
        };
        hosts.extend(leaves.remove(leaf).into_iter().take(left));
    }
    hosts
}
