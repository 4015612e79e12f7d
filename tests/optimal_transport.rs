//! Every solver on every kind of bad input: a named error or the right answer, and nothing else.

use std::collections::BTreeMap;
use std::fmt::Write;

use fabricsim::math::ln;
use fabricsim::optimal_transport::ot3::{CellTable, Ot3, exact_least_congestion, least_congestion};
use fabricsim::optimal_transport::*;

/// A problem as a caller might state it.
#[derive(Clone)]
struct Input {
    shape: (usize, usize),
    cost: Vec<f64>,
    rows: Vec<f64>,
    columns: Vec<f64>,
    /// The regularisation of whatever solver.
    epsilon: f64,
    k: usize,
}

/// Three rows, three columns, masses that are whole numbers.
fn good() -> Input {
    Input {
        shape: (3, 3),
        cost: vec![0.3, 0.9, 0.2, 0.7, 0.1, 0.8, 0.4, 0.6, 0.5],
        rows: vec![3.0, 1.0, 2.0],
        columns: vec![2.0, 2.0, 2.0],
        epsilon: 0.1,
        k: 3,
    }
}

fn with(change: impl FnOnce(&mut Input)) -> Input {
    let mut input = good();
    change(&mut input);
    input
}

fn cases() -> Vec<(&'static str, Input)> {
    let (nan, infinite) = (f64::NAN, f64::INFINITY);
    let cost = |value| with(|p| p.cost[5] = value);
    let row = |value| with(|p| p.rows[1] = value);
    let column = |value| with(|p| p.columns[2] = value);
    let epsilon = |value| with(|p| p.epsilon = value);
    let scaled = |cost: f64, mass: f64| {
        with(|p| {
            p.cost.iter_mut().for_each(|c| *c *= cost);
            p.epsilon *= cost;
            p.rows.iter_mut().chain(&mut p.columns).for_each(|m| *m *= mass);
        })
    };
    vec![
        ("nothing wrong", good()),
        ("negative cost", cost(-2.0)),
        ("equal costs", with(|p| p.cost.fill(0.5))),
        (
            "one row, one column",
            with(|p| (p.shape, p.cost, p.rows, p.columns, p.k) = ((1, 1), vec![0.5], vec![2.0], vec![2.0], 1)),
        ),
        ("NaN cost", cost(nan)),
        ("infinite cost: an unreachable pair", cost(infinite)),
        ("cost of minus infinity", cost(-infinite)),
        (
            "costs whose range overflows",
            with(|p| (p.cost[0], p.cost[1]) = (f64::MAX, f64::MIN)),
        ),
        ("a row that reaches nothing", with(|p| p.cost[3..6].fill(infinite))),
        ("NaN row mass", row(nan)),
        ("infinite row mass", row(infinite)),
        ("negative row mass", row(-1.0)),
        ("NaN column mass", column(nan)),
        ("infinite column mass", column(infinite)),
        ("negative column mass", column(-2.0)),
        ("unequal totals", column(3.0)),
        ("empty row", with(|p| (p.rows[0], p.rows[1]) = (4.0, 0.0))),
        ("empty column", with(|p| (p.columns[1], p.columns[2]) = (4.0, 0.0))),
        ("no mass", with(|p| (p.rows, p.columns) = (vec![0.0; 3], vec![0.0; 3]))),
        (
            "no rows",
            with(|p| (p.shape, p.cost, p.rows) = ((0, 3), vec![], vec![])),
        ),
        (
            "no columns",
            with(|p| (p.shape, p.cost, p.columns) = ((3, 0), vec![], vec![])),
        ),
        ("too few costs", with(|p| p.cost.truncate(8))),
        ("too few row masses", with(|p| p.rows.truncate(2))),
        ("too many column masses", with(|p| p.columns.push(0.0))),
        ("k of 0", with(|p| p.k = 0)),
        ("k above the rows", with(|p| p.k = 4)),
        ("epsilon 0", epsilon(0.0)),
        ("negative epsilon", epsilon(-0.1)),
        ("NaN epsilon", epsilon(nan)),
        ("infinite epsilon", epsilon(infinite)),
        ("epsilon 1e-300", epsilon(1e-300)),
        ("epsilon 1e-12", epsilon(1e-12)),
        ("epsilon 1e300", epsilon(1e300)),
        ("costs of 1e-290", scaled(1e-290, 1.0)),
        ("costs of 1e290", scaled(1e290, 1.0)),
        ("masses of 1e-300", scaled(1.0, 1e-300)),
        ("masses of 1e300", scaled(1.0, 1e300)),
    ]
}

/// What a solver says: a cost per unit of mass and what it may exceed the least one by, once its plan is checked.
type Answer = Result<(f64, f64), TransportError>;
type Solve = fn(&Input) -> Answer;

/// The solvers by name.
const SOLVERS: [(&str, Solve); 13] = [
    ("Sinkhorn, log", |p| entropic(p, |q| sinkhorn(p).solve_log(q))),
    ("Sinkhorn, stabilised", |p| {
        entropic(p, |q| sinkhorn(p).solve_stabilized(q))
    }),
    ("Sinkhorn, scaled", |p| {
        let scaling = Some(EpsilonScaling::default());
        entropic(p, |q| Sinkhorn { scaling, ..sinkhorn(p) }.solve_stabilized(q))
    }),
    ("semi-dual Newton", |p| {
        entropic(p, |q| SemiDualNewton::new(p.epsilon).solve(q))
    }),
    ("Sinkhorn-Newton-Sparse", |p| {
        entropic(p, |q| SinkhornNewtonSparse::new(p.epsilon).solve(q))
    }),
    ("partial, all", |p| partial(p, 1.0, ColumnMasses::Exact)),
    ("partial, half", |p| partial(p, 0.5, ColumnMasses::AtMost)),
    ("unbalanced", |p| partial(p, 1.0, ColumnMasses::Soft { gamma: 0.1 })),
    ("sparsity-constrained", sparse),
    ("network simplex", exact),
    ("assignment", assignment),
    ("Monge gap", gap),
    ("OT3", congestion),
];

fn matrix(input: &Input) -> Result<Matrix, TransportError> {
    Matrix::new(input.shape.0, input.shape.1, input.cost.clone())
}

fn sinkhorn(input: &Input) -> Sinkhorn {
    Sinkhorn {
        max_iterations: 10_000,
        ..Sinkhorn::new(input.epsilon)
    }
}

/// Checks a plan against masses: entries, rows and columns.
fn check(plan: &Matrix, rows: &[f64], columns: &[f64]) {
    assert!(plan.data().iter().all(|x| x.is_finite() && *x >= 0.0), "{plan:?}");
    let total = rows.iter().sum::<f64>();
    for (sums, masses) in [(plan.row_sums(), rows), (plan.column_sums(), columns)] {
        for (sum, mass) in sums.iter().zip(masses) {
            assert!(
                (sum - mass).abs() <= 1e-8 * total,
                "{plan:?} for {rows:?} and {columns:?}"
            );
        }
    }
}

fn entropic(input: &Input, solve: impl FnOnce(&Problem<'_>) -> Result<Entropic, TransportError>) -> Answer {
    let cost = matrix(input)?;
    let problem = Problem::new(&cost, &input.rows, &input.columns)?;
    let plan = solve(&problem)?.plan;
    check(&plan, &input.rows, &input.columns);
    // Within epsilon times the entropy of a plan.
    let entropy = ln(input.shape.0 as f64) + ln(input.shape.1 as f64);
    Ok((cost.inner(&plan) / problem.mass(), input.epsilon * entropy))
}

fn partial(input: &Input, fraction: f64, columns: ColumnMasses) -> Answer {
    let cost = matrix(input)?;
    let problem = Problem::new(&cost, &input.rows, &input.columns)?;
    let options = Partial {
        columns,
        max_iterations: 10_000,
        ..Partial::new(input.epsilon, fraction)
    };
    let PartialPlan { plan, left, .. } = options.solve(&problem)?;
    let total: Vec<f64> = plan
        .row_sums()
        .iter()
        .zip(&left)
        .map(|(moved, left)| moved + left)
        .collect();
    let bounds = match columns {
        ColumnMasses::Exact => problem.columns.iter().map(|mass| fraction * mass).collect(),
        ColumnMasses::AtMost => plan.column_sums(),
        ColumnMasses::Soft { .. } => plan.column_sums(),
    };
    check(&Matrix::new(total.len(), 1, total)?, problem.rows, &[problem.mass()]);
    check(&plan, &plan.row_sums(), &bounds);
    let moved: f64 = plan.row_sums().iter().sum();
    assert!(
        (moved / problem.mass() - fraction).abs() < 1e-6,
        "{moved} of {}",
        problem.mass()
    );
    if columns == ColumnMasses::AtMost {
        let over = |(sum, mass): (&f64, &f64)| sum - mass > 1e-6 * problem.mass();
        assert!(!bounds.iter().zip(problem.columns).any(over), "{bounds:?}");
    }
    let slack = if columns == ColumnMasses::Exact {
        input.epsilon * 2.0 * ln(3.0)
    } else {
        f64::INFINITY
    };
    Ok((cost.inner(&plan) / problem.mass(), slack))
}

fn sparse(input: &Input) -> Answer {
    let cost = matrix(input)?;
    let problem = Problem::new(&cost, &input.rows, &input.columns)?;
    let options = SparsityConstrained::new(input.k, input.epsilon);
    // What is handed out for repair may miss rows, but nothing else.
    let relaxed = options.relax(&problem)?;
    for (entries, mass) in relaxed.columns.iter().zip(problem.columns) {
        assert!(entries.len() <= input.k, "{entries:?}");
        let sum: f64 = entries.iter().map(|e| e.1).sum();
        assert!((sum - mass).abs() <= 1e-9 * mass, "{entries:?} for {mass}");
    }
    let mut plan = Matrix::zeros(input.shape.0, input.shape.1);
    for (j, entries) in options.solve(&problem)?.columns.iter().enumerate() {
        entries.iter().for_each(|&(i, mass)| plan.row_mut(i as usize)[j] = mass);
    }
    let met: Vec<f64> = plan.row_sums();
    let off: f64 = met.iter().zip(problem.rows).map(|(x, y)| (x - y).abs()).sum();
    assert!(off <= 1e-5 * problem.mass(), "{plan:?}");
    check(&plan, &met, &input.columns);
    // gamma / 2 |P|^2 is at most gamma / 2 times the mass squared.
    let price = 0.5 * input.epsilon * problem.mass();
    Ok((cost.inner(&plan) / problem.mass(), price + 1e-5))
}

/// Masses as integers: those of the test are whole numbers where they are masses at all.
fn integers(masses: &[f64]) -> Result<Vec<u64>, TransportError> {
    if let Some(index) = masses.iter().position(|m| !(m.is_finite() && *m >= 0.0)) {
        return Err(TransportError::Mass {
            what: "mass",
            index,
            value: masses[index],
        });
    }
    let whole = |m: &f64| *m == m.trunc() && *m < 1e18;
    match masses.iter().find(|m| !whole(m)) {
        None => Ok(masses.iter().map(|&m| m as u64).collect()),
        Some(&value) => Err(TransportError::Option {
            option: "an integer mass",
            value,
            valid: "a whole number",
        }),
    }
}

fn exact(input: &Input) -> Answer {
    let cost = matrix(input)?;
    let (costs, scale) = integer_costs(&cost)?;
    let (rows, columns) = (integers(&input.rows)?, integers(&input.columns)?);
    let found = network_simplex(&costs, &rows, &columns)?;
    let mut plan = Matrix::zeros(input.shape.0, input.shape.1);
    found
        .entries
        .iter()
        .for_each(|&(i, j, mass)| plan.row_mut(i as usize)[j as usize] = mass as f64);
    check(&plan, &input.rows, &input.columns);
    let mass: u64 = rows.iter().sum();
    Ok((found.cost as f64 / mass.max(1) as f64 / scale, 1e-11))
}

/// The assignment knows no masses: its answer is compared with that of unit masses.
fn assignment(input: &Input) -> Answer {
    let found = assign(&matrix(input)?)?;
    let unit = Input {
        rows: vec![1.0; input.shape.0],
        columns: vec![1.0; input.shape.0],
        ..input.clone()
    };
    let (least, mean) = (exact(&unit)?.0, found.cost / input.shape.0 as f64);
    let largest = input.cost.iter().fold(0.0, |l, c| f64::max(l, c.abs()));
    assert!((mean - least).abs() <= 1e-10 * largest, "{mean} against {least}");
    Ok((f64::NAN, f64::INFINITY))
}

/// The gap of the plan that fills columns in their order, whatever the costs.
fn gap(input: &Input) -> Answer {
    let cost = matrix(input)?;
    let (mut rows, mut columns) = (integers(&input.rows)?, integers(&input.columns)?);
    let mut plan = Vec::new();
    for (i, row) in rows.iter_mut().enumerate() {
        for (j, column) in columns.iter_mut().enumerate() {
            let mass = (*row).min(*column);
            plan.push((i as u32, j as u32, mass));
            (*row, *column) = (*row - mass, *column - mass);
        }
    }
    let gap = monge_gap(&cost, &plan)?;
    let mass: f64 = input.rows.iter().sum();
    let paid: f64 = plan
        .iter()
        .filter(|e| e.2 > 0)
        .map(|&(i, j, mass)| mass as f64 * cost.at(i as usize, j as usize))
        .sum();
    // What is left of a complete plan is the least cost.
    let complete = plan.iter().map(|&(.., mass)| mass).sum::<u64>() as f64 == mass && mass > 0.0;
    Ok(((paid - gap) / mass, if complete { 1e-11 } else { f64::INFINITY }))
}

/// Rows are demands and columns capacities; pairs of infinite cost are no cells.
fn congestion(input: &Input) -> Answer {
    let (n, m) = input.shape;
    let reached = |i: usize| (0..m).filter(move |&j| input.cost.get(i * m + j) != Some(&f64::INFINITY));
    let demands = (0..n).map(|i| {
        (
            input.rows.get(i).copied().unwrap_or(0.0),
            reached(i).map(|j| [j as u32]).collect(),
        )
    });
    let table = CellTable::new(demands.collect::<Vec<_>>(), input.columns.clone())?;
    let costs = input.cost.iter().filter(|&&c| c != f64::INFINITY).copied().collect();
    let table = table.with_costs(costs)?;
    let all: Vec<u32> = (0..m as u32).collect();
    let options = Ot3 {
        epsilon: input.epsilon,
        ..Ot3::default()
    };
    let found = least_congestion(&table, &[all], &options)?;
    table.check(&found.plan, 1e-8)?;
    let exact = exact_least_congestion(&table)?;
    let loads = table.congestion(&table.loads(&found.plan));
    assert!(
        (loads - found.theta).abs() <= 1e-9 * loads,
        "{loads} is called {}",
        found.theta
    );
    assert!(
        found.bound <= exact.theta * (1.0 + 1e-6) && found.theta >= exact.bound * (1.0 - 1e-6),
        "{found:?}, {exact:?}"
    );
    assert!(
        found.theta <= exact.theta * 1.002,
        "{} against {}",
        found.theta,
        exact.theta
    );
    Ok((f64::NAN, f64::INFINITY))
}

/// The outcome in words, after a check of what is called an answer against the exact one.
fn outcome(input: &Input, solve: Solve) -> String {
    match solve(input) {
        Err(TransportError::NotConverged { .. }) => "no convergence".to_owned(),
        Err(error) => error.to_string(),
        Ok((cost, slack)) => {
            if slack.is_finite()
                && let Ok((least, _)) = exact(input)
            {
                let rounding = 1e-7 * input.cost.iter().fold(0.0, |l, c| f64::max(l, c.abs()));
                let excess = cost - least;
                assert!(
                    (-rounding..=slack + rounding).contains(&excess),
                    "{cost} against {least}"
                );
            }
            "answered".to_owned()
        }
    }
}

#[test]
fn every_solver_answers_rightly_or_says_what_is_wrong() {
    let mut report = String::new();
    for (case, input) in cases() {
        let mut said: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, solve) in SOLVERS {
            let outcome = std::panic::catch_unwind(|| outcome(&input, solve));
            let outcome = outcome.unwrap_or_else(|_| "WRONG: it panics, or its answer does not hold".to_owned());
            said.entry(outcome).or_default().push(name);
        }
        writeln!(report, "{case}").unwrap();
        for (message, solvers) in said {
            let everyone = solvers.len() == SOLVERS.len();
            let who = if everyone { "all".to_owned() } else { solvers.join("; ") };
            writeln!(report, "  {message} [{who}]").unwrap();
        }
    }
    assert!(!report.contains("WRONG"), "{report}");
    snapshot("transport-solvers", &report);
}

fn snapshot(name: &str, report: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("bad_input/messages");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name.to_owned(), report));
}

/// Solves the good problem with one option set to a value.
type Try = fn(f64) -> Answer;

/// Real options of all solvers but those that the inputs above vary.
const OPTIONS: [(&str, Try); 14] = [
    ("Sinkhorn, tolerance", |tolerance| {
        let options = Sinkhorn {
            tolerance,
            ..sinkhorn(&good())
        };
        loose(tolerance, |p| options.solve_log(p))
    }),
    ("Sinkhorn, start of the scaling", |start| {
        scaled(EpsilonScaling {
            start,
            ..EpsilonScaling::default()
        })
    }),
    ("Sinkhorn, decay of the scaling", |decay| {
        scaled(EpsilonScaling {
            decay,
            ..EpsilonScaling::default()
        })
    }),
    ("semi-dual Newton, tolerance", |tolerance| {
        let options = SemiDualNewton {
            tolerance,
            ..SemiDualNewton::new(0.1)
        };
        loose(tolerance, |p| options.solve(p))
    }),
    ("Sinkhorn-Newton-Sparse, tolerance", |tolerance| {
        let options = SinkhornNewtonSparse {
            tolerance,
            ..SinkhornNewtonSparse::new(0.1)
        };
        loose(tolerance, |p| options.solve(p))
    }),
    ("Sinkhorn-Newton-Sparse, switch", |switch| {
        let options = SinkhornNewtonSparse {
            switch,
            ..SinkhornNewtonSparse::new(0.1)
        };
        entropic(&good(), |p| options.solve(p))
    }),
    ("Sinkhorn-Newton-Sparse, entries per row", |entries_per_row| {
        let options = SinkhornNewtonSparse {
            entries_per_row,
            ..SinkhornNewtonSparse::new(0.1)
        };
        entropic(&good(), |p| options.solve(p))
    }),
    ("sparsity-constrained, tolerance", |tolerance| {
        let options = SparsityConstrained {
            tolerance,
            ..SparsityConstrained::new(3, 0.1)
        };
        let solved = on_good(|p| options.solve(p))?;
        assert!(solved.row_error <= tolerance, "{solved:?}");
        Ok((f64::NAN, f64::INFINITY))
    }),
    ("partial, fraction", |fraction| {
        partial(&good(), fraction, ColumnMasses::Exact)
    }),
    ("partial, fraction of what capacities hold", |fraction| {
        partial(&good(), fraction, ColumnMasses::AtMost)
    }),
    ("partial, tolerance", |tolerance| {
        let options = Partial {
            tolerance,
            ..Partial::new(0.1, 0.5)
        };
        let solved = on_good(|p| options.solve(p))?;
        let moved: f64 = solved.plan.row_sums().iter().sum();
        assert!((moved - 3.0).abs() <= 6.0 * tolerance + 1e-9, "{solved:?}");
        Ok((f64::NAN, f64::INFINITY))
    }),
    ("unbalanced, gamma", |gamma| {
        partial(&good(), 1.0, ColumnMasses::Soft { gamma })
    }),
    ("OT3, tolerance", |tolerance| {
        least(&Ot3 {
            tolerance,
            ..Ot3::default()
        })
    }),
    ("OT3, epsilon", |epsilon| {
        least(&Ot3 {
            epsilon,
            ..Ot3::default()
        })
    }),
];

fn on_good<T>(solve: impl FnOnce(&Problem<'_>) -> Result<T, TransportError>) -> Result<T, TransportError> {
    let (cost, good) = (matrix(&good())?, good());
    solve(&Problem::new(&cost, &good.rows, &good.columns)?)
}

/// Marginals as near as was asked for, and as is said.
fn loose(tolerance: f64, solve: impl FnOnce(&Problem<'_>) -> Result<Entropic, TransportError>) -> Answer {
    let found = on_good(|problem| {
        let found = solve(problem)?;
        assert_eq!(found.error, problem.marginal_error(&found.plan));
        Ok(found)
    })?;
    assert!(found.error <= 2.0 * tolerance + 1e-13, "{found:?}");
    Ok((f64::NAN, f64::INFINITY))
}

fn scaled(scaling: EpsilonScaling) -> Answer {
    let options = Sinkhorn {
        scaling: Some(scaling),
        ..sinkhorn(&good())
    };
    entropic(&good(), |p| options.solve_log(p))
}

/// Three demands over three capacities: the least congestion is 1, whatever the options.
fn least(options: &Ot3) -> Answer {
    let cells = |demand: f64| (demand, vec![[0_u32], [1], [2]]);
    let table = CellTable::new(good().rows.into_iter().map(cells).collect::<Vec<_>>(), good().columns)?;
    let found = least_congestion(&table, &[vec![0, 1, 2]], options)?;
    table.check(&found.plan, 1e-8)?;
    let loads = table.congestion(&table.loads(&found.plan));
    assert!((loads - found.theta).abs() <= 1e-9, "{loads} is called {}", found.theta);
    assert!(found.bound <= 1.0 + 1e-9 && found.theta >= 1.0 - 1e-9, "{found:?}");
    Ok((f64::NAN, f64::INFINITY))
}

#[test]
fn every_option_is_used_or_refused_by_name() {
    let mut report = String::new();
    for (name, solve) in OPTIONS {
        writeln!(report, "{name}").unwrap();
        let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for value in [
            f64::NAN,
            f64::NEG_INFINITY,
            -1.0,
            0.0,
            1e-300,
            2.0,
            1e300,
            f64::INFINITY,
        ] {
            let outcome = std::panic::catch_unwind(|| match solve(value) {
                Ok(_) => "answered".to_owned(),
                Err(TransportError::NotConverged { .. }) => "no convergence".to_owned(),
                Err(error) => error
                    .to_string()
                    .replace(&format!("is {value:?}:"), "is ...:")
                    .replace(&format!("is {value}:"), "is ...:"),
            });
            let outcome = outcome.unwrap_or_else(|_| "WRONG: it panics, or its answer does not hold".to_owned());
            said.entry(outcome).or_default().push(format!("{value:e}"));
        }
        for (message, values) in said {
            writeln!(report, "  {message} [{}]", values.join(", ")).unwrap();
        }
    }
    for (rounds, newton_steps) in [(0, 300), (60, 0), (0, 0)] {
        let options = Ot3 {
            rounds,
            newton_steps,
            ..Ot3::default()
        };
        let said = least(&options).map_or_else(|e| e.to_string(), |_| "answered".to_owned());
        writeln!(report, "OT3, {rounds} rounds and {newton_steps} Newton steps\n  {said}").unwrap();
    }
    assert!(!report.contains("WRONG"), "{report}");
    snapshot("transport-options", &report);
}
