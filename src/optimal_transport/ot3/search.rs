//! The least congestion between a bound that is proven and a plan that exists.

use super::CellTable;
use super::dual::Dual;
use crate::optimal_transport::TransportError;
use crate::optimal_transport::matrix::check_positive;

/// Options of [`least_congestion`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ot3 {
    /// Relative gap between the plan's congestion and the proven bound at which to stop.
    pub tolerance: f64,
    /// Weight of the entropy against the costs of cells, in units of cost.
    pub epsilon: f64,
    /// Plain rounds at one theta before Newton steps take over.
    pub rounds: usize,
    /// Newton steps in total before giving up on the tolerance.
    pub newton_steps: usize,
}

impl Default for Ot3 {
    fn default() -> Self {
        Self {
            tolerance: 1e-3,
            epsilon: 1.0,
            rounds: 60,
            newton_steps: 300,
        }
    }
}

/// A plan with its congestion and a proof of how much better another could be.
#[derive(Debug, Clone, PartialEq)]
pub struct Congestion {
    /// Amount in each cell: demands are met.
    pub plan: Vec<f64>,
    /// Its largest quotient of load and capacity.
    pub theta: f64,
    /// No plan has less: the certificate of `prices`, or the best of the given cuts.
    pub bound: f64,
    /// Prices on the capacities that prove the bound ([`CellTable::bound`]).
    pub prices: Vec<f64>,
    /// Rounds and Newton steps used.
    pub iterations: usize,
}

/// Finds a plan of least congestion within [`Ot3::tolerance`], or as near as the limits allow (its `theta` and
/// `bound` tell). `cuts` are sets of capacities that may bind together, such as the links out of each leaf: each
/// gives a bound, and the search starts from the best.
///
/// # Errors
/// Bad options.
pub fn least_congestion<C: AsRef<[u32]>>(
    table: &CellTable,
    cuts: &[C],
    options: &Ot3,
) -> Result<Congestion, TransportError> {
    check_positive("tolerance", options.tolerance)?;
    check_positive("epsilon", options.epsilon)?;
    let mut search = Search::new(table, cuts, options);
    while !search.closed() && search.newton_left > 0 && search.stalled < 2 {
        let theta = search.next_theta();
        search.probe(theta);
    }
    let error = table.check(&search.best.plan, 1e-9);
    error.map(|_| search.best)
}

struct Search<'a> {
    options: Ot3,
    dual: Dual<'a>,
    best: Congestion,
    newton_left: usize,
    /// Probes in a row that moved neither bound.
    stalled: u32,
}

impl<'a> Search<'a> {
    fn new<C: AsRef<[u32]>>(table: &'a CellTable, cuts: &[C], options: &Ot3) -> Self {
        let dual = Dual::new(table, options.epsilon);
        let theta = table.congestion(&table.loads(&dual.plan));
        let mut search = Self {
            options: *options,
            best: Congestion {
                plan: dual.plan.clone(),
                theta,
                bound: 0.0,
                prices: vec![0.0; table.capacities().len()],
                iterations: 0,
            },
            dual,
            newton_left: options.newton_steps,
            stalled: 0,
        };
        let bounds = cuts.iter().map(|cut| table.cut_bound(cut.as_ref()));
        let best = bounds.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((at, _)) = best {
            let mut prices = vec![0.0; table.capacities().len()];
            cuts[at].as_ref().iter().for_each(|&e| prices[e as usize] = 1.0);
            search.raise_bound(&prices);
        }
        search
    }

    fn closed(&self) -> bool {
        self.best.theta <= self.best.bound * (1.0 + self.options.tolerance)
    }

    fn raise_bound(&mut self, prices: &[f64]) {
        let bound = self.dual.table.bound(prices);
        if bound > self.best.bound {
            self.best.bound = bound;
            self.best.prices = prices.to_vec();
        }
    }

    fn lower_theta(&mut self) {
        let table = self.dual.table;
        let theta = table.congestion(&table.loads(&self.dual.plan));
        if theta < self.best.theta {
            self.best.theta = theta;
            self.best.plan.clone_from(&self.dual.plan);
        }
    }

    /// First just above the bound, where most problems end; then the middle of what is open.
    fn next_theta(&self) -> f64 {
        let (low, high) = (self.best.bound, self.best.theta);
        if self.best.iterations == 0 && low > 0.0 {
            low * (1.0 + 0.5 * self.options.tolerance)
        } else if low > 0.0 {
            (low * high).sqrt()
        } else {
            0.5 * high
        }
    }

    /// Works at one theta until a plan meets it or prices prove it impossible.
    fn probe(&mut self, theta: f64) {
        let before = (self.best.bound, self.best.theta);
        let slack = 1.0 + 0.25 * self.options.tolerance;
        let decided = |s: &Self| s.closed() || s.best.theta <= theta * slack || s.best.bound >= theta;
        for round in 1..=self.options.rounds {
            self.dual.round(theta);
            self.best.iterations += 1;
            self.lower_theta();
            if round % 8 == 0 {
                self.raise_bound(&self.dual.prices.clone());
            }
            if decided(self) {
                return;
            }
        }
        let mut steps = 0;
        while self.newton_left > 0 && steps < 60 {
            let rose = self.dual.newton_step(theta);
            self.newton_left -= 1;
            steps += 1;
            self.best.iterations += 1;
            self.lower_theta();
            self.raise_bound(&self.dual.prices.clone());
            if decided(self) || !rose {
                break;
            }
        }
        let moved = before != (self.best.bound, self.best.theta);
        self.stalled = if moved { 0 } else { self.stalled + 1 };
    }
}
