//! Forwarding tables: for every node that forwards and every edge, the equal-cost next links and
//! the number of paths behind them.
//!
//! Under [`Routing::UpDown`] a node that has a way down (each link to a lower tier) takes the
//! shortest such way; any other node goes up, towards the nearest that has one. The rule looks at
//! the node alone, not at where a packet came from, so every packet goes up, then down.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};

use smallvec::SmallVec;

use super::blueprint::{Node, NodeKind, Routing};
use super::link::Link;
use crate::ids::{LinkId, NodeId};

const NONE: u32 = u32::MAX;

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
struct Arc {
    link: LinkId,
    to: u32,
    /// The tier of `to` against that of the node the link leaves.
    slope: Ordering,
}

/// What no fault changes: who is an edge, who forwards, and the links between them.
///
/// Hosts with a single cable are in no table: the path between their switches is theirs.
#[derive(Debug, Clone)]
pub(super) struct Wiring {
    up_down: bool,
    /// By host; none for a host with any other number of cables, which is its own edge.
    attachments: Vec<Option<Attachment>>,
    /// Column of a node in the tables, or NONE.
    column: Vec<u32>,
    /// Row of a node as an edge, or NONE.
    row: Vec<u32>,
    /// Column of the edge of each row.
    edges: Vec<u32>,
    /// Whether packets of others pass through the node of a column.
    forwards: Vec<bool>,
    /// Columns by falling tier.
    falling: Vec<u32>,
    /// Links out of column `c`, by rising id: `arcs[starts[c]..starts[c + 1]]`.
    starts: Vec<u32>,
    arcs: Vec<Arc>,
}

impl Wiring {
    pub(super) fn new(nodes: &[Node], links: &[Link], out: &[SmallVec<[LinkId; 4]>], routing: Routing) -> Self {
        let attachments = attachments(nodes, links, out);
        let mut column = vec![NONE; nodes.len()];
        let mut of_column = Vec::new();
        for (n, slot) in column.iter_mut().enumerate() {
            if !matches!(attachments.get(n), Some(Some(_))) {
                *slot = of_column.len() as u32;
                of_column.push(n);
            }
        }
        let mut row = vec![NONE; nodes.len()];
        let mut edges = Vec::new();
        for (h, attachment) in attachments.iter().enumerate() {
            let edge = attachment.map_or(NodeId::from(h), |a| a.switch).index();
            if row[edge] == NONE {
                row[edge] = edges.len() as u32;
                edges.push(column[edge]);
            }
        }
        let (mut starts, mut arcs) = (vec![0], Vec::new());
        for &n in &of_column {
            let inner = out[n].iter().map(|&link| (link, links[link.index()].to.index()));
            arcs.extend(inner.filter(|&(_, to)| column[to] != NONE).map(|(link, to)| Arc {
                link,
                to: column[to],
                slope: nodes[to].tier.cmp(&nodes[n].tier),
            }));
            starts.push(arcs.len() as u32);
        }
        let mut falling: Vec<u32> = (0..of_column.len() as u32).collect();
        falling.sort_by_key(|&c| std::cmp::Reverse(nodes[of_column[c as usize]].tier));
        let through_hosts = routing == Routing::ShortestThroughHosts;
        Self {
            up_down: routing == Routing::UpDown,
            attachments,
            column,
            row,
            edges,
            forwards: of_column
                .iter()
                .map(|&n| nodes[n].kind == NodeKind::Switch || through_hosts)
                .collect(),
            falling,
            starts,
            arcs,
        }
    }

    fn arcs(&self, column: u32) -> &[Arc] {
        &self.arcs[self.starts[column as usize] as usize..self.starts[column as usize + 1] as usize]
    }

    pub(super) fn attachment(&self, host: NodeId) -> Option<&Attachment> {
        self.attachments[host.index()].as_ref()
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

    /// Position in the tables of a node that forwards (or is an edge) and an edge.
    fn cell(&self, at: NodeId, edge: NodeId) -> usize {
        self.row[edge.index()] as usize * self.forwards.len() + self.column[at.index()] as usize
    }
}

fn attachments(nodes: &[Node], links: &[Link], out: &[SmallVec<[LinkId; 4]>]) -> Vec<Option<Attachment>> {
    let hosts = nodes.iter().take_while(|n| n.kind == NodeKind::Host).count();
    let attachment = |out: &SmallVec<[LinkId; 4]>| match out.as_slice() {
        &[up] if nodes[links[up.index()].to.index()].kind == NodeKind::Switch => Some(Attachment {
            up,
            down: links[up.index()].reverse,
            switch: links[up.index()].to,
        }),
        _ => None,
    };
    out[..hosts].iter().map(attachment).collect()
}

/// One entry of the tables.
#[derive(Debug, Clone, Copy)]
struct Cell {
    /// Number of equal-cost paths, at most 2^32 - 1.
    count: u32,
    /// Which set of next links; the top bit says that all of them have equally many paths behind.
    set: u32,
}

const EVEN: u32 = 1 << 31;

/// The tables over the links that are up. Equal sets of next links are kept once: in a Clos fabric
/// a leaf goes up by the same links whatever the destination.
#[derive(Debug, Clone)]
pub(super) struct Routes {
    /// By row and column.
    cells: Vec<Cell>,
    /// Set `s` is `hops[starts[s]..starts[s + 1]]`; set 0 is empty.
    starts: Vec<u32>,
    hops: Vec<LinkId>,
    /// Whether a host's own links are up; true for hosts without a single one.
    sends: Vec<bool>,
    receives: Vec<bool>,
}

impl Routes {
    pub(super) fn compute(wiring: &Wiring, links: &[Link]) -> Self {
        let is_up = |link: Option<&LinkId>| link.is_none_or(|id| !links[id.index()].rate.is_zero());
        let hosts = (0..wiring.attachments.len()).map(NodeId::from);
        let mut routes = Self {
            cells: Vec::with_capacity(wiring.edges.len() * wiring.forwards.len()),
            starts: vec![0, 0],
            hops: Vec::new(),
            sends: hosts.clone().map(|h| is_up(wiring.first_link(h))).collect(),
            receives: hosts.map(|h| is_up(wiring.last_link(h))).collect(),
        };
        let mut known = HashMap::new();
        let mut search = Search::new(wiring, links);
        for &edge in &wiring.edges {
            search.run(edge);
            for column in 0..wiring.forwards.len() as u32 {
                let cell = routes.fill(&search, column, &mut known);
                routes.cells.push(cell);
            }
        }
        routes
    }

    fn fill(&mut self, search: &Search<'_>, column: u32, known: &mut HashMap<Box<[LinkId]>, u32>) -> Cell {
        let count = search.count[column as usize];
        let arcs = search.next(column);
        let behind = |arc: &Arc| search.count[arc.to as usize];
        let mut first = None;
        let mut even = count < u32::MAX;
        let mut hops = SmallVec::<[LinkId; 64]>::new();
        for arc in arcs {
            even &= *first.get_or_insert(behind(arc)) == behind(arc);
            hops.push(arc.link);
        }
        // The row before most often holds the same set in this column.
        let columns = search.wiring.forwards.len();
        let above = self.cells.len().checked_sub(columns).map(|c| self.cells[c].set & !EVEN);
        let set = match above.filter(|&set| self.set(set) == hops.as_slice()) {
            Some(set) => set,
            None if hops.is_empty() => 0,
            None => *known.entry(hops.as_slice().into()).or_insert_with(|| {
                self.hops.extend_from_slice(&hops);
                self.starts
                    .push(u32::try_from(self.hops.len()).expect("forwarding tables within 2^32 entries"));
                self.starts.len() as u32 - 2
            }),
        };
        Cell {
            count,
            set: if even { set | EVEN } else { set },
        }
    }

    /// Entries of the tables.
    pub(super) fn size(&self) -> u64 {
        self.cells.len() as u64
    }

    fn set(&self, set: u32) -> &[LinkId] {
        &self.hops[self.starts[set as usize] as usize..self.starts[set as usize + 1] as usize]
    }

    pub(super) fn hops(&self, wiring: &Wiring, at: NodeId, edge: NodeId) -> &[LinkId] {
        self.set(self.cells[wiring.cell(at, edge)].set & !EVEN)
    }

    pub(super) fn receives(&self, host: NodeId) -> bool {
        self.receives[host.index()]
    }

    pub(super) fn path_count(&self, wiring: &Wiring, src: NodeId, dst: NodeId) -> u32 {
        if src == dst || !self.sends[src.index()] || !self.receives[dst.index()] {
            return 0;
        }
        self.cells[wiring.cell(wiring.edge(src), wiring.edge(dst))].count
    }

    fn count_behind(&self, wiring: &Wiring, links: &[Link], edge: NodeId, hop: LinkId) -> u32 {
        self.cells[wiring.cell(links[hop.index()].to, edge)].count
    }

    /// The link that path `index` from `at` to `edge` takes first, and its index behind that link.
    pub(super) fn descend(
        &self,
        wiring: &Wiring,
        links: &[Link],
        at: NodeId,
        edge: NodeId,
        index: u32,
    ) -> (LinkId, u32) {
        let cell = self.cells[wiring.cell(at, edge)];
        let hops = self.set(cell.set & !EVEN);
        if cell.set & EVEN != 0 {
            let behind = cell.count / hops.len() as u32;
            return (hops[(index / behind) as usize], index % behind);
        }
        let mut left = index;
        for &hop in hops {
            let behind = self.count_behind(wiring, links, edge, hop);
            if left < behind {
                return (hop, left);
            }
            left -= behind;
        }
        panic!("path index {index} beyond the number of paths");
    }

    /// Number of paths from `at` to `edge` through the links before `position`.
    pub(super) fn paths_before(
        &self,
        wiring: &Wiring,
        links: &[Link],
        at: NodeId,
        edge: NodeId,
        position: usize,
    ) -> u32 {
        let cell = self.cells[wiring.cell(at, edge)];
        let hops = self.set(cell.set & !EVEN);
        if cell.set & EVEN != 0 {
            return cell.count / hops.len() as u32 * position as u32;
        }
        let behind = |&hop| self.count_behind(wiring, links, edge, hop);
        hops[..position].iter().map(behind).fold(0, u32::saturating_add)
    }
}

/// Search backwards from one edge on the links that are up; its arrays are by column.
struct Search<'a> {
    wiring: &'a Wiring,
    links: &'a [Link],
    edge: u32,
    /// Hops to the edge, NONE where there is no way.
    distance: Vec<u32>,
    /// Number of ways, saturating.
    count: Vec<u32>,
    /// Up-down routing: whether the node has a way down.
    descends: Vec<bool>,
    queue: VecDeque<u32>,
}

impl<'a> Search<'a> {
    fn new(wiring: &'a Wiring, links: &'a [Link]) -> Self {
        let columns = wiring.forwards.len();
        Self {
            wiring,
            links,
            edge: 0,
            distance: vec![NONE; columns],
            count: vec![0; columns],
            descends: vec![false; columns],
            queue: VecDeque::new(),
        }
    }

    fn run(&mut self, edge: u32) {
        self.edge = edge;
        self.distance.fill(NONE);
        self.count.fill(0);
        self.descends.fill(false);
        self.spread();
        if self.wiring.up_down {
            self.climb();
        }
    }

    /// Breadth first: shortest ways, or shortest ways down under up-down routing.
    fn spread(&mut self) {
        let wiring = self.wiring;
        self.distance[self.edge as usize] = 0;
        self.count[self.edge as usize] = 1;
        self.queue.push_back(self.edge);
        while let Some(at) = self.queue.pop_front() {
            self.descends[at as usize] = true;
            if !self.passes(at) {
                continue;
            }
            let (next, count) = (self.distance[at as usize] + 1, self.count[at as usize]);
            for arc in wiring.arcs(at) {
                let wrong_way = wiring.up_down && arc.slope != Ordering::Greater;
                if wrong_way || !self.is_up(self.links[arc.link.index()].reverse) {
                    continue;
                }
                let from = arc.to as usize;
                if self.distance[from] == NONE {
                    self.distance[from] = next;
                    self.queue.push_back(arc.to);
                }
                if self.distance[from] == next {
                    self.count[from] = self.count[from].saturating_add(count);
                }
            }
        }
    }

    /// Nodes with no way down go up; those above are settled first.
    fn climb(&mut self) {
        for &at in &self.wiring.falling {
            if self.distance[at as usize] != NONE {
                continue;
            }
            let (mut nearest, mut count) = (NONE, 0_u32);
            for arc in self.wiring.arcs(at) {
                let above = self.distance[arc.to as usize];
                if arc.slope != Ordering::Greater || above == NONE || !self.is_up(arc.link) {
                    continue;
                }
                if above < nearest {
                    (nearest, count) = (above, 0);
                }
                if above == nearest {
                    count = count.saturating_add(self.count[arc.to as usize]);
                }
            }
            if nearest != NONE {
                self.distance[at as usize] = nearest + 1;
                self.count[at as usize] = count;
            }
        }
    }

    /// The links from `at` that the ways take, by rising id.
    fn next(&self, at: u32) -> impl Iterator<Item = &'a Arc> + '_ {
        let here = self.distance[at as usize];
        let slope = match self.descends[at as usize] {
            true => Ordering::Less,
            false => Ordering::Greater,
        };
        self.wiring.arcs(at).iter().filter(move |arc| {
            let there = self.distance[arc.to as usize];
            there != NONE
                && here != NONE
                && there + 1 == here
                && (!self.wiring.up_down || arc.slope == slope)
                && self.passes(arc.to)
                && self.is_up(arc.link)
        })
    }

    /// Whether ways may lead through (or end at) a node.
    fn passes(&self, at: u32) -> bool {
        at == self.edge || self.wiring.forwards[at as usize]
    }

    fn is_up(&self, link: LinkId) -> bool {
        !self.links[link.index()].rate.is_zero()
    }
}
