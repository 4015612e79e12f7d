//! Every rank sends to one other, and receives from one.

use rand::seq::SliceRandom;

use super::kind::Kind;
use super::schedule_writer::{Extent, ScheduleWriter};
use super::scope::Member;
use crate::input::{Files, InputError};
use crate::rng;
use crate::units::Bytes;

super::ranks::ranked! {
    /// A random permutation in which no rank sends to itself, every one of them being equally likely.
    pub struct Permutation {
        /// Bytes that each rank sends.
        pub message: Bytes,
    }
}

impl Kind for Permutation {
    fn draw(&self, draft: &mut ScheduleWriter, _files: &dyn Files, seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        draft.expect(
            "message",
            self.message,
            &Extent::independent(ranks.into(), self.message),
        )?;
        for (src, dst) in (0..).zip(derangement(ranks, seed)) {
            draft.transfer(Member(src), Member(dst), self.message.0, 0);
        }
        Ok(())
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.message)
    }

    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        Some(self.message)
    }

    /// As the send-receive test of nccl-tests.
    fn bus_factor(&self, _ranks: u32) -> Option<f64> {
        Some(1.0)
    }
}

/// Shuffles until nobody is left in place: about one shuffle in e.
fn derangement(ranks: u32, seed: u64) -> Vec<u32> {
    let mut stream = rng::stream(seed, "permutation", 0);
    let mut receivers: Vec<u32> = (0..ranks).collect();
    loop {
        receivers.shuffle(&mut stream);
        if (0..).zip(&receivers).all(|(src, &dst)| src != dst) {
            return receivers;
        }
    }
}
