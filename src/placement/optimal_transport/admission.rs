//! Which flows are placed first, and where the others go after them: a plan of part of the bytes leaves out what costs
//! most to transport.

use smallvec::smallvec;

use super::flow::{FlowId, PairId};
use super::step::Step;
use super::subflows::Subflows;
use crate::ids::IdVec;

/// Flows of a step, by whether they are placed first.
pub(super) struct Admission<'a> {
    step: &'a Step,
    is_admitted: IdVec<FlowId, bool>,
}

impl<'a> Admission<'a> {
    /// At least this share of the bytes is admitted, at these prices of the links. A byte costs what the links of its
    /// cheapest path do.
    pub(super) fn new(step: &'a Step, prices: &[f64], share: f64) -> Self {
        let cost = |pair: PairId| {
            let of_cell = |cell: usize| step.table.members(cell).map(|e| prices[e]).sum::<f64>();
            step.cells(pair).map(of_cell).fold(f64::INFINITY, f64::min)
        };
        let costs: IdVec<PairId, f64> = step.of_pair.ids().map(cost).collect();
        let all: u64 = step
            .flows
            .iter()
            .filter(|flow| flow.pair.is_some())
            .map(|flow| flow.bytes)
            .sum();
        let mut room = ((1.0 - share) * all as f64) as u64;
        // The dearest first; of those that cost the same, the smallest, of which most fit.
        let mut order: Vec<(f64, u64, FlowId)> = step
            .flows
            .entries()
            .filter_map(|(f, flow)| Some((costs[flow.pair?], flow.bytes, f)))
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        let mut is_admitted = IdVec::filled(true, step.flows.len());
        for (_, bytes, f) in order {
            if bytes <= room {
                room -= bytes;
                is_admitted[f] = false;
            }
        }
        Self { step, is_admitted }
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
        rest.sort_by_key(|&f| (std::cmp::Reverse(self.step.flows[f].bytes), f));
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
