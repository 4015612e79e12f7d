//! Random numbers of switches: a stream of its own for each, so that what one draws does not depend on what others do.

use crate::ids::{IdVec, NodeId};
use crate::rng::mix;

/// Bits for the numbers that one switch draws.
const DRAWN_BITS: u32 = 40;

/// The streams of all switches.
#[derive(Debug, Clone)]
pub(crate) struct Draws {
    salt: u64,
    /// How many numbers each has drawn.
    drawn: IdVec<NodeId, u64>,
}

impl Draws {
    /// Before the first numbers of so many nodes.
    pub(crate) fn new(nodes: usize, salt: u64) -> Self {
        Self {
            salt,
            drawn: IdVec::filled(0, nodes),
        }
    }

    /// The next number of a node.
    #[inline]
    pub(crate) fn next(&mut self, node: NodeId) -> u64 {
        let drawn = &mut self.drawn[node];
        *drawn += 1;
        mix(self.salt ^ u64::from(node.0) << DRAWN_BITS ^ *drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one node draws is the same whatever the others do, and not what they draw.
    #[test]
    fn nodes_draw_by_themselves() {
        let mut alone = Draws::new(3, 7);
        let expected: Vec<_> = (0..100).map(|_| alone.next(NodeId(1))).collect();
        let mut together = Draws::new(3, 7);
        let mut found = Vec::new();
        for step in 0..100 {
            (0..step % 3).for_each(|_| assert!(!expected.contains(&together.next(NodeId(0)))));
            found.push(together.next(NodeId(1)));
            assert!(!expected.contains(&together.next(NodeId(2))));
        }
        assert_eq!(found, expected);
    }
}
