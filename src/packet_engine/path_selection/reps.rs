//! REPS: recycled entropies packet spraying (arXiv 2407.21625).
//!
//! An acknowledgement without ECN mark puts its packet's path in a ring; a packet takes the oldest path that is
//! still valid and thereby consumes it; where none is, and for the first bandwidth-delay product,
//! paths are random. After a timeout the ring freezes: its paths are used again, consumed or not, and
//! nothing random is tried for a while.

use crate::placement::{Reps as Spec, RepsVariant};
use crate::rng::{index_below, mix};

/// The ring of one queue pair.
#[derive(Debug, Clone)]
pub(in crate::packet_engine) struct Reps {
    paths: u32,
    salt: u64,
    drawn: u64,
    /// Packets still to send on random paths at the beginning.
    exploring: u32,
    ring: Box<[u16]>,
    /// Where the next path is put in, how many entries are valid, how many were ever filled.
    head: u32,
    valid: u32,
    filled: u32,
    frozen_until: u64,
    freeze: u64,
    /// The Ethereal authors' stand-in: the one path is kept until an acknowledgement comes back marked.
    keeps: bool,
}

impl Reps {
    /// For `paths` paths; the first `window` packets explore.
    pub fn new(spec: &Spec, paths: u32, window: u32, salt: u64) -> Self {
        let keeps = spec.variant == RepsVariant::Artifact;
        let entries = if keeps { 1 } else { spec.ring as usize };
        Self {
            paths,
            salt,
            drawn: 0,
            exploring: if keeps { 0 } else { window },
            ring: vec![0; entries].into_boxed_slice(),
            head: 0,
            valid: 0,
            filled: 0,
            frozen_until: 0,
            freeze: spec.freeze.0,
            keeps,
        }
    }

    /// Whether it stays on one path as long as that is good.
    pub fn keeps(&self) -> bool {
        self.keeps
    }

    pub fn choose(&mut self, now: u64) -> u16 {
        let entries = self.ring.len() as u32;
        if self.exploring > 0 {
            self.exploring -= 1;
            return self.random();
        }
        if self.keeps {
            return if self.valid > 0 { self.ring[0] } else { self.random() };
        }
        if self.valid > 0 {
            let oldest = (self.head + entries - self.valid) % entries;
            self.valid -= 1;
            return self.ring[oldest as usize];
        }
        if now < self.frozen_until && self.filled > 0 {
            let again = self.head % self.filled;
            self.head = (self.head + 1) % entries;
            return self.ring[again as usize];
        }
        self.random()
    }

    pub fn on_ack(&mut self, path: u16, marked: bool) {
        let entries = self.ring.len() as u32;
        if self.keeps {
            if marked && self.valid > 0 && self.ring[0] == path {
                self.valid = 0;
            } else if !marked && self.valid == 0 {
                self.ring[0] = path;
                self.valid = 1;
            }
        } else if !marked {
            self.ring[self.head as usize] = path;
            self.head = (self.head + 1) % entries;
            self.valid = (self.valid + 1).min(entries);
            self.filled = (self.filled + 1).min(entries);
        }
    }

    pub fn on_timeout(&mut self, now: u64) {
        if self.keeps {
            self.valid = 0;
        } else {
            self.frozen_until = now.saturating_add(self.freeze);
            self.exploring = 0;
        }
    }

    fn random(&mut self) -> u16 {
        self.drawn += 1;
        index_below(mix(self.salt ^ self.drawn), self.paths) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reps(ring: u32) -> Reps {
        let spec = Spec {
            ring,
            ..Spec::default()
        };
        Reps::new(&spec, 1_000, 2, 9)
    }

    #[test]
    fn unmarked_paths_are_used_once_oldest_first() {
        let mut reps = reps(3);
        (0..2).for_each(|_| _ = reps.choose(0));
        for (path, marked) in [(5, false), (6, true), (7, false), (8, false), (9, false)] {
            reps.on_ack(path, marked);
        }
        // The ring of three has lost 5; 6 was marked.
        assert_eq!([reps.choose(0), reps.choose(0), reps.choose(0)], [7, 8, 9]);
        let drawn = reps.drawn;
        reps.choose(0);
        assert_eq!(reps.drawn, drawn + 1, "an empty ring explores");
    }

    #[test]
    fn a_frozen_ring_is_used_again_until_it_thaws() {
        let mut reps = reps(4);
        (0..2).for_each(|_| _ = reps.choose(0));
        (5..9).for_each(|path| reps.on_ack(path, false));
        (0..4).for_each(|_| _ = reps.choose(0));
        reps.on_timeout(1_000);
        let mut again: Vec<_> = (0..8).map(|_| reps.choose(2_000)).collect();
        again.sort_unstable();
        assert_eq!(again, [5, 5, 6, 6, 7, 7, 8, 8]);
        let drawn = reps.drawn;
        reps.choose(1_000 + 10_000_000_000);
        assert_eq!(reps.drawn, drawn + 1);
    }

    #[test]
    fn the_artifact_keeps_a_path_until_it_is_marked() {
        let spec = Spec {
            variant: RepsVariant::Artifact,
            ..Spec::default()
        };
        let mut reps = Reps::new(&spec, 1_000, 2, 9);
        reps.on_ack(5, false);
        reps.on_ack(6, false);
        assert_eq!([reps.choose(0), reps.choose(0)], [5, 5]);
        reps.on_ack(6, true);
        assert_eq!(reps.choose(0), 5);
        reps.on_ack(5, true);
        let drawn = reps.drawn;
        reps.choose(0);
        assert_eq!(reps.drawn, drawn + 1);
    }
}
