//! Network cards: the ports of hosts, and which queue pair sends next.
//!
//! A port takes one data packet at a time from the queue pairs that may send, round robin, when the
//! last one has left. Acknowledgements go straight to the port's queue: they wait for one data
//! packet at most.

use std::collections::VecDeque;

use super::ids::{PortId, SenderId};
use crate::ids::{HostId, Id, IdVec, LinkId, NodeId, SubflowId, TaskId};
use crate::topology::Fabric;

/// The port's last data packet is in its list: the list says when it has left.
pub(super) const LISTED: u64 = u64::MAX;

/// One port of a host: one cache line.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(super) struct Port {
    pub host: HostId,
    pub link: LinkId,
    /// Senders with a packet that may be sent.
    pub ready: VecDeque<SenderId>,
    /// The last data packet has left by then.
    pub free_at: u64,
    /// An alarm for `free_at` is pending.
    pub pending: bool,
    /// The task of that packet, if others wait until it has been sent and this is the last of a sub-flow, or leaves by one of several
    /// ports.
    pub leaving: Option<TaskId>,
}

/// Queue pairs of one host.
#[derive(Debug, Clone, Default)]
struct Served {
    active: u32,
    /// Queue pairs that have started and wait to be served.
    waiting: VecDeque<SubflowId>,
}

/// The network cards of all hosts.
#[derive(Debug)]
pub(super) struct Nics {
    pub ports: IdVec<PortId, Port>,
    /// The first port of each host, and one more: those of a host follow each other.
    first: IdVec<HostId, PortId>,
    served: IdVec<HostId, Served>,
    most_active: u32,
}

impl Nics {
    pub(super) fn new(fabric: &Fabric, most_active: Option<u32>) -> Self {
        let hosts = (0..fabric.hosts()).map(NodeId);
        let port = |link: &LinkId| Port {
            host: HostId(fabric.link(*link).from.0),
            link: *link,
            ready: VecDeque::new(),
            free_at: 0,
            pending: false,
            leaving: None,
        };
        let counts = hosts.clone().map(|host| fabric.out_links(host).len() as u32);
        let ends = counts.scan(0, |before, count| {
            *before += count;
            Some(*before)
        });
        Self {
            first: std::iter::once(0).chain(ends).map(PortId).collect(),
            ports: hosts.flat_map(|host| fabric.out_links(host)).map(port).collect(),
            served: IdVec::filled(Served::default(), fabric.hosts() as usize),
            most_active: most_active.unwrap_or(u32::MAX),
        }
    }

    /// The link of a port, and the sender that will be asked next.
    #[inline]
    pub(super) fn next(&self, port: PortId) -> (LinkId, Option<SenderId>) {
        let port = &self.ports[port];
        (port.link, port.ready.front().copied())
    }

    /// The ports of a host.
    #[inline]
    pub(super) fn of_host(&self, host: HostId) -> &[Port] {
        let [first, end] = [self.first[host], self.first[HostId(host.0 + 1)]];
        &self.ports.as_slice()[first.index()..end.index()]
    }

    /// The link of a port.
    pub(super) fn link(&self, port: PortId) -> LinkId {
        self.ports[port].link
    }

    /// A sender waits at a port.
    pub(super) fn list(&mut self, port: PortId, slot: SenderId) {
        self.ports[port].ready.push_back(slot);
    }

    /// A sender that is done, but was about to send again what only came late, leaves the lists of its ports.
    pub(super) fn delist(&mut self, ports: impl Iterator<Item = PortId>, slot: SenderId) {
        for port in ports {
            self.ports[port].ready.retain(|&other| other != slot);
        }
    }

    /// Whether the host serves one more queue pair; else `qp` waits.
    pub(super) fn admit(&mut self, host: HostId, qp: SubflowId) -> bool {
        let served = &mut self.served[host];
        if served.active < self.most_active {
            served.active += 1;
            return true;
        }
        served.waiting.push_back(qp);
        false
    }

    /// A queue pair is done; the next one that may be served instead.
    pub(super) fn leave(&mut self, host: HostId) -> Option<SubflowId> {
        let served = &mut self.served[host];
        let next = served.waiting.pop_front();
        if next.is_none() {
            served.active -= 1;
        }
        next
    }
}
