//! From a fractional plan to pieces: whole bytes per path, into which flows are laid.

use super::pieces::{Pieces, change};
use super::preferences::Preferences;
use super::step::Step;
use crate::placement::Route;

/// The bytes of every cell, by largest remainder: each pair's add up to its demand.
pub(super) fn in_bytes(step: &Step, plan: &[f64]) -> Vec<u64> {
    let mut budgets: Vec<u64> = plan.iter().map(|&x| x as u64).collect();
    for (pair, flows) in step.of_pair.iter().enumerate() {
        let cells = step.table.cells(pair);
        let demand: u64 = flows.iter().map(|&f| step.flows[f as usize].bytes).sum();
        let given: u64 = budgets[cells.clone()].iter().sum();
        let mut order: Vec<usize> = cells.filter(|&c| plan[c] > 0.0).collect();
        order.sort_by(|&a, &b| plan[b].fract().total_cmp(&plan[a].fract()).then(a.cmp(&b)));
        // Large plans are exact to fewer digits than bytes: the widest cell takes what that leaves.
        if let Some(&widest) = order.iter().max_by_key(|&&c| (budgets[c], std::cmp::Reverse(c))) {
            let missing = demand as i128 - i128::from(given);
            if (0..=order.len() as i128).contains(&missing) {
                order.iter().take(missing as usize).for_each(|&c| budgets[c] += 1);
            } else {
                budgets[widest] = (i128::from(budgets[widest]) + missing).max(0) as u64;
            }
        }
    }
    budgets
}

/// Lays the flows of every pair into its budgets: first what stays on its path, then the others by falling size, whole
/// where they fit. Every cut fills a budget, so that a pair has fewer extra sub-flows than paths in use.
pub(super) fn lay_out(step: &Step, mut budgets: Vec<u64>, preferences: &Preferences) -> Vec<Pieces> {
    let within_an_edge = |flow: &super::step::Flow| Pieces::from_slice(&[(0, flow.bytes)]);
    let mut laid: Vec<Pieces> = (step.flows.iter())
        .map(|flow| {
            if flow.pair.is_none() {
                within_an_edge(flow)
            } else {
                Pieces::new()
            }
        })
        .collect();
    for (pair, flows) in step.of_pair.iter().enumerate() {
        let budgets = &mut budgets[step.table.cells(pair)];
        let mut order = flows.clone();
        order.sort_by_key(|&f| (std::cmp::Reverse(step.flows[f as usize].bytes), f));
        order.retain(|&f| {
            let flow = &step.flows[f as usize];
            let pieces = preferences.before(flow.task);
            let stays = !pieces.is_empty()
                && pieces.iter().all(|piece| {
                    matches!(piece.route, Route::Pinned(path) if budgets.get(path as usize).is_some_and(|b| *b >= piece.bytes))
                });
            if stays {
                for piece in pieces {
                    if let Route::Pinned(path) = piece.route {
                        budgets[path as usize] -= piece.bytes;
                        change(&mut laid[f as usize], path, piece.bytes as i64);
                    }
                }
            }
            !stays
        });
        for f in order {
            lay(step.flows[f as usize].bytes, budgets, &mut laid[f as usize]);
        }
    }
    laid
}

/// Lays one flow whole into the smallest budget that holds it, else in parts into the largest.
fn lay(bytes: u64, budgets: &mut [u64], pieces: &mut Pieces) {
    let mut left = bytes;
    while left > 0 {
        let fitting = (0..budgets.len()).filter(|&path| budgets[path] >= left);
        let path = fitting.min_by_key(|&path| budgets[path]);
        let path = path.or_else(|| (0..budgets.len()).max_by_key(|&path| (budgets[path], std::cmp::Reverse(path))));
        let Some(path) = path.filter(|&path| budgets[path] > 0) else {
            unreachable!("the budgets of a pair add up to its flows");
        };
        let part = left.min(budgets[path]);
        budgets[path] -= part;
        left -= part;
        pieces.push((path as u32, part));
    }
}
