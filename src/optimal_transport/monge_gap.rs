//! Monge gap: what moving masses differently would save without changing any marginal.

use super::matrix::Matrix;
use super::{TransportError, integer_costs, network_simplex};

/// A plan with the costs it is judged by.
#[derive(Debug, Clone)]
pub struct Scenario<'a> {
    /// How much it counts in an average.
    pub weight: f64,
    /// Cost per unit of mass, n x m.
    pub cost: &'a Matrix,
    /// Row, column and mass of the entries of the plan.
    pub plan: &'a [(u32, u32, u64)],
}

/// `<C, x> - min <C, x'>` over all `x'` with the marginals of `x`, in units of cost times mass: 0 exactly when no exchange
/// between rows helps (Uscidda and Cuturi 2023, arXiv 2302.04953). Resolution: 1e-12 of the largest cost per unit of mass.
///
/// It does not see the marginals themselves: an even plan and a crowded one may both have a gap of 0.
///
/// # Errors
/// [`TransportError::Shape`] for entries outside the matrix, and those of [`network_simplex()`].
pub fn monge_gap(cost: &Matrix, plan: &[(u32, u32, u64)]) -> Result<f64, TransportError> {
    let (mut rows, mut columns) = (vec![0_u64; cost.rows()], vec![0_u64; cost.columns()]);
    for &(i, j, mass) in plan {
        for (what, masses, at) in [("the rows", &mut rows, i), ("the columns", &mut columns, j)] {
            let found = masses.len();
            let Some(sum) = masses.get_mut(at as usize) else {
                return Err(TransportError::Shape {
                    what,
                    expected: at as usize + 1,
                    found,
                });
            };
            *sum = sum.checked_add(mass).ok_or(TransportError::Overflow("the masses"))?;
        }
    }
    if plan.iter().all(|&(.., mass)| mass == 0) {
        return Ok(0.0);
    }
    let (costs, scale) = integer_costs(cost)?;
    let least = network_simplex(&costs, &rows, &columns)?.cost;
    let paid = |&(i, j, mass): &(u32, u32, u64)| {
        i128::from(costs[i as usize * cost.columns() + j as usize]) * i128::from(mass)
    };
    let gap = (plan.iter().map(paid).sum::<i128>() - least) as f64 / scale;
    if gap.is_finite() {
        Ok(gap)
    } else {
        Err(TransportError::Overflow("the costs"))
    }
}

/// The average of the gaps over scenarios (steps of a collective, failures): the conditional Monge gap.
///
/// # Errors
/// Those of [`monge_gap()`], and [`TransportError::Mass`] for weights that are no weights.
pub fn mean_monge_gap(scenarios: &[Scenario<'_>]) -> Result<f64, TransportError> {
    let weights: Vec<f64> = scenarios.iter().map(|s| s.weight).collect();
    super::matrix::check_masses("weight", &weights)?;
    let total: f64 = weights.iter().sum();
    if total == 0.0 {
        return Err(TransportError::Nothing("all weights are 0"));
    }
    let mut sum = 0.0;
    for scenario in scenarios {
        sum += scenario.weight * monge_gap(scenario.cost, scenario.plan)?;
    }
    Ok(sum / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crossing_has_a_gap_and_its_exchange_has_none() {
        let cost = Matrix::new(2, 2, vec![0.0, 1.0, 1.5, 0.0]).unwrap();
        let crossed = [(0, 1, 10), (1, 0, 10)];
        let straight = [(0, 0, 10), (1, 1, 10)];
        assert!((monge_gap(&cost, &crossed).unwrap() - 25.0).abs() < 1e-9);
        assert_eq!(monge_gap(&cost, &straight).unwrap(), 0.0);
        let scenario = |weight, plan| Scenario {
            weight,
            cost: &cost,
            plan,
        };
        let mean = mean_monge_gap(&[scenario(1.0, &crossed), scenario(3.0, &straight)]).unwrap();
        assert!((mean - 6.25).abs() < 1e-9);
        assert_eq!(monge_gap(&cost, &[]).unwrap(), 0.0);
        // Prices of rows and of columns alone leave nothing to exchange.
        let separable = Matrix::from_fn(2, 2, |i, j| 0.3 * i as f64 + 0.7 * j as f64);
        assert!(monge_gap(&separable, &crossed).unwrap() < 1e-9);
    }

    #[test]
    fn bad_scenarios_are_named() {
        let cost = Matrix::zeros(1, 1);
        assert!(matches!(
            monge_gap(&cost, &[(1, 0, 1)]),
            Err(TransportError::Shape { .. })
        ));
        assert!(matches!(mean_monge_gap(&[]), Err(TransportError::Nothing(_))));
    }
}
