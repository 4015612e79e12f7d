//! The dense compiled form of a fabric: arrays of nodes, links and forwarding tables.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use petgraph::visit::EdgeRef;
use smallvec::SmallVec;

use super::blueprint::{Blueprint, Node, NodeKind};
use super::link::{Link, LinkChange, Path};
use super::loss::LossChange;
use super::path_lookup::PathLookup;
use super::routing::Routes;
use super::stages::{Place, Stage, Stages};
use super::wiring::{Attachment, Wiring};
use crate::ids::{LinkId, NodeId, PathIndex};
use crate::units::{Rate, Time};

/// A fabric ready to simulate: nodes (hosts first), links, and all equal-cost paths.
///
/// Links that are down stay in the arrays, with rate zero and on no path, so that a [`LinkId`]
/// means the same link in every state of a fabric.
#[derive(Debug, Clone)]
pub struct Fabric {
    shape: Arc<Shape>,
    links: Vec<Link>,
    routes: Arc<Routes>,
    losses: Arc<[LossChange]>,
}

/// What stays the same in every state of a fabric.
#[derive(Debug)]
struct Shape {
    nodes: Vec<Node>,
    cables: Vec<String>,
    hosts: u32,
    /// Links out of each node, in order of their ids.
    out: Vec<SmallVec<[LinkId; 4]>>,
    wiring: Wiring,
}

impl Fabric {
    /// Compiles a drawing. The hosts must be its first nodes, and links come in pairs of directions,
    /// as [`Blueprint`] adds them.
    pub fn compile(drawing: &Blueprint) -> Self {
        let graph = &drawing.graph;
        let nodes: Vec<Node> = graph.node_weights().cloned().collect();
        let hosts = nodes.iter().take_while(|n| n.kind == NodeKind::Host).count() as u32;
        assert!(
            nodes[hosts as usize..].iter().all(|n| n.kind == NodeKind::Switch),
            "a builder adds all hosts before the first switch"
        );
        let mut links = Vec::with_capacity(graph.edge_count());
        let mut cables = Vec::with_capacity(graph.edge_count() / 2);
        let mut out = vec![SmallVec::new(); nodes.len()];
        let mut losses = Vec::new();
        for edge in graph.edge_references() {
            let id = LinkId::from(links.len());
            let (from, to) = (NodeId::from(edge.source().index()), NodeId::from(edge.target().index()));
            let spec = edge.weight();
            links.push(Link {
                from,
                to,
                rate: spec.rate,
                delay: spec.delay.saturating_add(nodes[to.index()].latency),
                queue: spec.queue,
                reverse: LinkId(id.0 ^ 1),
                cost: spec.cost,
            });
            if !spec.loss.is_none() {
                losses.push(LossChange {
                    at: Time::ZERO,
                    link: id,
                    loss: spec.loss,
                });
            }
            if id.0.is_multiple_of(2) {
                cables.push(spec.cable.clone());
            }
            out[from.index()].push(id);
        }
        let wiring = Wiring::new(&nodes, &links, &out, drawing.routing, drawing.detours.as_ref());
        let routes = Arc::new(Routes::compute(&wiring, &links));
        let shape = Arc::new(Shape {
            nodes,
            cables,
            hosts,
            out,
            wiring,
        });
        Self {
            shape,
            links,
            routes,
            losses: losses.into(),
        }
    }

    /// The same fabric with links that lose packets, as far as they do, from some times on. Those that a topology says are
    /// in force before.
    #[must_use]
    pub fn with_losses(&self, changes: &[LossChange]) -> Self {
        let mut losses = [&self.losses, changes].concat();
        losses.sort_by_key(|change| (change.at, change.link));
        Self {
            losses: losses.into(),
            ..self.clone()
        }
    }

    /// Which links lose which share of their packets, in order of time, then link; of two for one link and time the later
    /// holds. Routing does not know.
    pub fn losses(&self) -> &[LossChange] {
        &self.losses
    }

    /// The same fabric after changes of link rates, with paths over the surviving links only.
    #[must_use]
    pub fn with(&self, changes: &[LinkChange]) -> Self {
        let mut changed = self.clone();
        for change in changes {
            changed.links[change.link.index()].rate = change.rate;
        }
        let flips = |c: &&LinkChange| self.link(c.link).rate.is_zero() != changed.link(c.link).rate.is_zero();
        if changes.iter().any(|c| flips(&c)) {
            changed.routes = Arc::new(Routes::compute(&changed.shape.wiring, &changed.links));
        }
        changed
    }

    /// Number of hosts; host `h` is node `h`.
    pub fn hosts(&self) -> u32 {
        self.shape.hosts
    }

    /// All nodes, hosts first.
    pub fn nodes(&self) -> &[Node] {
        &self.shape.nodes
    }

    /// All directed links.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// One link.
    pub fn link(&self, id: LinkId) -> &Link {
        &self.links[id.index()]
    }

    /// Ids of all directed links.
    pub fn link_ids(&self) -> impl Iterator<Item = LinkId> + use<> {
        (0..self.links.len()).map(LinkId::from)
    }

    /// Entries of the forwarding tables.
    pub fn table_size(&self) -> u64 {
        self.routes.size()
    }

    /// Nodes that forward: columns of the forwarding tables.
    pub fn table_width(&self) -> u64 {
        self.shape.wiring.columns() as u64
    }

    /// Links out of a node, those that are down included.
    pub fn out_links(&self, node: NodeId) -> &[LinkId] {
        &self.shape.out[node.index()]
    }

    /// Whether a link joins two switches.
    pub fn is_fabric_link(&self, id: LinkId) -> bool {
        let link = self.link(id);
        link.from.0 >= self.hosts() && link.to.0 >= self.hosts()
    }

    /// Name of a cable, the same for both directions, such as `leaf0-spine3`.
    pub fn cable(&self, id: LinkId) -> &str {
        &self.shape.cables[id.index() / 2]
    }

    /// Name of one direction, such as `leaf0->spine3`, unique in the fabric. Cables with names that
    /// do not join their ends' names keep them: `trunk:leaf0->spine3`.
    pub fn link_name(&self, id: LinkId) -> String {
        let link = self.link(id);
        let (from, to) = (&self.node(link.from).name, &self.node(link.to).name);
        let cable = self.cable(id);
        let (first, second) = if id.0.is_multiple_of(2) { (from, to) } else { (to, from) };
        match cable
            .strip_prefix(first.as_str())
            .and_then(|rest| rest.strip_prefix('-'))
            .and_then(|rest| rest.strip_prefix(second.as_str()))
        {
            Some(parallel) if parallel.is_empty() || parallel.starts_with('#') => format!("{from}->{to}{parallel}"),
            _ => format!("{cable}:{from}->{to}"),
        }
    }

    /// Directed links by every name they answer to: a cable's name gives both directions, and
    /// `leaf1-host17` also answers to `host17-leaf1`.
    pub fn links_by_name(&self) -> HashMap<String, SmallVec<[LinkId; 2]>> {
        let mut names: HashMap<String, SmallVec<[LinkId; 2]>> = HashMap::new();
        for there in self.link_ids().step_by(2) {
            let back = self.link(there).reverse;
            let (a, b) = (self.link_name(there), self.link_name(back));
            let mut both = vec![self.cable(there).to_owned()];
            if !a.contains(':') {
                // leaf0->spine1#2 is the cable leaf0-spine1#2 by another name.
                both.extend([a.replacen("->", "-", 1), b.replacen("->", "-", 1)]);
            }
            both.dedup();
            for name in both {
                names.entry(name).or_default().extend([there, back]);
            }
            names.entry(a).or_default().push(there);
            names.entry(b).or_default().push(back);
        }
        names
    }

    /// One node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.shape.nodes[id.index()]
    }

    /// The node at which the paths of a host begin and end: its switch, or the host itself where
    /// it has several ports. Hosts of one edge share all paths but for their own links.
    pub fn edge(&self, host: NodeId) -> NodeId {
        self.shape.wiring.edge(host)
    }

    /// How a host hangs on its switch by one cable; `None` where it has several, so that its paths use
    /// different ones and it is its own edge.
    pub fn attachment(&self, host: NodeId) -> Option<Attachment> {
        self.shape.wiring.attachment(host).copied()
    }

    /// Whether a node is a host with several cables, all to switches, that forwards nothing: its paths differ from those of
    /// others on the same switches in its own links alone.
    pub fn has_ports(&self, node: NodeId) -> bool {
        self.shape.wiring.has_ports(node)
    }

    /// How many hosts share a server, where all servers have as many, numbered one after the other.
    pub fn hosts_per_server(&self) -> Option<u32> {
        let server = |host: NodeId| {
            let mut ends = self.out_links(host).iter().map(|&up| self.link(up).to);
            ends.find(|&end| self.node(end).in_server)
        };
        let servers: Vec<NodeId> = (0..self.hosts())
            .map(|host| server(NodeId(host)))
            .collect::<Option<_>>()?;
        let groups: Vec<&[NodeId]> = servers.chunk_by(|a, b| a == b).collect();
        let first = groups.first()?;
        let distinct: std::collections::BTreeSet<NodeId> = groups.iter().map(|group| group[0]).collect();
        let even = groups.iter().all(|group| group.len() == first.len()) && distinct.len() == groups.len();
        even.then_some(first.len() as u32)
    }

    /// Number of equal-cost paths; 0 where `dst` cannot be reached (or is `src`). Depends only on
    /// the two edges (see [`Fabric::edge`]) and on whether the hosts' own links are up. At most
    /// 2^32 - 1: further paths are never taken.
    pub fn path_count(&self, src: NodeId, dst: NodeId) -> u32 {
        self.lookup().path_count(src, dst)
    }

    /// Path `index` of the pair, below [`Fabric::path_count`].
    pub fn path(&self, src: NodeId, dst: NodeId, index: impl Into<PathIndex>) -> Path {
        let mut left = index.into().0;
        self.follow(src, dst, |at| {
            let (hop, behind) = self.lookup().descend(at, dst, left);
            left = behind;
            hop
        })
    }

    /// All equal-cost paths of the pair, in order of their index.
    pub fn paths(&self, src: NodeId, dst: NodeId) -> impl Iterator<Item = Path> + '_ {
        (0..self.path_count(src, dst)).map(move |index| self.path(src, dst, index))
    }

    /// The path that `choose` picks hop by hop, with its index. `choose` gets the switch and its
    /// equal-cost next links (at least two) and returns a position among them. `None` where `dst`
    /// cannot be reached.
    pub fn walk(
        &self,
        src: NodeId,
        dst: NodeId,
        mut choose: impl FnMut(NodeId, &[LinkId]) -> usize,
    ) -> Option<(PathIndex, Path)> {
        let count = self.path_count(src, dst);
        if count == 0 {
            return None;
        }
        let mut index = 0_u32;
        let path = self.follow(src, dst, |at| {
            let hops = self.lookup().hops(at, dst);
            if hops.len() == 1 {
                return hops[0];
            }
            let position = choose(at.node, &hops);
            let before = self.lookup().paths_before(at, dst, position);
            index = index.saturating_add(before);
            hops[position]
        });
        Some((PathIndex(index.min(count - 1)), path))
    }

    /// The index of the path that `choose` picks, as [`Fabric::walk`] does; `choose` is asked no more where one path is
    /// left.
    pub fn walk_to_index(
        &self,
        src: NodeId,
        dst: NodeId,
        mut choose: impl FnMut(NodeId, &[LinkId]) -> usize,
    ) -> Option<PathIndex> {
        let ways = self.lookup();
        let count = self.path_count(src, dst);
        let (mut at, mut left, mut index) = (self.start(src, dst), count, 0_u32);
        while left > 1 {
            let (hops, behind_each) = ways.choices(at, dst);
            let position = match hops.len() {
                1 => 0,
                _ => choose(at.node, &hops),
            };
            let before = match behind_each {
                Some(behind) => behind * position as u32,
                None => ways.paths_before(at, dst, position),
            };
            index = index.saturating_add(before);
            at = self.after(at, hops[position]);
            left = behind_each.unwrap_or_else(|| ways.count(at, dst));
        }
        (count > 0).then(|| PathIndex(index.min(count - 1)))
    }

    /// The index of a path among those of its pair, if it is one of them.
    pub fn path_index(&self, src: NodeId, dst: NodeId, path: &[LinkId]) -> Option<PathIndex> {
        let (index, found) = self.walk(src, dst, |_, hops| {
            hops.iter().position(|hop| path.contains(hop)).unwrap_or(0)
        })?;
        (found.as_slice() == path).then_some(index)
    }

    /// Equal-cost links of the shortest ways towards a host from any other node; empty where there is no way.
    pub fn next_hops(&self, at: NodeId, dst: NodeId) -> Cow<'_, [LinkId]> {
        let wiring = &self.shape.wiring;
        if at == dst || !self.routes.receives(dst) {
            return Cow::Borrowed(&[]);
        }
        if at.0 < self.hosts()
            && let Some(up) = wiring.first_link(at)
        {
            let reachable = self.path_count(at, dst) > 0;
            return Cow::Borrowed(if reachable { std::slice::from_ref(up) } else { &[] });
        }
        match wiring.last_link(dst) {
            Some(down) if self.link(*down).from == at => Cow::Borrowed(std::slice::from_ref(down)),
            _ => self.lookup().hops(at.into(), dst),
        }
    }

    /// Where the paths of a pair begin: at the edge of the source.
    pub(crate) fn start(&self, src: NodeId, dst: NodeId) -> Place {
        self.lookup().start(src, dst)
    }

    /// The place behind a link on a path.
    pub(crate) fn after(&self, place: Place, link: LinkId) -> Place {
        self.shape.wiring.after(place, self.link(link).to)
    }

    /// The links on the paths from a place to a host; as [`Fabric::next_hops`] where paths are the shortest from there.
    pub(crate) fn hops_from(&self, place: Place, dst: NodeId) -> Cow<'_, [LinkId]> {
        match place.stage {
            Stage::Shortest => self.next_hops(place.node, dst),
            _ if !self.routes.receives(dst) => Cow::Borrowed(&[]),
            _ => self.lookup().hops(place, dst),
        }
    }

    /// How far packets have come at every node, where some paths are not the shortest.
    pub(crate) fn stages(&self) -> Option<&Stages> {
        self.shape.wiring.stages()
    }

    /// Number of the ways to a host, below the number of hosts: what is true of one host of a number is true of all, but for
    /// the links of these hosts.
    pub fn way_to(&self, dst: NodeId) -> u32 {
        self.routes.way(dst)
    }

    fn lookup(&self) -> PathLookup<'_> {
        PathLookup {
            wiring: &self.shape.wiring,
            routes: &self.routes,
            links: &self.links,
        }
    }

    /// From the source's edge to the destination's by the links that `hop` picks, and their own links.
    fn follow(&self, src: NodeId, dst: NodeId, mut hop: impl FnMut(Place) -> LinkId) -> Path {
        debug_assert!(self.path_count(src, dst) > 0, "there is no path from {src} to {dst}");
        let wiring = &self.shape.wiring;
        let mut path = Path::new();
        path.extend(wiring.first_link(src).copied());
        let (mut at, target) = (self.start(src, dst), self.edge(dst));
        while at.node != target {
            let link = hop(at);
            path.push(link);
            at = self.after(at, link);
        }
        path.extend(wiring.last_link(dst).copied());
        path
    }

    /// Sum of the propagation delays along a path.
    pub fn path_delay(&self, path: &[LinkId]) -> Time {
        path.iter().map(|&id| self.link(id).delay).sum()
    }

    /// The smallest rate along a path.
    pub fn path_rate(&self, path: &[LinkId]) -> Rate {
        path.iter().map(|&id| self.link(id).rate).min().unwrap_or(Rate::ZERO)
    }
}
