//! Round robin in the switch: every round takes each of the next links once, in a new random order.
//!
//! In one fixed order, hosts that send in step meet the same links again and again: over three tiers a switch's even
//! spread is then no even spread of what goes to one destination, and queues grow with the message. Data and control
//! packets are counted apart. With one count for both, a steady alternation of data and
//! acknowledgements would send all data over every second link.

use super::draws::Draws;
use super::select_link::{Hop, SelectLink};
use crate::ids::{LinkId, NodeId};
use crate::rng::index_below;

/// The rounds of one class of packets, for every group of next links: a group is known by the position of its first
/// link among the hops of all forwarding tables.
#[derive(Debug, Clone)]
struct Rounds {
    /// Packets of this round so far, at the first link of each group.
    turns: Vec<u32>,
    /// Positions within the group, each less its place: those that this round has taken, then those left. Zeros are all
    /// positions in turn.
    orders: Vec<u32>,
}

/// The rounds of all switches: of data, then of control packets.
#[derive(Debug, Clone)]
pub(crate) struct RoundRobin {
    classes: [Rounds; 2],
    draws: Draws,
}

impl RoundRobin {
    /// For forwarding tables with so many hops.
    pub(crate) fn new(hops: usize, draws: Draws) -> Self {
        let unused = || Rounds {
            turns: vec![0; hops],
            orders: vec![0; hops],
        };
        Self {
            classes: [unused(), unused()],
            draws,
        }
    }

    /// A position among the `count` links of the group that begins at `first`; of a switch in random order. A network card
    /// takes its ports in turn: in random order one would be idle while two packets wait for the other.
    //
    // One step of the shuffle by Fisher and Yates a packet: a round costs no more than its draws.
    #[inline]
    fn take(&mut self, (node, at_switch): (NodeId, bool), first: u32, count: u32, control: bool) -> u32 {
        let rounds = &mut self.classes[usize::from(control)];
        let turn = &mut rounds.turns[first as usize];
        let order = &mut rounds.orders[first as usize..(first + count) as usize];
        let (at, left) = (*turn, count - *turn);
        *turn = if left == 1 { 0 } else { at + 1 };
        let mut taken = at;
        if at_switch {
            taken += index_below(self.draws.next(node), left);
        }
        let position = order[taken as usize].wrapping_add(taken);
        order[taken as usize] = order[at as usize].wrapping_add(at).wrapping_sub(taken);
        order[at as usize] = position.wrapping_sub(at);
        position
    }
}

impl SelectLink for RoundRobin {
    #[inline]
    fn choose(&mut self, hop: &Hop<'_, impl Fn(LinkId) -> Option<u64>>) -> u32 {
        self.take(
            (hop.node, hop.at_switch),
            hop.first,
            hop.links.len() as u32,
            hop.control,
        )
    }

    /// All rounds begin anew.
    fn restart(&mut self, hops: usize) {
        *self = Self::new(hops, self.draws.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::mix;

    /// Groups of 3 and of 5 links, both classes, mixed: each keeps its own rounds.
    #[test]
    fn every_round_takes_every_link_once() {
        let mut state = RoundRobin::new(8, Draws::new(1, 7));
        let groups = [(0, 3, false), (0, 3, true), (3, 5, false), (3, 5, true)];
        let mut taken = vec![Vec::new(); groups.len()];
        for step in 0..3_000_usize {
            let which = mix(step as u64) as usize % groups.len();
            let (first, count, control) = groups[which];
            taken[which].push(state.take((NodeId(0), true), first, count, control));
        }
        for ((_, count, _), taken) in groups.into_iter().zip(taken) {
            for round in taken.chunks_exact(count as usize) {
                let mut round = round.to_vec();
                round.sort_unstable();
                assert!(round.into_iter().eq(0..count));
            }
        }
    }

    /// Each of the 24 orders of four links comes as often as any other, and none tells the next.
    #[test]
    fn orders_are_random() {
        let mut state = RoundRobin::new(4, Draws::new(1, 7));
        let mut round = || {
            (0..4)
                .map(|_| state.take((NodeId(0), true), 0, 4, false))
                .collect::<Vec<_>>()
        };
        let mut counts = std::collections::BTreeMap::<_, u32>::new();
        let mut repeated = 0_u32;
        let mut last = round();
        for _ in 0..24_000 {
            let next = round();
            repeated += u32::from(next == last);
            *counts.entry(next.clone()).or_default() += 1;
            last = next;
        }
        // 1000 each, standard deviation 31.
        assert_eq!(counts.len(), 24);
        assert!(counts.values().all(|&count| count.abs_diff(1_000) < 150), "{counts:?}");
        assert!(repeated.abs_diff(1_000) < 150, "{repeated}");
    }
}
