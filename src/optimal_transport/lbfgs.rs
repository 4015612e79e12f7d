//! Limited-memory BFGS for smooth convex functions of few variables.

use std::collections::VecDeque;

use super::vectors::{add_scaled, dot};

/// Pairs of steps and gradient changes that are remembered.
const MEMORY: usize = 12;

/// Where a minimization ended.
pub(super) struct Minimum {
    pub x: Vec<f64>,
    pub gradient: Vec<f64>,
    pub iterations: usize,
}

/// Minimizes a function given with its gradient, from `x`, until `done(gradient)` or no step helps
/// (Nocedal and Wright, algorithm 7.5, with backtracking).
pub(super) fn minimize(
    mut function: impl FnMut(&[f64]) -> (f64, Vec<f64>),
    mut x: Vec<f64>,
    max_iterations: usize,
    done: impl Fn(&[f64]) -> bool,
) -> Minimum {
    let (mut value, mut gradient) = function(&x);
    let mut history: VecDeque<(Vec<f64>, Vec<f64>, f64)> = VecDeque::new();
    let mut iterations = 0;
    while iterations < max_iterations && !done(&gradient) {
        iterations += 1;
        let direction = descent(&history, &gradient);
        let slope = dot(&direction, &gradient);
        let mut length = if history.is_empty() {
            1.0 / dot(&gradient, &gradient).sqrt().max(1e-300)
        } else {
            1.0
        };
        let mut accepted = None;
        for _ in 0..50 {
            let mut trial = x.clone();
            add_scaled(&mut trial, length, &direction);
            let (trial_value, trial_gradient) = function(&trial);
            if trial_value <= value + 1e-4 * length * slope {
                accepted = Some((trial, trial_value, trial_gradient));
                break;
            }
            length *= 0.5;
        }
        let Some((next, next_value, next_gradient)) = accepted else {
            if history.is_empty() {
                break;
            }
            history.clear();
            continue;
        };
        let step: Vec<f64> = next.iter().zip(&x).map(|(a, b)| a - b).collect();
        let change: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let curvature = dot(&step, &change);
        if curvature > 1e-14 * dot(&change, &change) {
            if history.len() == MEMORY {
                history.pop_front();
            }
            history.push_back((step, change, curvature));
        }
        (x, value, gradient) = (next, next_value, next_gradient);
    }
    Minimum {
        x,
        gradient,
        iterations,
    }
}

/// The two-loop recursion.
fn descent(history: &VecDeque<(Vec<f64>, Vec<f64>, f64)>, gradient: &[f64]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(history.len());
    for (step, change, curvature) in history.iter().rev() {
        let alpha = dot(step, &direction) / curvature;
        add_scaled(&mut direction, -alpha, change);
        alphas.push(alpha);
    }
    if let Some((_, change, curvature)) = history.back() {
        let scale = curvature / dot(change, change);
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for ((step, change, curvature), alpha) in history.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(change, &direction) / curvature;
        add_scaled(&mut direction, alpha - beta, step);
    }
    direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_minimum_of_a_quadratic_and_of_a_quartic() {
        let quadratic = |x: &[f64]| {
            let g = vec![2.0 * (x[0] - 1.0), 200.0 * (x[1] + 2.0)];
            ((x[0] - 1.0).powi(2) + 100.0 * (x[1] + 2.0).powi(2), g)
        };
        let found = minimize(quadratic, vec![5.0, 5.0], 200, |g| dot(g, g) < 1e-20);
        assert!(
            (found.x[0] - 1.0).abs() < 1e-9 && (found.x[1] + 2.0).abs() < 1e-9,
            "{:?}",
            found.x
        );
        let quartic = |x: &[f64]| ((x[0] - 3.0).powi(4), vec![4.0 * (x[0] - 3.0).powi(3)]);
        let found = minimize(quartic, vec![0.0], 500, |g| dot(g, g) < 1e-24);
        assert!((found.x[0] - 3.0).abs() < 1e-3, "{:?}", found.x);
    }
}
