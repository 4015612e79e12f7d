//! Identities within the engine.

use crate::ids::id;

id! {
    /// A port of a network card: those of all hosts are numbered one after the other.
    pub(super) PortId;
    /// The sending end of a queue pair, as long as it is needed.
    pub(super) SenderId;
    /// The receiving end of a queue pair, as long as it is needed.
    pub(super) ReceiverId;
}

impl ReceiverId {
    /// The receiver has everything; its state is gone.
    pub(super) const COMPLETE: Self = Self(u32::MAX - 1);
}
