//! Protective load balancing (SIGCOMM 2022): a flow keeps its path until some round-trip times in a row were
//! congested, then takes a new random one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dynamic::{Dynamic, QueuePairPaths};
use super::select::{AckInfo, Select};
use crate::input::InputError;
use crate::rng::{index_below, mix};

/// Options of `plb`. Defaults are those of Linux (`tcp_plb_rehash_rounds`, `tcp_plb_cong_thresh`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Plb {
    /// Consecutive congested round-trip times after which a flow takes a new random path. Default 12.
    pub rounds: u32,
    /// Share of ECN-marked acknowledgements from which a round-trip time counts as congested, above 0
    /// and at most 1. Default 0.5.
    pub threshold: f64,
}

impl Default for Plb {
    fn default() -> Self {
        Self {
            rounds: 12,
            threshold: 0.5,
        }
    }
}

impl<H: From<PlbState>, S> Dynamic<H, S> for Plb {
    fn check(&self) -> Result<(), InputError> {
        if self.rounds == 0 {
            let error = InputError::key("rounds", "a flow cannot move after 0 congested round-trip times");
            return Err(error.help("`rounds` is at least 1"));
        }
        if !(self.threshold > 0.0 && self.threshold <= 1.0) {
            let error = InputError::key("threshold", format!("{} is no share of marked packets", self.threshold));
            return Err(error.help("`threshold` is above 0 and at most 1"));
        }
        Ok(())
    }

    fn needs_acknowledgements(&self) -> bool {
        true
    }

    fn selector(&self, queue_pair: &QueuePairPaths<'_>) -> Option<H> {
        Some(PlbState::new(self, queue_pair.paths, queue_pair.salt).into())
    }
}

/// The path of one queue pair, and what it has met.
#[derive(Debug, Clone)]
pub(crate) struct PlbState {
    paths: u32,
    salt: u64,
    drawn: u64,
    path: u16,
    rounds: u32,
    threshold: f64,
    congested: u32,
    /// A round ends when this packet is acknowledged.
    round_end: u32,
    acked: u32,
    marked: u32,
}

impl PlbState {
    pub(crate) fn new(spec: &Plb, paths: u32, salt: u64) -> Self {
        let mut plb = Self {
            paths,
            salt,
            drawn: 0,
            path: 0,
            rounds: spec.rounds,
            threshold: spec.threshold,
            congested: 0,
            round_end: 0,
            acked: 0,
            marked: 0,
        };
        plb.repath();
        plb
    }

    fn repath(&mut self) {
        self.congested = 0;
        self.drawn += 1;
        self.path = index_below(mix(self.salt ^ self.drawn), self.paths) as u16;
    }
}

impl Select for PlbState {
    fn sprays(&self) -> bool {
        false
    }

    fn choose(&mut self, _now: u64) -> u16 {
        self.path
    }

    fn on_ack(&mut self, AckInfo { seq, next, marked, .. }: AckInfo) {
        self.acked += 1;
        self.marked += u32::from(marked);
        if seq < self.round_end {
            return;
        }
        if f64::from(self.marked) >= self.threshold * f64::from(self.acked) {
            self.congested += 1;
        } else {
            self.congested = 0;
        }
        (self.acked, self.marked, self.round_end) = (0, 0, next);
        if self.congested >= self.rounds {
            self.repath();
        }
    }

    fn on_timeout(&mut self, _now: u64) {
        self.repath();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn congested_rounds_in_a_row_move_the_flow() {
        let spec = Plb {
            rounds: 3,
            threshold: 0.5,
        };
        let mut plb = PlbState::new(&spec, 1_000_000, 3);
        // Rounds of ten packets; two congested, one clear, three congested.
        let mut seq = 1;
        let mut round = |plb: &mut PlbState, marks: u32| {
            for i in 0..10 {
                plb.on_ack(AckInfo {
                    seq,
                    next: seq + 10,
                    ..AckInfo::of(0, i < marks)
                });
                seq += 1;
            }
        };
        plb.on_ack(AckInfo {
            next: 11,
            ..AckInfo::of(0, false)
        });
        for marks in [10, 10, 0, 10, 10] {
            round(&mut plb, marks);
            assert_eq!(plb.drawn, 1);
        }
        round(&mut plb, 10);
        round(&mut plb, 10);
        assert_eq!(plb.drawn, 2);
    }
}
