//! One step as a problem of transport: pairs of edges, their paths, the links that these share.

use std::collections::BTreeMap;
use std::ops::Range;

use smallvec::SmallVec;

use super::flow::{Flow, FlowId, PairId};
use super::options::{OptimalTransport, Solver};
use super::preferences::Preferences;
use crate::ids::{Id, IdVec, LinkId, NodeId, TaskId};
use crate::optimal_transport::TransportError;
use crate::optimal_transport::ot3::{self, CellTable, Congestion, Ot3};
use crate::routes::PathEnds;
use crate::topology::Fabric;
use crate::workload::{Schedule, Transfer};

/// Cells up to which the linear programme is solved where the certificate stays open.
const EXACT_CELLS: usize = 20_000;
/// Cells up to which what stays behind is found to the last digit; of more, whose flows are small against it, within a thousandth or in so many
/// Newton steps.
const EXACT_PART_CELLS: usize = 2_000;
const NEAR_STEPS: usize = 30;
/// Demands and links up to which a plan is thinned out: its cost is their square per cell.
const VERTEX_ROWS: usize = 1_400;

/// The flows that are placed together, and the table of their pairs of edges.
pub(in crate::placement) struct Step {
    /// In the order of the tasks given.
    pub flows: IdVec<FlowId, Flow>,
    /// Flows of each pair.
    pub of_pair: IdVec<PairId, Vec<FlowId>>,
    /// Demands are pairs in bytes, cells their paths by index, capacities links in bytes per microsecond: `theta` is
    /// in microseconds.
    pub table: CellTable,
    /// Link of each capacity.
    pub links: Vec<LinkId>,
    /// Nodes that each of these links leads from and to.
    pub ends: Vec<(NodeId, NodeId)>,
    /// The links out of every node that paths use, and those into it: sets that may bind together.
    cuts: Vec<Vec<u32>>,
}

/// An amount, and the links of each of its cells by number.
type Demand = (f64, Vec<SmallVec<[u32; 4]>>);

/// A division of every pair's bytes over its paths.
pub(in crate::placement) struct Fractional {
    pub congestion: Congestion,
}

impl Step {
    pub(crate) fn new(
        fabric: &Fabric,
        schedule: &Schedule,
        tasks: &[TaskId],
        preferences: &Preferences,
    ) -> Result<Self, TransportError> {
        let mut path_ends = PathEnds::new(fabric);
        let mut pairs: BTreeMap<(NodeId, NodeId), PairId> = BTreeMap::new();
        let mut ends: Vec<(NodeId, NodeId)> = Vec::new();
        let mut flows = IdVec::with_capacity(tasks.len());
        let mut of_pair: IdVec<PairId, Vec<FlowId>> = IdVec::new();
        for &task in tasks {
            let Some(Transfer { src, dst, bytes, .. }) = schedule.transfer(task) else {
                continue;
            };
            let (src, dst) = (src.node(), dst.node());
            let between = path_ends.of(src, dst);
            let pair = (between.0 != between.1).then(|| {
                *pairs.entry(between).or_insert_with(|| {
                    ends.push((src, dst));
                    of_pair.push(Vec::new())
                })
            });
            let flow = flows.push(Flow { task, pair, bytes });
            if let Some(pair) = pair {
                of_pair[pair].push(flow);
            }
        }
        let mut capacity_of = IdVec::filled(u32::MAX, fabric.links().len());
        let mut links: Vec<LinkId> = Vec::new();
        let mut demands = Vec::with_capacity(ends.len());
        for (&(src, dst), flows_of) in ends.iter().zip(&of_pair) {
            let between = path_ends.of(src, dst);
            let bytes: u64 = flows_of.iter().map(|&f| flows[f].bytes).sum();
            let cells: Vec<SmallVec<[u32; 4]>> = path_ends
                .links(src, dst, between)
                .map(|path| {
                    path.iter()
                        .map(|&link| {
                            let capacity = &mut capacity_of[link];
                            if *capacity == u32::MAX {
                                *capacity = links.len() as u32;
                                links.push(link);
                            }
                            *capacity
                        })
                        .collect()
                })
                .collect();
            demands.push((bytes as f64, cells));
        }
        let capacities = links
            .iter()
            .map(|&link| fabric.link(link).rate.0 as f64 / 8e6)
            .collect();
        let mut table = CellTable::new(demands, capacities)?;
        if let Some(costs) = preferences.costs(fabric, &ends, &of_pair, &flows) {
            table = table.with_costs(costs)?;
        }
        Ok(Self {
            cuts: cuts(fabric, &links),
            ends: links
                .iter()
                .map(|&link| (fabric.link(link).from, fabric.link(link).to))
                .collect(),
            flows,
            of_pair,
            table,
            links,
        })
    }

    /// The least congestion, as the options ask.
    pub(crate) fn solve(&self, options: &OptimalTransport) -> Result<Fractional, TransportError> {
        let congestion = least_congestion(&self.table, &self.cuts, options)?;
        Ok(Fractional { congestion })
    }

    /// What stays behind of every pair for the least congestion of the rest, where of these bytes by pair at most so many may. As a vertex
    /// where the problem is small enough: few pairs stay in part then.
    pub(super) fn leave_behind(
        &self,
        bytes: &[f64],
        most: f64,
        options: &OptimalTransport,
    ) -> Result<Vec<f64>, TransportError> {
        let stays = self.table.capacities().len() as u32;
        let cuts: Vec<Vec<u32>> = self.cuts.iter().map(|cut| [&cut[..], &[stays]].concat()).collect();
        let near = Ot3 {
            tolerance: options.tolerance.max(1e-3),
            epsilon: options.epsilon,
            newton_steps: NEAR_STEPS,
            ..Ot3::default()
        };
        let solve = |table: &CellTable| match table.cell_count() <= EXACT_PART_CELLS || options.solver == Solver::Exact
        {
            true => least_congestion(table, &cuts, options),
            false => ot3::least_congestion(table, &cuts, &near),
        };
        let partial = ot3::least_partial_congestion(&self.table, bytes, most, solve)?;
        match self.table.cell_count() <= EXACT_PART_CELLS {
            true => Ok(partial.thinned_out()?.left()),
            false => Ok(partial.left()),
        }
    }

    /// The cells of a pair: its paths, by index.
    pub(crate) fn cells(&self, pair: PairId) -> Range<usize> {
        self.table.cells(pair.index())
    }

    /// What is left of the plan, in bytes per cell, as a vertex where the problem is small enough, else as it is. What is not
    /// left stays where the plan has it, and no link gets more than in the plan's congestion.
    pub(crate) fn thin_out(&self, fractional: &Fractional, left: &[u64]) -> Result<Vec<f64>, TransportError> {
        let mut thinned: Vec<f64> = left.iter().map(|&bytes| bytes as f64).collect();
        let used: Vec<usize> = (0..left.len()).filter(|&cell| left[cell] > 0).collect();
        let (demands, room) = self.rest(fractional, &used, &thinned);
        if demands.is_empty() || demands.len() + room.len() > VERTEX_ROWS {
            return Ok(thinned);
        }
        let table = CellTable::new(demands, room)?;
        let amounts: Vec<f64> = used.iter().map(|&cell| thinned[cell]).collect();
        for (&cell, amount) in used.iter().zip(ot3::to_vertex(&table, &amounts, 1.0)?) {
            thinned[cell] = amount;
        }
        Ok(thinned)
    }

    /// The demands of what is left, each with its cells, and the bytes that it may put on each of its links.
    fn rest(&self, fractional: &Fractional, used: &[usize], left: &[f64]) -> (Vec<Demand>, Vec<f64>) {
        let Congestion { plan, theta, .. } = &fractional.congestion;
        let (all, moving) = (self.table.loads(plan), self.table.loads(left));
        let mut number = vec![u32::MAX; all.len()];
        let mut room = Vec::new();
        for link in (0..all.len()).filter(|&link| moving[link] > 0.0) {
            number[link] = room.len() as u32;
            let staying = all[link] - moving[link];
            room.push((theta * self.table.capacities()[link] - staying).max(moving[link]));
        }
        let of_one_pair = |a: &usize, b: &usize| self.table.demand_of(*a) == self.table.demand_of(*b);
        let members = |&cell: &usize| self.table.members(cell).map(|e| number[e]).collect();
        let demands = used.chunk_by(of_one_pair).map(|cells| {
            let bytes = cells.iter().map(|&cell| left[cell]).sum();
            (bytes, cells.iter().map(members).collect())
        });
        (demands.collect(), room)
    }

    /// Lays bytes on the one of some cells whose busiest link is least busy then, of equal ones with the least sum, and adds them to the
    /// loads of the links, in bytes.
    pub(super) fn lay_least_busy(
        &self,
        cells: impl Iterator<Item = usize>,
        bytes: u64,
        loads: &mut [f64],
    ) -> Option<usize> {
        let (table, bytes) = (&self.table, bytes as f64);
        let busy = |cell: usize| {
            let times = table.members(cell).map(|e| (loads[e] + bytes) / table.capacities()[e]);
            times.fold((0.0_f64, 0.0), |(worst, sum), time| (worst.max(time), sum + time))
        };
        let cells = cells.map(|cell| (busy(cell), cell));
        let (_, cell) = cells.min_by(|(a, _), (b, _)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)))?;
        table.members(cell).for_each(|e| loads[e] += bytes);
        Some(cell)
    }

    /// The bytes of a flow between edges, where all of these have as many.
    pub(super) fn equal_size(&self) -> Option<u64> {
        let mut sizes = self
            .flows
            .iter()
            .filter(|flow| flow.pair.is_some())
            .map(|flow| flow.bytes);
        let size = sizes.next()?;
        sizes.all(|other| other == size).then_some(size)
    }

    /// No placement of whole flows of one size has less congestion: those of every edge on its links, one after the other where it
    /// is then least busy, which is the best for equal flows on links of any speeds.
    fn bound_for_whole(&self, bytes: u64) -> f64 {
        let mut edges: BTreeMap<(NodeId, bool), (usize, Vec<f64>)> = BTreeMap::new();
        for (pair, flows) in self.of_pair.entries() {
            let Some(mut links) = self.cells(pair).next().map(|cell| self.table.members(cell)) else {
                continue;
            };
            if let Some((first, last)) = links.clone().next().zip(links.next_back()) {
                let (from, to) = (self.ends[first].0, self.ends[last].1);
                edges.entry((from, true)).or_default().0 += flows.len();
                edges.entry((to, false)).or_default().0 += flows.len();
            }
        }
        for (&(from, to), &capacity) in self.ends.iter().zip(self.table.capacities()) {
            for edge in [(from, true), (to, false)] {
                if let Some((_, capacities)) = edges.get_mut(&edge) {
                    capacities.push(capacity);
                }
            }
        }
        let of_edge = |(flows, capacities): &(usize, Vec<f64>)| least_busiest(*flows, capacities) * bytes as f64;
        edges.values().map(of_edge).fold(0.0, f64::max)
    }

    /// No placement with at most `k` sub-flows per flow has less congestion: the bound, each flow alone on its
    /// k widest paths, and what an edge's links can share of whole flows.
    pub(crate) fn bound_for_subflows(&self, bound: f64, k: u32) -> f64 {
        let capacities = self.table.capacities();
        let mut best = bound;
        if let Some(bytes) = self.equal_size().filter(|_| k == 1) {
            best = best.max(self.bound_for_whole(bytes));
        }
        for (pair, flows) in self.of_pair.entries() {
            let narrowest = |cell: usize| {
                let members = self.table.members(cell);
                members.map(|e| capacities[e]).fold(f64::INFINITY, f64::min)
            };
            let mut widths: Vec<f64> = self.cells(pair).map(narrowest).collect();
            widths.sort_by(|a, b| b.total_cmp(a));
            let width: f64 = widths.iter().take(k as usize).sum();
            let largest = flows.iter().map(|&f| self.flows[f].bytes).max().unwrap_or(0);
            best = best.max(largest as f64 / width);
        }
        best
    }
}

/// The time of the busiest link when so many equal flows of one byte are shared among links of these capacities as well as can be.
fn least_busiest(flows: usize, capacities: &[f64]) -> f64 {
    let whole: f64 = capacities.iter().sum();
    // No link has fewer than its share rounded down; the rest go one by one to where they add least.
    let mut counts: Vec<f64> = capacities.iter().map(|c| (flows as f64 * c / whole).floor()).collect();
    let given: f64 = counts.iter().sum();
    for _ in 0..(flows as f64 - given) as usize {
        let times = counts
            .iter()
            .zip(capacities)
            .map(|(count, c)| (count + 1.0) / c)
            .enumerate();
        if let Some((link, _)) = times.min_by(|a, b| a.1.total_cmp(&b.1)) {
            counts[link] += 1.0;
        }
    }
    counts
        .iter()
        .zip(capacities)
        .map(|(count, c)| count / c)
        .fold(0.0, f64::max)
}

/// The least congestion of a table, some of whose capacities may bind together, as the options ask.
fn least_congestion(
    table: &CellTable,
    cuts: &[Vec<u32>],
    options: &OptimalTransport,
) -> Result<Congestion, TransportError> {
    if options.solver == Solver::Exact {
        return ot3::exact_least_congestion(table);
    }
    let search = Ot3 {
        tolerance: options.tolerance,
        epsilon: options.epsilon,
        ..Ot3::default()
    };
    let mut congestion = ot3::least_congestion(table, cuts, &search)?;
    let open = congestion.theta > congestion.bound * (1.0 + options.tolerance);
    if open && options.solver == Solver::Auto && table.cell_count() <= EXACT_CELLS {
        let exact = ot3::exact_least_congestion(table)?;
        if exact.bound > congestion.bound {
            (congestion.bound, congestion.prices) = (exact.bound, exact.prices);
        }
        if exact.theta < congestion.theta {
            (congestion.theta, congestion.plan) = (exact.theta, exact.plan);
        }
    }
    Ok(congestion)
}

fn cuts(fabric: &Fabric, links: &[LinkId]) -> Vec<Vec<u32>> {
    let mut cuts: BTreeMap<(NodeId, bool), Vec<u32>> = BTreeMap::new();
    for (e, &link) in links.iter().enumerate() {
        let link = fabric.link(link);
        cuts.entry((link.from, true)).or_default().push(e as u32);
        cuts.entry((link.to, false)).or_default().push(e as u32);
    }
    cuts.into_values().collect()
}
