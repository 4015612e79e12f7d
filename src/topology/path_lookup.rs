//! What a packet can do at a node on its way to a host, by the tables and, at a host, by its ports.

use std::borrow::Cow;

use super::link::Link;
use super::routing::{EMPTY, Entry, FAR_AWAY, LAST, Routes};
use super::stages::{Place, Stage};
use super::wiring::{ColumnId, HostEnd, Wiring};
use crate::ids::{Id, LinkId, NodeId};

/// The tables with what they are tables of: what a packet can do at a node on its way to a host.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathLookup<'a> {
    pub wiring: &'a Wiring,
    pub routes: &'a Routes,
    pub links: &'a [Link],
}

impl<'a> PathLookup<'a> {
    fn is_up(&self, link: LinkId) -> bool {
        !self.links[link.index()].rate.is_zero()
    }

    /// The entry of a node of the tables, or of a switch that joins only hosts which are in none.
    fn entry(&self, at: Place, dst: NodeId) -> Entry {
        let Place { node: at, stage } = at;
        let column = self.wiring.column[at];
        if column == ColumnId::NONE {
            let own = self
                .wiring
                .ports(dst)
                .filter(|(port, _)| port.switch == at && self.is_up(port.down));
            return Entry {
                count: own.clone().count() as u32,
                distance: own.clone().next().map_or(FAR_AWAY, |(_, cost)| u32::from(cost)),
                set: if own.clone().next().is_some() { LAST } else { EMPTY },
                even: true,
            };
        }
        let routes = self.routes;
        let row = routes.row[dst.index()].index();
        routes.entries[routes.cells[row * routes.width + stage as usize * routes.columns + column.index()]]
    }

    /// Where paths between two hosts begin to divide: at the switch of the source, or at a source with several cables.
    pub(super) fn start(&self, src: NodeId, dst: NodeId) -> Place {
        let (from, to) = (self.wiring.edge(src), self.wiring.edge(dst));
        let stages = self.wiring.stages.as_ref();
        Place {
            node: from,
            stage: stages.map_or(Stage::Shortest, |stages| stages.at(from, from, to)),
        }
    }

    /// The ports of a host that lead to `dst` on the shortest way, each with the paths behind it; none for other nodes.
    fn ports(&self, host: NodeId, dst: NodeId) -> impl Iterator<Item = (LinkId, u32)> + Clone + use<'a> {
        let ways = *self;
        let live = self.wiring.ports(host).filter(move |(port, _)| ways.is_up(port.up));
        let with_length = live.filter_map(move |(port, cost)| {
            let entry = ways.entry(port.switch.into(), dst);
            (entry.count > 0).then(|| (port.up, entry.distance + u32::from(cost), entry.count))
        });
        let shortest = with_length.clone().map(|(_, length, _)| length).min();
        let chosen = with_length.filter(move |&(_, length, _)| Some(length) == shortest);
        chosen.map(|(up, _, count)| (up, count))
    }

    /// Number of paths from a place, saturating.
    pub(super) fn count(&self, at: Place, dst: NodeId) -> u32 {
        if at.node == dst {
            return 1;
        }
        match self.wiring.hosts.get(at.node.index()) {
            Some(HostEnd::Ports { .. }) => {
                let counts = self.ports(at.node, dst).map(|(_, count)| count);
                counts.fold(0, u32::saturating_add)
            }
            _ => self.entry(at, dst).count,
        }
    }

    pub(super) fn path_count(&self, src: NodeId, dst: NodeId) -> u32 {
        if src == dst || !self.routes.sends[src.index()] || !self.routes.receives[dst.index()] {
            return 0;
        }
        self.count(self.start(src, dst), dst)
    }

    /// The links on the paths from a place where paths divide (see [`Wiring::edge`]), or from a switch, towards `dst`.
    pub(super) fn hops(&self, at: Place, dst: NodeId) -> Cow<'a, [LinkId]> {
        let routes = self.routes;
        if let Some(HostEnd::Ports { .. }) = self.wiring.hosts.get(at.node.index()) {
            return self.ports(at.node, dst).map(|(up, _)| up).collect();
        }
        match self.entry(at, dst).set {
            LAST => self.last_links(at.node, dst).collect(),
            set => Cow::Borrowed(routes.set(set)),
        }
    }

    /// The same links, and how many paths there are behind each of them, where that is the same for all and known from the
    /// tables.
    pub(super) fn choices(&self, at: Place, dst: NodeId) -> (Cow<'a, [LinkId]>, Option<u32>) {
        let routes = self.routes;
        if let Some(HostEnd::Ports { .. }) = self.wiring.hosts.get(at.node.index()) {
            return (self.hops(at, dst), None);
        }
        let entry = self.entry(at, dst);
        match entry.set {
            LAST => (self.last_links(at.node, dst).collect(), Some(1)),
            set => {
                let hops = routes.set(set);
                let even = entry.even && !hops.is_empty();
                (Cow::Borrowed(hops), even.then(|| entry.count / hops.len() as u32))
            }
        }
    }

    /// The live cables of a host with several from a switch.
    fn last_links(&self, at: NodeId, dst: NodeId) -> impl Iterator<Item = LinkId> + use<'a> {
        let ways = *self;
        let here = self.wiring.ports(dst).filter(move |(port, _)| port.switch == at);
        here.map(|(port, _)| port.down).filter(move |&down| ways.is_up(down))
    }

    /// The link that path `index` from `at` to `dst` takes first, and its index behind that link.
    pub(super) fn descend(&self, at: Place, dst: NodeId, index: u32) -> (LinkId, u32) {
        let mut left = index;
        let mut step = |(hop, behind): (LinkId, u32)| {
            if left < behind {
                return Some((hop, left));
            }
            left -= behind;
            None
        };
        let found = if let Some(HostEnd::Ports { .. }) = self.wiring.hosts.get(at.node.index()) {
            self.ports(at.node, dst).find_map(&mut step)
        } else {
            let entry = self.entry(at, dst);
            let hops = self.routes.set(entry.set);
            match entry.set {
                LAST => self.last_links(at.node, dst).map(|hop| (hop, 1)).find_map(&mut step),
                _ if entry.even => {
                    let behind = entry.count / hops.len() as u32;
                    return (hops[(index / behind) as usize], index % behind);
                }
                _ => hops
                    .iter()
                    .map(|&hop| (hop, self.behind(at, hop, dst)))
                    .find_map(&mut step),
            }
        };
        found.unwrap_or_else(|| panic!("path index {index} beyond the number of paths"))
    }

    /// Number of paths from `at` to `dst` through the links before `position`.
    pub(super) fn paths_before(&self, at: Place, dst: NodeId, position: usize) -> u32 {
        if let Some(HostEnd::Ports { .. }) = self.wiring.hosts.get(at.node.index()) {
            let counts = self.ports(at.node, dst).map(|(_, count)| count);
            return counts.take(position).fold(0, u32::saturating_add);
        }
        let entry = self.entry(at, dst);
        let hops = self.routes.set(entry.set);
        match entry.set {
            LAST => position as u32,
            _ if entry.even => entry.count / hops.len() as u32 * position as u32,
            _ => {
                let behind = hops[..position].iter().map(|&hop| self.behind(at, hop, dst));
                behind.fold(0, u32::saturating_add)
            }
        }
    }

    /// Number of paths behind a link from a place.
    fn behind(&self, at: Place, hop: LinkId, dst: NodeId) -> u32 {
        self.count(self.wiring.after(at, self.links[hop.index()].to), dst)
    }
}
