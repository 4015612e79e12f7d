//! The receiving end of a queue pair.

use super::coalescing::Unreported;
use super::recovery::Received;

/// The receiving end.
#[derive(Debug)]
pub(super) struct Receiver {
    pub received: Received,
    /// Where acknowledgements are coalesced.
    pub unreported: Option<Box<Unreported>>,
    /// Where senders need credits: how many have been sent, how many the sender may have, and the path of the last arrival.
    pub credited: u32,
    pub target: u32,
    pub path: u16,
    /// The next congestion notification is not sent before.
    pub notifies_from: u64,
    /// Waits for its turn to get a credit.
    pub in_turn: bool,
}
