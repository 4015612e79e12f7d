//! Neighbors send to each other, or one rank to another.

use super::kind::Kind;
use super::schedule_writer::{Effect, Extent, Hop, ScheduleWriter};
use super::scope::Member;
use crate::input::{Files, InputError};
use crate::units::Bytes;

super::ranks::ranked! {
    /// Send and receive: every rank sends to the next one, the last to the first, as the test of nccl-tests does; or
    /// one rank to another, where `from` and `to` name them.
    pub struct SendRecv {
        /// Bytes that a rank sends.
        pub message: Bytes,
        /// The one rank that sends; with `to`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub from: Option<u32>,
        /// The one rank that receives; with `from`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub to: Option<u32>,
    }
}

impl SendRecv {
    /// From one rank to another.
    pub(super) fn one_way(message: Bytes, from: u32, to: u32) -> Self {
        Self {
            message,
            from: Some(from),
            to: Some(to),
            ranks: None,
            rank_map: super::RankMap::default(),
        }
    }

    /// Who sends to whom.
    fn pairs(&self, ranks: u32) -> Result<Vec<(u32, u32)>, InputError> {
        let (from, to) = match (self.from, self.to) {
            (None, None) => return Ok((0..ranks).map(|rank| (rank, (rank + 1) % ranks)).collect()),
            (Some(from), Some(to)) => (from, to),
            (Some(_), None) => {
                return Err(InputError::key("to", "there is a `from` without a `to`").help("write both or none"));
            }
            (None, Some(_)) => {
                return Err(InputError::key("from", "there is a `to` without a `from`").help("write both or none"));
            }
        };
        for (key, rank) in [("from", from), ("to", to)] {
            if rank >= ranks {
                let message = format!("there is no rank {rank}");
                return Err(InputError::key(key, message).help(format!("ranks are numbered 0 to {}", ranks - 1)));
            }
        }
        if from == to {
            let message = format!("rank {from} would send to itself");
            return Err(InputError::key("to", message).help("`from` and `to` must differ"));
        }
        Ok(vec![(from, to)])
    }
}

impl Kind for SendRecv {
    fn draw(&self, draft: &mut ScheduleWriter, _files: &dyn Files, _seed: u64) -> Result<(), InputError> {
        let pairs = self.pairs(draft.ranks())?;
        draft.expect(
            "message",
            self.message,
            &Extent::independent(pairs.len() as u128, self.message),
        )?;
        for (src, dst) in pairs {
            let hop = Hop {
                src: Member(src),
                dst: Member(dst),
                step: 0,
                lane: None,
                effect: Effect::Copy,
            };
            let first = u64::from(src) * self.message.0;
            draft.send(&hop, &(first..first + self.message.0), &[]);
        }
        Ok(())
    }

    fn is_drawn(&self) -> bool {
        false
    }

    /// Stages of a pipeline send one way while they wait for what comes the other way.
    fn ordered(&self) -> bool {
        false
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.message)
    }

    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        Some(self.message)
    }

    fn bus_factor(&self, _ranks: u32) -> Option<f64> {
        Some(1.0)
    }
}
