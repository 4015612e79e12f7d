//! Spraying over entropies that are given up where packets are lost (MRC, arXiv 2605.04333).
//!
//! Entropies are dealt to paths evenly: as paths are numbered port by port, every port has its share. An
//! entropy that waits for an answer longer than a few round trips is retired, and so is one whose packet was trimmed.
//! After a while it carries one packet, one entropy of a queue pair at a time, and more once that was answered. As with `bitmap` a packet carries `entropy * paths + path`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dynamic::{Dynamic, QueuePairPaths};
use super::rounds::{EntropyId, Rounds, check_entropies};
use super::select::{AckInfo, Select};
use crate::ids::Id;
use crate::input::InputError;
use crate::rng::{index_below, mix};
use crate::units::Time;

/// Options of `mrc`. A queue pair goes through its entropies, spread evenly over the ports of its host and the paths behind
/// them, in an order by chance that changes with every round. One whose packet came back marked is skipped for a while; one
/// that loses a packet (trimmed, or not answered for a few round trips) is retired, and tried again with a single packet from time to time:
/// the answer brings it back. How often is not published; the defaults are ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mrc {
    /// Entropies of a queue pair; fewer where paths times entropies exceed 65536. Default 256 ("hundreds").
    pub entropies: u32,
    /// How often an entropy is skipped after an ECN mark. Default 1.
    pub ecn_skips: u8,
    /// Round trips, of the longest seen lately, after which a packet without an answer retires its entropy. Default 3.
    pub patience: u32,
    /// From the loss of a packet to the next try of its entropy, twice as long with every try in a row that fails. A queue pair
    /// tries one entropy at a time. Default 100 us.
    pub probe: Time,
}

impl Default for Mrc {
    fn default() -> Self {
        Self {
            entropies: 256,
            ecn_skips: 1,
            patience: 3,
            probe: Time::from_us(100),
        }
    }
}

impl<H: From<MrcState>, S> Dynamic<H, S> for Mrc {
    fn check(&self) -> Result<(), InputError> {
        check_entropies(self.entropies)?;
        if !(1..=1_000).contains(&self.patience) {
            let error = InputError::key(
                "patience",
                format!("no answer comes within {} round trips", self.patience),
            );
            return Err(error.help("`patience` is from 1 to 1000"));
        }
        Ok(())
    }

    fn needs_acknowledgements(&self) -> bool {
        true
    }

    fn selector(&self, queue_pair: &QueuePairPaths<'_>) -> Option<H> {
        Some(MrcState::new(self, queue_pair.paths, queue_pair.salt).into())
    }
}

/// The entropies of one queue pair.
#[derive(Debug, Clone)]
pub(crate) struct MrcState {
    paths: u32,
    salt: u64,
    rounds: Rounds,
    entropies: Box<[Entropy]>,
    /// The longest round trip lately, in ps; 0 before the first answer.
    rtt: u64,
    ecn_skips: u8,
    patience: u64,
    probe: u64,
    /// The entropy that is being tried: one at a time, so that a dead path costs one packet for each try.
    trying: Option<EntropyId>,
}

/// Tries become rarer so many times.
const MOST_DOUBLINGS: u8 = 10;

/// What is known of one entropy.
#[derive(Debug, Clone, Copy, Default)]
struct Entropy {
    /// Since when it waits for an answer; 0 where it does not. Nothing is sent at 0: that is as good as 1.
    since: u64,
    /// When it last carried a packet.
    last: u64,
    /// Packets without an answer.
    open: u32,
    /// When it will be tried; 0 where it is not retired.
    try_at: u64,
    /// Tries in a row that were not answered.
    failures: u8,
    /// Times that it will be skipped.
    skips: u8,
}

impl MrcState {
    /// For `paths` paths, at least 2.
    pub(crate) fn new(spec: &Mrc, paths: u32, salt: u64) -> Self {
        let rounds = Rounds::new(spec.entropies, paths, salt);
        Self {
            paths,
            salt,
            entropies: vec![Entropy::default(); rounds.entropies() as usize].into_boxed_slice(),
            rounds,
            rtt: 0,
            ecn_skips: spec.ecn_skips,
            patience: u64::from(spec.patience),
            probe: spec.probe.0,
            trying: None,
        }
    }

    /// Whether an entropy takes a packet.
    fn takes(&mut self, entropy: EntropyId, now: u64) -> bool {
        let patience = self.rtt.saturating_mul(self.patience);
        let state = &mut self.entropies[entropy.index()];
        if state.since > 0 && self.rtt > 0 && now.saturating_sub(state.since) > patience {
            state.retire(now, self.probe);
            self.trying = self.trying.filter(|&trying| trying != entropy);
        }
        if state.try_at > 0 {
            let due = self.trying.is_none() && state.try_at <= now;
            self.trying = if due { Some(entropy) } else { self.trying };
            return due;
        }
        match &mut state.skips {
            0 => true,
            skips => {
                *skips -= 1;
                false
            }
        }
    }

    fn send(&mut self, entropy: EntropyId, now: u64) -> u16 {
        let state = &mut self.entropies[entropy.index()];
        state.last = now.max(1);
        state.open += 1;
        if state.since == 0 {
            state.since = state.last;
        }
        let count = self.entropies.len() as u64;
        let shift = u64::from(index_below(mix(self.salt), self.paths));
        let path = (u64::from(entropy.0) * u64::from(self.paths) / count + shift) as u32 % self.paths;
        entropy.name(path, self.paths)
    }
}

impl Select for MrcState {
    fn learns(&self) -> bool {
        true
    }

    fn choose(&mut self, now: u64) -> u16 {
        let count = self.entropies.len();
        let mut soonest = (u64::MAX, EntropyId(0));
        for _ in 0..count {
            let entropy = self.rounds.next();
            if self.takes(entropy, now) {
                return self.send(entropy, now);
            }
            soonest = soonest.min((self.entropies[entropy.index()].try_at, entropy));
        }
        // Where none is any good, the one that has been retired longest is used all the same.
        self.send(soonest.1, now)
    }

    /// No packet was sent on this path.
    fn give_back(&mut self, path: u16) {
        let entropy = EntropyId::named(path, self.paths);
        if let Some(state) = self.entropies.get_mut(entropy.index()) {
            state.open = state.open.saturating_sub(1);
            state.since = if state.open > 0 { state.since } else { 0 };
            self.trying = self.trying.filter(|&trying| trying != entropy);
        }
    }

    fn on_ack(&mut self, AckInfo { path, marked, rtt, .. }: AckInfo) {
        // What is long ago says little: the longest round trip fades.
        self.rtt = rtt.max(self.rtt - self.rtt / 64);
        let entropy = EntropyId::named(path, self.paths);
        let Some(state) = self.entropies.get_mut(entropy.index()) else {
            return;
        };
        self.trying = self.trying.filter(|&trying| trying != entropy);
        state.open = state.open.saturating_sub(1);
        state.since = if state.open > 0 { state.last } else { 0 };
        (state.try_at, state.failures) = (0, 0);
        if marked {
            state.skips = state.skips.saturating_add(self.ecn_skips);
        }
    }

    /// A packet of this path was lost.
    fn on_trimmed(&mut self, path: u16, now: u64) {
        let entropy = EntropyId::named(path, self.paths);
        if let Some(state) = self.entropies.get_mut(entropy.index()) {
            state.retire(now, self.probe);
            self.trying = self.trying.filter(|&trying| trying != entropy);
        }
    }

    /// Nothing was heard for a retransmission timeout: all that was waited for is lost.
    fn on_timeout(&mut self, now: u64) {
        self.trying = None;
        for state in self
            .entropies
            .iter_mut()
            .filter(|state| state.since > 0 || state.try_at > 0)
        {
            state.retire(now, self.probe);
        }
    }
}

impl Entropy {
    /// It is tried again after the probe time, and twice as late with every failure in a row.
    fn retire(&mut self, now: u64, probe: u64) {
        let wait = probe.saturating_mul(1 << self.failures.min(MOST_DOUBLINGS));
        *self = Self {
            try_at: now.saturating_add(wait),
            failures: self.failures.saturating_add(1),
            skips: self.skips,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const RTT: u64 = 1_000_000;

    /// Answers a round of packets, but for those on paths that are dead.
    fn round(mrc: &mut MrcState, now: u64, dead: impl Fn(u32) -> bool) -> Vec<u32> {
        let count = mrc.entropies.len();
        let names: Vec<u16> = (0..count).map(|_| mrc.choose(now)).collect();
        let alive = names.iter().filter(|&&name| !dead(u32::from(name) % mrc.paths));
        for &name in alive.collect::<Vec<_>>() {
            mrc.on_ack(AckInfo {
                rtt: RTT,
                ..AckInfo::of(name, false)
            });
        }
        names.iter().map(|&name| u32::from(name) % mrc.paths).collect()
    }

    #[test]
    fn entropies_are_spread_evenly_over_ports() {
        // Eight ports of 40 paths each and 64 entropies: eight for every port.
        let spec = Mrc {
            entropies: 64,
            ..Mrc::default()
        };
        let mut mrc = MrcState::new(&spec, 320, 5);
        let paths = round(&mut mrc, 1, |_| false);
        let of_port = |port| paths.iter().filter(|&&path| path / 40 == port).count();
        assert!((0..8).all(|port| of_port(port) == 8), "{paths:?}");
        assert_eq!(paths.iter().collect::<BTreeSet<_>>().len(), 64);
    }

    #[test]
    fn a_path_that_loses_packets_is_retired_tried_and_taken_back() {
        let mut mrc = MrcState::new(&Mrc::default(), 4, 5);
        // Packets on path 2 in four rounds of all entropies.
        let mut on_two = |now, alive: bool| -> usize {
            let rounds = (0..4).map(|_| round(&mut mrc, now, |path| path == 2 && !alive));
            rounds
                .map(|paths| paths.iter().filter(|&&path| path == 2).count())
                .sum()
        };
        assert_eq!(on_two(1, false), 4 * 64);
        // Three round trips later nothing goes there, and after the probe time a single packet of one entropy.
        let probe = Mrc::default().probe.0;
        assert_eq!(on_two(4 * RTT, false), 0);
        assert_eq!(on_two(4 * RTT + probe, false), 1);
        // The path is alive again: its answers bring back one entropy after the other.
        let long = 8 * RTT + 4 * probe;
        let back: Vec<usize> = (0..20).map(|step| on_two(long + step, true)).collect();
        assert!(back[0] < 20 && back[19] > 200, "{back:?}");
    }

    #[test]
    fn marked_entropies_are_skipped_and_trimmed_ones_retired() {
        let mut mrc = MrcState::new(&Mrc::default(), 4, 5);
        let first = mrc.choose(1);
        mrc.on_ack(AckInfo {
            rtt: RTT,
            ..AckInfo::of(first, true)
        });
        let second = mrc.choose(1);
        mrc.on_trimmed(second, 1);
        let names: Vec<u16> = (0..4 * 255).map(|_| mrc.choose(1)).collect();
        let times = |name| names.iter().filter(|&&other| other == name).count();
        assert_eq!(times(second), 0);
        assert!((2..=3).contains(&times(first)), "skipped once in four rounds");
    }

    #[test]
    fn where_all_are_retired_one_is_used() {
        let mut mrc = MrcState::new(&Mrc::default(), 2, 5);
        (0..256).for_each(|_| {
            let name = mrc.choose(1);
            mrc.on_trimmed(name, 1);
        });
        mrc.choose(2);
    }
}
