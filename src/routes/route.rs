//! What is decided about the paths of some bytes.

use crate::ids::PathIndex;

/// How the bytes of a sub-flow find their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// All along one path.
    Pinned(PathIndex),
    /// Evenly over all paths of the pair.
    Even,
    /// Over all paths of the pair in proportion to their [`path_weights`](super::path_weights).
    Weighted,
    /// As the network or the transport decides while the packets travel.
    Dynamic,
}

impl Route {
    /// All along this path.
    pub fn pinned(path: impl Into<PathIndex>) -> Self {
        Self::Pinned(path.into())
    }
}
