//! What to change: searches over orders, parameters and designs, by what the other modules say of each candidate.
//!
//! ```text
//! order   which rank lives on which host
//! tune    values of keys
//! design  which fabric to buy
//! fleet   which hosts jobs get that come and go
//! over_time  when jobs begin, and what goes where while links come and go
//! ```
//!
//! It asks for bounds, placements and runs, and knows no engine.

pub mod design;
pub mod fleet;
pub mod order;
pub mod over_time;
pub mod tune;
