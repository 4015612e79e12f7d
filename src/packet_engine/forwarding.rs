//! Forwarding tables: where a packet goes next, by its path or by its destination.
//!
//! A path is the number that [`Fabric`] gives it among the paths of its pair. At a node with `n` next
//! links that each have the same number `behind` of paths behind them, path `p` goes on by link
//! `(p / behind) % n`, wherever it came from: packets need not carry their links. Where the links of a
//! node differ in what lies behind them (after failures in three tiers), the path is walked from its
//! source edge.

use std::collections::HashMap;

use crate::ids::{LinkId, NodeId};
use crate::topology::Fabric;

const NONE: u32 = u32::MAX;
/// The first link of a cell from which packets go to hosts with several cables: each has its own.
const LAST: u32 = u32::MAX - 1;

/// How a node reaches an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// Its next links are `hops[first..first + count]`; none where there is no way.
    pub first: u32,
    pub count: u32,
    /// Paths behind each of them; 0 where they differ.
    behind: u32,
    /// Paths from the node.
    paths: u32,
}

/// Number of a cell in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CellId(u32);

/// Where a packet at a node goes next. Small enough to be handed over in a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The node is the packet's destination.
    Arrived,
    /// By this link, the only one.
    Only(u32),
    /// By one of the links of the cell.
    OneOf(CellId),
    /// Nowhere: there is no way.
    Lost,
}

/// Tables by (way, forwarding node): hosts that are reached alike (see [`Fabric::way_to`]) share a row.
#[derive(Debug)]
pub(super) struct Forwarding {
    /// Column of each node as a forwarder.
    column: Vec<u32>,
    columns: u32,
    cells: Vec<Cell>,
    hops: Vec<u32>,
    /// Row of every host, its edge, and the link from there.
    hosts: Vec<Attached>,
    /// Where the last hop to a host that is its own edge begins, and its link: those of host `h` are
    /// `last[last_starts[h]..last_starts[h + 1]]`.
    last_starts: Vec<u32>,
    last: Vec<(u32, u32)>,
    link_to: Vec<u32>,
    /// Whether all cells have links with equally many paths behind them.
    uniform: bool,
}

#[derive(Debug, Clone, Copy)]
struct Attached {
    row: u32,
    edge: u32,
    /// NONE where the host is its own edge.
    down: u32,
    up: u32,
}

impl Forwarding {
    pub(super) fn new(fabric: &Fabric) -> Self {
        let nodes = fabric.nodes().len();
        let mut table = Self {
            column: vec![NONE; nodes],
            columns: 0,
            cells: Vec::new(),
            hops: Vec::new(),
            hosts: Vec::with_capacity(fabric.hosts() as usize),
            last_starts: vec![0],
            last: Vec::new(),
            link_to: fabric.links().iter().map(|link| link.to.0).collect(),
            uniform: true,
        };
        let mut rows: Vec<Vec<NodeId>> = Vec::new();
        let mut known: HashMap<(u32, Option<NodeId>), u32> = HashMap::new();
        for host in (0..fabric.hosts()).map(NodeId) {
            let edge = fabric.edge(host);
            let attachment = fabric.attachment(host);
            // Parallel cables of one host are a choice of its own.
            let own = (!table.add_last_links(fabric, host)).then_some(host);
            let row = *known.entry((fabric.way_to(host), own)).or_insert(rows.len() as u32);
            if row as usize == rows.len() {
                rows.push(Vec::new());
            }
            // The first host stands for all, and the second for them on the way from the first.
            if rows[row as usize].len() < 2 {
                rows[row as usize].push(host);
            }
            table.hosts.push(Attached {
                row,
                edge: edge.0,
                down: attachment.map_or(NONE, |a| a.down.0),
                up: attachment.map_or(NONE, |a| a.up.0),
            });
        }
        for node in 0..nodes {
            let own_edge = node < fabric.hosts() as usize && table.hosts[node].up == NONE;
            if node >= fabric.hosts() as usize || own_edge {
                table.column[node] = table.columns;
                table.columns += 1;
            }
        }
        table.fill(fabric, &rows);
        table
    }

    /// Notes from which switch which link leads to a host that is its own edge; false where several links of one switch do.
    fn add_last_links(&mut self, fabric: &Fabric, host: NodeId) -> bool {
        let first = self.last.len();
        let links = fabric.out_links(host).iter().map(|&up| fabric.link(up).reverse);
        let live = links.filter(|&down| !fabric.link(down).rate.is_zero());
        let own_edge = fabric.attachment(host).is_none();
        self.last
            .extend(live.filter(|_| own_edge).map(|down| (fabric.link(down).from.0, down.0)));
        self.last_starts.push(self.last.len() as u32);
        let own = &mut self.last[first..];
        own.sort_unstable();
        own.windows(2).all(|pair| pair[0].0 != pair[1].0)
    }

    /// The link from a switch to a host that is its own edge.
    fn last_link(&self, node: u32, host: u32) -> Option<u32> {
        let starts = &self.last_starts[host as usize..];
        let own = &self.last[starts[0] as usize..starts[1] as usize];
        own.iter().find(|last| last.0 == node).map(|last| last.1)
    }

    fn fill(&mut self, fabric: &Fabric, rows: &[Vec<NodeId>]) {
        let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
        self.cells.reserve(rows.len() * self.columns as usize);
        for hosts in rows {
            let mut counts = vec![None; fabric.nodes().len()];
            for &host in hosts {
                counts[fabric.edge(host).index()] = Some(1);
            }
            for node in 0..fabric.nodes().len() {
                if self.column[node] == NONE {
                    continue;
                }
                let at = NodeId::from(node);
                let Some(&host) = hosts.iter().find(|&&host| fabric.edge(host) != at) else {
                    self.cells.push(Cell {
                        first: 0,
                        count: 0,
                        behind: 1,
                        paths: 1,
                    });
                    continue;
                };
                let cell = self.cell_of(fabric, at, host, &mut counts, &mut known);
                self.cells.push(cell);
            }
        }
    }

    fn cell_of(
        &mut self,
        fabric: &Fabric,
        at: NodeId,
        host: NodeId,
        counts: &mut [Option<u32>],
        known: &mut HashMap<Vec<u32>, u32>,
    ) -> Cell {
        let links: Vec<u32> = fabric.next_hops(at, host).iter().map(|id| id.0).collect();
        let leads_to_host = matches!(links.as_slice(), &[only] if self.last_link(at.0, host.0) == Some(only));
        let mut behind = links
            .iter()
            .map(|&hop| paths_from(fabric, fabric.link(LinkId(hop)).to, host, counts));
        let first_behind = behind.next().unwrap_or(1);
        let uniform = behind.all(|count| count == first_behind) && first_behind != u32::MAX;
        let paths = match at.0 < fabric.hosts() {
            true => fabric.path_count(at, host),
            false => paths_from(fabric, at, host, counts),
        };
        self.uniform &= uniform;
        let count = links.len() as u32;
        let hops = &mut self.hops;
        let first = match leads_to_host {
            true => LAST,
            false => *known.entry(links).or_insert_with_key(|links| {
                hops.extend(links);
                (hops.len() - links.len()) as u32
            }),
        };
        Cell {
            first,
            count,
            behind: if uniform { first_behind } else { 0 },
            paths,
        }
    }

    /// The edge of a host.
    pub(super) fn edge(&self, host: u32) -> u32 {
        self.hosts[host as usize].edge
    }

    /// The link of a host that hangs on one cable.
    #[inline]
    pub(super) fn only_uplink(&self, host: u32) -> Option<u32> {
        let up = self.hosts[host as usize].up;
        (up != NONE).then_some(up)
    }

    /// The node at the end of a link.
    #[inline]
    pub(super) fn end_of(&self, link: u32) -> u32 {
        self.link_to[link as usize]
    }

    /// Nodes of the network.
    pub(super) fn nodes(&self) -> usize {
        self.column.len()
    }

    /// Next links of all cells, those of cells with the same ones counted once.
    pub(super) fn hop_count(&self) -> usize {
        self.hops.len()
    }

    /// The next links of a cell.
    #[inline]
    pub(super) fn hops(&self, cell: Cell) -> &[u32] {
        &self.hops[cell.first as usize..(cell.first + cell.count) as usize]
    }

    /// What a packet for host `dst` can do at `node`.
    #[inline]
    pub(super) fn next(&self, node: u32, dst: u32) -> Next {
        if node == dst {
            return Next::Arrived;
        }
        let attached = self.hosts[dst as usize];
        if node == attached.edge {
            return Next::Only(attached.down);
        }
        let column = self.column[node as usize];
        if column == NONE {
            // A host on one cable.
            return Next::Only(self.hosts[node as usize].up);
        }
        let id = attached.row * self.columns + column;
        let cell = &self.cells[id as usize];
        match cell.count {
            0 => Next::Lost,
            1 if cell.first == LAST => self.last_link(node, dst).map_or(Next::Lost, Next::Only),
            1 => Next::Only(self.hops[cell.first as usize]),
            _ => Next::OneOf(CellId(id)),
        }
    }

    /// A cell by its number.
    #[inline]
    pub(super) fn cell(&self, id: CellId) -> Cell {
        self.cells[id.0 as usize]
    }

    /// The link by which path `path` of the pair goes on from the node of `cell`.
    #[inline]
    pub(super) fn along(&self, cell: Cell, node: u32, src: u32, dst: u32, path: u32) -> u32 {
        let position = if !self.uniform {
            self.position_by_walk(cell, node, src, dst, path)
        } else if cell.behind == 1 {
            if path < cell.count { path } else { path % cell.count }
        } else {
            (path / cell.behind) % cell.count
        };
        self.hops[(cell.first + position) as usize]
    }

    /// By how much taking position `position` of a cell on the way to a host moves the path's number.
    #[inline]
    pub(super) fn step(&self, cell: Cell, position: u32, dst: impl FnOnce() -> u32) -> u32 {
        match cell.behind {
            0 => self.step_by_counting(cell, position, dst()),
            behind => position * behind,
        }
    }

    #[cold]
    fn step_by_counting(&self, cell: Cell, position: u32, dst: u32) -> u32 {
        let before = &self.hops(cell)[..position as usize];
        before.iter().map(|&hop| self.behind(hop, dst)).sum()
    }

    /// Number of paths between two hosts, 0 where there is none. Unlike [`Fabric::path_count`] it does
    /// not know whether the hosts' own links are up.
    pub(super) fn path_count(&self, src: u32, dst: u32) -> u32 {
        let (from, to) = (self.hosts[src as usize], self.hosts[dst as usize]);
        if from.edge == to.edge {
            1
        } else {
            self.cells[(to.row * self.columns + self.column[from.edge as usize]) as usize].paths
        }
    }

    #[cold]
    fn position_by_walk(&self, cell: Cell, node: u32, src: u32, dst: u32, path: u32) -> u32 {
        let to = self.hosts[dst as usize];
        let mut at = self.hosts[src as usize].edge;
        let mut left = path % self.path_count(src, dst).max(1);
        while at != to.edge {
            let here = self.cells[(to.row * self.columns + self.column[at as usize]) as usize];
            if here.first == LAST {
                break;
            }
            let mut position = 0;
            for &hop in self.hops(here) {
                let behind = self.behind(hop, dst);
                if left < behind {
                    break;
                }
                left -= behind;
                position += 1;
            }
            if at == node {
                return position.min(cell.count - 1);
            }
            let Some(&hop) = self.hops(here).get(position as usize) else {
                break;
            };
            at = self.link_to[hop as usize];
        }
        // Routing has changed under way and the packet is on none of the new paths.
        path % cell.count
    }

    fn behind(&self, hop: u32, dst: u32) -> u32 {
        let (to, next) = (self.hosts[dst as usize], self.link_to[hop as usize]);
        if next == to.edge {
            1
        } else {
            self.cells[(to.row * self.columns + self.column[next as usize]) as usize].paths
        }
    }
}

/// Number of paths from a node to the edge of `host`, saturating; `counts` remembers them.
//
// With a list of nodes to come back to: a fabric may be a chain that is longer than any stack.
fn paths_from(fabric: &Fabric, node: NodeId, host: NodeId, counts: &mut [Option<u32>]) -> u32 {
    if let Some(count) = counts[node.index()] {
        return count;
    }
    let mut open = vec![node];
    while let Some(&at) = open.last() {
        let hops = fabric.next_hops(at, host);
        let next = hops.iter().map(|&hop| fabric.link(hop).to);
        let known = open.len();
        open.extend(next.clone().filter(|to| counts[to.index()].is_none()));
        if open.len() == known {
            open.pop();
            let sum = next.fold(0_u32, |sum, to| sum.saturating_add(counts[to.index()].unwrap_or(0)));
            counts[at.index()] = Some(sum);
        }
    }
    counts[node.index()].unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::NoFiles;
    use crate::topology::{Blueprint, Cable, LinkChange, Node, Path, Routing, Topology};
    use crate::units::{Rate, Time};

    /// The links that a packet of path `path` takes.
    fn follow(table: &Forwarding, src: NodeId, dst: NodeId, path: u32) -> Path {
        let mut links = Path::new();
        let mut node = src.0;
        loop {
            let link = match table.next(node, dst.0) {
                Next::Arrived => return links,
                Next::Only(link) => link,
                Next::OneOf(cell) => table.along(table.cell(cell), node, src.0, dst.0, path),
                Next::Lost => panic!("lost at {node}"),
            };
            links.push(LinkId(link));
            node = table.end_of(link);
        }
    }

    fn same_paths_as(fabric: &Fabric) {
        let table = Forwarding::new(fabric);
        for (src, dst) in (0..fabric.hosts()).flat_map(|s| (0..fabric.hosts()).map(move |d| (NodeId(s), NodeId(d)))) {
            if src != dst {
                assert_eq!(table.path_count(src.0, dst.0), fabric.path_count(src, dst));
            }
            for (index, path) in fabric.paths(src, dst).enumerate() {
                assert_eq!(follow(&table, src, dst, index as u32), path, "{src} {dst} {index}");
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
