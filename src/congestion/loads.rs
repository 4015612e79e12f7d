//! Link loads: the payload bytes that a placement assigns to every directed link.

use super::edges::{Edges, PairAmount, PairSums, by_destination};
use super::ways::WayFinder;
use crate::ids::{LinkId, NodeId, TaskId};
use crate::placement::{Placement, Route, path_weights};
use crate::topology::Fabric;
use crate::workload::{Action, Schedule};

/// Payload bytes that a placement assigns to each directed link, by link id, over the whole
/// schedule; `None` where some piece is routed dynamically, so that nothing is assigned.
pub fn link_loads(fabric: &Fabric, schedule: &Schedule, placement: &Placement) -> Option<Vec<f64>> {
    let mut loads = LinkLoads::new(fabric);
    for (task, src, dst, _) in schedule.transfers() {
        loads.add_transfer(placement, task, src, dst, &|bytes| bytes as f64)?;
    }
    loads.finish();
    Some(loads.bytes)
}

/// Accumulates loads, a step or a schedule at a time.
#[derive(Debug)]
pub(super) struct LinkLoads<'a> {
    fabric: &'a Fabric,
    edges: Edges,
    finder: WayFinder<'a>,
    even: PairSums,
    weighted: PairSums,
    /// By link id.
    pub(super) bytes: Vec<f64>,
    touched: Vec<LinkId>,
}

impl<'a> LinkLoads<'a> {
    pub(super) fn new(fabric: &'a Fabric) -> Self {
        let edges = Edges::new(fabric);
        Self {
            fabric,
            finder: WayFinder::new(fabric),
            even: PairSums::new(edges.len()),
            weighted: PairSums::new(edges.len()),
            bytes: vec![0.0; fabric.links().len()],
            touched: Vec::new(),
            edges,
        }
    }

    /// Adds all pieces of a transfer, each counted as `size` of its bytes. `None` for a dynamic route.
    pub(super) fn add_transfer(
        &mut self,
        placement: &Placement,
        task: TaskId,
        src: u32,
        dst: u32,
        size: &dyn Fn(u64) -> f64,
    ) -> Option<()> {
        let (from, to) = (self.edges.of(src), self.edges.of(dst));
        for piece in placement.of(task) {
            let bytes = size(piece.bytes);
            if bytes == 0.0 || src == dst {
                continue;
            }
            match piece.route {
                Route::Dynamic => return None,
                Route::Pinned(index) if from != to => self.add_path(src, dst, index, bytes),
                Route::Even if from != to => self.even.add(from, to, bytes),
                Route::Weighted if from != to => self.weighted.add(from, to, bytes),
                Route::Pinned(_) | Route::Even | Route::Weighted => {}
            }
            if let Some(links) = self.edges.links(src) {
                self.add(links.up, bytes);
            }
            if let Some(links) = self.edges.links(dst) {
                self.add(links.down, bytes);
            }
        }
        Some(())
    }

    fn add(&mut self, link: LinkId, bytes: f64) {
        let load = &mut self.bytes[link.index()];
        if *load == 0.0 {
            self.touched.push(link);
        }
        *load += bytes;
    }

    /// Adds to the links of a path between the two edges.
    fn add_path(&mut self, src: u32, dst: u32, index: u32, bytes: f64) {
        let path = self.fabric.path(NodeId(src), NodeId(dst), index);
        let first = usize::from(self.edges.links(src).is_some());
        let last = path.len() - usize::from(self.edges.links(dst).is_some());
        for &link in &path[first..last] {
            self.add(link, bytes);
        }
    }

    /// Spreads what was gathered by pair of edges. To be called before the loads are read.
    pub(super) fn finish(&mut self) {
        let even = self.even.take();
        for demand in by_destination(&even) {
            self.spread_evenly(demand);
        }
        for PairAmount { src, dst, amount } in self.weighted.take() {
            let (src, dst) = (self.edges.sender(src), self.edges.receiver(dst));
            let weights = path_weights(self.fabric, src, dst);
            let total: f64 = weights.iter().map(|&w| w as f64).sum();
            for (index, &weight) in weights.iter().enumerate() {
                self.add_path(src.0, dst.0, index as u32, amount * weight as f64 / total);
            }
        }
    }

    /// All paths of a pair alike: a node passes on in proportion to the paths behind each next link.
    fn spread_evenly(&mut self, demand: &[PairAmount]) {
        let dst = demand[0].dst;
        let sources = demand.iter().map(|d| self.edges.node(d.src));
        let ways = self.finder.to(self.edges.node(dst), self.edges.receiver(dst), sources);
        let counts = ways.path_counts();
        let mut through = vec![0.0; ways.len()];
        for (demand, &source) in demand.iter().zip(&ways.sources) {
            through[source as usize] += demand.amount;
        }
        for position in (1..ways.len()).rev() {
            let per_path = through[position] / counts[position];
            for hop in ways.hops(position) {
                let bytes = per_path * counts[hop.to as usize];
                through[hop.to as usize] += bytes;
                self.add(hop.link, bytes);
            }
        }
    }

    /// The most congested link that passes a test, with a load.
    pub(super) fn worst(&self, test: impl Fn(LinkId) -> bool) -> Option<WorstLink> {
        worst(
            self.fabric,
            &self.bytes,
            self.touched.iter().copied().filter(|&id| test(id)),
        )
    }

    /// Forgets all loads.
    pub(super) fn clear(&mut self) {
        for link in self.touched.drain(..) {
            self.bytes[link.index()] = 0.0;
        }
    }
}

/// The link that needs longest for its load, with that time in picoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorstLink {
    pub link: LinkId,
    pub time_ps: f64,
}

/// The most congested of `links`: bytes over capacity, ties to the smallest id; `None` without any load.
pub(super) fn worst(fabric: &Fabric, bytes: &[f64], links: impl Iterator<Item = LinkId>) -> Option<WorstLink> {
    let times = links.filter(|id| bytes[id.index()] > 0.0).map(|link| WorstLink {
        link,
        time_ps: bytes[link.index()] / fabric.link(link).rate.bytes_per_ps(),
    });
    times.reduce(|a, b| {
        let later = b.time_ps > a.time_ps || (b.time_ps == a.time_ps && b.link < a.link);
        if later { b } else { a }
    })
}

/// The transfers of each step, by step; tasks in order of their id.
pub(super) fn transfers_by_step(schedule: &Schedule) -> Vec<Vec<TaskId>> {
    let mut steps = vec![Vec::new(); schedule.steps() as usize];
    for (task, ..) in schedule.transfers() {
        steps[schedule.task(task).step as usize].push(task);
    }
    steps
}

/// Source, destination and bytes of a transfer.
pub(super) fn transfer(schedule: &Schedule, task: TaskId) -> Option<(u32, u32, u64)> {
    match schedule.task(task).action {
        Action::Transfer { src, dst, bytes } => Some((src, dst, bytes)),
        _ => None,
    }
}
