//! Protective load balancing (SIGCOMM 2022): a flow keeps its path until some round-trip times in a row were
//! congested, then takes a new random one.

use crate::placement::Plb as Spec;
use crate::rng::{index_below, mix};

/// The path of one queue pair, and what it has met.
#[derive(Debug, Clone)]
pub(in crate::packet_engine) struct Plb {
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

impl Plb {
    pub fn new(spec: &Spec, paths: u32, salt: u64) -> Self {
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

    pub fn choose(&mut self) -> u16 {
        self.path
    }

    /// An acknowledgement of packet `seq` came back; `next` is the first packet not sent yet.
    pub fn on_ack(&mut self, seq: u32, next: u32, marked: bool) {
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

    pub fn on_timeout(&mut self) {
        self.repath();
    }

    fn repath(&mut self) {
        self.congested = 0;
        self.drawn += 1;
        self.path = index_below(mix(self.salt ^ self.drawn), self.paths) as u16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn congested_rounds_in_a_row_move_the_flow() {
        let spec = Spec {
            rounds: 3,
            threshold: 0.5,
        };
        let mut plb = Plb::new(&spec, 1_000_000, 3);
        // Rounds of ten packets; two congested, one clear, three congested.
        let mut seq = 1;
        let mut round = |plb: &mut Plb, marks: u32| {
            for i in 0..10 {
                plb.on_ack(seq, seq + 10, i < marks);
                seq += 1;
            }
        };
        plb.on_ack(0, 11, false);
        for marks in [10, 10, 0, 10, 10] {
            round(&mut plb, marks);
            assert_eq!(plb.drawn, 1);
        }
        round(&mut plb, 10);
        round(&mut plb, 10);
        assert_eq!(plb.drawn, 2);
    }
}
