//! Spraying over entropies that were not marked lately (STrack, arXiv 2407.15266).
//!
//! Entropies are hashed onto paths, as switches do, so that some paths have more of them than others. Each has a
//! penalty, the number of times that it will be skipped; marks and trimmed packets raise it. A packet carries its entropy beside its
//! path: `entropy * paths + path` names the same path in every switch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dynamic::{Dynamic, QueuePairPaths};
use super::rounds::{EntropyId, Rounds, check_entropies};
use super::select::{AckInfo, Select};
use crate::ids::Id;
use crate::input::InputError;
use crate::rng::{index_below, mix};

/// Options of `bitmap`. A host goes through its entropies, each hashed onto a path, in an order by chance that changes with every
/// round. Entropies whose packets came back marked or trimmed get a penalty, and are skipped that often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bitmap {
    /// Entropies of a queue pair; fewer where paths times entropies exceed 65536. Default 128.
    pub entropies: u32,
    /// Penalty for an ECN mark: how often more the entropy is skipped. Default 1.
    pub ecn_penalty: u8,
    /// Penalty for a trimmed packet. Default 4.
    pub trim_penalty: u8,
    /// Penalty beyond which an entropy gets none. Default 15.
    pub max_penalty: u8,
}

impl Default for Bitmap {
    fn default() -> Self {
        Self {
            entropies: 128,
            ecn_penalty: 1,
            trim_penalty: 4,
            max_penalty: 15,
        }
    }
}

impl<H: From<BitmapState>, S> Dynamic<H, S> for Bitmap {
    fn check(&self) -> Result<(), InputError> {
        check_entropies(self.entropies)
    }

    fn needs_acknowledgements(&self) -> bool {
        true
    }

    fn selector(&self, queue_pair: &QueuePairPaths<'_>) -> Option<H> {
        Some(BitmapState::new(self, queue_pair.paths, queue_pair.salt).into())
    }
}

/// The entropies of one queue pair.
#[derive(Debug, Clone)]
pub(crate) struct BitmapState {
    paths: u32,
    salt: u64,
    rounds: Rounds,
    /// Times that each entropy will be skipped.
    penalties: Box<[u8]>,
    ecn_penalty: u8,
    trim_penalty: u8,
    max_penalty: u8,
}

impl BitmapState {
    /// For `paths` paths, at least 2.
    pub(crate) fn new(spec: &Bitmap, paths: u32, salt: u64) -> Self {
        let rounds = Rounds::new(spec.entropies, paths, salt);
        Self {
            paths,
            salt,
            penalties: vec![0; rounds.entropies() as usize].into_boxed_slice(),
            rounds,
            ecn_penalty: spec.ecn_penalty,
            trim_penalty: spec.trim_penalty,
            max_penalty: spec.max_penalty,
        }
    }

    fn name(&self, entropy: EntropyId) -> u16 {
        let path = index_below(mix(mix(self.salt) ^ u64::from(entropy.0)), self.paths);
        entropy.name(path, self.paths)
    }

    fn punish(&mut self, path: u16, by: u8) {
        let entropy = EntropyId::named(path, self.paths);
        if let Some(penalty) = self.penalties.get_mut(entropy.index()) {
            *penalty = penalty.saturating_add(by).min(self.max_penalty);
        }
    }
}

impl Select for BitmapState {
    fn choose(&mut self, _now: u64) -> u16 {
        // Where all are to be skipped, one is used all the same.
        for _ in 0..self.penalties.len() {
            let entropy = self.rounds.next();
            match &mut self.penalties[entropy.index()] {
                0 => return self.name(entropy),
                penalty => *penalty -= 1,
            }
        }
        let entropy = self.rounds.next();
        self.name(entropy)
    }

    fn on_ack(&mut self, AckInfo { path, marked, .. }: AckInfo) {
        if marked {
            self.punish(path, self.ecn_penalty);
        }
    }

    fn on_trimmed(&mut self, path: u16, _now: u64) {
        self.punish(path, self.trim_penalty);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn marked_entropies_are_skipped() {
        let mut bitmap = BitmapState::new(&Bitmap::default(), 8, 5);
        let round =
            |bitmap: &mut BitmapState, packets| -> BTreeSet<u16> { (0..packets).map(|_| bitmap.choose(0)).collect() };
        let all = round(&mut bitmap, 128);
        assert_eq!(all.len(), 128, "every entropy once a round");
        assert_eq!(all.iter().map(|name| name % 8).collect::<BTreeSet<_>>().len(), 8);
        let (marked, trimmed) = (*all.first().unwrap(), *all.last().unwrap());
        bitmap.on_ack(AckInfo::of(marked, true));
        bitmap.on_ack(AckInfo::of(marked, false));
        bitmap.on_trimmed(trimmed, 0);
        let missing = |names: BTreeSet<u16>| all.difference(&names).copied().collect::<Vec<_>>();
        assert_eq!(missing(round(&mut bitmap, 126)), [marked, trimmed]);
        for _ in 0..3 {
            assert_eq!(missing(round(&mut bitmap, 127)), [trimmed]);
        }
        assert!(missing(round(&mut bitmap, 128)).is_empty());
    }

    #[test]
    fn where_all_are_marked_one_is_used() {
        let mut bitmap = BitmapState::new(&Bitmap::default(), 2, 5);
        let names: Vec<u16> = (0..128).map(|_| bitmap.choose(0)).collect();
        names
            .iter()
            .for_each(|&name| (0..100).for_each(|_| bitmap.on_trimmed(name, 0)));
        assert!(names.contains(&bitmap.choose(0)));
    }
}
