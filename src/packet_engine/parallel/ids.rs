//! Identities of a divided run.

use crate::ids::id;

id! {
    /// A part of the network, which one thread takes care of.
    pub(super) PartId;
}
