//! At most k sub-flows per flow: a local search from several starts.

use rand::RngExt;

use super::coloring::colored;
use super::flow::{Flow, FlowId};
use super::local_search::Search;
use super::preferences::Preferences;
use super::repair::repaired;
use super::step::{Fractional, Step};
use super::subflows::{Subflows, change};
use crate::ids::IdVec;
use crate::optimal_transport::{Matrix, Problem, SparsityConstrained, TransportError};
use crate::placement::Subflow;
use crate::rng::{Stream, shuffle, stream};
use crate::routes::Route;

/// Gap to the bound for k sub-flows at which no better start is looked for.
const ENOUGH: f64 = 2e-4;
/// Moves of one local search, at most.
const MOVES: usize = 50_000;
/// Random changes to the best placement from which the search is started again, per start.
const KICKS: u32 = 6;
/// Flows up to which the dearer starts are made.
const SMALL: usize = 4_000;
/// Targets that are tried where the bound is out of reach, as multiples of it.
const LOOSENED: [f64; 3] = [1.01, 1.03, 1.1];
/// Equal parts of a flow that coloring tries, at most.
const MOST_PARTS: u32 = 4;

/// The plan before with as few moves as bring it to the least congestion; `None` where there was none, or where moves
/// off the worst link do not get there.
pub(super) fn from_before(
    step: &Step,
    fractional: &Fractional,
    preferences: &Preferences,
    max_pieces: Option<u32>,
) -> Option<IdVec<FlowId, Subflows>> {
    let k = max_pieces.unwrap_or(u32::MAX);
    let pinned = |subflow: &Subflow| match subflow.route {
        Route::Pinned(path) => Some((path.0, subflow.bytes)),
        _ => None,
    };
    let subflows = |flow: &Flow| -> Option<Subflows> {
        let before = preferences.before(flow.task);
        let subflows: Option<Subflows> = before.iter().map(pinned).collect();
        subflows.filter(|subflows| !subflows.is_empty() && subflows.len() <= k as usize)
    };
    let before: Option<IdVec<FlowId, Subflows>> = step.flows.iter().map(subflows).collect();
    let mut search = Search::new(step, before?, k);
    let target = step.bound_for_subflows(fractional.congestion.theta, k) * (1.0 + ENOUGH);
    search.run(target, MOVES);
    (search.congestion() <= target).then_some(search.subflows)
}

/// The best of what the local search makes of: parts of flows by coloring, where sizes are equal; the plan with its flows' smaller
/// sub-flows merged into their largest; flows by falling size onto the least-loaded path; sparsity-constrained transport of every
/// source; and random changes to the best so far; and flows laid anew until no link is over its limit. Ends where the bound is reached; `lay` has the plan's sub-flows.
pub(super) fn best_of_several(
    step: &Step,
    fractional: &Fractional,
    lay: impl FnOnce() -> Result<IdVec<FlowId, Subflows>, TransportError>,
    k: u32,
    starts: u32,
    seed: u64,
) -> Result<IdVec<FlowId, Subflows>, TransportError> {
    let bound = step.bound_for_subflows(fractional.congestion.bound, k);
    let target = bound * (1.0 + ENOUGH);
    let mut best = best_coloring(step, target, k, seed);
    if let Some(found) = best.take_if(|best| best.congestion() <= target) {
        return Ok(found.subflows);
    }
    let mut by_chance = stream(seed, "optimal-transport repair", u64::from(k));
    // It leaves no link idle that may be full, and is fast; where there is time for them, starts that balance all links come first.
    let is_small = step.flows.len() <= SMALL;
    if let Some(found) = (!is_small).then(|| repaired(step, k, target, &mut by_chance)).flatten() {
        return Ok(found);
    }
    let laid = lay()?;
    let mut random = stream(seed, "optimal-transport", u64::from(k));
    for start in 0..starts {
        let subflows = match start {
            0 => capped(laid.clone(), k),
            1 => greedy(step, &mut random, false),
            2 if step.flows.len() <= SMALL => sparse(step, &fractional.congestion.plan, k, &mut random)?,
            _ => greedy(step, &mut random, true),
        };
        let mut search = Search::new(step, subflows, k);
        search.run(target, MOVES);
        improve(step, &mut search, target, &mut random);
        if best.as_ref().is_none_or(|b| search.congestion() < b.congestion()) {
            best = Some(search);
        }
        if best.as_ref().is_some_and(|b| b.congestion() <= target) {
            break;
        }
    }
    // Where the bound is out of reach, something between it and the best so far may not be.
    let first = is_small.then_some(target);
    for loosened in first.into_iter().chain(LOOSENED.map(|factor| bound * factor)) {
        let better = best.as_ref().is_none_or(|b| loosened < b.congestion() * (1.0 - ENOUGH));
        if let Some(found) = better.then(|| repaired(step, k, loosened, &mut by_chance)).flatten() {
            return Ok(found);
        }
    }
    Ok(best.map_or(laid, |b| b.subflows))
}

/// What the local search makes of whole flows or equal parts by coloring: the best of few parts.
fn best_coloring<'a>(step: &'a Step, target: f64, k: u32, seed: u64) -> Option<Search<'a>> {
    let mut random = stream(seed, "optimal-transport coloring", u64::from(k));
    let mut best: Option<Search<'a>> = None;
    for parts in 1..=k.min(MOST_PARTS) {
        let mut search = Search::new(step, colored(step, parts, &mut random)?, k);
        search.run(target, MOVES);
        if best.as_ref().is_none_or(|b| search.congestion() < b.congestion()) {
            best = Some(search);
        }
        if best.as_ref().is_some_and(|b| b.congestion() <= target) {
            break;
        }
    }
    best
}

/// Kicks flows off the worst link and searches again; keeps what is better.
fn improve(step: &Step, search: &mut Search<'_>, target: f64, random: &mut Stream) {
    let kicks = if step.flows.len() <= SMALL { KICKS } else { 0 };
    for _ in 0..kicks {
        if search.congestion() <= target {
            return;
        }
        let mut trial = search.clone();
        let mut flows = trial.on_worst();
        shuffle(random, &mut flows);
        for &flow in flows.iter().take(3) {
            let Some(pair) = step.flows[flow].pair else {
                continue;
            };
            let paths = step.cells(pair).len();
            let slot = random.random_range(0..trial.subflows[flow].len());
            trial.kick(flow, slot, random.random_range(0..paths) as u32);
        }
        trial.run(target, MOVES);
        if trial.congestion() < search.congestion() {
            *search = trial;
        }
    }
}

/// Keeps the k largest sub-flows of every flow; the largest takes the bytes of the others.
fn capped(mut laid: IdVec<FlowId, Subflows>, k: u32) -> IdVec<FlowId, Subflows> {
    for subflows in &mut laid {
        if subflows.len() > k as usize {
            subflows.sort_by_key(|&(path, bytes)| (std::cmp::Reverse(bytes), path));
            let rest: u64 = subflows[k as usize..].iter().map(|p| p.1).sum();
            subflows.truncate(k as usize);
            subflows[0].1 += rest;
        }
    }
    laid
}

/// Whole flows by falling size (or, `jittered`, roughly so) onto the path whose worst link is then least loaded.
fn greedy(step: &Step, random: &mut Stream, jittered: bool) -> IdVec<FlowId, Subflows> {
    let mut order: Vec<(f64, FlowId)> = (step.flows.entries())
        .map(|(f, flow)| {
            let jitter = if jittered {
                0.7 + 0.6 * random.random::<f64>()
            } else {
                1.0
            };
            (flow.bytes as f64 * jitter, f)
        })
        .collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut loads = vec![0.0; step.links.len()];
    let mut subflows = IdVec::filled(Subflows::new(), step.flows.len());
    for (_, f) in order {
        let flow = &step.flows[f];
        let Some(pair) = flow.pair else {
            subflows[f].push((0, flow.bytes));
            continue;
        };
        let cells = step.cells(pair);
        let first = cells.start;
        if let Some(cell) = step.lay_least_busy(cells, flow.bytes, &mut loads) {
            subflows[f].push(((cell - first) as u32, flow.bytes));
        }
    }
    subflows
}

/// Sparsity-constrained transport of each pair's flows to the shares that the plan gives its paths. Costs are jittered:
/// equal ones would send all flows to the same k paths.
pub(super) fn sparse(
    step: &Step,
    plan: &[f64],
    k: u32,
    random: &mut Stream,
) -> Result<IdVec<FlowId, Subflows>, TransportError> {
    let mut subflows = greedy(step, random, false);
    for (pair, flows) in step.of_pair.entries() {
        let cells = step.cells(pair);
        let used: Vec<usize> = cells.clone().filter(|&c| plan[c] > 0.0).collect();
        let rows: Vec<f64> = used.iter().map(|&c| plan[c]).collect();
        let columns: Vec<f64> = flows.iter().map(|&f| step.flows[f].bytes as f64).collect();
        let cost = Matrix::from_fn(rows.len(), columns.len(), |_, _| random.random::<f64>());
        let k = (k as usize).min(used.len());
        let mean = columns.iter().sum::<f64>() / columns.len() as f64;
        let options = SparsityConstrained {
            tolerance: 1e-2,
            max_iterations: 60,
            ..SparsityConstrained::new(k, 1.0 / mean)
        };
        let found = options.relax(&Problem::new(&cost, &rows, &columns)?)?;
        for (&f, column) in flows.iter().zip(&found.columns) {
            let mut flow = Subflows::new();
            let mut left = step.flows[f].bytes;
            for (at, &(row, mass)) in column.iter().enumerate() {
                let part = if at + 1 == column.len() {
                    left
                } else {
                    left.min(mass as u64)
                };
                if part > 0 {
                    change(&mut flow, (used[row as usize] - cells.start) as u32, part as i64);
                }
                left -= part;
            }
            subflows[f] = flow;
        }
    }
    Ok(subflows)
}
