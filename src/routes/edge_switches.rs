//! The edge switches of a fabric by dense index.
//!
//! Hosts behind one edge share all paths but for their own links, so that a million flows between
//! a thousand hosts are a thousand numbers between thirty-two leaves.

use crate::ids::{HostId, Id, IdVec, LinkId, NodeId, id};
use crate::topology::{Attachment, Fabric};

id! {
    /// An edge (see [`Fabric::edge`]) by dense index, in order of its first host.
    pub(crate) EdgeId;
}

/// Every edge (see [`Fabric::edge`]) by dense index, in order of its first host.
#[derive(Debug, Clone)]
pub(crate) struct EdgeSwitches {
    of_host: IdVec<HostId, EdgeId>,
    attachments: IdVec<HostId, Option<Attachment>>,
    nodes: IdVec<EdgeId, NodeId>,
    /// One host behind each edge that can send, and one that can receive, if there are any.
    senders: IdVec<EdgeId, HostId>,
    receivers: IdVec<EdgeId, HostId>,
}

impl EdgeSwitches {
    pub(crate) fn new(fabric: &Fabric) -> Self {
        let mut of_node: IdVec<NodeId, EdgeId> = IdVec::filled(EdgeId::NONE, fabric.nodes().len());
        let mut edges = Self {
            of_host: IdVec::with_capacity(fabric.hosts() as usize),
            attachments: IdVec::with_capacity(fabric.hosts() as usize),
            nodes: IdVec::new(),
            senders: IdVec::new(),
            receivers: IdVec::new(),
        };
        let is_down = |id| fabric.link(id).rate.is_zero();
        for host in (0..fabric.hosts()).map(HostId) {
            let attachment = fabric.attachment(host.node());
            let node = fabric.edge(host.node());
            if of_node[node] == EdgeId::NONE {
                of_node[node] = edges.nodes.push(node);
                edges.senders.push(host);
                edges.receivers.push(host);
            }
            let edge = of_node[node];
            // A host whose link is down does not stand for the others.
            if edges.attachment(edges.senders[edge]).is_some_and(|a| is_down(a.up)) {
                edges.senders[edge] = host;
            }
            if edges.attachment(edges.receivers[edge]).is_some_and(|a| is_down(a.down)) {
                edges.receivers[edge] = host;
            }
            edges.of_host.push(edge);
            edges.attachments.push(attachment);
        }
        edges
    }

    /// Number of edges.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// All edges.
    pub(crate) fn ids(&self) -> impl DoubleEndedIterator<Item = EdgeId> + ExactSizeIterator + Clone + use<> {
        self.nodes.ids()
    }

    /// The edge of a host.
    pub(crate) fn of(&self, host: HostId) -> EdgeId {
        self.of_host[host]
    }

    /// The links between a host and its edge; none where the host is its own edge.
    pub(crate) fn attachment(&self, host: HostId) -> Option<Attachment> {
        self.attachments.get(host).copied().flatten()
    }

    /// The part of a path between the edges of its ends: all but the hosts' own links.
    pub(crate) fn inner<'p>(&self, path: &'p [LinkId], src: HostId, dst: HostId) -> &'p [LinkId] {
        let first = usize::from(self.attachment(src).is_some());
        let last = path.len() - usize::from(self.attachment(dst).is_some());
        &path[first..last]
    }

    /// The node of an edge.
    pub(crate) fn node(&self, edge: EdgeId) -> NodeId {
        self.nodes[edge]
    }

    /// A host behind an edge that can send, if there is one.
    pub(crate) fn sender(&self, edge: EdgeId) -> HostId {
        self.senders[edge]
    }

    /// A host behind an edge that can receive, if there is one.
    pub(crate) fn receiver(&self, edge: EdgeId) -> HostId {
        self.receivers[edge]
    }
}
