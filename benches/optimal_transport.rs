//! Benchmarks of the transport solvers: CPU seconds on one thread, how many of them are the user's, and all of them in
//! millions of operations of the hold model, which tell fast and slow machines apart.
//!
//! `cargo bench --bench optimal_transport [-- FILTER]` runs those whose name contains the filter.

#[path = "calibration/mod.rs"]
mod calibration;

use calibration::{cpu_seconds, user_share};
use fabricsim::math::{exp, ln};
use fabricsim::optimal_transport::{
    EpsilonScaling, Matrix, Problem, SemiDualNewton, Sinkhorn, SinkhornNewtonSparse, assign, integer_costs,
    network_simplex,
};
use fabricsim::rng::{Stream, stream};
use rand::RngExt;

/// Runs of each benchmark; the fastest counts.
const RUNS: usize = 5;

struct CellTable {
    hold_ns: f64,
    filter: String,
}

impl CellTable {
    /// Times `work`, and prints what it reports beside the time and the target.
    fn row(&self, name: &str, target: Option<f64>, mut work: impl FnMut() -> String) {
        if !name.contains(&self.filter) {
            return;
        }
        let (share, runs) = user_share(|| (0..RUNS).map(|_| cpu_seconds(&mut work)).collect::<Vec<_>>());
        let fastest = runs.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        let (seconds, note) = fastest.expect("at least one run");
        let target = target.map_or(String::new(), |t| format!("{t}"));
        let holds = seconds * 1e3 / self.hold_ns;
        let user = seconds * share;
        println!("{name:<48} {seconds:>10.4} {user:>10.4} {holds:>10.3} {target:>8}  {note}");
    }
}

fn uniform_costs(n: usize, m: usize) -> Matrix {
    let mut random = stream(1, "costs", 0);
    Matrix::from_fn(n, m, |_, _| random.random::<f64>())
}

fn lognormal(random: &mut Stream) -> f64 {
    let (u, v): (f64, f64) = (random.random(), random.random());
    exp((-2.0 * ln(1.0 - u)).sqrt() * (std::f64::consts::TAU * v).cos())
}

fn lognormal_masses(n: usize, name: &str) -> Vec<f64> {
    let mut random = stream(1, name, 0);
    let raw: Vec<f64> = (0..n).map(|_| lognormal(&mut random)).collect();
    let total: f64 = raw.iter().sum();
    raw.iter().map(|m| m / total).collect()
}

/// Integer masses in proportion to real ones, with a given total.
fn integer_masses(masses: &[f64], total: u64) -> Vec<u64> {
    let mut result: Vec<u64> = masses.iter().map(|m| (m * total as f64) as u64).collect();
    let sum: u64 = result.iter().sum();
    result[0] += total - sum;
    result
}

fn entropic(table: &CellTable) {
    for (n, m) in [(1024, 1024), (4096, 4096), (100_000, 64)] {
        let cost = uniform_costs(n, m);
        let (a, b) = (lognormal_masses(n, "rows"), lognormal_masses(m, "columns"));
        let problem = Problem::new(&cost, &a, &b).expect("a valid problem");
        for (name, log) in [("log", true), ("stabilised", false)] {
            let mut sinkhorn = Sinkhorn::new(0.05);
            let solve = |sinkhorn: &Sinkhorn| {
                if log {
                    sinkhorn.solve_log(&problem)
                } else {
                    sinkhorn.solve_stabilized(&problem)
                }
            };
            let iterations = 20;
            table.row(
                &format!("sinkhorn {name} {n} x {m}, {iterations} iterations"),
                None,
                || {
                    sinkhorn.tolerance = 1e-300;
                    sinkhorn.max_iterations = iterations;
                    let stopped = solve(&sinkhorn).is_err();
                    format!("stopped: {stopped}")
                },
            );
            table.row(&format!("sinkhorn {name} {n} x {m} to 1e-9"), None, || {
                sinkhorn.tolerance = 1e-9;
                sinkhorn.max_iterations = 10_000;
                solve(&sinkhorn).map_or_else(|e| e.to_string(), |s| format!("{} iterations", s.iterations))
            });
        }
    }
    let cost = uniform_costs(100_000, 64);
    let (a, b) = (lognormal_masses(100_000, "rows"), lognormal_masses(64, "columns"));
    let problem = Problem::new(&cost, &a, &b).expect("a valid problem");
    table.row("semi-dual newton 100000 x 64, potentials alone", Some(0.12), || {
        let solution = SemiDualNewton::new(0.05).potentials(&problem);
        solution.map_or_else(|e| e.to_string(), |(_, steps)| format!("{steps} steps"))
    });
    for epsilon in [0.05, 0.01, 0.001] {
        table.row(
            &format!("semi-dual newton 100000 x 64, epsilon {epsilon}"),
            Some(0.12),
            || {
                let solution = SemiDualNewton::new(epsilon).solve(&problem);
                solution.map_or_else(
                    |e| e.to_string(),
                    |s| format!("{} steps, error {:.1e}", s.iterations, s.error),
                )
            },
        );
    }
    let cost = uniform_costs(500, 500);
    let uniform = vec![1.0 / 500.0; 500];
    let problem = Problem::new(&cost, &uniform, &uniform).expect("a valid problem");
    table.row("sinkhorn-newton-sparse 500, eta 1200", Some(0.25), || {
        let solution = SinkhornNewtonSparse::new(1.0 / 1200.0).solve(&problem);
        solution.map_or_else(
            |e| e.to_string(),
            |s| format!("{} iterations, error {:.1e}", s.iterations, s.error),
        )
    });
    let mut scaled = Sinkhorn::new(0.001);
    scaled.scaling = Some(EpsilonScaling::default());
    scaled.tolerance = 1e-6;
    let grid = grid_costs(32);
    let uniform = vec![1.0 / 1024.0; 1024];
    let problem = Problem::new(&grid, &uniform, &uniform).expect("a valid problem");
    table.row("sinkhorn log, scaling, grid 1024, epsilon 0.001", None, || {
        let solution = scaled.solve_log(&problem);
        solution.map_or_else(|e| e.to_string(), |s| format!("{} iterations", s.iterations))
    });
}

/// Squared distances of a side x side grid in the unit square, points shuffled on one side.
fn grid_costs(side: usize) -> Matrix {
    let mut random = stream(1, "grid", 0);
    let mut point = || (random.random::<f64>(), random.random::<f64>());
    let points: Vec<(f64, f64)> = (0..side * side).map(|_| point()).collect();
    let at = |i: usize| ((i % side) as f64 / side as f64, (i / side) as f64 / side as f64);
    Matrix::from_fn(side * side, side * side, |i, j| {
        let ((x, y), (u, v)) = (points[i], at(j));
        (x - u) * (x - u) + (y - v) * (y - v)
    })
}

fn exact(table: &CellTable) {
    for (n, m, target) in [(1024, 1024, 0.07), (4096, 4096, 2.0), (100_000, 64, 2.0)] {
        let (costs, scale) = integer_costs(&uniform_costs(n, m)).expect("finite costs");
        let (a, b) = (lognormal_masses(n, "rows"), lognormal_masses(m, "columns"));
        let unit = vec![1; n];
        let (rows, columns) = if n == m {
            (unit.clone(), unit)
        } else {
            (integer_masses(&a, 1 << 50), integer_masses(&b, 1 << 50))
        };
        let total: u64 = rows.iter().sum();
        table.row(&format!("network simplex {n} x {m}"), Some(target), || {
            let plan = network_simplex(&costs, &rows, &columns);
            plan.map_or_else(
                |e| e.to_string(),
                |p| format!("{} pivots, cost {:.9}", p.pivots, p.cost as f64 / scale / total as f64),
            )
        });
    }
    let (n, m) = (1024, 1024);
    let (costs, _) = integer_costs(&uniform_costs(n, m)).expect("finite costs");
    let (a, b) = (lognormal_masses(n, "rows"), lognormal_masses(m, "columns"));
    let (rows, columns) = (integer_masses(&a, 1 << 50), integer_masses(&b, 1 << 50));
    table.row("network simplex 1024 x 1024, lognormal masses", None, || {
        network_simplex(&costs, &rows, &columns).map_or_else(|e| e.to_string(), |p| format!("{} pivots", p.pivots))
    });
    for side in [32, 64] {
        let grid = grid_costs(side);
        let (costs, _) = integer_costs(&grid).expect("finite costs");
        let unit = vec![1; side * side];
        table.row(&format!("network simplex, grid {}", side * side), None, || {
            network_simplex(&costs, &unit, &unit).map_or_else(|e| e.to_string(), |p| format!("{} pivots", p.pivots))
        });
        table.row(&format!("assignment, grid {}", side * side), None, || {
            assign(&grid).map_or_else(|e| e.to_string(), |a| format!("cost {:.9}", a.cost))
        });
    }
    for (n, target) in [(1024, None), (4096, Some(1.2))] {
        let cost = uniform_costs(n, n);
        table.row(&format!("assignment {n}"), target, || {
            assign(&cost).map_or_else(|e| e.to_string(), |a| format!("cost {:.9}", a.cost / n as f64))
        });
    }
}

fn main() {
    let filter = std::env::args()
        .skip(1)
        .find(|a| !a.starts_with("--"))
        .unwrap_or_default();
    let hold_ns = calibration::hold_ns();
    println!("hold model: {hold_ns:.1} ns per operation");
    println!(
        "{:<48} {:>10} {:>10} {:>10} {:>8}",
        "benchmark", "CPU s", "of it user", "M holds", "target s"
    );
    let table = CellTable { hold_ns, filter };
    entropic(&table);
    exact(&table);
}
