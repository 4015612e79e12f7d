//! Edges that are alike: hosts with the same kind of cables to the same switches.
//!
//! Between two classes all paths are the same but for the hosts' own links. What is true of one pair is true of all, so that
//! a hundred thousand hosts with a port in each of eight planes are some hundred classes. Switches inside servers do not count, as
//! no way to another server leads through them; pairs of one server are told from the others.

use std::collections::HashMap;

use super::edge_switches::{EdgeId, EdgeSwitches};
use crate::ids::{Id, IdVec, NodeId};
use crate::topology::Fabric;

/// The class of every edge, by dense index.
#[derive(Debug, Clone)]
pub(crate) struct EdgeClasses {
    of: IdVec<EdgeId, u32>,
    /// Number of classes.
    count: usize,
    /// The switch inside the server of each edge, NONE where it is in none.
    server: IdVec<EdgeId, NodeId>,
}

/// What pairs have in common that are alike: the class of the destination, the server of both if they share one, the class of the
/// source.
pub(crate) type PairKey = (u32, NodeId, u32);

/// A cable of a host: the switch, then rate and delay of both directions.
type Cable = (NodeId, [u64; 4]);

impl EdgeClasses {
    pub(crate) fn new(fabric: &Fabric, edges: &EdgeSwitches) -> Self {
        let mut known: HashMap<Vec<Cable>, u32> = HashMap::new();
        let mut classes = Self {
            of: IdVec::with_capacity(edges.len()),
            count: 0,
            server: IdVec::with_capacity(edges.len()),
        };
        for edge in edges.ids() {
            let node = edges.node(edge);
            let next = classes.count as u32;
            let (class, server) = match fabric.has_ports(node) {
                true => {
                    let server = server(fabric, node);
                    (*known.entry(cables(fabric, node, server)).or_insert(next), server)
                }
                false => (next, None),
            };
            classes.count += usize::from(class == next);
            classes.of.push(class);
            classes.server.push(server.unwrap_or(NodeId::NONE));
        }
        classes
    }

    /// Whether every edge is a class of its own.
    pub(crate) fn are_single(&self) -> bool {
        self.count == self.of.len()
    }

    /// The class of an edge.
    pub(crate) fn of(&self, edge: EdgeId) -> u32 {
        self.of[edge]
    }

    /// The switch inside the server of an edge.
    pub(crate) fn server(&self, edge: EdgeId) -> Option<NodeId> {
        Some(self.server[edge]).filter(|&server| server != NodeId::NONE)
    }

    /// Whether two edges are in one server.
    pub(crate) fn share_a_server(&self, one: EdgeId, other: EdgeId) -> bool {
        let server = self.server[one];
        server != NodeId::NONE && server == self.server[other]
    }

    /// Pairs of one key are alike.
    pub(crate) fn key(&self, src: EdgeId, dst: EdgeId) -> PairKey {
        let shared = match self.share_a_server(src, dst) {
            true => self.server[dst],
            false => NodeId::NONE,
        };
        (self.of(dst), shared, self.of(src))
    }
}

/// The one switch of a host that joins hosts of its server and leads nowhere else.
fn server(fabric: &Fabric, host: NodeId) -> Option<NodeId> {
    let ends = fabric.out_links(host).iter().map(|&up| fabric.link(up).to);
    let mut inside = ends.filter(|&end| fabric.node(end).in_server);
    let server = inside.next().filter(|_| inside.next().is_none())?;
    let closed = fabric
        .out_links(server)
        .iter()
        .all(|&link| fabric.link(link).to.0 < fabric.hosts());
    closed.then_some(server)
}

/// The cables of a host; the switch inside its server, whichever it is, counts as one for all.
fn cables(fabric: &Fabric, host: NodeId, server: Option<NodeId>) -> Vec<Cable> {
    let cable = |&up: &crate::ids::LinkId| {
        let out = fabric.link(up);
        let into = fabric.link(out.reverse);
        let end = if Some(out.to) == server { NodeId::NONE } else { out.to };
        (end, [out.rate.0, out.delay.0, into.rate.0, into.delay.0])
    };
    fabric.out_links(host).iter().map(cable).collect()
}
