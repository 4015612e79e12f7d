//! Instances that the tests of several solvers share, and the tests of the entropic solvers.

use rand::RngExt;

use super::*;
use crate::math::{exp, ln};
use crate::rng::{Stream, stream};

/// Uniform in [0, 1).
pub(super) fn uniform(random: &mut Stream) -> f64 {
    random.random::<f64>()
}

/// Costs uniform in [0, 1], masses lognormal-like with a common total of 1.
pub(super) struct Instance {
    pub cost: Matrix,
    pub rows: Vec<f64>,
    pub columns: Vec<f64>,
}

impl Instance {
    pub(super) fn random(n: usize, m: usize, seed: u64) -> Self {
        let mut random = stream(seed, "instance", 0);
        let cost = Matrix::from_fn(n, m, |_, _| uniform(&mut random));
        let mut masses = |k: usize| -> Vec<f64> {
            let raw: Vec<f64> = (0..k).map(|_| exp(2.0 * uniform(&mut random))).collect();
            let total: f64 = raw.iter().sum();
            raw.iter().map(|m| m / total).collect()
        };
        let (rows, columns) = (masses(n), masses(m));
        Self { cost, rows, columns }
    }

    pub(super) fn problem(&self) -> Problem<'_> {
        Problem::new(&self.cost, &self.rows, &self.columns).unwrap()
    }
}

fn largest_difference(x: &Matrix, y: &Matrix) -> f64 {
    x.data()
        .iter()
        .zip(y.data())
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

#[test]
fn the_entropic_solvers_agree_on_one_plan() {
    for (seed, (n, m)) in [(5, 7), (30, 6), (6, 30), (20, 20), (1, 4), (3, 1)]
        .into_iter()
        .enumerate()
    {
        let instance = Instance::random(n, m, seed as u64);
        let problem = instance.problem();
        for epsilon in [0.5, 0.2, 0.1] {
            let mut sinkhorn = Sinkhorn::new(epsilon);
            sinkhorn.tolerance = 1e-11;
            let log = sinkhorn.solve_log(&problem).unwrap();
            let newton = SemiDualNewton::new(epsilon).solve(&problem).unwrap();
            assert!(newton.error <= 3e-12, "{}", newton.error);
            sinkhorn.scaling = Some(EpsilonScaling::default());
            let stabilized = sinkhorn.solve_stabilized(&problem).unwrap();
            let scaled = sinkhorn.solve_log(&problem).unwrap();
            for other in [&newton, &stabilized, &scaled] {
                let apart = largest_difference(&log.plan, &other.plan);
                assert!(apart < 1e-9, "{n} x {m}, epsilon {epsilon}: {apart:e}");
            }
            // The potentials generate the plan.
            let entry = |s: &Entropic, i, j| {
                exp((s.row_potentials[i] + s.column_potentials[j] - instance.cost.at(i, j)) / epsilon)
            };
            for solution in [&log, &newton, &stabilized] {
                let again = Matrix::from_fn(n, m, |i, j| entry(solution, i, j));
                assert!(largest_difference(&again, &solution.plan) < 1e-11);
            }
        }
    }
}

/// Two rows, two columns: x^2 = (a - x)(b - x) e^(d / epsilon) has one root in range.
#[test]
fn two_by_two_matches_its_closed_form() {
    let cost = Matrix::new(2, 2, vec![0.0, 0.7, 0.4, 0.0]).unwrap();
    let (rows, columns) = ([0.3, 0.7], [0.6, 0.4]);
    let problem = Problem::new(&cost, &rows, &columns).unwrap();
    let epsilon = 0.25;
    // x = P00; P01 = .3 - x, P10 = .6 - x, P11 = .1 + x; P00 P11 = P01 P10 q.
    let q = (1.1_f64 / epsilon).exp();
    let (a, b, c) = (1.0 - q, 0.1 + 0.9 * q, -0.18 * q);
    let x = (-b + (b * b - 4.0 * a * c).sqrt()) / (2.0 * a);
    let mut sinkhorn = Sinkhorn::new(epsilon);
    sinkhorn.tolerance = 1e-14;
    for plan in [
        sinkhorn.solve_log(&problem).unwrap().plan,
        sinkhorn.solve_stabilized(&problem).unwrap().plan,
        SemiDualNewton::new(epsilon).solve(&problem).unwrap().plan,
    ] {
        assert!((plan.at(0, 0) - x).abs() < 1e-12, "{} against {x}", plan.at(0, 0));
    }
}

#[test]
fn newton_solves_ties_and_small_epsilon() {
    let tied = Matrix::from_fn(60, 8, |_, j| j as f64);
    let (rows, columns) = (vec![1.0; 60], vec![7.5; 8]);
    let problem = Problem::new(&tied, &rows, &columns).unwrap();
    for epsilon in [1.0, 0.1, 0.01, 0.001] {
        let solution = SemiDualNewton::new(epsilon).solve(&problem).unwrap();
        assert!((solution.plan.at(17, 3) - 0.125).abs() < 1e-11);
    }
    let instance = Instance::random(500, 16, 3);
    for epsilon in [0.01, 0.001] {
        let solution = SemiDualNewton::new(epsilon).solve(&instance.problem()).unwrap();
        assert!(solution.error < 3e-12);
    }
}

#[test]
fn a_tiny_epsilon_is_refused_or_solved_but_never_wrong() {
    let instance = Instance::random(12, 12, 9);
    let problem = instance.problem();
    assert!(matches!(
        Sinkhorn::new(1e-14).solve_log(&problem),
        Err(TransportError::EpsilonTooSmall { .. })
    ));
    for epsilon in [1e-3, 1e-4, 1e-6, 1e-9] {
        let mut sinkhorn = Sinkhorn::new(epsilon);
        sinkhorn.max_iterations = 2_000;
        for answer in [
            sinkhorn.solve_log(&problem),
            sinkhorn.solve_stabilized(&problem),
            SemiDualNewton::new(epsilon).solve(&problem),
        ] {
            match answer {
                Ok(solution) => assert!(problem.marginal_error(&solution.plan) < 1e-8),
                Err(error) => assert!(matches!(error, TransportError::NotConverged { .. }), "{error}"),
            }
        }
    }
}

#[test]
fn rounding_is_exact_and_moves_little() {
    let instance = Instance::random(20, 9, 4);
    let problem = instance.problem();
    let mut sinkhorn = Sinkhorn::new(0.05);
    sinkhorn.tolerance = 1e-2;
    let rough = sinkhorn.solve_log(&problem).unwrap();
    let rounded = round_to_marginals(&problem, rough.plan.clone()).unwrap();
    assert!(problem.marginal_error(&rounded) < 1e-14);
    let moved: f64 = rough
        .plan
        .data()
        .iter()
        .zip(rounded.data())
        .map(|(a, b)| (a - b).abs())
        .sum();
    assert!(
        moved <= 2.0 * rough.error + 1e-14,
        "{moved} after an error of {}",
        rough.error
    );
    assert!(rounded.data().iter().all(|&entry| entry >= 0.0));
}

#[test]
fn bad_problems_are_named() {
    let cost = Matrix::zeros(2, 2);
    let error =
        |cost: &Matrix, rows: &[f64], columns: &[f64]| Problem::new(cost, rows, columns).unwrap_err().to_string();
    insta::assert_snapshot!(error(&cost, &[1.0], &[1.0, 0.0]), @"the row masses has 1 entries where 2 are needed");
    insta::assert_snapshot!(error(&cost, &[1.0, -1.0], &[0.0, 0.0]), @"row mass 1 is -1: it must be finite and not negative");
    insta::assert_snapshot!(error(&cost, &[1.0, f64::NAN], &[0.0, 0.0]), @"row mass 1 is NaN: it must be finite and not negative");
    insta::assert_snapshot!(error(&cost, &[1.0, 1.0], &[f64::INFINITY, 0.0]), @"column mass 0 is inf: it must be finite and not negative");
    insta::assert_snapshot!(error(&cost, &[1.0, 1.0], &[1.0, 1.5]), @"the rows hold 2 and the columns 2.5: a balanced problem needs equal totals");
    insta::assert_snapshot!(error(&cost, &[0.0, 0.0], &[0.0, 0.0]), @"there is nothing to transport: all masses are 0");
    insta::assert_snapshot!(error(&cost, &[f64::MAX, f64::MAX], &[f64::MAX, f64::MAX]), @"the masses are too large to be added up: scale them down");
    let costs = Matrix::new(2, 2, vec![0.0, 1.0, f64::NAN, 0.0]).unwrap();
    insta::assert_snapshot!(error(&costs, &[1.0, 1.0], &[1.0, 1.0]), @"the cost of row 1, column 0 is NaN: costs must be finite");
    insta::assert_snapshot!(Matrix::new(2, 2, vec![0.0]).unwrap_err(), @"a matrix has 1 entries where 4 are needed");
    let problem = Problem::new(&cost, &[1.0, 0.0], &[0.5, 0.5]).unwrap();
    insta::assert_snapshot!(Sinkhorn::new(0.1).solve_log(&problem).unwrap_err(), @"row mass 1 is 0: leave rows and columns without mass out of an entropic problem");
    let problem = Problem::new(&cost, &[0.5, 0.5], &[0.5, 0.5]).unwrap();
    for epsilon in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            SemiDualNewton::new(epsilon).solve(&problem),
            Err(TransportError::Option { option: "epsilon", .. })
        ));
    }
}

#[test]
fn newton_sparse_reaches_full_precision_in_few_steps() {
    let instance = Instance::random(60, 60, 11);
    let problem = instance.problem();
    for epsilon in [0.1, 0.01, 1.0 / 400.0] {
        let solution = SinkhornNewtonSparse::new(epsilon).solve(&problem).unwrap();
        assert!(problem.marginal_error(&solution.plan) <= 2e-12);
        assert!(
            solution.iterations <= 110,
            "{} iterations at {epsilon}",
            solution.iterations
        );
        let newton = SemiDualNewton::new(epsilon).solve(&problem).unwrap();
        let apart = largest_difference(&solution.plan, &newton.plan);
        assert!(apart < 1e-10, "epsilon {epsilon}: {apart:e}");
    }
    let wide = Instance::random(7, 30, 12);
    let solution = SinkhornNewtonSparse::new(0.01).solve(&wide.problem()).unwrap();
    assert!(wide.problem().marginal_error(&solution.plan) <= 2e-12);
}

/// As epsilon falls, the entropic cost comes down to the exact one: within epsilon times the entropy of a plan.
#[test]
fn entropic_plans_converge_to_the_exact_one() {
    for (n, m, seed) in [(30, 30, 1), (60, 8, 2)] {
        let mut instance = Instance::random(n, m, seed);
        let units = |masses: &mut Vec<f64>| -> Vec<u64> {
            let whole: Vec<u64> = masses.iter().map(|x| (x * 1e6).round() as u64 + 1).collect();
            whole
        };
        let (mut rows, mut columns) = (units(&mut instance.rows), units(&mut instance.columns));
        let (supply, demand): (u64, u64) = (rows.iter().sum(), columns.iter().sum());
        rows[0] += demand.saturating_sub(supply);
        columns[0] += supply.saturating_sub(demand);
        instance.rows = rows.iter().map(|&x| x as f64).collect();
        instance.columns = columns.iter().map(|&x| x as f64).collect();
        let (costs, scale) = integer_costs(&instance.cost).unwrap();
        let exact = network_simplex(&costs, &rows, &columns).unwrap().cost as f64 / scale;
        let problem = instance.problem();
        let mass = problem.mass();
        let mut last = f64::INFINITY;
        for epsilon in [0.1, 0.03, 0.01, 0.003, 0.001] {
            let plan = SinkhornNewtonSparse::new(epsilon).solve(&problem).unwrap().plan;
            let excess = (instance.cost.inner(&plan) - exact) / mass;
            let entropy = ln(n as f64) + ln(m as f64);
            assert!(
                excess > -1e-10 && excess <= epsilon * entropy,
                "epsilon {epsilon}: {excess}"
            );
            assert!(excess < last);
            last = excess;
        }
        assert!(last < 1e-3, "{last}");
    }
}
