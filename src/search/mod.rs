//! What to change: searches over orders, parameters and designs, by what the other modules say of each candidate.
//!
//! ```text
//! order   which rank lives on which host
//! tune    values of keys
//! design  which fabric to buy
//! ```
//!
//! It asks for bounds, placements and runs, and knows no engine.

pub mod design;
pub mod order;
pub mod tune;
