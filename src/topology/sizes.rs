//! The sizes of fabrics that can be simulated.

use std::collections::BTreeSet;

use super::blueprint::{Blueprint, NodeKind};
use crate::input::InputError;

/// Largest number of hosts, and of cables, that a topology may have.
pub const MAX_SIZE: u64 = 4_000_000;

/// Refuses a count of zero.
pub(super) fn check_count(key: &str, count: u32) -> Result<(), InputError> {
    if count == 0 {
        return Err(InputError::key(key, format!("`{key}` is 0")).help("it must be at least 1"));
    }
    Ok(())
}

/// Refuses fabrics with more than [`MAX_SIZE`] of something that is counted as a product.
pub(super) fn check_size(what: &str, counts: &[u32]) -> Result<(), InputError> {
    let product = counts.iter().fold(1_u64, |n, &c| n.saturating_mul(u64::from(c)));
    if product > MAX_SIZE {
        return Err(InputError::key("", format!("the fabric would have {product} {what}"))
            .help(format!("at most {MAX_SIZE} can be simulated")));
    }
    Ok(())
}

/// Largest number of entries in the forwarding tables, about 1.6 GB.
const MAX_TABLE: u64 = 200_000_000;

/// Refuses fabrics whose forwarding tables would not fit into memory: they have a row for every
/// switch with hosts and every host with several links, and a column for these and all switches.
pub(super) fn check_tables(drawing: &Blueprint) -> Result<(), InputError> {
    let graph = &drawing.graph;
    let mut edges = BTreeSet::new();
    let (mut own, mut switches) = (0_u64, 0_u64);
    for node in graph.node_indices() {
        let mut neighbors = graph.neighbors(node);
        match (graph[node].kind, neighbors.next(), neighbors.next()) {
            (NodeKind::Switch, ..) => switches += 1,
            (NodeKind::Host, Some(switch), None) if graph[switch].kind == NodeKind::Switch => {
                edges.insert(switch);
            }
            (NodeKind::Host, ..) => own += 1,
        }
    }
    let entries = (edges.len() as u64 + own) * (switches + own);
    if entries > MAX_TABLE {
        let message = format!("the fabric needs forwarding tables of {entries} entries");
        return Err(InputError::key("", message).help(format!(
            "at most {MAX_TABLE} fit: edge switches and hosts with several links, times these hosts and all switches"
        )));
    }
    Ok(())
}
