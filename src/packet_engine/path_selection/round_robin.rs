//! Round robin in the switch: every next packet takes the next link.
//!
//! Data and control packets are counted apart. With one count for both, a steady alternation of data and
//! acknowledgements would send all data over every second link.

use crate::rng::{index_below, mix};

/// Whose turn it is, for every node: data, then control packets.
#[derive(Debug, Clone)]
pub(in crate::packet_engine) struct RoundRobin {
    turns: Vec<[u32; 2]>,
}

impl RoundRobin {
    /// Every node starts at a link of its own.
    pub fn new(nodes: usize, salt: u64) -> Self {
        let start = |node| index_below(mix(salt ^ node), 1 << 16);
        Self {
            turns: (0..nodes as u64).map(|node| [start(node); 2]).collect(),
        }
    }

    /// A position among `count` links.
    #[inline]
    pub fn choose(&mut self, node: u32, control: bool, count: u32) -> u32 {
        let turn = &mut self.turns[node as usize][usize::from(control)];
        *turn = turn.wrapping_add(1);
        // Counts are mostly powers of two, and a division takes long.
        if count.is_power_of_two() {
            *turn & (count - 1)
        } else {
            *turn % count
        }
    }
}
