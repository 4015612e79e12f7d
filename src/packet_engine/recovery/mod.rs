//! Which packets have arrived, which are on their way and which must be sent again, one sub-flow each:
//! [`Sent`] at the sender, [`Received`] at the receiver, both over a window of [`bits`]; and how long to wait: [`Timeout`].

mod bits;
mod order;
mod received;
mod sent;
mod timeout;

pub(super) use order::Order;
pub(super) use received::{Arrival, Received};
pub(super) use sent::Sent;
pub(super) use timeout::Timeout;
