//! What no fault changes: how hosts are attached, which nodes forward, and the links between them.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::blueprint::{Detours, Node, NodeKind, Routing};
use super::link::Link;
use super::stages::{Place, Stage, Stages};
use crate::ids::{Id, IdLists, IdVec, LinkId, NodeId, id};

id! {
    /// A column of the forwarding tables: a node that forwards.
    pub(super) ColumnId;
}

/// How a host hangs on a switch by a single cable: its paths begin and end at the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attachment {
    /// The link from the host to the switch.
    pub up: LinkId,
    /// The link from the switch to the host.
    pub down: LinkId,
    /// The switch that the host hangs on.
    pub switch: NodeId,
}

/// A link between two columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    pub(super) link: LinkId,
    pub(super) to: ColumnId,
    /// The tier of `to` against that of the node the link leaves.
    pub(super) slope: Ordering,
    /// What the link adds to the length of a path.
    pub(super) cost: u32,
}

/// What no fault changes: how hosts are attached, who forwards, and the links between them.
#[derive(Debug, Clone)]
pub(super) struct Wiring {
    pub(super) up_down: bool,
    pub(super) hosts: Vec<HostEnd>,
    /// Ports of hosts with several, see [`HostEnd::Ports`].
    pub(super) ports: Vec<Attachment>,
    /// What a cable of a host adds to the length of its paths, by port.
    pub(super) costs: Vec<u8>,
    /// Column of a node in the tables, or NONE: for hosts that are in none, and for switches that join only such with several
    /// cables.
    pub(super) column: IdVec<NodeId, ColumnId>,
    /// Whether packets of others pass through the node of a column.
    pub(super) forwards: IdVec<ColumnId, bool>,
    /// Columns by falling tier.
    pub(super) falling: Vec<ColumnId>,
    /// Links out of each column, by rising id; under up-down routing those down first, then those on one level, so many in all,
    /// and then those up.
    pub(super) arcs: IdLists<ColumnId, Arc>,
    pub(super) downs: IdVec<ColumnId, u32>,
    /// The ways besides the shortest, and the node of every column then.
    pub(super) stages: Option<Stages>,
    pub(super) nodes: IdVec<ColumnId, NodeId>,
}

/// Where the paths of a host begin and end.
#[derive(Debug, Clone, Copy)]
pub(super) enum HostEnd {
    /// At the switch of its only cable.
    Switch(Attachment),
    /// At the host, which has several cables to switches and does not forward: `ports[first..first + count]`.
    Ports { first: u32, count: u32 },
    /// At the host, which is a node of the tables like a switch.
    Node,
}

/// What a host's cable to a switch adds to the length of a path. Inside a server there is always a shorter way than
/// through the network, however near that is.
pub(super) const NEAR: u8 = 1;
pub(super) const FAR: u8 = 2;

impl Wiring {
    pub(super) fn new(
        nodes: &[Node],
        links: &[Link],
        out: &[SmallVec<[LinkId; 4]>],
        routing: Routing,
        detours: Option<&Detours>,
    ) -> Self {
        let through_hosts = routing == Routing::ShortestThroughHosts;
        let mut wiring = Self {
            up_down: routing == Routing::UpDown,
            hosts: Vec::new(),
            ports: Vec::new(),
            costs: Vec::new(),
            column: IdVec::filled(ColumnId::NONE, nodes.len()),
            forwards: IdVec::new(),
            falling: Vec::new(),
            arcs: IdLists::new(),
            downs: IdVec::new(),
            stages: detours.map(Stages::new),
            nodes: IdVec::new(),
        };
        for links_out in out
            .iter()
            .zip(nodes)
            .take_while(|(_, n)| n.kind == NodeKind::Host)
            .map(|(l, _)| l)
        {
            let end = wiring.attach(nodes, links, links_out, through_hosts);
            wiring.hosts.push(end);
        }
        let mut of_column: IdVec<ColumnId, usize> = IdVec::new();
        for (n, slot) in wiring.column.iter_mut().enumerate() {
            let ends = out[n].iter().map(|link| links[link.index()].to.index());
            let has_ports = |end: usize| matches!(wiring.hosts.get(end), Some(HostEnd::Ports { .. }));
            let in_tables = match wiring.hosts.get(n) {
                None => !ends.clone().all(has_ports),
                Some(end) => matches!(end, HostEnd::Node),
            };
            if in_tables {
                *slot = of_column.push(n);
            }
        }
        for &n in &of_column {
            let ends = out[n].iter().map(|&link| (link, links[link.index()].to));
            let inner = ends.filter(|&(_, to)| wiring.column[to] != ColumnId::NONE);
            let arc = |(link, to): (LinkId, NodeId)| Arc {
                link,
                to: wiring.column[to],
                slope: nodes[to.index()].tier.cmp(&nodes[n].tier),
                cost: match wiring.up_down {
                    true => 1,
                    false => u32::from(links[link.index()].cost.max(1)),
                },
            };
            let mut own: Vec<_> = inner.map(arc).collect();
            let mut down = 0;
            if wiring.up_down {
                own.sort_by_key(|arc| arc.slope);
                down = own.partition_point(|arc| arc.slope != Ordering::Greater) as u32;
            }
            wiring.downs.push(down);
            wiring.arcs.push(own);
        }
        wiring.falling = of_column.ids().collect();
        let tier = |c: &ColumnId| std::cmp::Reverse(nodes[of_column[*c]].tier);
        wiring.falling.sort_by_key(tier);
        let forwards = of_column
            .iter()
            .map(|&n| nodes[n].kind == NodeKind::Switch || through_hosts);
        wiring.forwards = forwards.collect();
        if wiring.stages.is_some() {
            wiring.nodes = of_column.iter().map(|&n| NodeId::from(n)).collect();
        }
        wiring
    }

    fn attach(&mut self, nodes: &[Node], links: &[Link], out: &[LinkId], through_hosts: bool) -> HostEnd {
        let far_end = |link: &LinkId| &nodes[links[link.index()].to.index()];
        if out.is_empty() || out.iter().any(|link| far_end(link).kind == NodeKind::Host) {
            return HostEnd::Node;
        }
        let attachment = |&up: &LinkId| Attachment {
            up,
            down: links[up.index()].reverse,
            switch: links[up.index()].to,
        };
        match out {
            [up] => HostEnd::Switch(attachment(up)),
            _ if through_hosts => HostEnd::Node,
            _ => {
                let first = self.ports.len() as u32;
                let in_server = out.iter().any(|link| far_end(link).in_server);
                let cost = |link: &LinkId| {
                    if in_server && !far_end(link).in_server {
                        FAR
                    } else {
                        NEAR
                    }
                };
                self.ports.extend(out.iter().map(attachment));
                self.costs.extend(out.iter().map(cost));
                HostEnd::Ports {
                    first,
                    count: out.len() as u32,
                }
            }
        }
    }

    pub(super) fn arcs(&self, column: ColumnId) -> &[Arc] {
        &self.arcs[column]
    }

    /// Links up out of a column, of up-down routing; all of another.
    pub(super) fn arcs_up(&self, column: ColumnId) -> &[Arc] {
        &self.arcs[column][self.downs[column] as usize..]
    }

    /// The others.
    pub(super) fn arcs_down(&self, column: ColumnId) -> &[Arc] {
        &self.arcs[column][..self.downs[column] as usize]
    }

    pub(super) fn attachment(&self, host: NodeId) -> Option<&Attachment> {
        match &self.hosts[host.index()] {
            HostEnd::Switch(attachment) => Some(attachment),
            _ => None,
        }
    }

    pub(super) fn edge(&self, host: NodeId) -> NodeId {
        self.attachment(host).map_or(host, |attachment| attachment.switch)
    }

    /// The link from a host with a single cable to its switch.
    pub(super) fn first_link(&self, host: NodeId) -> Option<&LinkId> {
        self.attachment(host).map(|attachment| &attachment.up)
    }

    /// The link to a host with a single cable from its switch.
    pub(super) fn last_link(&self, host: NodeId) -> Option<&LinkId> {
        self.attachment(host).map(|attachment| &attachment.down)
    }

    /// Nodes of the tables.
    pub(super) fn columns(&self) -> usize {
        self.forwards.len()
    }

    /// Stages of the tables.
    pub(super) fn stage_count(&self) -> usize {
        match self.stages {
            Some(_) => Stage::ALL.len(),
            None => 1,
        }
    }

    /// The ways besides the shortest.
    pub(super) fn stages(&self) -> Option<&Stages> {
        self.stages.as_ref()
    }

    /// Where packets are that have reached a node from a place.
    pub(super) fn after(&self, place: Place, node: NodeId) -> Place {
        match &self.stages {
            Some(stages) => stages.after(place, node),
            None => node.into(),
        }
    }

    /// The group of the node of a column, where there are detours.
    pub(super) fn group(&self, stages: &Stages, column: ColumnId) -> u32 {
        stages.group(self.nodes[column])
    }

    /// Whether a node is a host with several cables, all to switches, that forwards nothing.
    pub(super) fn has_ports(&self, node: NodeId) -> bool {
        matches!(self.hosts.get(node.index()), Some(HostEnd::Ports { .. }))
    }

    /// The cables of a host with several, each with its cost; none for other nodes.
    pub(super) fn ports(&self, node: NodeId) -> impl Iterator<Item = (&Attachment, u8)> + Clone {
        let range = match self.hosts.get(node.index()) {
            Some(&HostEnd::Ports { first, count }) => first as usize..(first + count) as usize,
            _ => 0..0,
        };
        self.ports[range.clone()].iter().zip(self.costs[range].iter().copied())
    }
}
