//! A workload as somebody would add it: this file, and one line in the table.

use super::kind::Kind;
use super::schedule_writer::{Extent, ScheduleWriter};
use super::scope::Member;
use crate::input::{Files, InputError};
use crate::units::Bytes;

super::ranks::ranked! {
    /// The first rank sends to the last one.
    pub struct OneWay {
        pub message: Bytes,
    }
}

impl Kind for OneWay {
    fn draw(&self, draft: &mut ScheduleWriter, _: &dyn Files, _: u64) -> Result<(), InputError> {
        draft.expect("message", self.message, &Extent::independent(1, self.message))?;
        draft.transfer(Member(0), Member(draft.ranks() - 1), self.message.0, 0);
        Ok(())
    }

    fn is_drawn(&self) -> bool {
        false
    }
}
