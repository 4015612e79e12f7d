//! Forwarding tables: for every node that forwards and every edge, the equal-cost next links and
//! the number of paths behind them.

use std::collections::VecDeque;

use smallvec::SmallVec;

use super::blueprint::{Node, NodeKind, Routing};
use super::fabric::Link;
use crate::ids::{LinkId, NodeId};

const NONE: u32 = u32::MAX;

/// How one host is attached.
#[derive(Debug, Clone, Copy)]
enum Attachment {
    /// By one cable to a switch: paths begin and end at the switch.
    Single { up: LinkId, down: LinkId, switch: NodeId },
    /// By any other number of cables: the host is its own edge.
    Own,
}

/// Tables indexed by (edge, forwarding node).
#[derive(Debug, Clone)]
pub(super) struct Routes {
    attachments: Vec<Attachment>,
    /// Whether the single cable of a host is up, by direction.
    sends: Vec<bool>,
    receives: Vec<bool>,
    /// Column of a node in the tables, or NONE.
    column: Vec<u32>,
    /// Row of a node as an edge, or NONE.
    row: Vec<u32>,
    columns: u32,
    /// Number of equal-cost paths, saturating, by row and column.
    counts: Vec<u32>,
    /// Where the next links begin in `hops`, by row and column, with one entry behind the last.
    offsets: Vec<u32>,
    hops: Vec<LinkId>,
}

impl Routes {
    pub(super) fn compute(nodes: &[Node], links: &[Link], out: &[SmallVec<[LinkId; 4]>], routing: Routing) -> Self {
        let attachments = attachments(nodes, links, out);
        let up = |id: LinkId| !links[id.index()].rate.is_zero();
        let own_links = |attachment: &Attachment| match *attachment {
            Attachment::Single { up: u, down: d, .. } => (up(u), up(d)),
            Attachment::Own => (true, true),
        };
        let (sends, receives) = attachments.iter().map(own_links).unzip();

        let hosts = attachments.len();
        let mut column = vec![NONE; nodes.len()];
        let mut columns = 0;
        for (n, slot) in column.iter_mut().enumerate() {
            if n >= hosts || matches!(attachments[n], Attachment::Own) {
                *slot = columns;
                columns += 1;
            }
        }
        let mut row = vec![NONE; nodes.len()];
        let mut edges = Vec::new();
        for (h, attachment) in attachments.iter().enumerate() {
            let edge = match attachment {
                Attachment::Single { switch, .. } => *switch,
                Attachment::Own => NodeId::from(h),
            };
            if row[edge.index()] == NONE {
                row[edge.index()] = edges.len() as u32;
                edges.push(edge);
            }
        }
        let mut routes = Self {
            attachments,
            sends,
            receives,
            column,
            row,
            columns,
            counts: Vec::with_capacity(edges.len() * columns as usize),
            offsets: Vec::with_capacity(edges.len() * columns as usize + 1),
            hops: Vec::new(),
        };
        let column = routes.column.clone();
        let search = Search::new(nodes, links, out, routing, &column);
        for edge in edges {
            routes.add_row(&search, edge);
        }
        routes
            .offsets
            .push(u32::try_from(routes.hops.len()).expect("forwarding tables within 2^32 entries"));
        routes
    }

    fn add_row(&mut self, search: &Search<'_>, edge: NodeId) {
        let distance = search.distances(edge);
        let mut order: Vec<u32> = (0..distance.len() as u32)
            .filter(|&n| distance[n as usize] != NONE)
            .collect();
        order.sort_by_key(|&n| (distance[n as usize], n));
        let mut count = vec![0_u32; distance.len()];
        count[edge.index()] = 1;
        for &n in order.iter().filter(|&&n| n != edge.0) {
            let hops = search.next(&distance, NodeId(n));
            count[n as usize] = hops.fold(0, |sum, hop| {
                sum.saturating_add(count[search.links[hop.index()].to.index()])
            });
        }
        for (n, &paths) in count.iter().enumerate() {
            if self.column[n] == NONE {
                continue;
            }
            self.offsets.push(self.hops.len() as u32);
            self.counts.push(paths);
            if paths > 0 && n != edge.index() {
                self.hops.extend(search.next(&distance, NodeId::from(n)));
            }
        }
    }

    fn cell(&self, at: NodeId, edge: NodeId) -> usize {
        (self.row[edge.index()] * self.columns) as usize + self.column[at.index()] as usize
    }

    pub(super) fn hops(&self, at: NodeId, edge: NodeId) -> &[LinkId] {
        let cell = self.cell(at, edge);
        &self.hops[self.offsets[cell] as usize..self.offsets[cell + 1] as usize]
    }

    pub(super) fn edge(&self, host: NodeId) -> NodeId {
        match self.attachments[host.index()] {
            Attachment::Single { switch, .. } => switch,
            Attachment::Own => host,
        }
    }

    /// The switch of a host with one cable, and its link there.
    pub(super) fn first_link(&self, host: NodeId) -> Option<(NodeId, LinkId)> {
        match self.attachments[host.index()] {
            Attachment::Single { up, switch, .. } => Some((switch, up)),
            Attachment::Own => None,
        }
    }

    /// The switch of a host with one cable, and the link from there.
    pub(super) fn last_link(&self, host: NodeId) -> Option<(NodeId, &LinkId)> {
        match &self.attachments[host.index()] {
            Attachment::Single { down, switch, .. } => Some((*switch, down)),
            Attachment::Own => None,
        }
    }

    pub(super) fn path_count(&self, src: NodeId, dst: NodeId) -> u32 {
        if src == dst || !self.sends[src.index()] || !self.receives[dst.index()] {
            return 0;
        }
        self.counts[self.cell(self.edge(src), self.edge(dst))]
    }

    fn count_behind(&self, links: &[Link], dst: NodeId, hop: LinkId) -> u32 {
        let (next, edge) = (links[hop.index()].to, self.edge(dst));
        if next == edge {
            1
        } else {
            self.counts[self.cell(next, edge)]
        }
    }

    /// The position among `hops` of the hop that path `left` takes; `left` becomes the index behind it.
    pub(super) fn descend(&self, links: &[Link], dst: NodeId, hops: &[LinkId], left: &mut u32) -> usize {
        for (position, &hop) in hops.iter().enumerate() {
            let behind = self.count_behind(links, dst, hop);
            if *left < behind {
                return position;
            }
            *left -= behind;
        }
        panic!("path index beyond the number of paths");
    }

    /// Number of paths through the hops before `position`.
    pub(super) fn paths_before(&self, links: &[Link], dst: NodeId, hops: &[LinkId], position: usize) -> u32 {
        hops[..position]
            .iter()
            .map(|&hop| self.count_behind(links, dst, hop))
            .sum()
    }
}

fn attachments(nodes: &[Node], links: &[Link], out: &[SmallVec<[LinkId; 4]>]) -> Vec<Attachment> {
    let hosts = nodes.iter().take_while(|n| n.kind == NodeKind::Host).count();
    (0..hosts)
        .map(|h| match out[h].as_slice() {
            [up] if nodes[links[up.index()].to.index()].kind == NodeKind::Switch => Attachment::Single {
                up: *up,
                down: links[up.index()].reverse,
                switch: links[up.index()].to,
            },
            _ => Attachment::Own,
        })
        .collect()
}

/// Backward shortest-path search on the links that are up.
struct Search<'a> {
    nodes: &'a [Node],
    links: &'a [Link],
    out: &'a [SmallVec<[LinkId; 4]>],
    routing: Routing,
    /// Nodes that forward, by falling tier.
    falling: Vec<NodeId>,
    column: &'a [u32],
}

impl<'a> Search<'a> {
    fn new(
        nodes: &'a [Node],
        links: &'a [Link],
        out: &'a [SmallVec<[LinkId; 4]>],
        routing: Routing,
        column: &'a [u32],
    ) -> Self {
        let mut falling: Vec<_> = (0..nodes.len())
            .filter(|&n| column[n] != NONE)
            .map(NodeId::from)
            .collect();
        falling.sort_by_key(|n| (std::cmp::Reverse(nodes[n.index()].tier), *n));
        Self {
            nodes,
            links,
            out,
            routing,
            falling,
            column,
        }
    }

    /// Hops from every node that has a way to `edge`; NONE elsewhere.
    fn distances(&self, edge: NodeId) -> Vec<u32> {
        let mut distance = vec![NONE; self.nodes.len()];
        distance[edge.index()] = 0;
        let mut queue = VecDeque::from([edge]);
        while let Some(at) = queue.pop_front() {
            if at != edge && !self.forwards(at) {
                continue;
            }
            for (from, _) in self.links_into(at) {
                let falls = self.nodes[from.index()].tier > self.nodes[at.index()].tier;
                if distance[from.index()] == NONE && (falls || self.routing != Routing::UpDown) {
                    distance[from.index()] = distance[at.index()] + 1;
                    queue.push_back(from);
                }
            }
        }
        if self.routing == Routing::UpDown {
            // A node with no way down goes up; those above are settled first.
            for &at in &self.falling {
                if distance[at.index()] == NONE {
                    let above = self.out[at.index()]
                        .iter()
                        .filter(|&&id| self.usable(id) && self.rises(id));
                    let nearest = above.map(|id| distance[self.links[id.index()].to.index()]).min();
                    distance[at.index()] = nearest.filter(|&d| d != NONE).map_or(NONE, |d| d + 1);
                }
            }
        }
        distance
    }

    /// Links from `at` that are on a shortest way, by rising id.
    fn next<'s>(&'s self, distance: &'s [u32], at: NodeId) -> impl Iterator<Item = LinkId> + 's {
        let here = distance[at.index()];
        let descends = self.out[at.index()]
            .iter()
            .any(|&id| self.leads_on(distance, here, id) && !self.rises(id));
        self.out[at.index()].iter().copied().filter(move |&id| {
            let tier_fits = self.routing != Routing::UpDown || self.rises(id) != descends;
            tier_fits && self.leads_on(distance, here, id)
        })
    }

    fn leads_on(&self, distance: &[u32], here: u32, id: LinkId) -> bool {
        let to = self.links[id.index()].to;
        let there = distance[to.index()];
        self.usable(id) && there != NONE && there + 1 == here && (there == 0 || self.forwards(to))
    }

    fn links_into(&self, at: NodeId) -> impl Iterator<Item = (NodeId, LinkId)> + '_ {
        self.out[at.index()].iter().filter_map(move |&id| {
            let reverse = self.links[id.index()].reverse;
            self.usable(reverse)
                .then(|| (self.links[reverse.index()].from, reverse))
        })
    }

    fn usable(&self, id: LinkId) -> bool {
        !self.links[id.index()].rate.is_zero()
    }

    fn rises(&self, id: LinkId) -> bool {
        let link = &self.links[id.index()];
        self.nodes[link.to.index()].tier > self.nodes[link.from.index()].tier
    }

    fn forwards(&self, at: NodeId) -> bool {
        match self.nodes[at.index()].kind {
            NodeKind::Switch => true,
            NodeKind::Host => self.routing == Routing::ShortestThroughHosts && self.column[at.index()] != NONE,
        }
    }
}
