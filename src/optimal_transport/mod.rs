//! Optimal transport between discrete measures: mathematics on matrices and vectors, with no network in it.
//!
//! Every solver checks its marginals before it returns: an answer that misses them is a
//! [`TransportError`], not a plan.
//!
//! | problem | solver |
//! |---|---|
//! | entropic, any shape | [`Sinkhorn::solve_log`], [`Sinkhorn::solve_stabilized`], then [`round_to_marginals`] |
//! | entropic, many rows and few columns | [`SemiDualNewton`] |
//! | entropic, small epsilon, high precision | [`SinkhornNewtonSparse`] |
//! | part of the mass, soft or limited columns | [`Partial`] |
//! | at most k entries per column | [`SparsityConstrained`] |
//! | exact, one unit from every row to every column | [`assign`] |
//! | exact, integer masses and costs | [`network_simplex()`] |
//! | demands over shared capacities, least congestion | [`ot3`] |
//! | demands over place and time, earliest end | [`Quickest`] |
//! | how good a plan is for its marginals | [`monge_gap()`] |

mod assignment;
mod error;
mod lbfgs;
mod linear;
mod matrix;
mod monge_gap;
mod network_simplex;
pub mod ot3;
mod partial;
mod quickest;
mod rounding;
mod semi_dual_newton;
mod sinkhorn;
mod sinkhorn_log;
mod sinkhorn_newton_sparse;
mod sinkhorn_stabilized;
mod sparsity_constrained;
#[cfg(test)]
mod tests;
mod vectors;

pub use assignment::{Assignment, assign};
pub use error::TransportError;
pub use matrix::{Entropic, Matrix, Problem};
pub use monge_gap::{Scenario, mean_monge_gap, monge_gap};
pub use network_simplex::{ExactPlan, integer_costs, network_simplex};
pub use partial::{ColumnMasses, Partial, PartialPlan};
pub use quickest::{Quickest, QuickestPlan};
pub use rounding::round_to_marginals;
pub use semi_dual_newton::SemiDualNewton;
pub use sinkhorn::{EpsilonScaling, Sinkhorn};
pub use sinkhorn_newton_sparse::SinkhornNewtonSparse;
pub use sparsity_constrained::{SparsePlan, SparsityConstrained};
