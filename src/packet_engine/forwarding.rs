//! Forwarding tables: where a packet goes next, by its path or by its destination.
//!
//! A path is the number that [`Fabric`] gives it among the paths of its pair. At a node with `n` next
//! links that each have the same number `behind` of paths behind them, path `p` goes on by link
//! `(p / behind) % n`, wherever it came from: packets need not carry their links. Where the links of a
//! node differ in what lies behind them (after failures in three tiers, or where there are detours), the path is walked
//! from its source edge.

use std::collections::{BTreeMap, HashMap};

use crate::ids::{HostId, Id, IdLists, IdVec, LinkId, NodeId, PathIndex, id};
use crate::topology::{Fabric, Place, Stage, Stages};

const NONE: u32 = u32::MAX;
/// The first link of a cell from which packets go to hosts with several cables: each has its own.
const LAST: u32 = u32::MAX - 1;
/// The first link of a cell that hosts share which hang on the same switches by several cables: each has its own list of all its ports.
const PORTS: u32 = u32::MAX - 2;

/// How a node reaches an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// Its next links are `hops[first..first + count]`; none where there is no way. See [`Forwarding::first`].
    first: u32,
    pub count: u32,
    /// Paths behind each of them; 0 where they differ.
    behind: u32,
    /// Paths from the node.
    paths: u32,
    /// Whether paths by some of the links are longer than by others.
    pub uneven: bool,
}

id! {
    /// Number of a cell in its table.
    pub(super) CellId;
    /// Hosts that are reached alike.
    RowId;
}

/// Where a packet at a node goes next. Small enough to be handed over in a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The node is the packet's destination.
    Arrived,
    /// By this link, the only one.
    Only(LinkId),
    /// By one of the links of the cell.
    OneOf(CellId),
    /// Nowhere: there is no way.
    Lost,
}

/// Tables by (way, forwarding node): hosts that are reached alike (see [`Fabric::way_to`]) share a row.
#[derive(Debug)]
pub(super) struct Forwarding {
    /// Column of each node as a forwarder.
    column: IdVec<NodeId, u32>,
    /// Nodes that forward; a row has so many cells for every stage.
    forwarders: u32,
    /// Cells of a row.
    columns: u32,
    /// How far packets have come, where there are detours.
    stages: Option<Stages>,
    cells: IdVec<CellId, Cell>,
    hops: Vec<LinkId>,
    /// Where among the hops the ports of each host begin that shares its cells; empty where none does.
    ports: IdVec<HostId, u32>,
    /// Row of every host, its edge, and the link from there.
    hosts: IdVec<HostId, Attached>,
    /// Where the last hop to a host that is its own edge begins, and its link.
    last: IdLists<HostId, (NodeId, LinkId)>,
    link_to: IdVec<LinkId, NodeId>,
    /// Whether all cells have links with equally many paths behind them.
    uniform: bool,
}

#[derive(Debug, Clone, Copy)]
struct Attached {
    row: RowId,
    edge: NodeId,
    /// NONE where the host is its own edge.
    down: LinkId,
    up: LinkId,
}

impl Forwarding {
    pub(super) fn new(fabric: &Fabric) -> Self {
        let nodes = fabric.nodes().len();
        let mut table = Self {
            column: IdVec::filled(NONE, nodes),
            forwarders: 0,
            columns: 0,
            stages: fabric.stages().cloned(),
            cells: IdVec::new(),
            hops: Vec::new(),
            ports: IdVec::new(),
            hosts: IdVec::with_capacity(fabric.hosts() as usize),
            last: IdLists::new(),
            link_to: fabric.links().iter().map(|link| link.to).collect(),
            uniform: true,
        };
        let mut rows: IdVec<RowId, Vec<NodeId>> = IdVec::new();
        let mut known: HashMap<(u32, Option<NodeId>), RowId> = HashMap::new();
        for host in (0..fabric.hosts()).map(NodeId) {
            let edge = fabric.edge(host);
            let attachment = fabric.attachment(host);
            // Parallel cables of one host are a choice of its own.
            let own = (!table.add_last_links(fabric, host)).then_some(host);
            let key = (fabric.way_to(host), own);
            let row = *known.entry(key).or_insert_with(|| rows.push(Vec::new()));
            // The first host stands for all, and the second for them on the way from the first.
            if rows[row].len() < 2 {
                rows[row].push(host);
            }
            table.hosts.push(Attached {
                row,
                edge,
                down: attachment.map_or(LinkId::NONE, |a| a.down),
                up: attachment.map_or(LinkId::NONE, |a| a.up),
            });
        }
        let columns = table.add_columns(fabric, &rows);
        table.columns = table.forwarders * table.stages.as_ref().map_or(1, |_| Stage::ALL.len() as u32);
        table.fill(fabric, &rows, &columns);
        table
    }

    /// Gives every node that forwards, or chooses among its ports, a column: one to hosts with the same choices. Returns the first two nodes of
    /// each.
    fn add_columns(&mut self, fabric: &Fabric, rows: &IdVec<RowId, Vec<NodeId>>) -> Vec<Vec<NodeId>> {
        let shared = self.stages.is_none().then(|| hosts_alike(fabric, rows)).flatten();
        if let Some(shared) = &shared {
            self.ports = IdVec::filled(NONE, self.hosts.len());
            for &host in shared.values().flatten() {
                self.ports[HostId(host.0)] = self.hops.len() as u32;
                self.hops.extend(fabric.out_links(host));
            }
        }
        let mut columns: Vec<Vec<NodeId>> = Vec::new();
        for hosts in shared.into_iter().flat_map(BTreeMap::into_values) {
            hosts.iter().for_each(|&host| self.column[host] = columns.len() as u32);
            columns.push(hosts.into_iter().take(2).collect());
        }
        for node in self
            .column
            .ids()
            .filter(|&node| self.column[node] == NONE)
            .collect::<Vec<_>>()
        {
            let host = self.hosts.get(HostId(node.0));
            if host.is_none_or(|host| host.up == LinkId::NONE) {
                self.column[node] = columns.len() as u32;
                columns.push(vec![node]);
            }
        }
        self.forwarders = columns.len() as u32;
        columns
    }

    /// Notes from which switch which link leads to a host that is its own edge; false where several links of one switch do.
    fn add_last_links(&mut self, fabric: &Fabric, host: NodeId) -> bool {
        let links = fabric.out_links(host).iter().map(|&up| fabric.link(up).reverse);
        let live = links.filter(|&down| !fabric.link(down).rate.is_zero());
        let own_edge = fabric.attachment(host).is_none();
        let mut own: Vec<_> = live
            .filter(|_| own_edge)
            .map(|down| (fabric.link(down).from, down))
            .collect();
        own.sort_unstable();
        let apart = own.windows(2).all(|pair| pair[0].0 != pair[1].0);
        self.last.push(own);
        apart
    }

    /// Whether any host has several cables.
    #[inline]
    pub(super) fn has_ports(&self) -> bool {
        !self.last.values().is_empty()
    }

    /// The link from a switch to a host that is its own edge.
    fn last_link(&self, node: NodeId, host: HostId) -> Option<LinkId> {
        let own = self.last[host].iter();
        own.filter(|last| last.0 == node).map(|last| last.1).next()
    }

    fn fill(&mut self, fabric: &Fabric, rows: &IdVec<RowId, Vec<NodeId>>, columns: &[Vec<NodeId>]) {
        let mut known: HashMap<Vec<LinkId>, u32> = HashMap::new();
        self.cells.reserve(rows.len() * self.columns as usize);
        let stages = &Stage::ALL[..(self.columns / self.forwarders.max(1)) as usize];
        for hosts in rows {
            let mut ways = PathsFrom::new(fabric, hosts);
            for &stage in stages {
                for nodes in columns {
                    let cell = match apart(fabric, nodes, hosts) {
                        Some((node, host)) => self.cell_of(fabric, Place { node, stage }, host, &mut ways, &mut known),
                        None => Cell {
                            first: 0,
                            count: 0,
                            behind: 1,
                            paths: 1,
                            uneven: false,
                        },
                    };
                    self.cells.push(cell);
                }
            }
        }
    }

    fn cell_of(
        &mut self,
        fabric: &Fabric,
        at: Place,
        host: NodeId,
        ways: &mut PathsFrom<'_>,
        known: &mut HashMap<Vec<LinkId>, u32>,
    ) -> Cell {
        let node = at.node;
        let links = fabric.hops_from(at, host).to_vec();
        let leads_to_host = matches!(links.as_slice(), &[only] if self.last_link(node, HostId(host.0)) == Some(only));
        let behind: Vec<Way> = links.iter().map(|&hop| ways.of(fabric.after(at, hop), host)).collect();
        let first = behind.first().copied().unwrap_or(Way { paths: 1, links: 0 });
        let uniform = behind.iter().all(|way| way.paths == first.paths) && first.paths != u32::MAX;
        let paths = match node.0 < fabric.hosts() {
            true => fabric.path_count(node, host),
            false => ways.of(at, host).paths,
        };
        self.uniform &= uniform;
        let count = links.len() as u32;
        let hops = &mut self.hops;
        let begin = match leads_to_host {
            true => LAST,
            false if self.ports.get(HostId(node.0)).is_some_and(|&ports| ports != NONE) => PORTS,
            false => *known.entry(links).or_insert_with_key(|links| {
                hops.extend(links);
                (hops.len() - links.len()) as u32
            }),
        };
        Cell {
            first: begin,
            count,
            behind: if uniform { first.paths } else { 0 },
            paths,
            uneven: self.stages.is_some() && behind.iter().any(|way| way.links != first.links),
        }
    }

    /// The edge of a host.
    pub(super) fn edge(&self, host: HostId) -> NodeId {
        self.hosts[host].edge
    }

    /// The link of a host that hangs on one cable.
    #[inline]
    pub(super) fn only_uplink(&self, host: HostId) -> Option<LinkId> {
        let up = self.hosts[host].up;
        (up != LinkId::NONE).then_some(up)
    }

    /// The node at the end of a link.
    #[inline]
    pub(super) fn end_of(&self, link: LinkId) -> NodeId {
        self.link_to[link]
    }

    /// Nodes of the network.
    pub(super) fn nodes(&self) -> usize {
        self.column.len()
    }

    /// Next links of all cells, those of cells with the same ones counted once.
    pub(super) fn hop_count(&self) -> usize {
        self.hops.len()
    }

    /// Where among all next links those of the cell of a node begin.
    #[inline(always)]
    pub(super) fn first(&self, cell: Cell, node: NodeId) -> u32 {
        match cell.first {
            PORTS => self.ports[HostId(node.0)],
            first => first,
        }
    }

    /// The next links of the cell of a node.
    #[inline]
    pub(super) fn hops(&self, cell: Cell, node: NodeId) -> &[LinkId] {
        let first = self.first(cell, node) as usize;
        &self.hops[first..first + cell.count as usize]
    }

    /// The cell of a forwarding node, by its column, on the way from a host to one that is attached like this.
    #[inline(always)]
    fn cell_at(&self, node: NodeId, column: u32, src: HostId, attached: &Attached) -> CellId {
        let cell = attached.row.0 * self.columns + column;
        CellId(match &self.stages {
            None => cell,
            Some(stages) => {
                let stage = stages.at(node, self.hosts[src].edge, attached.edge);
                cell + stage as u32 * self.forwarders
            }
        })
    }

    /// What a packet from host `src` for host `dst` can do at `node`.
    #[inline(always)]
    pub(super) fn next(&self, node: NodeId, src: HostId, dst: HostId) -> Next {
        if node == dst.node() {
            return Next::Arrived;
        }
        let attached = &self.hosts[dst];
        if node == attached.edge {
            return Next::Only(attached.down);
        }
        let column = self.column[node];
        if column == NONE {
            // A host on one cable.
            return Next::Only(self.hosts[HostId(node.0)].up);
        }
        let id = self.cell_at(node, column, src, attached);
        let cell = &self.cells[id];
        match cell.count {
            0 => Next::Lost,
            1 if cell.first == LAST => self.last_link(node, dst).map_or(Next::Lost, Next::Only),
            1 => Next::Only(self.hops[cell.first as usize]),
            _ => Next::OneOf(id),
        }
    }

    /// A cell by its number.
    #[inline]
    pub(super) fn cell(&self, id: CellId) -> Cell {
        self.cells[id]
    }

    /// The link by which path `path` of the pair goes on from the node of `cell`.
    #[inline(always)]
    pub(super) fn along(&self, cell: Cell, node: NodeId, src: HostId, dst: HostId, path: PathIndex) -> LinkId {
        let position = if !self.uniform {
            self.position_by_walk(cell, node, src, dst, path)
        } else if cell.behind == 1 {
            if path.0 < cell.count {
                path.0
            } else {
                path.0 % cell.count
            }
        } else {
            (path.0 / cell.behind) % cell.count
        };
        self.hops[(self.first(cell, node) + position) as usize]
    }

    /// By how much taking position `position` of the cell of a node moves the number of the path between two hosts.
    #[inline]
    pub(super) fn step(&self, cell: Cell, node: NodeId, position: u32, ends: impl FnOnce() -> (HostId, HostId)) -> u32 {
        match cell.behind {
            0 => self.step_by_counting(cell, node, position, ends()),
            behind => position * behind,
        }
    }

    #[cold]
    fn step_by_counting(&self, cell: Cell, node: NodeId, position: u32, (src, dst): (HostId, HostId)) -> u32 {
        let at = self.place(node, src, dst);
        let before = &self.hops(cell, node)[..position as usize];
        before.iter().map(|&hop| self.behind(at, hop, dst)).sum()
    }

    /// For each link of a cell, the links of the shortest path by it, this one included.
    #[cold]
    pub(super) fn lengths(&self, cell: Cell, node: NodeId, (src, dst): (HostId, HostId)) -> impl Iterator<Item = u32> {
        let at = self.place(node, src, dst);
        let length = move |&hop: &LinkId| {
            let mut place = self.after(at, hop);
            let mut length = 1;
            while place.node != self.hosts[dst].edge {
                // The shortest way has links of equal length only.
                let here = self.cells[self.index(place, dst)];
                let Some(&next) = self.hops(here, place.node).first() else {
                    break;
                };
                place = self.after(place, next);
                length += 1;
            }
            length
        };
        self.hops(cell, node).iter().map(length)
    }

    /// Number of paths between two hosts, 0 where there is none. Unlike [`Fabric::path_count`] it does
    /// not know whether the hosts' own links are up.
    pub(super) fn path_count(&self, src: HostId, dst: HostId) -> u32 {
        let (from, to) = (self.hosts[src], self.hosts[dst]);
        if from.edge == to.edge {
            1
        } else {
            self.cells[self.cell_at(from.edge, self.column[from.edge], src, &to)].paths
        }
    }

    #[cold]
    fn position_by_walk(&self, cell: Cell, node: NodeId, src: HostId, dst: HostId, path: PathIndex) -> u32 {
        let to = self.hosts[dst];
        let mut at = self.place(self.hosts[src].edge, src, dst);
        let mut left = path.0 % self.path_count(src, dst).max(1);
        while at.node != to.edge {
            let here = self.cells[self.index(at, dst)];
            if here.first == LAST {
                break;
            }
            let mut position = 0;
            for &hop in self.hops(here, at.node) {
                let behind = self.behind(at, hop, dst);
                if left < behind {
                    break;
                }
                left -= behind;
                position += 1;
            }
            if at.node == node {
                return position.min(cell.count - 1);
            }
            let Some(&hop) = self.hops(here, at.node).get(position as usize) else {
                break;
            };
            at = self.after(at, hop);
        }
        // Routing has changed under way and the packet is on none of the new paths.
        path.0 % cell.count
    }

    /// How far a packet between two hosts has come at a node.
    fn place(&self, node: NodeId, src: HostId, dst: HostId) -> Place {
        let ends = [src, dst].map(|host| self.hosts[host].edge);
        let stage = self.stages.as_ref().map(|stages| stages.at(node, ends[0], ends[1]));
        Place {
            node,
            stage: stage.unwrap_or_default(),
        }
    }

    fn after(&self, at: Place, hop: LinkId) -> Place {
        let node = self.link_to[hop];
        match &self.stages {
            Some(stages) => stages.after(at, node),
            None => node.into(),
        }
    }

    /// Number of the cell of a place.
    fn index(&self, at: Place, dst: HostId) -> CellId {
        let column = at.stage as u32 * self.forwarders + self.column[at.node];
        CellId(self.hosts[dst].row.0 * self.columns + column)
    }

    fn behind(&self, at: Place, hop: LinkId, dst: HostId) -> u32 {
        let next = self.after(at, hop);
        if next.node == self.hosts[dst].edge {
            1
        } else {
            self.cells[self.index(next, dst)].paths
        }
    }
}

/// The hosts that hang on the same switches by several cables, if from all of them all ports lead to all other hosts; none where some do not, or
/// where there are no such hosts.
fn hosts_alike(fabric: &Fabric, rows: &IdVec<RowId, Vec<NodeId>>) -> Option<BTreeMap<Vec<NodeId>, Vec<NodeId>>> {
    let mut alike: BTreeMap<Vec<NodeId>, Vec<NodeId>> = BTreeMap::new();
    for host in (0..fabric.hosts()).map(NodeId).filter(|&host| fabric.has_ports(host)) {
        let switches = fabric.out_links(host).iter().map(|&port| fabric.link(port).to);
        alike.entry(switches.collect()).or_default().push(host);
    }
    let by_all = alike.values().all(|hosts| {
        let others = rows.iter().filter_map(|row| apart(fabric, hosts, row));
        // A port of one of them may be down by itself.
        let all_live = |&host: &NodeId| {
            let mut ports = fabric.out_links(host).iter();
            ports.all(|&port| !fabric.link(port).rate.is_zero())
        };
        hosts.iter().all(all_live)
            && others
                .into_iter()
                .all(|(host, other)| *fabric.next_hops(host, other) == *fabric.out_links(host))
    });
    (by_all && !alike.is_empty()).then_some(alike)
}

/// One of some nodes, and of some hosts one that does not begin there.
fn apart(fabric: &Fabric, nodes: &[NodeId], hosts: &[NodeId]) -> Option<(NodeId, NodeId)> {
    let pairs = nodes
        .iter()
        .flat_map(|&node| hosts.iter().map(move |&host| (node, host)));
    pairs.into_iter().find(|&(node, host)| fabric.edge(host) != node)
}

/// What lies between a place and a host.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// Number of paths, saturating.
    paths: u32,
    /// Links of the shortest.
    links: u32,
}

/// The ways to the hosts of one row, each found once.
struct PathsFrom<'a> {
    fabric: &'a Fabric,
    /// By stage, then node.
    known: Vec<Option<Way>>,
}

impl<'a> PathsFrom<'a> {
    fn new(fabric: &'a Fabric, hosts: &[NodeId]) -> Self {
        let stages = if fabric.stages().is_some() { Stage::ALL.len() } else { 1 };
        let mut known = vec![None; fabric.nodes().len() * stages];
        for &host in hosts {
            known[fabric.edge(host).index()] = Some(Way { paths: 1, links: 0 });
        }
        Self { fabric, known }
    }

    fn index(&self, place: Place) -> usize {
        place.stage as usize * self.fabric.nodes().len() + place.node.index()
    }

    /// The way from a place.
    //
    // With a list of places to come back to: a fabric may be a chain that is longer than any stack.
    fn of(&mut self, place: Place, host: NodeId) -> Way {
        const NOWHERE: Way = Way { paths: 0, links: 0 };
        if let Some(way) = self.known[self.index(place)] {
            return way;
        }
        let fabric = self.fabric;
        let mut open = vec![place];
        while let Some(&at) = open.last() {
            let hops = fabric.hops_from(at, host);
            let next = hops.iter().map(|&hop| fabric.after(at, hop));
            let before = open.len();
            open.extend(next.clone().filter(|&to| self.known[self.index(to)].is_none()));
            if open.len() == before {
                open.pop();
                let ways = next.map(|to| self.known[self.index(to)].unwrap_or(NOWHERE));
                let way = ways.reduce(|sum, way| Way {
                    paths: sum.paths.saturating_add(way.paths),
                    links: sum.links.min(way.links),
                });
                let index = self.index(at);
                self.known[index] = Some(way.map_or(NOWHERE, |way| Way {
                    links: way.links + 1,
                    ..way
                }));
            }
        }
        self.known[self.index(place)].unwrap_or(NOWHERE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::NoFiles;
    use crate::topology::{Blueprint, Cable, LinkChange, Node, Path, Routing, Topology};
    use crate::units::{Rate, Time};

    fn host(node: NodeId) -> HostId {
        HostId(node.0)
    }

    /// The links that a packet of path `path` takes.
    fn follow(table: &Forwarding, src: NodeId, dst: NodeId, path: PathIndex) -> Path {
        let mut links = Path::new();
        let mut node = src;
        loop {
            let link = match table.next(node, host(src), host(dst)) {
                Next::Arrived => return links,
                Next::Only(link) => link,
                Next::OneOf(cell) => table.along(table.cell(cell), node, host(src), host(dst), path),
                Next::Lost => panic!("lost at {node}"),
            };
            links.push(link);
            node = table.end_of(link);
        }
    }

    fn same_paths_as(fabric: &Fabric) {
        let table = Forwarding::new(fabric);
        for (src, dst) in (0..fabric.hosts()).flat_map(|s| (0..fabric.hosts()).map(move |d| (NodeId(s), NodeId(d)))) {
            if src != dst {
                assert_eq!(table.path_count(host(src), host(dst)), fabric.path_count(src, dst));
            }
            for (index, path) in fabric.paths(src, dst).enumerate() {
                assert_eq!(
                    follow(&table, src, dst, PathIndex(index as u32)),
                    path,
                    "{src} {dst} {index}"
                );
            }
        }
    }

    const CABLE: Cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };

    #[test]
    fn two_tiers_with_parallel_links_and_failures() {
        let spec: Topology = serde_json::from_str(
            r#"{"leaf-spine": {"leaves": 3, "spines": 2, "hosts_per_leaf": 2, "parallel": 2,
            "host_link": {"rate": "100Gbps"}, "fabric_link": {"rate": "100Gbps"}}}"#,
        )
        .unwrap();
        let fabric = Fabric::compile(&spec.blueprint(&NoFiles).unwrap());
        same_paths_as(&fabric);
        let up = fabric.link_ids().find(|&id| fabric.is_fabric_link(id)).unwrap();
        let down = [0, 1].map(|direction| LinkChange {
            link: LinkId(up.0 ^ direction),
            rate: Rate::ZERO,
        });
        let broken = fabric.with(&down);
        assert!(!Forwarding::new(&broken).uniform);
        same_paths_as(&broken);
    }

    /// Switches find the same paths, and know how many links are left by each next one.
    #[test]
    fn detours_of_a_dragonfly() {
        for paths in ["valiant", "all"] {
            let spec: Topology = serde_json::from_value(serde_json::json!({ "dragonfly": {
                "groups": 5, "routers_per_group": 4, "hosts_per_router": 1, "global_links": 1, "paths": paths,
                "host_link": {"rate": "100Gbps"}, "local_link": {"rate": "100Gbps"}, "global_link": {"rate": "100Gbps"},
            }}))
            .unwrap();
            let fabric = Fabric::compile(&spec.blueprint(&NoFiles).unwrap());
            same_paths_as(&fabric);
            let table = Forwarding::new(&fabric);
            for (src, dst) in (0..20).flat_map(|src| (0..20).map(move |dst| (src, dst))) {
                let router = NodeId(20 + src);
                let ends = (HostId(src), HostId(dst));
                let Next::OneOf(cell) = table.next(router, ends.0, ends.1) else {
                    continue;
                };
                let cell = table.cell(cell);
                let shortest = |hop: LinkId| {
                    let paths = fabric.paths(NodeId(src), NodeId(dst));
                    let by_hop = paths.filter(|path| path[1] == hop).map(|path| path.len() as u32 - 2);
                    by_hop.min().unwrap()
                };
                let expected: Vec<u32> = table.hops(cell, router).iter().map(|&hop| shortest(hop)).collect();
                let found: Vec<u32> = table.lengths(cell, router, ends).collect();
                assert_eq!(found, expected, "{paths}: {src} to {dst}");
            }
        }
    }

    /// Where some switches of a group have hosts and others the links to other groups.
    #[test]
    fn detours_of_groups_of_leaves_and_spines() {
        let node = |name: String, group: Option<usize>| {
            let kind = if group.is_some() { "switch" } else { "host" };
            let mut node = serde_json::json!({ "name": name, "kind": kind });
            if let Some(group) = group {
                node["group"] = group.into();
            }
            node
        };
        let link = |a: String, b: String| serde_json::json!({ "a": a, "b": b, "rate": "100Gbps" });
        let (mut nodes, mut links) = (Vec::new(), Vec::new());
        for i in 0..8 {
            let group = i / 2;
            nodes.push(node(format!("host{i}"), None));
            nodes.push(node(format!("leaf{i}"), Some(group)));
            nodes.push(node(format!("spine{i}"), Some(group)));
            links.push(link(format!("host{i}"), format!("leaf{i}")));
            links.push(link(format!("leaf{i}"), format!("spine{}", 2 * group)));
            links.push(link(format!("leaf{i}"), format!("spine{}", 2 * group + 1)));
        }
        for group in 0..4 {
            links.push(link(
                format!("spine{}", 2 * group),
                format!("spine{}", (2 * group + 2) % 8),
            ));
            links.push(link(
                format!("spine{}", 2 * group),
                format!("spine{}", (2 * group + 5) % 8),
            ));
        }
        for paths in ["minimal", "valiant", "all"] {
            let spec = serde_json::json!({ "graph": { "nodes": nodes, "links": links, "paths": paths } });
            let spec: Topology = serde_json::from_value(spec).unwrap();
            let fabric = Fabric::compile(&spec.blueprint(&NoFiles).unwrap());
            assert_eq!(fabric.stages().is_some(), paths != "minimal");
            same_paths_as(&fabric);
        }
    }

    /// Hosts on the same switches share their cells, as long as all of their ports lead everywhere.
    #[test]
    fn hosts_with_a_port_in_every_plane() {
        let spec: Topology = serde_json::from_str(
            r#"{"multi-plane": {"planes": 3, "plane": {"leaf-spine": {"leaves": 2, "spines": 2, "hosts_per_leaf": 3,
            "host_link": {"rate": "100Gbps"}, "fabric_link": {"rate": "100Gbps"}}}}}"#,
        )
        .unwrap();
        let fabric = Fabric::compile(&spec.blueprint(&NoFiles).unwrap());
        same_paths_as(&fabric);
        let (hosts, switches) = (6, 12);
        assert_eq!(Forwarding::new(&fabric).forwarders, switches + 2);
        for link in fabric.link_ids().step_by(2) {
            let down = [0, 1].map(|direction| LinkChange {
                link: LinkId(link.0 ^ direction),
                rate: Rate::ZERO,
            });
            let broken = fabric.with(&down);
            let columns = if fabric.is_fabric_link(link) { 2 } else { hosts };
            assert_eq!(Forwarding::new(&broken).forwarders, switches + columns);
            same_paths_as(&broken);
        }
    }

    #[test]
    fn hosts_that_forward() {
        // A ring of six hosts: opposite ones have two paths.
        let mut drawing = Blueprint::new(Routing::ShortestThroughHosts);
        let hosts: Vec<_> = (0..6).map(|h| drawing.add(Node::host(format!("host{h}")))).collect();
        for h in 0..6 {
            drawing.connect(hosts[h], hosts[(h + 1) % 6], CABLE);
        }
        let fabric = Fabric::compile(&drawing);
        assert_eq!(fabric.path_count(NodeId(0), NodeId(3)), 2);
        same_paths_as(&fabric);
    }
}
