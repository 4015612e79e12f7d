//! Moving (parts of) flows off the worst link until none of a few kinds of moves helps.

use super::flow::{FlowId, PairId};
use super::step::Step;
use super::subflows::{Subflows, change};
use crate::ids::{Id, IdVec};
use crate::loads::TopTwo;

/// Gains smaller than this fraction are not worth a move.
const GAIN: f64 = 1e-6;
/// First moves from which a second is tried.
const CHAINS: usize = 6;

/// Sub-flows of every flow, at most `k` each, with what they put on the links.
#[derive(Clone)]
pub(super) struct Search<'a> {
    step: &'a Step,
    k: usize,
    pub subflows: IdVec<FlowId, Subflows>,
    /// Bytes on every capacity: whole numbers.
    loads: Vec<f64>,
    /// Microseconds per byte.
    costs: Vec<f64>,
    /// Microseconds on every capacity.
    times: TopTwo,
}

/// Bytes of a flow from one of its paths to another.
#[derive(Debug, Clone, Copy)]
struct Move {
    flow: FlowId,
    from: u32,
    to: u32,
    bytes: u64,
    /// The worst of the links that gain, and of the worst link itself, afterwards.
    after: f64,
}

impl<'a> Search<'a> {
    pub(super) fn new(step: &'a Step, subflows: IdVec<FlowId, Subflows>, k: u32) -> Self {
        let mut search = Self {
            step,
            k: k as usize,
            loads: vec![0.0; step.links.len()],
            costs: step.table.capacities().iter().map(|c| 1.0 / c).collect(),
            times: TopTwo::new(step.links.len()),
            subflows,
        };
        for flow in search.subflows.ids() {
            for (path, bytes) in search.subflows[flow].clone() {
                search.load(flow, path, bytes as f64);
            }
        }
        search
    }

    fn cell(&self, flow: FlowId, path: u32) -> Option<usize> {
        let pair = self.step.flows[flow].pair?;
        Some(self.step.cells(pair).start + path as usize)
    }

    fn load(&mut self, flow: FlowId, path: u32, bytes: f64) {
        if let Some(cell) = self.cell(flow, path) {
            for e in self.step.table.members(cell) {
                self.loads[e] += bytes;
                self.times.set(e, self.loads[e] * self.costs[e]);
            }
        }
    }

    /// The worst link, of equal ones the first, and its load in microseconds.
    fn worst(&self) -> (usize, f64) {
        (self.times.place_of_largest(), self.times.largest()[0])
    }

    /// The congestion in microseconds.
    pub(super) fn congestion(&self) -> f64 {
        self.worst().1
    }

    /// Improves until the congestion is at most `target`, nothing helps, or `moves` are made.
    pub(super) fn run(&mut self, target: f64, moves: usize) {
        for _ in 0..moves {
            let (link, now) = self.worst();
            if now <= target {
                return;
            }
            let limit = now * (1.0 - GAIN);
            let mut candidates = self.moves_off(link, now);
            candidates.sort_by(|a, b| a.after.total_cmp(&b.after));
            match candidates.first() {
                Some(best) if best.after < limit => self.apply(*best),
                _ if self.chain(&candidates, limit) => {}
                _ => return,
            }
        }
    }

    /// A move that overloads another link, followed by one off that link.
    fn chain(&mut self, candidates: &[Move], limit: f64) -> bool {
        for first in candidates.iter().take(CHAINS) {
            self.apply(*first);
            let (link, now) = self.worst();
            let second = self.moves_off(link, now);
            let best = second.into_iter().min_by(|a, b| a.after.total_cmp(&b.after));
            if let Some(best) = best.filter(|best| best.after < limit) {
                self.apply(best);
                if self.congestion() < limit || self.below(first, limit) {
                    return true;
                }
                self.undo(best);
            }
            self.undo(*first);
        }
        false
    }

    /// Whether no link that a move loaded has reached the limit.
    fn below(&self, moved: &Move, limit: f64) -> bool {
        let Some(cell) = self.cell(moved.flow, moved.to) else {
            return true;
        };
        let mut members = self.step.table.members(cell);
        members.all(|e| self.loads[e] * self.costs[e] < limit)
    }

    /// The best move of every sub-flow that crosses a link.
    fn moves_off(&self, link: usize, now: f64) -> Vec<Move> {
        let table = &self.step.table;
        let mut found = Vec::new();
        let mut last = None;
        for cell in table.cells_of(link) {
            let pair = PairId::from_index(table.demand_of(cell));
            // The cells of a pair follow each other.
            if last.replace(pair) == Some(pair) {
                continue;
            }
            let first = self.step.cells(pair).start;
            for &flow in &self.step.of_pair[pair] {
                for &(path, bytes) in &self.subflows[flow] {
                    if table.members(first + path as usize).any(|e| e == link) {
                        found.extend(self.best_move(flow, path, bytes, link, now));
                    }
                }
            }
        }
        found
    }

    /// Where a sub-flow, or a part of it, does best.
    fn best_move(&self, flow: FlowId, from: u32, bytes: u64, link: usize, now: f64) -> Option<Move> {
        let table = &self.step.table;
        let subflows = &self.subflows[flow];
        let cells = self.step.cells(self.step.flows[flow].pair?);
        let left = table.members(cells.start + from as usize);
        let mut best: Option<Move> = None;
        for (to, cell) in cells.enumerate() {
            let to = to as u32;
            let entered = table.members(cell);
            if to == from || entered.clone().any(|e| e == link) {
                continue;
            }
            // Without a sub-flow to spare the whole sub-flow goes.
            let whole = subflows.len() >= self.k && subflows.iter().all(|&(p, _)| p != to);
            let gaining = || entered.clone().filter(|&e| left.clone().all(|other| other != e));
            let moved = if whole {
                bytes as f64
            } else {
                self.balance(link, gaining(), bytes as f64)
            };
            if moved < 1.0 {
                continue;
            }
            let stays = (self.loads[link] - moved) * self.costs[link];
            let after = gaining().fold(stays, |worst, e| worst.max((self.loads[e] + moved) * self.costs[e]));
            if best.is_none_or(|b| after < b.after) && (whole || after < now) {
                let bytes = moved as u64;
                best = Some(Move {
                    flow,
                    from,
                    to,
                    bytes,
                    after,
                });
            }
        }
        best
    }

    /// How many bytes make the link as busy as the busiest of those that gain, at most `bytes`.
    fn balance(&self, link: usize, gaining: impl Iterator<Item = usize>, bytes: f64) -> f64 {
        let here = self.loads[link] * self.costs[link];
        let even = gaining.map(|e| (here - self.loads[e] * self.costs[e]) / (self.costs[link] + self.costs[e]));
        even.fold(bytes, f64::min).floor()
    }

    fn apply(&mut self, step: Move) {
        change(&mut self.subflows[step.flow], step.from, -(step.bytes as i64));
        change(&mut self.subflows[step.flow], step.to, step.bytes as i64);
        self.load(step.flow, step.from, -(step.bytes as f64));
        self.load(step.flow, step.to, step.bytes as f64);
    }

    fn undo(&mut self, step: Move) {
        let (from, to) = (step.to, step.from);
        self.apply(Move { from, to, ..step });
    }

    /// Moves a whole sub-flow of a flow to another path, for better or worse.
    pub(super) fn kick(&mut self, flow: FlowId, slot: usize, to: u32) {
        let Some(&(from, bytes)) = self.subflows[flow].get(slot) else {
            return;
        };
        if from != to {
            self.apply(Move {
                flow,
                from,
                to,
                bytes,
                after: 0.0,
            });
        }
    }

    /// Flows with a sub-flow on the worst link.
    pub(super) fn on_worst(&self) -> Vec<FlowId> {
        let (link, now) = self.worst();
        let mut flows: Vec<FlowId> = self.moves_off(link, now).iter().map(|m| m.flow).collect();
        flows.dedup();
        flows
    }
}
