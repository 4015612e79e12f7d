//! The sizes of fabrics that can be simulated.

use std::collections::BTreeSet;

use super::blueprint::{Blueprint, NodeKind, Routing};
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

/// Largest number of entries in the forwarding tables, 0.8 GB.
const MAX_TABLE: u64 = 200_000_000;

/// Refuses fabrics whose forwarding tables would not fit into memory: they have a column for every switch (and every host
/// that forwards or is cabled to another), and a row for every one of these with hosts and every set of switches that
/// hosts with several cables are on.
pub(super) fn check_tables(drawing: &Blueprint) -> Result<(), InputError> {
    let graph = &drawing.graph;
    let mut rows = BTreeSet::new();
    let mut columns = 0_u64;
    for node in graph.node_indices() {
        let ends: Vec<_> = graph.neighbors(node).collect();
        let through = drawing.routing == Routing::ShortestThroughHosts && ends.len() > 1;
        let own = ends.is_empty() || through || ends.iter().any(|&end| graph[end].kind == NodeKind::Host);
        match graph[node].kind {
            NodeKind::Switch => columns += 1,
            NodeKind::Host if own => {
                columns += 1;
                rows.insert(vec![node]);
            }
            NodeKind::Host => _ = rows.insert(ends),
        }
    }
    let entries = rows.len() as u64 * columns;
    if entries > MAX_TABLE {
        let message = format!("the fabric needs forwarding tables of {entries} entries");
        return Err(InputError::key("", message).help(format!(
            "at most {MAX_TABLE} fit: sets of switches with the same hosts, times all switches and hosts that forward"
        )));
    }
    Ok(())
}
