//! Why a solver gives no plan.

/// What the solvers refuse, and how they fail. None of them returns a plan that misses its marginals.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// A matrix or vector has the wrong size.
    #[error("{what} has {found} entries where {expected} are needed")]
    Shape {
        what: &'static str,
        expected: usize,
        found: usize,
    },
    /// There is no row, no column, or no mass to move.
    #[error("there is nothing to transport: {0}")]
    Nothing(&'static str),
    /// A cost is NaN or infinite.
    #[error("the cost of row {row}, column {column} is {value}: costs must be finite")]
    Cost { row: usize, column: usize, value: f64 },
    /// A mass, demand or capacity is NaN, infinite or negative.
    #[error("{what} {index} is {}: it must be finite and not negative", shown(*value))]
    Mass {
        what: &'static str,
        index: usize,
        value: f64,
    },
    /// An entropic solver needs positive masses.
    #[error("{what} {index} is 0: leave rows and columns without mass out of an entropic problem")]
    ZeroMass { what: &'static str, index: usize },
    /// Rows and columns differ in total mass.
    #[error("the rows hold {rows} and the columns {columns}: a balanced problem needs equal totals")]
    UnequalTotals { rows: f64, columns: f64 },
    /// Masses or costs are so large that sums or differences of them would overflow.
    #[error("{0} are too large to be added up: scale them down")]
    Overflow(&'static str),
    /// An option is outside its range.
    #[error("{option} is {}: it must be {valid}", shown(*value))]
    Option {
        option: &'static str,
        value: f64,
        valid: &'static str,
    },
    /// The regularisation is so small against the costs that potentials lose all their digits.
    #[error(
        "epsilon {epsilon:e} is too small for costs that differ by {range:e}: use at least {smallest:e}, or an exact solver"
    )]
    EpsilonTooSmall { epsilon: f64, range: f64, smallest: f64 },
    /// A demand has positive mass and nowhere to go.
    #[error("demand {demand} cannot be met: none of its cells has capacity")]
    Unreachable { demand: usize },
    /// The iterations ended before the marginals were met.
    #[error("no convergence: after {iterations} iterations the marginals are off by {error:e} of the mass")]
    NotConverged { iterations: usize, error: f64 },
}

/// Very large and very small numbers with an exponent.
fn shown(value: f64) -> String {
    if value == 0.0 || (1e-6..1e9).contains(&value.abs()) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}
