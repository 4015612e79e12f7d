//! How good a placement is: held against the certified optimum, step by step.

use std::collections::{BTreeMap, HashMap};

use super::optimal_transport::{PairId, Preferences, Step};
use super::{Ethereal, LoadBalancing, OptimalTransport, Placement, Problem, Subflow};
use crate::ids::{HostId, Id, IdVec, NodeId, TaskId};
use crate::input::{InputError, NoFiles};
use crate::optimal_transport::{Matrix, TransportError, monge_gap};
use crate::routes::{PathEnds, Route, WeightCache};
use crate::topology::{Fabric, Path};
use crate::workload::Schedule;

/// A placement of one step. Times are in microseconds: bytes on a link divided by its capacity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepEvaluation {
    /// Its number.
    pub step: u32,
    /// Largest bytes / capacity over the links that the scheme can choose among.
    pub congestion_us: f64,
    /// No fractional routing has less: certified by prices on the links.
    pub optimum_us: f64,
    /// No placement with so few sub-flows per flow has less: at least `optimum_us`.
    pub bound_for_subflows_us: f64,
    /// The most sub-flows of one flow.
    pub max_pieces: u32,
    /// Flows of the step.
    pub flows: u64,
    /// Sub-flows: sub-flows, of which one that is spread counts once for every path.
    pub subflows: u64,
    /// Sub-flows of the paper's rule on the same step.
    pub ethereal_subflows: u64,
    /// Sub-flows of spraying: every flow on all its paths.
    pub spray_subflows: u64,
    /// How much less a byte would pay on average if pairs exchanged paths, with as much through every spine as before. The
    /// price of a path is the sum of bytes / capacity over its links as this placement loads them.
    pub monge_gap_us: f64,
    /// How much less if every pair took its cheapest path, at the same prices: 0 where all are content.
    pub regret_us: f64,
}

impl StepEvaluation {
    /// Congestion over the certified optimum; 1 where nothing is at stake.
    pub fn ratio(&self) -> f64 {
        if self.optimum_us > 0.0 {
            self.congestion_us / self.optimum_us
        } else {
            1.0
        }
    }
}

/// A placement of a whole schedule.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluation {
    /// Every step with a transfer, in order.
    pub steps: Vec<StepEvaluation>,
}

impl Evaluation {
    /// The step of the largest congestion, the first among equals.
    pub fn worst(&self) -> Option<&StepEvaluation> {
        let more = |best: &&StepEvaluation, step: &&StepEvaluation| best.congestion_us.total_cmp(&step.congestion_us);
        self.steps.iter().rev().max_by(|a, b| more(a, b))
    }

    /// Flows of all steps.
    pub fn flows(&self) -> u64 {
        self.steps.iter().map(|s| s.flows).sum()
    }

    /// Sub-flows of all steps.
    pub fn subflows(&self) -> u64 {
        self.steps.iter().map(|s| s.subflows).sum()
    }

    /// The average of the steps' Monge gaps: the conditional Monge gap, in microseconds.
    pub fn monge_gap_us(&self) -> f64 {
        self.mean(|step| step.monge_gap_us)
    }

    /// The average of the steps' regrets, in microseconds.
    pub fn regret_us(&self) -> f64 {
        self.mean(|step| step.regret_us)
    }

    fn mean(&self, of: impl Fn(&StepEvaluation) -> f64) -> f64 {
        self.steps.iter().map(of).sum::<f64>() / self.steps.len().max(1) as f64
    }
}

/// Judges a placement of a schedule between hosts, whichever scheme made it. Steps of the same flows with the same
/// sub-flows are evaluated once; `solver` says how the optimum is found.
///
/// # Errors
/// Where a transfer has no path, the placement chooses paths while packets travel, or no optimum is found.
pub fn evaluate(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    solver: &OptimalTransport,
) -> Result<Evaluation, InputError> {
    let problem = Problem {
        fabric,
        schedule,
        files: &NoFiles,
        seed: 0,
    };
    problem.check()?;
    if placement
        .subflows()
        .iter()
        .any(|subflow| subflow.route == Route::Dynamic)
    {
        return Err(
            InputError::key("", "this load balancing chooses paths while packets travel")
                .help("judge one that places flows before they are sent"),
        );
    }
    let ethereal = LoadBalancing::Ethereal(Ethereal::default()).place(fabric, schedule, &NoFiles, 0)?;
    let mut evaluator = Evaluator {
        fabric,
        schedule,
        placement,
        ethereal,
        weights: WeightCache::new(fabric),
        path_ends: PathEnds::new(fabric),
    };
    let mut known: HashMap<Vec<(HostId, HostId, Vec<Subflow>)>, StepEvaluation> = HashMap::new();
    let mut evaluation = Evaluation::default();
    let steps = (0..).zip(schedule.transfers_by_step());
    for (step, tasks) in steps.filter(|(_, tasks)| !tasks.is_empty()) {
        let key = tasks.iter().map(|&t| {
            let transfer = problem.transfer(t);
            (transfer.src, transfer.dst, placement.of(t).to_vec())
        });
        let key: Vec<_> = key.collect();
        let verdict = match known.get(&key) {
            Some(verdict) => StepEvaluation { step, ..*verdict },
            None => evaluator
                .step(step, &tasks, solver)
                .map_err(|error| InputError::key("", format!("step {step} cannot be judged: {error}")))?,
        };
        known.insert(key, verdict);
        evaluation.steps.push(verdict);
    }
    Ok(evaluation)
}

struct Evaluator<'a> {
    fabric: &'a Fabric,
    schedule: &'a Schedule,
    placement: &'a Placement,
    ethereal: Placement,
    weights: WeightCache<'a>,
    path_ends: PathEnds<'a>,
}

impl Evaluator<'_> {
    fn step(
        &mut self,
        number: u32,
        tasks: &[TaskId],
        solver: &OptimalTransport,
    ) -> Result<StepEvaluation, TransportError> {
        let step = Step::new(self.fabric, self.schedule, tasks, &Preferences::NONE)?;
        let optimum = step.solve(solver)?.congestion;
        let amounts = self.amounts(&step);
        let plan: Vec<f64> = amounts.iter().map(|&bytes| bytes as f64).collect();
        let loads = step.table.loads(&plan);
        let prices = loads
            .iter()
            .zip(step.table.capacities())
            .map(|(load, capacity)| load / capacity);
        let (monge_gap_us, regret_us) = self.gaps(&step, &amounts, &prices.collect::<Vec<_>>())?;
        let paths_of = |task: &TaskId| {
            let flow = self.ends(*task);
            u64::from(self.fabric.path_count(flow.0, flow.1))
        };
        let subflows_of = |placement: &Placement, task: &TaskId| -> u64 {
            let count = |subflow: &Subflow| match subflow.route {
                Route::Pinned(_) | Route::Dynamic => 1,
                Route::Even | Route::Weighted => paths_of(task),
            };
            placement.of(*task).iter().map(count).sum()
        };
        let max_pieces = tasks.iter().map(|t| subflows_of(self.placement, t)).max().unwrap_or(1) as u32;
        Ok(StepEvaluation {
            step: number,
            congestion_us: step.table.congestion(&loads),
            optimum_us: optimum.bound,
            bound_for_subflows_us: step.bound_for_subflows(optimum.bound, max_pieces),
            max_pieces,
            flows: tasks.len() as u64,
            subflows: tasks.iter().map(|t| subflows_of(self.placement, t)).sum(),
            ethereal_subflows: tasks.iter().map(|t| subflows_of(&self.ethereal, t)).sum(),
            spray_subflows: tasks.iter().map(paths_of).sum(),
            monge_gap_us,
            regret_us,
        })
    }

    fn ends(&self, task: TaskId) -> (NodeId, NodeId) {
        match self.schedule.transfer(task) {
            Some(transfer) => (transfer.src.node(), transfer.dst.node()),
            None => unreachable!("task {task} is no transfer"),
        }
    }

    /// Bytes in every cell of the step's table. Of a sub-flow that is spread the last path takes what does not divide.
    fn amounts(&mut self, step: &Step) -> Vec<u64> {
        let mut amounts = vec![0_u64; step.table.cell_count()];
        for flow in &step.flows {
            let Some(pair) = flow.pair else { continue };
            let cells = &mut amounts[step.cells(pair)];
            let (src, dst) = self.ends(flow.task);
            for subflow in self.placement.of(flow.task) {
                let weights = match subflow.route {
                    Route::Pinned(path) => {
                        cells[path.index()] += subflow.bytes;
                        continue;
                    }
                    Route::Weighted => self.weights.of(src, dst).to_vec(),
                    Route::Even | Route::Dynamic => vec![1; cells.len()],
                };
                let total: u128 = weights.iter().map(|&w| u128::from(w)).sum();
                let (mut given, mut part) = (0_u64, 0_u128);
                for (cell, weight) in cells.iter_mut().zip(weights) {
                    part += u128::from(weight);
                    let upto = (u128::from(subflow.bytes) * part / total) as u64;
                    *cell += upto - given;
                    given = upto;
                }
            }
        }
        amounts
    }

    /// Monge gap and regret, averaged over bytes, at a price for crossing every link.
    fn gaps(&mut self, step: &Step, amounts: &[u64], prices: &[f64]) -> Result<(f64, f64), TransportError> {
        let table = &step.table;
        let total: u64 = amounts.iter().sum();
        if total == 0 {
            return Ok((0.0, 0.0));
        }
        let price = |cell: usize| table.members(cell).map(|e| prices[e]).sum::<f64>();
        let costs: Vec<f64> = (0..amounts.len()).map(price).collect();
        let mut regret = 0.0;
        for pair in step.of_pair.ids() {
            let cells = step.cells(pair);
            let least = costs[cells.clone()].iter().copied().fold(f64::INFINITY, f64::min);
            regret += cells.map(|c| amounts[c] as f64 * (costs[c] - least)).sum::<f64>();
        }
        // A column for every node at the top of a path: what pairs can exchange.
        let mut columns: BTreeMap<NodeId, usize> = BTreeMap::new();
        let vias: IdVec<PairId, Vec<NodeId>> = step.of_pair.ids().map(|pair| self.tops(step, pair)).collect();
        for &via in vias.iter().flatten() {
            let next = columns.len();
            columns.entry(via).or_insert(next);
        }
        let forbidden = 2.0 * costs.iter().copied().fold(0.0, f64::max) * (columns.len() + vias.len()) as f64;
        let mut matrix = Matrix::from_fn(vias.len(), columns.len(), |_, _| forbidden);
        let mut plan: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for (pair, vias) in vias.entries() {
            for (cell, via) in step.cells(pair).zip(vias) {
                let column = columns[via];
                let entry = &mut matrix.row_mut(pair.index())[column];
                *entry = entry.min(costs[cell]);
                *plan.entry((pair.0, column as u32)).or_default() += amounts[cell];
            }
        }
        let plan: Vec<(u32, u32, u64)> = plan.into_iter().map(|((i, j), mass)| (i, j, mass)).collect();
        let bytes = total as f64;
        Ok((monge_gap(&matrix, &plan)? / bytes, regret / bytes))
    }

    /// The highest node of every path of a pair.
    fn tops(&mut self, step: &Step, pair: PairId) -> Vec<NodeId> {
        let (src, dst) = self.ends(step.flows[step.of_pair[pair][0]].task);
        let fabric = self.fabric;
        let top = |path: Path| {
            let inner = path[..path.len() - 1].iter().map(|&link| fabric.link(link).to);
            let highest = inner.rev().max_by_key(|&node| fabric.node(node).tier);
            highest.unwrap_or(fabric.edge(dst))
        };
        let ends = self.path_ends.of(src, dst);
        self.path_ends.links(src, dst, ends).map(top).collect()
    }
}
