//! Many ranks send to one.

use super::kind::Kind;
use super::schedule_writer::{Extent, ScheduleWriter};
use super::scope::Member;
use crate::input::{Files, InputError};
use crate::units::Bytes;

super::ranks::ranked! {
    /// Incast: the ranks that follow the receiver, around the end, all send to it at once.
    pub struct Incast {
        /// Bytes that each sender sends.
        pub message: Bytes,
        /// Number of senders; by default all other ranks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub senders: Option<u32>,
        /// The rank that receives.
        #[serde(default)]
        pub receiver: u32,
    }
}

impl Kind for Incast {
    fn draw(&self, draft: &mut ScheduleWriter, _files: &dyn Files, _seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let senders = self.senders.unwrap_or(ranks - 1);
        if !(1..ranks).contains(&senders) {
            let message = format!("{senders} senders and a receiver do not make {ranks} ranks");
            return Err(InputError::key("senders", message).help(format!("from 1 to {} can send", ranks - 1)));
        }
        if self.receiver >= ranks {
            return Err(
                InputError::key("receiver", format!("there is no rank {}", self.receiver))
                    .help(format!("ranks are numbered 0 to {}", ranks - 1)),
            );
        }
        draft.expect(
            "message",
            self.message,
            &Extent::independent(senders.into(), self.message),
        )?;
        let others = (self.receiver + 1..ranks).chain(0..self.receiver);
        for src in others.take(senders as usize) {
            draft.transfer(Member(src), Member(self.receiver), self.message.0, 0);
        }
        Ok(())
    }

    fn is_drawn(&self) -> bool {
        false
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.message)
    }
}
