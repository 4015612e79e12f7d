//! What must hold after every settlement, checked from nothing in tests.

use super::{AWAY, FREE, NONE, OVERLOAD, Sharing, TIE};

impl Sharing {
    /// Every piece has a bottleneck that is full, and none of its constraints has a lower level;
    /// all sums that are kept are right.
    pub(super) fn audit(&self) {
        let mut load = vec![0.0; self.constraints.len()];
        for (id, piece) in self.pieces.iter().enumerate().filter(|(_, p)| p.bottleneck != AWAY) {
            assert!(piece.bottleneck != FREE, "piece {id} has no bottleneck");
            let held = &self.held[piece.bottleneck as usize][piece.slot as usize];
            assert_eq!(held.piece as usize, id, "slot of piece {id}");
            let level = self.constraints[piece.bottleneck as usize].level;
            let own = [(piece.up, 1.0), (piece.down, 1.0)]
                .into_iter()
                .filter(|&(c, _)| c != NONE);
            for (c, fraction) in own.chain(self.limits.of_segment(piece.segment).iter().copied()) {
                let other = self.constraints[c as usize];
                assert!(
                    other.level >= level * (1.0 - 3.0 * TIE),
                    "piece {id}: {level} above {other:?}"
                );
                let fast = c == piece.bottleneck || other.fastest >= level || other.level == f64::INFINITY;
                assert!(fast, "piece {id}: {level} unknown to {other:?}");
                load[c as usize] += fraction * piece.weight * level;
            }
        }
        for (c, state) in self.constraints.iter().enumerate() {
            let close = |a: f64, b: f64| (a - b).abs() <= 3.0 * OVERLOAD * state.capacity;
            assert!(
                close(load[c], state.load),
                "constraint {c}: load is {}, not {state:?}",
                load[c]
            );
            assert!(
                load[c] <= state.capacity * (1.0 + 3.0 * OVERLOAD),
                "constraint {c} is overloaded: {state:?}"
            );
            assert_eq!(
                self.held[c].is_empty(),
                state.level.is_infinite(),
                "constraint {c}: {state:?}"
            );
            assert!(
                self.held[c].is_empty() || close(load[c], state.capacity),
                "constraint {c} has room: {state:?}"
            );
            let shares: f64 = self.held[c].iter().map(|held| held.share).sum();
            assert_eq!((state.held_weight, state.free_weight), (shares, 0.0), "constraint {c}");
        }
    }
}
