//! Every rank sends to the one a fixed distance further on.

use super::kind::Kind;
use super::ranks::RankMap;
use super::schedule_writer::{Extent, ScheduleWriter};
use super::scope::Member;
use crate::input::{Files, InputError};
use crate::units::Bytes;

super::ranks::ranked! {
    /// Rank i sends to rank i + offset, around the end. With the number of hosts per leaf as offset, every
    /// flow leaves its leaf: the ring of leaves in the first version of the paper has 4 channels.
    pub struct Shift {
        /// Bytes of each flow.
        pub message: Bytes,
        /// Distance to the receiver; backwards where it is negative.
        pub offset: i64,
        /// Flows from each rank to its receiver, of `message` bytes each.
        #[serde(default = "crate::input::one")]
        pub channels: u32,
    }
}

impl Shift {
    /// One flow of `message` bytes from every host to the one `offset` further on.
    pub fn by(offset: i64, message: Bytes) -> Self {
        Self {
            message,
            offset,
            channels: 1,
            ranks: None,
            rank_map: RankMap::default(),
        }
    }
}

impl Kind for Shift {
    fn draw(&self, draft: &mut ScheduleWriter, _files: &dyn Files, _seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        // Less than `ranks`, so that it fits.
        let offset = self.offset.rem_euclid(ranks.into()) as u32;
        if offset == 0 {
            let message = format!(
                "with an `offset` of {}, each of {ranks} ranks would send to itself",
                self.offset
            );
            return Err(InputError::key("offset", message).help(format!("it must not be a multiple of {ranks}")));
        }
        if self.channels == 0 {
            return Err(InputError::key("channels", "`channels` is 0").help("it must be at least 1"));
        }
        let flows = u128::from(ranks) * u128::from(self.channels);
        draft.expect("message", self.message, &Extent::independent(flows, self.message))?;
        for src in 0..ranks {
            let dst = (u64::from(src) + u64::from(offset)) % u64::from(ranks);
            for _ in 0..self.channels {
                draft.transfer(Member(src), Member(dst as u32), self.message.0, 0);
            }
        }
        Ok(())
    }

    fn is_drawn(&self) -> bool {
        false
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.message)
    }

    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        Some(Bytes(self.message.0.saturating_mul(self.channels.into())))
    }

    /// As the send-receive test of nccl-tests.
    fn bus_factor(&self, _ranks: u32) -> Option<f64> {
        Some(1.0)
    }
}
