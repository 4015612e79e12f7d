//! At most k sub-flows per flow within a limit on every link, by taking flows off links that are over it and laying them anew.
//!
//! Every link has room up to a target. A flow is laid whole on the path with the least room that holds it; else on two paths that together
//! hold it with least to spare, one of them filled to its limit; so that room stays together, where it is of use. As long as links are
//! over their limits, a flow of one of them is laid anew where what is too much grows least. Links weigh more the longer they stay over
//! (the breakout method: Morris, AAAI 1993), which leads out of dead ends.

use rand::RngExt;
use smallvec::SmallVec;

use super::flow::FlowId;
use super::step::Step;
use super::subflows::{Subflows, change};
use crate::ids::IdVec;
use crate::rng::Stream;

/// Of all paths of a flow that does not fit: those with most room, and some by chance.
const ROOMIEST: usize = 8;
const BY_CHANCE: usize = 4;
/// Flows of a link that is over its limit, of which the best is moved.
const TRIED: usize = 3;
/// What a link weighs more each time that it is found over its limit.
const WEIGHT: f64 = 0.1;
/// Moves for each flow: in all, and without less excess than ever before.
const MOVES: usize = 30;
const PATIENCE: usize = 5;

/// Sub-flows that load no link for longer than `target` (in microseconds); `None` where they are not found.
pub(super) fn repaired(step: &Step, k: u32, target: f64, random: &mut Stream) -> Option<IdVec<FlowId, Subflows>> {
    let mut repair = Repair::new(step, k, target, random);
    let mut order: Vec<FlowId> = step.flows.ids().collect();
    order.sort_by_key(|&flow| (std::cmp::Reverse(step.flows[flow].bytes), flow));
    for flow in order {
        let pieces = repair.lay(flow).0;
        repair.put(flow, pieces);
    }
    repair.run().then(|| repair.subflows())
}

/// Cells of the table with bytes.
type Pieces = SmallVec<[(usize, u64); 2]>;

struct Repair<'a> {
    step: &'a Step,
    k: usize,
    random: &'a mut Stream,
    /// Bytes that every link may carry, and those that it does.
    limits: Vec<f64>,
    loads: Vec<f64>,
    /// What a byte too much costs.
    weights: Vec<f64>,
    /// Microseconds per byte.
    costs: Vec<f64>,
    placed: IdVec<FlowId, Pieces>,
    /// Flows on every link, once for every piece.
    on: Vec<Vec<FlowId>>,
    /// Links that may be over their limits.
    over: Vec<usize>,
    /// Microseconds over the limits, all links together.
    excess: f64,
    /// Paths of a flow by the room that they have.
    rooms: Vec<(u64, usize)>,
}

impl<'a> Repair<'a> {
    fn new(step: &'a Step, k: u32, target: f64, random: &'a mut Stream) -> Self {
        let (capacities, links) = (step.table.capacities(), step.links.len());
        Self {
            step,
            k: k as usize,
            random,
            limits: capacities.iter().map(|capacity| (capacity * target).floor()).collect(),
            loads: vec![0.0; links],
            weights: vec![1.0; links],
            costs: capacities.iter().map(|capacity| 1.0 / capacity).collect(),
            placed: IdVec::filled(Pieces::new(), step.flows.len()),
            on: vec![Vec::new(); links],
            over: Vec::new(),
            excess: 0.0,
            rooms: Vec::new(),
        }
    }

    /// Moves flows off links that are over their limits until none is, or it takes too long.
    fn run(&mut self) -> bool {
        let flows = self.step.flows.len();
        let (mut least, mut patience) = (f64::INFINITY, 0);
        for _ in 0..MOVES * flows {
            let Some(link) = self.overloaded() else {
                return true;
            };
            if self.excess < least * (1.0 - 1e-3) {
                (least, patience) = (self.excess, 0);
            }
            patience += 1;
            if patience > PATIENCE * flows {
                return false;
            }
            self.weights[link] += WEIGHT;
            self.relieve(link);
        }
        false
    }

    /// A link over its limit, by chance.
    fn overloaded(&mut self) -> Option<usize> {
        while !self.over.is_empty() {
            let at = self.random.random_range(0..self.over.len());
            let link = self.over[at];
            if self.loads[link] > self.limits[link] {
                return Some(link);
            }
            self.over.swap_remove(at);
        }
        None
    }

    /// Lays one of a link's flows anew: of some, the one with which least is too much afterwards.
    fn relieve(&mut self, link: usize) {
        let there = self.on[link].len();
        let first = self.random.random_range(0..there);
        let mut best: Option<(f64, FlowId, Pieces)> = None;
        for at in 0..TRIED.min(there) {
            let flow = self.on[link][(first + at) % there];
            let old = std::mem::take(&mut self.placed[flow]);
            let mut cost = old.iter().map(|&(cell, bytes)| self.load(cell, -(bytes as f64))).sum();
            let (pieces, more) = self.lay(flow);
            cost += more;
            old.iter().for_each(|&(cell, bytes)| {
                self.load(cell, bytes as f64);
            });
            let other = pieces.len() != old.len() || pieces.iter().any(|piece| !old.contains(piece));
            self.placed[flow] = old;
            if other && best.as_ref().is_none_or(|&(least, ..)| cost < least) {
                best = Some((cost, flow, pieces));
            }
        }
        if let Some((_, flow, pieces)) = best {
            self.take(flow);
            self.put(flow, pieces);
        }
    }

    /// The pieces in which a flow is laid best, and the weighted excess that they bring.
    fn lay(&mut self, flow: FlowId) -> (Pieces, f64) {
        let bytes = self.step.flows[flow].bytes;
        let Some(pair) = self.step.flows[flow].pair else {
            return (Pieces::new(), 0.0);
        };
        let (mut pieces, mut cost, mut left) = (Pieces::new(), 0.0, bytes);
        // Where two paths do not hold it, all but the last two pieces fill the largest rooms.
        loop {
            self.measure_rooms(self.step.cells(pair));
            let last = pieces.len() + 2 >= self.k;
            let found = match self.fitting(left) {
                Some(found) => found,
                None if last => self.least_excess(left, self.k - pieces.len()),
                None => {
                    let (room, cell) = self.rooms[self.rooms.len() - 1];
                    if room == 0 {
                        self.least_excess(left, 2)
                    } else {
                        cost += self.load(cell, room as f64);
                        pieces.push((cell, room));
                        left -= room;
                        continue;
                    }
                }
            };
            for &(cell, bytes) in &found {
                cost += self.load(cell, bytes as f64);
            }
            pieces.extend(found);
            break;
        }
        for &(cell, bytes) in &pieces {
            self.load(cell, -(bytes as f64));
        }
        (pieces, cost)
    }

    /// The room of every cell, rising.
    fn measure_rooms(&mut self, cells: std::ops::Range<usize>) {
        self.rooms.clear();
        for cell in cells {
            let links = self.step.table.members(cell);
            let room = links
                .map(|e| self.limits[e] - self.loads[e])
                .fold(f64::INFINITY, f64::min);
            self.rooms.push((room.max(0.0) as u64, cell));
        }
        self.rooms.sort_unstable();
    }

    /// The cell, or the two, that hold so many bytes with least to spare.
    fn fitting(&self, bytes: u64) -> Option<Pieces> {
        let rooms = &self.rooms;
        let whole = rooms.partition_point(|&(room, _)| room < bytes);
        if let Some(&(_, cell)) = rooms.get(whole) {
            return Some(SmallVec::from_slice(&[(cell, bytes)]));
        }
        if self.k < 2 {
            return None;
        }
        let mut best: Option<(u64, usize, usize)> = None;
        let (mut i, mut j) = (0, rooms.len().checked_sub(1)?);
        while i < j {
            let both = rooms[i].0 + rooms[j].0;
            if both < bytes {
                i += 1;
                continue;
            }
            if best.is_none_or(|(least, ..)| both < least) && !self.share_a_link(rooms[i].1, rooms[j].1) {
                best = Some((both, i, j));
            }
            j -= 1;
        }
        best.map(|(_, i, j)| SmallVec::from_slice(&[(rooms[i].1, rooms[i].0), (rooms[j].1, bytes - rooms[i].0)]))
    }

    fn share_a_link(&self, a: usize, b: usize) -> bool {
        let table = &self.step.table;
        table.members(a).any(|e| table.members(b).any(|other| other == e))
    }

    /// One cell or two among some, with which least becomes too much.
    fn least_excess(&mut self, bytes: u64, pieces: usize) -> Pieces {
        let count = self.rooms.len();
        let mut among: SmallVec<[(u64, usize); ROOMIEST + BY_CHANCE]> =
            SmallVec::from_slice(&self.rooms[count.saturating_sub(ROOMIEST)..]);
        for _ in 0..BY_CHANCE {
            among.push(self.rooms[self.random.random_range(0..count)]);
        }
        let mut best = (f64::INFINITY, Pieces::new());
        for (i, &(room, cell)) in among.iter().enumerate() {
            let whole = self.excess_of(cell, bytes, None);
            if whole < best.0 {
                best = (whole, SmallVec::from_slice(&[(cell, bytes)]));
            }
            for &(other_room, other) in among[..i].iter().filter(|&&(_, other)| pieces > 1 && other != cell) {
                for part in [room.min(bytes), bytes - other_room.min(bytes)] {
                    if part == 0 || part == bytes {
                        continue;
                    }
                    let cost =
                        self.excess_of(cell, part, None) + self.excess_of(other, bytes - part, Some((cell, part)));
                    if cost < best.0 {
                        best = (cost, SmallVec::from_slice(&[(cell, part), (other, bytes - part)]));
                    }
                }
            }
        }
        best.1
    }

    /// The weighted excess of so many bytes more on a cell, beside others on another one.
    fn excess_of(&self, cell: usize, bytes: u64, beside: Option<(usize, u64)>) -> f64 {
        let table = &self.step.table;
        let excess = |e: usize| {
            let there = match beside {
                Some((other, more)) if table.members(other).any(|o| o == e) => more as f64,
                _ => 0.0,
            };
            let over = self.loads[e] + there - self.limits[e];
            ((over + bytes as f64).max(0.0) - over.max(0.0)) * self.weights[e] * self.costs[e]
        };
        table.members(cell).map(excess).sum()
    }

    /// Adds bytes to the links of a cell, or takes them off; how much more is too much then, weighted.
    fn load(&mut self, cell: usize, bytes: f64) -> f64 {
        let mut weighted = 0.0;
        for e in self.step.table.members(cell) {
            let before = (self.loads[e] - self.limits[e]).max(0.0);
            self.loads[e] += bytes;
            let more = ((self.loads[e] - self.limits[e]).max(0.0) - before) * self.costs[e];
            self.excess += more;
            weighted += more * self.weights[e];
        }
        weighted
    }

    fn put(&mut self, flow: FlowId, pieces: Pieces) {
        for &(cell, bytes) in &pieces {
            self.load(cell, bytes as f64);
            for e in self.step.table.members(cell) {
                self.on[e].push(flow);
                if self.loads[e] > self.limits[e] {
                    self.over.push(e);
                }
            }
        }
        self.placed[flow] = pieces;
    }

    fn take(&mut self, flow: FlowId) {
        for (cell, bytes) in std::mem::take(&mut self.placed[flow]) {
            self.load(cell, -(bytes as f64));
            for e in self.step.table.members(cell) {
                if let Some(at) = self.on[e].iter().position(|&other| other == flow) {
                    self.on[e].swap_remove(at);
                }
            }
        }
    }

    fn subflows(&self) -> IdVec<FlowId, Subflows> {
        let of_flow = |flow: FlowId| {
            let mut subflows = Subflows::new();
            match self.step.flows[flow].pair {
                None => subflows.push((0, self.step.flows[flow].bytes)),
                Some(pair) => {
                    let first = self.step.cells(pair).start;
                    for &(cell, bytes) in &self.placed[flow] {
                        change(&mut subflows, (cell - first) as u32, bytes as i64);
                    }
                }
            }
            subflows
        };
        self.step.flows.ids().map(of_flow).collect()
    }
}
