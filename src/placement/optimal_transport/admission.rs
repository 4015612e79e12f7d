//! Which flows are placed first, and where the others go after them: a plan of part of the bytes leaves out what costs
//! most to transport.

use std::cmp::Reverse;

use smallvec::smallvec;

use super::flow::{Flow, FlowId, PairId};
use super::options::OptimalTransport;
use super::step::Step;
use super::subflows::Subflows;
use crate::ids::IdVec;
use crate::optimal_transport::TransportError;

/// Plans at most: each leaves most of what it may out, so that what is open after so many is little.
const MOST_PLANS: usize = 16;
/// Share of the bytes that a plan leaves behind which may be taken from flows of which it leaves a part only, before the
/// next plan is asked.
const FROM_PARTS: f64 = 0.5;

/// Flows of a step, by whether they are placed first.
pub(super) struct Admission<'a> {
    step: &'a Step,
    is_admitted: IdVec<FlowId, bool>,
    /// Bytes of those that are, by pair.
    bytes: IdVec<PairId, f64>,
    /// Bytes that may still be left out.
    room: u64,
}

impl<'a> Admission<'a> {
    /// Admits at least this share of the bytes that leave their edge. Plan by plan of part of the bytes, each of what the last has admitted,
    /// flows that fit into what it leaves behind of their pairs are left out.
    pub(super) fn new(step: &'a Step, options: &OptimalTransport, share: f64) -> Result<Self, TransportError> {
        let of_pair = |flows: &Vec<FlowId>| flows.iter().map(|&f| step.flows[f].bytes as f64).sum();
        let bytes: IdVec<PairId, f64> = step.of_pair.iter().map(of_pair).collect();
        let all: f64 = bytes.iter().sum();
        // However small the share, something is placed.
        let most = ((1.0 - share) * all).min(all - 1.0) as u64;
        let mut admission = Self {
            room: most,
            is_admitted: IdVec::filled(true, step.flows.len()),
            step,
            bytes,
        };
        for _ in 0..MOST_PLANS {
            let candidates = admission.candidates();
            if candidates.is_empty() {
                break;
            }
            let bytes: Vec<f64> = admission.bytes.iter().copied().collect();
            let left = step.leave_behind(&bytes, admission.room as f64, options)?;
            let mut left: IdVec<PairId, f64> = left.into_iter().collect();
            if !admission.leave_whole(&candidates, &mut left) && !admission.leave_parts(candidates, &mut left) {
                break;
            }
        }
        Ok(admission)
    }

    /// Admitted flows that may be left out, the largest first.
    fn candidates(&self) -> Vec<(FlowId, PairId, u64)> {
        let candidate = |(f, flow): (FlowId, &Flow)| Some((f, flow.pair?, flow.bytes));
        let mut candidates: Vec<_> = self.step.flows.entries().filter_map(candidate).collect();
        candidates.retain(|&(f, _, bytes)| self.is_admitted[f] && bytes <= self.room);
        candidates.sort_by_key(|&(f, _, bytes)| (Reverse(bytes), f));
        candidates
    }

    /// Leaves out flows that fit into what a plan leaves behind of their pairs; false where none does.
    fn leave_whole(&mut self, candidates: &[(FlowId, PairId, u64)], left: &mut IdVec<PairId, f64>) -> bool {
        let before = self.room;
        for &(f, pair, bytes) in candidates {
            // Plans are exact to some digits.
            if bytes as f64 <= left[pair] * (1.0 + 1e-6) {
                self.leave(f, pair, bytes, left);
            }
        }
        self.room < before
    }

    /// Leaves out those of which the largest part is left behind, and of these the smallest; false where nothing is.
    fn leave_parts(&mut self, mut candidates: Vec<(FlowId, PairId, u64)>, left: &mut IdVec<PairId, f64>) -> bool {
        let before = self.room;
        let most = FROM_PARTS * left.iter().sum::<f64>();
        let part = |pair: PairId, bytes: u64, left: &IdVec<PairId, f64>| left[pair] / bytes as f64;
        candidates.sort_by(|a, b| {
            part(b.1, b.2, left)
                .total_cmp(&part(a.1, a.2, left))
                .then(a.2.cmp(&b.2))
                .then(a.0.cmp(&b.0))
        });
        for (f, pair, bytes) in candidates {
            if part(pair, bytes, left) < 1e-6 || before - self.room > 0 && (before - self.room + bytes) as f64 > most {
                continue;
            }
            self.leave(f, pair, bytes, left);
        }
        self.room < before
    }

    /// Leaves a flow out if it has room.
    fn leave(&mut self, f: FlowId, pair: PairId, bytes: u64, left: &mut IdVec<PairId, f64>) {
        if bytes <= self.room {
            self.room -= bytes;
            self.is_admitted[f] = false;
            self.bytes[pair] -= bytes as f64;
            left[pair] = (left[pair] - bytes as f64).max(0.0);
        }
    }

    /// The flows that are placed first, by number.
    pub(super) fn admitted(&self) -> impl Iterator<Item = FlowId> {
        self.is_admitted.ids().filter(|&f| self.is_admitted[f])
    }

    /// The sub-flows of all flows, `first` being those of the admitted ones: the others, largest first, go whole to the path
    /// whose most loaded link is then loaded least.
    pub(super) fn lay_rest(&self, first: impl IntoIterator<Item = Subflows>) -> IdVec<FlowId, Subflows> {
        let table = &self.step.table;
        let mut laid = IdVec::filled(Subflows::new(), self.step.flows.len());
        let mut times = vec![0.0; table.capacities().len()];
        let time = |link: usize, bytes: u64| bytes as f64 / table.capacities()[link];
        for (f, subflows) in self.admitted().zip(first) {
            if let Some(pair) = self.step.flows[f].pair {
                for &(path, bytes) in &subflows {
                    let cell = self.step.cells(pair).start + path as usize;
                    table.members(cell).for_each(|link| times[link] += time(link, bytes));
                }
            }
            laid[f] = subflows;
        }
        let mut rest: Vec<FlowId> = laid.ids().filter(|&f| !self.is_admitted[f]).collect();
        rest.sort_by_key(|&f| (Reverse(self.step.flows[f].bytes), f));
        for f in rest {
            let flow = &self.step.flows[f];
            let Some(pair) = flow.pair else { continue };
            let cells = self.step.cells(pair);
            let start = cells.start;
            let worst = |cell: usize| {
                let links = table.members(cell);
                links
                    .map(|link| times[link] + time(link, flow.bytes))
                    .fold(0.0, f64::max)
            };
            let best = cells
                .map(|cell| (worst(cell), cell))
                .reduce(|a, b| if b.0 < a.0 { b } else { a });
            let Some((_, cell)) = best else { continue };
            table
                .members(cell)
                .for_each(|link| times[link] += time(link, flow.bytes));
            laid[f] = smallvec![((cell - start) as u32, flow.bytes)];
        }
        laid
    }
}
