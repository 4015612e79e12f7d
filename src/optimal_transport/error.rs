//! Why a solver gives no plan.

/// What the solvers refuse, and how they fail. None of them returns a plan that misses its marginals.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// A matrix or vector has the wrong size.
    #[error("{what} has {found} entries where {expected} are needed")]
    Shape {
        /// What is wrong.
        what: &'static str,
        /// Length that fits.
        expected: usize,
        /// What was there.
        found: usize,
    },
    /// There is no row, no column, or no mass to move.
    #[error("there is nothing to transport: {0}")]
    Nothing(&'static str),
    /// A cost is NaN or infinite.
    #[error("the cost of row {row}, column {column} is {value}: costs must be finite")]
    Cost {
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        column: usize,
        /// What it is.
        value: f64,
    },
    /// A mass, demand or capacity is NaN, infinite or negative.
    #[error("{what} {index} is {}: it must be finite and not negative", shown(*value))]
    Mass {
        /// What is wrong.
        what: &'static str,
        /// Position of the value.
        index: usize,
        /// The value.
        value: f64,
    },
    /// An entropic solver needs positive masses.
    #[error("{what} {index} is 0: leave rows and columns without mass out of an entropic problem")]
    ZeroMass {
        /// Which masses.
        what: &'static str,
        /// Position of the mass.
        index: usize,
    },
    /// Rows and columns differ in total mass.
    #[error("the rows hold {rows} and the columns {columns}: a balanced problem needs equal totals")]
    UnequalTotals {
        /// Sum over the rows.
        rows: f64,
        /// Sum over the columns.
        columns: f64,
    },
    /// Masses or costs are so large that sums or differences of them would overflow.
    #[error("{0} are too large to be added up: scale them down")]
    Overflow(&'static str),
    /// An option is outside its range.
    #[error("{option} is {}: it must be {valid}", shown(*value))]
    Option {
        /// Name of the option.
        option: &'static str,
        /// The value.
        value: f64,
        /// What it may be.
        valid: &'static str,
    },
    /// The regularisation is so small against the costs that potentials lose all their digits.
    #[error(
        "epsilon {epsilon:e} is too small for costs that differ by {range:e}: use at least {smallest:e}, or an exact solver"
    )]
    EpsilonTooSmall {
        /// What was asked for.
        epsilon: f64,
        /// Largest difference of costs.
        range: f64,
        /// The smallest that can be computed.
        smallest: f64,
    },
    /// A demand has positive mass and nowhere to go.
    #[error("demand {demand} cannot be met: none of its cells has capacity")]
    Unreachable {
        /// Which demand.
        demand: usize,
    },
    /// The iterations ended before the marginals were met.
    #[error("no convergence: after {iterations} iterations the marginals are off by {error:e} of the mass")]
    NotConverged {
        /// How many were made.
        iterations: usize,
        /// What was left.
        error: f64,
    },
}

/// Very large and very small numbers with an exponent.
fn shown(value: f64) -> String {
    if value == 0.0 || (1e-6..1e9).contains(&value.abs()) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}
