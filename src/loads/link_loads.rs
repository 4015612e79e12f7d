//! The calculator of link loads: bytes on routes, by directed link.

use super::demand::{PairAmount, PairSums, by_destination};
use crate::ids::{HostId, LinkId, PathIndex};
use crate::routes::{EdgeClasses, EdgeSwitches, PathDagBuilder, Position, Route, path_weights};
use crate::topology::Fabric;

/// Accumulates loads, a step or a schedule at a time.
#[derive(Debug)]
pub(crate) struct LinkLoads<'a> {
    fabric: &'a Fabric,
    edges: EdgeSwitches,
    classes: EdgeClasses,
    builder: PathDagBuilder<'a>,
    even: PairSums,
    weighted: PairSums,
    /// By link id.
    bytes: Vec<f64>,
    /// Links with bytes.
    touched: Vec<LinkId>,
}

impl<'a> LinkLoads<'a> {
    pub(crate) fn new(fabric: &'a Fabric) -> Self {
        let edges = EdgeSwitches::new(fabric);
        Self {
            fabric,
            classes: EdgeClasses::new(fabric, &edges),
            builder: PathDagBuilder::new(fabric),
            even: PairSums::new(edges.len()),
            weighted: PairSums::new(edges.len()),
            bytes: vec![0.0; fabric.links().len()],
            touched: Vec::new(),
            edges,
        }
    }

    /// Adds bytes from host to host on a route. What is spread over paths counts once [`LinkLoads::finish`] is called.
    /// `None` for a dynamic route, which says nothing of links.
    pub(crate) fn add(&mut self, src: HostId, dst: HostId, route: Route, bytes: f64) -> Option<()> {
        if bytes == 0.0 || src == dst {
            return Some(());
        }
        let (from, to) = (self.edges.of(src), self.edges.of(dst));
        match route {
            Route::Dynamic => return None,
            Route::Pinned(index) if from != to => self.add_path(src, dst, index, bytes),
            Route::Even if from != to => self.even.add(from, to, bytes),
            Route::Weighted if from != to => self.weighted.add(from, to, bytes),
            Route::Pinned(_) | Route::Even | Route::Weighted => {}
        }
        self.add_attachments(src, dst, bytes);
        Some(())
    }

    /// Adds bytes to the single cables of two hosts, where they have such.
    pub(crate) fn add_attachments(&mut self, src: HostId, dst: HostId, bytes: f64) {
        if let Some(attachment) = self.edges.attachment(src) {
            self.add_link(attachment.up, bytes);
        }
        if let Some(attachment) = self.edges.attachment(dst) {
            self.add_link(attachment.down, bytes);
        }
    }

    /// Adds bytes to a link.
    pub(crate) fn add_link(&mut self, link: LinkId, bytes: f64) {
        let load = &mut self.bytes[link.index()];
        if *load == 0.0 {
            self.touched.push(link);
        }
        *load += bytes;
    }

    /// Adds to the links of a path between the two edges.
    fn add_path(&mut self, src: HostId, dst: HostId, index: PathIndex, bytes: f64) {
        let path = self.fabric.path(src.node(), dst.node(), index);
        for &link in self.edges.inner(&path, src, dst) {
            self.add_link(link, bytes);
        }
    }

    /// Spreads what was gathered by pair of edges. To be called before the loads are read.
    pub(crate) fn finish(&mut self) {
        let mut even = self.even.take();
        if self.classes.are_single() {
            for demand in by_destination(&even) {
                self.spread_evenly(demand);
            }
        } else {
            let classes = self.classes.clone();
            let key = |pair: &PairAmount| classes.key(pair.src, pair.dst);
            even.sort_by_key(key);
            for alike in even.chunk_by(|a, b| key(a) == key(b)) {
                self.spread_alike(alike);
            }
        }
        for PairAmount { src, dst, amount } in self.weighted.take() {
            let (src, dst) = (self.edges.sender(src), self.edges.receiver(dst));
            let weights = path_weights(self.fabric, src.node(), dst.node());
            let total: f64 = weights.iter().map(|&w| w as f64).sum();
            for (index, &weight) in weights.iter().enumerate() {
                self.add_path(src, dst, PathIndex(index as u32), amount * weight as f64 / total);
            }
        }
    }

    /// All paths of a pair alike: a node passes on in proportion to the paths behind each next link.
    fn spread_evenly(&mut self, demand: &[PairAmount]) {
        let dst = demand[0].dst;
        let sources = demand.iter().map(|d| self.edges.node(d.src));
        let dag = self
            .builder
            .build(self.edges.node(dst), self.edges.receiver(dst), sources);
        let counts = dag.path_counts();
        let mut through = dag.filled(0.0);
        for (demand, &source) in demand.iter().zip(&dag.sources) {
            through[source] += demand.amount;
        }
        let hops = dag.all_hops();
        dag.pass_down(
            &mut through,
            |position, bytes| bytes / counts[position],
            |per_path, hop| per_path * counts[hops[hop].to],
            |hop, bytes| self.add_link(hops[hop].link, bytes),
        );
    }

    /// All paths of pairs alike whose sources are alike, and whose destinations are: the links between them once, those of
    /// the hosts for each.
    fn spread_alike(&mut self, alike: &[PairAmount]) {
        let fabric = self.fabric;
        let (src, dst) = (self.edges.node(alike[0].src), self.edges.node(alike[0].dst));
        let receiver = self.edges.receiver(alike[0].dst);
        let dag = self.builder.build(dst, receiver, std::iter::once(src));
        let counts = dag.path_counts();
        let source = dag.sources[0];
        let mut through = dag.filled(0.0);
        through[source] = counts[source];
        // Paths through every link.
        let mut paths = vec![0.0; dag.all_hops().len()];
        let hops = dag.all_hops();
        dag.pass_down(
            &mut through,
            |position, paths| paths / counts[position],
            |per_path, hop| per_path * counts[hops[hop].to],
            |hop, amount| paths[hop] += amount,
        );
        let total: f64 = alike.iter().map(|pair| pair.amount).sum();
        let bytes = |amount: f64, hop: usize| amount * paths[hop] / counts[source];
        let (own_source, own_target) = (fabric.has_ports(src), fabric.has_ports(dst));
        for position in dag.rising() {
            let from = dag.node(position);
            let mut last = 0;
            for (hop, next) in dag.range(position).zip(dag.hops(position)) {
                let first = own_source && position == source;
                if first || own_target && next.to == Position::END {
                    let place = if first { hop - dag.range(position).start } else { last };
                    last += usize::from(!first);
                    for pair in alike {
                        let src = self.edges.node(pair.src);
                        let dst = self.edges.receiver(pair.dst).node();
                        let link = fabric.next_hops(if first { src } else { from }, dst)[place];
                        self.add_link(link, bytes(pair.amount, hop));
                    }
                } else {
                    self.add_link(next.link, bytes(total, hop));
                }
            }
        }
    }

    /// Bytes on a link.
    pub(crate) fn of(&self, link: LinkId) -> f64 {
        self.bytes[link.index()]
    }

    /// Bytes on every link, by link id.
    pub(crate) fn into_bytes(self) -> Vec<f64> {
        self.bytes
    }

    /// The most congested link that passes a test, with a load.
    pub(crate) fn worst(&self, test: impl Fn(LinkId) -> bool) -> Option<WorstLink> {
        worst_link(
            self.fabric,
            &self.bytes,
            self.touched.iter().copied().filter(|&id| test(id)),
        )
    }

    /// Forgets all loads.
    pub(crate) fn clear(&mut self) {
        for link in self.touched.drain(..) {
            self.bytes[link.index()] = 0.0;
        }
    }
}

/// The link that needs longest for its load, with that time in picoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorstLink {
    /// The link.
    pub link: LinkId,
    /// Its load over its rate, in picoseconds.
    pub time_ps: f64,
}

/// The most congested of `links`: bytes over capacity, ties to the smallest id; `None` without any load.
pub fn worst_link(fabric: &Fabric, bytes: &[f64], links: impl Iterator<Item = LinkId>) -> Option<WorstLink> {
    let times = links.filter(|id| bytes[id.index()] > 0.0).map(|link| WorstLink {
        link,
        time_ps: bytes[link.index()] / fabric.link(link).rate.bytes_per_ps(),
    });
    times.reduce(|a, b| {
        let later = b.time_ps > a.time_ps || (b.time_ps == a.time_ps && b.link < a.link);
        if later { b } else { a }
    })
}
