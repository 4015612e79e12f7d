//! What must hold after every settlement, checked from nothing in tests.

use crate::ids::IdVec;

use super::{AWAY, FREE, OVERLOAD, Sharing, TIE};

impl Sharing {
    /// Every sub-flow has a bottleneck that is full, and none of its constraints has a lower level;
    /// all sums that are kept are right.
    pub(super) fn audit(&self) {
        let mut load = IdVec::filled(0.0, self.constraints.len());
        for (id, &bottleneck) in self.bottlenecks.entries().filter(|(_, b)| **b != AWAY) {
            assert!(bottleneck != FREE, "piece {id:?} has no bottleneck");
            let subflow = &self.subflows[id];
            let held = &self.held[bottleneck].subflows[subflow.slot as usize];
            assert_eq!(held.subflow, id, "slot of piece {id:?}");
            let level = self.levels[bottleneck];
            let own = subflow.own.each().map(|c| (c, 1.0));
            for (c, fraction) in own.chain(self.limits.of_segment(subflow.segment).iter().copied()) {
                let (other, its_level) = (self.traffic[c], self.levels[c]);
                assert!(
                    its_level >= level * (1.0 - 3.0 * self.slack.max(TIE)),
                    "piece {id:?}: {level} above {its_level} of {other:?}"
                );
                let fast = c == bottleneck || other.fastest >= level || its_level == f64::INFINITY;
                assert!(fast, "piece {id:?}: {level} unknown to {other:?}");
                load[c] += fraction * subflow.weight * level;
            }
        }
        for (c, state) in self.constraints.entries() {
            let off = |a: f64, b: f64| (a - b).abs() / state.capacity;
            assert!(
                off(load[c], self.traffic[c].load) <= 3.0 * OVERLOAD,
                "constraint {c:?}: load is {}, not {state:?}",
                load[c]
            );
            assert!(
                load[c] <= state.capacity * (1.0 + 3.0 * OVERLOAD + self.slack),
                "constraint {c:?} is overloaded: {state:?}"
            );
            assert_eq!(
                self.held[c].is_empty(),
                self.levels[c].is_infinite(),
                "constraint {c:?}: {state:?}"
            );
            assert!(
                self.held[c].is_empty() || off(load[c], state.capacity) <= 3.0 * OVERLOAD + self.slack,
                "constraint {c:?} has room: {state:?}"
            );
            let claims: f64 = self.held[c].subflows.iter().map(|held| held.claim).sum();
            assert_eq!(
                (state.held_weight, state.free_weight),
                (claims, 0.0),
                "constraint {c:?}"
            );
        }
    }
}
