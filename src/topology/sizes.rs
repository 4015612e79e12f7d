//! The sizes of fabrics that can be simulated.

use std::collections::BTreeSet;

use petgraph::graph::NodeIndex;

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

/// Refuses fabrics whose forwarding tables would not fit into memory: they have a column for every switch that links to other
/// switches or to hosts with a single cable, and for every host that forwards or is cabled to another; and a row for every one of
/// these with hosts, and every set of them that hosts with several cables are on.
pub(super) fn check_tables(drawing: &Blueprint) -> Result<(), InputError> {
    let graph = &drawing.graph;
    let is_host = |node: NodeIndex| graph[node].kind == NodeKind::Host;
    let through = drawing.routing == Routing::ShortestThroughHosts;
    // Hosts that are in the tables themselves, and those that have several cables and are not.
    let mut own = vec![false; graph.node_count()];
    let mut has_ports = own.clone();
    for host in graph.node_indices().filter(|&node| is_host(node)) {
        let ends = graph.neighbors(host).count();
        own[host.index()] = ends == 0 || through && ends > 1 || graph.neighbors(host).any(is_host);
        has_ports[host.index()] = !own[host.index()] && ends > 1;
    }
    let in_tables = |node: NodeIndex| match is_host(node) {
        true => own[node.index()],
        false => !graph.neighbors(node).all(|end| has_ports[end.index()]),
    };
    let in_tables: Vec<bool> = graph.node_indices().map(in_tables).collect();
    let columns = in_tables.iter().filter(|&&is| is).count() as u64;
    let mut rows = BTreeSet::new();
    for host in graph.node_indices().filter(|&node| is_host(node)) {
        rows.insert(match own[host.index()] {
            true => vec![host],
            false => graph.neighbors(host).filter(|end| in_tables[end.index()]).collect(),
        });
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
