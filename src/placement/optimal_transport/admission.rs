//! Which flows are placed first, and where the others go after them: a plan of part of the bytes leaves out what costs
//! most to transport.

use smallvec::smallvec;

use super::step::Step;
use super::subflows::Subflows;

/// Flows of a step, by whether they are placed first.
pub(super) struct Admission<'a> {
    step: &'a Step,
    is_admitted: Vec<bool>,
}

impl<'a> Admission<'a> {
    /// At least this share of the bytes is admitted, at these prices of the links. A byte costs what the links of its
    /// cheapest path do.
    pub(super) fn new(step: &'a Step, prices: &[f64], share: f64) -> Self {
        let cost = |pair: usize| {
            let of_cell = |cell: usize| {
                step.table
                    .members(cell)
                    .iter()
                    .map(|&e| prices[e as usize])
                    .sum::<f64>()
            };
            step.table.cells(pair).map(of_cell).fold(f64::INFINITY, f64::min)
        };
        let costs: Vec<f64> = (0..step.of_pair.len()).map(cost).collect();
        let all: u64 = step
            .flows
            .iter()
            .filter(|flow| flow.pair.is_some())
            .map(|flow| flow.bytes)
            .sum();
        let mut room = ((1.0 - share) * all as f64) as u64;
        // The dearest first; of those that cost the same, the smallest, of which most fit.
        let mut order: Vec<(f64, u64, usize)> = step
            .flows
            .iter()
            .enumerate()
            .filter_map(|(f, flow)| Some((costs[flow.pair? as usize], flow.bytes, f)))
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        let mut is_admitted = vec![true; step.flows.len()];
        for (_, bytes, f) in order {
            if bytes <= room {
                room -= bytes;
                is_admitted[f] = false;
            }
        }
        Self { step, is_admitted }
    }

    /// The flows that are placed first, by number.
    pub(super) fn admitted(&self) -> impl Iterator<Item = usize> {
        (0..self.is_admitted.len()).filter(|&f| self.is_admitted[f])
    }

    /// The sub-flows of all flows, `first` being those of the admitted ones: the others, largest first, go whole to the path
    /// whose most loaded link is then loaded least.
    pub(super) fn lay_rest(&self, first: Vec<Subflows>) -> Vec<Subflows> {
        let table = &self.step.table;
        let mut laid = vec![Subflows::new(); self.step.flows.len()];
        let mut times = vec![0.0; table.capacities().len()];
        let time = |link: u32, bytes: u64| bytes as f64 / table.capacities()[link as usize];
        for (f, subflows) in self.admitted().zip(first) {
            if let Some(pair) = self.step.flows[f].pair {
                for &(path, bytes) in &subflows {
                    let cell = table.cells(pair as usize).start + path as usize;
                    table
                        .members(cell)
                        .iter()
                        .for_each(|&link| times[link as usize] += time(link, bytes));
                }
            }
            laid[f] = subflows;
        }
        let mut rest: Vec<usize> = (0..laid.len()).filter(|&f| !self.is_admitted[f]).collect();
        rest.sort_by_key(|&f| (std::cmp::Reverse(self.step.flows[f].bytes), f));
        for f in rest {
            let flow = &self.step.flows[f];
            let Some(pair) = flow.pair else { continue };
            let cells = table.cells(pair as usize);
            let start = cells.start;
            let worst = |cell: usize| {
                let links = table.members(cell).iter();
                links
                    .map(|&link| times[link as usize] + time(link, flow.bytes))
                    .fold(0.0, f64::max)
            };
            let best = cells
                .map(|cell| (worst(cell), cell))
                .reduce(|a, b| if b.0 < a.0 { b } else { a });
            let Some((_, cell)) = best else { continue };
            table
                .members(cell)
                .iter()
                .for_each(|&link| times[link as usize] += time(link, flow.bytes));
            laid[f] = smallvec![((cell - start) as u32, flow.bytes)];
        }
        laid
    }
}
