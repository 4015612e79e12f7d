//! REPS: recycled entropies packet spraying (arXiv 2407.21625).
//!
//! An acknowledgement without ECN mark puts its packet's path in a ring; a packet takes the oldest path that is
//! still valid and thereby consumes it; where none is, and for the first bandwidth-delay product,
//! paths are random. After a timeout the ring freezes: its paths are used again, consumed or not, and
//! nothing random is tried for a while.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dynamic::{Dynamic, QueuePairPaths};
use super::select::{AckInfo, Select};
use crate::input::InputError;
use crate::rng::{index_below, mix};
use crate::units::Time;

/// Which rule recycles entropies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RepsVariant {
    /// A ring of entropies whose acknowledgements came back without ECN mark; each is used once.
    #[default]
    Published,
    /// The stand-in of the Ethereal authors' simulator, weaker than the published rule: one entropy,
    /// kept until an acknowledgement comes back marked.
    Artifact,
}

/// Options of `reps`. A sender begins with random paths for one bandwidth-delay product. An
/// acknowledgement without ECN mark puts its packet's path in a ring; a packet takes the oldest path
/// from the ring, or a random one where the ring is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reps {
    /// Which rule recycles entropies. Default `published`.
    pub variant: RepsVariant,
    /// Entropies in the ring. Default 8.
    pub ring: u32,
    /// After a timeout the ring is reused, consumed entries as well, and nothing random is tried for
    /// this long. Default 10 ms.
    pub freeze: Time,
}

impl Default for Reps {
    fn default() -> Self {
        Self {
            variant: RepsVariant::Published,
            ring: 8,
            freeze: Time::from_us(10_000),
        }
    }
}

impl<H: From<RepsState>, S> Dynamic<H, S> for Reps {
    fn check(&self) -> Result<(), InputError> {
        if !(1..=65_536).contains(&self.ring) {
            let error = InputError::key("ring", format!("a ring of {} entropies cannot be simulated", self.ring));
            return Err(error.help("`ring` is from 1 to 65536; the published one has 8 entries"));
        }
        Ok(())
    }

    fn needs_acknowledgements(&self) -> bool {
        true
    }

    fn selector(&self, queue_pair: &QueuePairPaths<'_>) -> Option<H> {
        Some(RepsState::new(self, queue_pair.paths, queue_pair.window, queue_pair.salt).into())
    }
}

/// The ring of one queue pair.
#[derive(Debug, Clone)]
pub(crate) struct RepsState {
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

impl RepsState {
    /// For `paths` paths; the first `window` packets explore.
    pub(crate) fn new(spec: &Reps, paths: u32, window: u32, salt: u64) -> Self {
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

    fn random(&mut self) -> u16 {
        self.drawn += 1;
        index_below(mix(self.salt ^ self.drawn), self.paths) as u16
    }
}

impl Select for RepsState {
    /// The authors' stand-in stays on one path as long as that is good.
    fn sprays(&self) -> bool {
        !self.keeps
    }

    fn learns(&self) -> bool {
        true
    }

    fn choose(&mut self, now: u64) -> u16 {
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

    fn on_ack(&mut self, AckInfo { path, marked, .. }: AckInfo) {
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

    fn on_timeout(&mut self, now: u64) {
        if self.keeps {
            self.valid = 0;
        } else {
            self.frozen_until = now.saturating_add(self.freeze);
            self.exploring = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reps(ring: u32) -> RepsState {
        let spec = Reps {
            ring,
            ..Reps::default()
        };
        RepsState::new(&spec, 1_000, 2, 9)
    }

    #[test]
    fn unmarked_paths_are_used_once_oldest_first() {
        let mut reps = reps(3);
        (0..2).for_each(|_| _ = reps.choose(0));
        for (path, marked) in [(5, false), (6, true), (7, false), (8, false), (9, false)] {
            reps.on_ack(AckInfo::of(path, marked));
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
        (5..9).for_each(|path| reps.on_ack(AckInfo::of(path, false)));
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
        let spec = Reps {
            variant: RepsVariant::Artifact,
            ..Reps::default()
        };
        let mut reps = RepsState::new(&spec, 1_000, 2, 9);
        reps.on_ack(AckInfo::of(5, false));
        reps.on_ack(AckInfo::of(6, false));
        assert_eq!([reps.choose(0), reps.choose(0)], [5, 5]);
        reps.on_ack(AckInfo::of(6, true));
        assert_eq!(reps.choose(0), 5);
        reps.on_ack(AckInfo::of(5, true));
        let drawn = reps.drawn;
        reps.choose(0);
        assert_eq!(reps.drawn, drawn + 1);
    }
}
