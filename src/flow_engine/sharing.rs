//! Weighted max-min sharing by progressive filling.

use super::routes::{Routes, port};
use super::{FlowOptions, Weights};
use crate::ids::NodeId;
use crate::placement::Placement;
use crate::topology::Fabric;
use crate::workload::Schedule;

/// One sub-flow.
#[derive(Debug, Clone)]
struct SubFlow {
    weight: f64,
    /// Bytes left to send.
    left: f64,
    start: f64,
    /// Bytes per picosecond.
    rate: f64,
    /// Links with the fraction of the rate that each carries.
    links: Vec<(usize, f64)>,
}

/// The sub-flows that are being sent and their rates.
#[derive(Debug)]
pub(super) struct Sharing {
    capacity: Vec<f64>,
    pieces: Vec<SubFlow>,
    active: Vec<usize>,
    /// Time up to which the bytes left are counted.
    counted: f64,
    tolerance: f64,
    changed: bool,
}

impl Sharing {
    pub(super) fn new(
        fabric: &Fabric,
        schedule: &Schedule,
        placement: &Placement,
        routes: &Routes,
        options: &FlowOptions,
    ) -> Self {
        let mut pieces = Vec::with_capacity(placement.pieces().len());
        for (task, src, dst, bytes) in schedule.transfers() {
            let first = placement.first(task);
            for (i, piece) in placement.of(task).iter().enumerate() {
                let mut links = Vec::new();
                links.extend(port(fabric, NodeId(src)).map(|port| (port.up.index(), 1.0)));
                links.extend(port(fabric, NodeId(dst)).map(|port| (port.down.index(), 1.0)));
                if let Some(segment) = routes.segments.get(routes.of_piece[first + i] as usize) {
                    links.extend(segment.links.iter().map(|&(id, fraction)| (id.index(), fraction)));
                }
                pieces.push(SubFlow {
                    weight: match options.weights {
                        Weights::Size => piece.bytes as f64 / bytes as f64,
                        Weights::Equal => 1.0,
                    },
                    left: piece.bytes as f64,
                    start: 0.0,
                    rate: 0.0,
                    links,
                });
            }
        }
        Self {
            capacity: fabric.links().iter().map(|link| link.rate.bytes_per_ps()).collect(),
            pieces,
            active: Vec::new(),
            counted: 0.0,
            tolerance: options.tolerance.max(1e-12),
            changed: false,
        }
    }

    /// Adds a sub-flow that starts now.
    pub(super) fn start(&mut self, piece: usize, now: f64) {
        self.pieces[piece].start = now;
        self.active.push(piece);
        self.changed = true;
    }

    fn end(&self, piece: usize) -> f64 {
        self.counted + self.pieces[piece].left / self.pieces[piece].rate
    }

    /// When the next sub-flow will have sent its last byte.
    pub(super) fn next_completion(&self) -> f64 {
        self.active.iter().map(|&p| self.end(p)).fold(f64::INFINITY, f64::min)
    }

    /// Removes the sub-flows that complete next and returns the time at which they do, at most `limit`.
    pub(super) fn complete(&mut self, limit: f64, drained: &mut Vec<usize>) -> f64 {
        let first = self.next_completion();
        let shortest = self.active.iter().map(|&p| self.end(p) - self.pieces[p].start);
        let last = first + self.tolerance * shortest.fold(f64::INFINITY, f64::min) + 8.0 * f64::EPSILON * first;
        drained.extend(self.active.iter().copied().filter(|&p| self.end(p) <= last));
        let (mut rate, mut mean) = (0.0, 0.0);
        for &p in drained.iter() {
            rate += self.pieces[p].rate;
            mean += self.pieces[p].rate * (self.end(p) - first);
        }
        let now = (first + mean / rate).min(limit);
        let ends: Vec<_> = self.active.iter().map(|&p| self.end(p) > last).collect();
        let mut keep = ends.iter();
        self.active.retain(|_| *keep.next().expect("one for each"));
        self.changed = true;
        now
    }

    /// Shares the links anew, if anything has changed, and tells whether it has.
    pub(super) fn settle(&mut self, now: f64) -> bool {
        for &p in &self.active {
            let piece = &mut self.pieces[p];
            piece.left = (piece.left - piece.rate * (now - self.counted)).max(0.0);
        }
        self.counted = now;
        if !std::mem::take(&mut self.changed) {
            return false;
        }
        let mut room = self.capacity.clone();
        let mut open = self.active.clone();
        while !open.is_empty() {
            let mut weight = vec![0.0; room.len()];
            for &p in &open {
                for &(link, fraction) in &self.pieces[p].links {
                    weight[link] += fraction * self.pieces[p].weight;
                }
            }
            let level = |link: usize| room[link].max(0.0) / weight[link];
            let used = (0..room.len()).filter(|&link| weight[link] > 0.0);
            let lowest = used.map(level).fold(f64::INFINITY, f64::min);
            let tight: Vec<bool> = (0..room.len())
                .map(|link| weight[link] > 0.0 && level(link) <= lowest * (1.0 + 1e-13))
                .collect();
            let (frozen, rest) = open
                .into_iter()
                .partition(|&p| self.pieces[p].links.iter().any(|&(link, _)| tight[link]));
            let frozen: Vec<usize> = frozen;
            for p in frozen {
                let piece = &mut self.pieces[p];
                piece.rate = piece.weight * lowest;
                for &(link, fraction) in &piece.links {
                    room[link] -= fraction * piece.rate;
                }
            }
            open = rest;
        }
        true
    }
}
