//! GOAL programs (LogGOPSim, ATLAHS), as text and binary.

mod binary;
mod labels;
mod text;
mod words;

use std::io::Read;

use super::algorithms::Algorithms;
use super::collective::How;
use super::draw::draw;
use crate::input::{Files, InputError, MAX_FILE_BYTES};
use crate::units::Bytes;
use crate::workload::Kind;
use crate::workload::schedule_writer::ScheduleWriter;

crate::workload::ranks::ranked! {
    /// A GOAL program: what every rank sends, receives and computes, and what waits for what. Text and binary are told
    /// apart by how the file begins; times are nanoseconds.
    pub struct Goal {
        /// The file.
        pub file: String,
    }
}

impl Kind for Goal {
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, seed: u64) -> Result<(), InputError> {
        let mut bytes = Vec::new();
        let mut reader = files.open(&self.file)?.take(MAX_FILE_BYTES + 1);
        let read = reader.read_to_end(&mut bytes);
        read.map_err(|error| InputError::file(&self.file, format!("it cannot be read: {error}")))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let message = format!("it is larger than {}", Bytes(MAX_FILE_BYTES));
            return Err(InputError::file(&self.file, message));
        }
        let trace = match binary::is_binary(&bytes) {
            true => binary::read(&self.file, &bytes)?,
            false => text::read(&self.file, &bytes)?,
        };
        drop(bytes);
        let how = How {
            algorithm: &Algorithms::Default,
            pipelined: false,
        };
        draw(trace, draft, &how, files, seed)
    }
}
