//! Congestion control, one file each. A queue pair owns one [`Control`], which hears of every
//! acknowledgement and answers how much may be in flight and how fast.
//!
//! Windows count wire bytes. What controls do on a clock (timers of DCQCN, rounds of DCTCP) they catch
//! up with at the next acknowledgement, before they look at it: between two of them nobody sees the difference.

mod control;
mod dcqcn;
mod dctcp;
mod eqds;
mod hpcc;
mod ideal;
mod nscc;
mod spec;
#[cfg(test)]
mod stop_and_wait;
mod swift;
mod table;
mod udp;

pub(super) use control::{CongestionControl, CreditTarget, Feedback, HopReading, Loss, PathProperties};
pub use dcqcn::Dcqcn;
pub use dctcp::{Dctcp, Signal};
pub use eqds::{Eqds, EqdsMode};
pub use hpcc::Hpcc;
pub use ideal::Ideal;
pub use nscc::Nscc;
pub use swift::Swift;
pub(super) use table::Control;
pub use table::Transport;
pub use udp::Udp;
