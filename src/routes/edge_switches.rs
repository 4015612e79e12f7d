//! The edge switches of a fabric by dense index.
//!
//! Hosts behind one edge share all paths but for their own links, so that a million flows between
//! a thousand hosts are a thousand numbers between thirty-two leaves.

use crate::ids::{HostId, LinkId, NodeId};
use crate::topology::{Attachment, Fabric};

/// Every edge (see [`Fabric::edge`]) by dense index, in order of its first host.
#[derive(Debug, Clone)]
pub(crate) struct EdgeSwitches {
    of_host: Vec<u32>,
    attachments: Vec<Option<Attachment>>,
    nodes: Vec<NodeId>,
    /// One host behind each edge that can send, and one that can receive, if there are any.
    senders: Vec<HostId>,
    receivers: Vec<HostId>,
}

impl EdgeSwitches {
    pub(crate) fn new(fabric: &Fabric) -> Self {
        let mut index = vec![u32::MAX; fabric.nodes().len()];
        let mut edges = Self {
            of_host: Vec::with_capacity(fabric.hosts() as usize),
            attachments: Vec::with_capacity(fabric.hosts() as usize),
            nodes: Vec::new(),
            senders: Vec::new(),
            receivers: Vec::new(),
        };
        let is_down = |id| fabric.link(id).rate.is_zero();
        for host in (0..fabric.hosts()).map(HostId) {
            let attachment = fabric.attachment(host.node());
            let node = fabric.edge(host.node());
            if index[node.index()] == u32::MAX {
                index[node.index()] = edges.nodes.len() as u32;
                edges.nodes.push(node);
                edges.senders.push(host);
                edges.receivers.push(host);
            }
            let edge = index[node.index()] as usize;
            // A host whose link is down does not stand for the others.
            if edges.attachment(edges.senders[edge]).is_some_and(|a| is_down(a.up)) {
                edges.senders[edge] = host;
            }
            if edges.attachment(edges.receivers[edge]).is_some_and(|a| is_down(a.down)) {
                edges.receivers[edge] = host;
            }
            edges.of_host.push(edge as u32);
            edges.attachments.push(attachment);
        }
        edges
    }

    /// Number of edges.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The edge of a host.
    pub(crate) fn of(&self, host: HostId) -> u32 {
        self.of_host[host.index()]
    }

    /// The links between a host and its edge; none where the host is its own edge.
    pub(crate) fn attachment(&self, host: HostId) -> Option<Attachment> {
        self.attachments.get(host.index()).copied().flatten()
    }

    /// The part of a path between the edges of its ends: all but the hosts' own links.
    pub(crate) fn inner<'p>(&self, path: &'p [LinkId], src: HostId, dst: HostId) -> &'p [LinkId] {
        let first = usize::from(self.attachment(src).is_some());
        let last = path.len() - usize::from(self.attachment(dst).is_some());
        &path[first..last]
    }

    /// The node of an edge.
    pub(crate) fn node(&self, edge: u32) -> NodeId {
        self.nodes[edge as usize]
    }

    /// A host behind an edge that can send, if there is one.
    pub(crate) fn sender(&self, edge: u32) -> HostId {
        self.senders[edge as usize]
    }

    /// A host behind an edge that can receive, if there is one.
    pub(crate) fn receiver(&self, edge: u32) -> HostId {
        self.receivers[edge as usize]
    }
}
