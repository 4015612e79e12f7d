//! Which part of the network every node belongs to.

use std::collections::BTreeMap;

use super::ids::PartId;
use crate::ids::{Id, IdVec, NodeId};
use crate::topology::Fabric;

/// Divides a fabric into at most so many parts, with about as many hosts and switches each: hosts in order of their switch, switches with
/// what hangs on them, and in turn those above several parts. None where all would be one part.
pub(super) fn divide(fabric: &Fabric, parts: u32) -> Option<(IdVec<NodeId, PartId>, u32)> {
    let mut of_node = IdVec::filled(PartId::NONE, fabric.nodes().len());
    let count = divide_hosts(fabric, parts, &mut of_node);
    let mut tiers: BTreeMap<u8, Vec<NodeId>> = BTreeMap::new();
    for node in (fabric.hosts() as usize..fabric.nodes().len()).map(NodeId::from) {
        tiers.entry(fabric.node(node).tier).or_default().push(node);
    }
    for switches in tiers.values() {
        let mut turn = 0;
        let choices: Vec<_> = switches
            .iter()
            .map(|&switch| part_below(fabric, &of_node, switch))
            .collect();
        for (&switch, below) in switches.iter().zip(choices) {
            of_node[switch] = below.unwrap_or_else(|| {
                turn += 1;
                PartId((turn - 1) % count)
            });
        }
    }
    (count > 1).then_some((of_node, count))
}

/// Divides the hosts, and says into how many parts.
fn divide_hosts(fabric: &Fabric, parts: u32, of_node: &mut IdVec<NodeId, PartId>) -> u32 {
    let hosts = || (0..fabric.hosts()).map(NodeId);
    let mut edges: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for host in hosts() {
        edges.entry(first_switch(fabric, host)).or_default().push(host);
    }
    // Where fewer switches than parts have hosts, switches are divided, too.
    let groups: Vec<Vec<NodeId>> = match edges.len() >= parts as usize {
        true => edges.into_values().collect(),
        false => hosts().map(|host| vec![host]).collect(),
    };
    let (mut before, mut last, mut count) = (0, None, 0);
    for group in groups {
        let part = before * u64::from(parts) / u64::from(fabric.hosts());
        if last != Some(part) {
            last = Some(part);
            count += 1;
        }
        before += group.len() as u64;
        for host in group {
            of_node[host] = PartId(count - 1);
        }
    }
    count
}

/// The node behind the first port of a host; the host where it has none.
fn first_switch(fabric: &Fabric, host: NodeId) -> NodeId {
    fabric
        .out_links(host)
        .first()
        .map_or(host, |&port| fabric.link(port).to)
}

/// The part of all that hangs on a switch and has one, if it is one alone.
fn part_below(fabric: &Fabric, of_node: &IdVec<NodeId, PartId>, switch: NodeId) -> Option<PartId> {
    let ends = fabric.out_links(switch).iter().map(|&id| of_node[fabric.link(id).to]);
    let mut known = ends.filter(|&part| part != PartId::NONE);
    let first = known.next()?;
    known.all(|part| part == first).then_some(first)
}
