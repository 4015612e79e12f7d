//! Every rank sends to every other rank, to each as much as a matrix says.

mod matrix;
mod skew;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schedule_writer::{Effect, Extent, Hop, ScheduleWriter};
use super::scope::Member;
use super::{Kind, MAX_BYTES};
use crate::input::{Files, InputError};
use crate::units::Bytes;

super::ranks::ranked! {
    /// All-to-all of unequal messages: by a matrix, or by a mean message and how unequally ranks receive.
    pub struct AllToAllv {
        /// A file with a square matrix of bytes, as nccl-tests reads it: line i has what rank i sends to each rank,
        /// with commas or blanks between. What a rank sends to itself does not travel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub matrix: Option<MatrixFile>,
        /// The numbers of the matrix are multiplied by this, to the nearest byte.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        pub scale: f64,
        /// Mean of all messages, instead of a matrix.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub message: Option<Bytes>,
        /// Gini coefficient of what ranks receive, with `message`: 0 for all the same, towards 1 for all of it to one
        /// rank. Which rank is how popular is drawn from the seed; popularity falls as 1 / (c + place).
        #[serde(default, skip_serializing_if = "is_zero")]
        pub gini: f64,
    }
}

/// A file with a matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixFile {
    /// The file.
    pub file: String,
}

fn one() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_one(value: &f64) -> bool {
    *value == 1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl AllToAllv {
    /// Messages of this mean, received so unequally.
    pub(super) fn skewed(message: Bytes, gini: f64) -> Self {
        Self {
            matrix: None,
            scale: 1.0,
            message: Some(message),
            gini,
            ranks: None,
            rank_map: super::RankMap::default(),
        }
    }

    /// The bytes from each rank to each, row by row.
    fn matrix(&self, ranks: u32, files: &dyn Files, seed: u64) -> Result<Vec<u64>, InputError> {
        match (&self.matrix, self.message) {
            (Some(matrix), None) => {
                if self.gini != 0.0 {
                    let message = "a matrix says how unequal its messages are";
                    return Err(InputError::key("gini", message)
                        .help("leave out `gini`, or write `message` instead of `matrix`"));
                }
                if !(self.scale > 0.0 && self.scale.is_finite()) {
                    return Err(
                        InputError::key("scale", format!("`scale` is {}", self.scale)).help("it must be above 0")
                    );
                }
                matrix::read(&matrix.file, &files.read(&matrix.file)?, ranks, self.scale)
            }
            (None, Some(message)) => {
                if self.scale != 1.0 {
                    return Err(InputError::key("scale", "there is no matrix to scale").help("write another `message`"));
                }
                if message.is_zero() {
                    return Err(
                        InputError::key("message", "`message` is 0").help("there must be at least 1 byte to send")
                    );
                }
                skew::matrix(ranks, message, self.gini, seed)
            }
            (None, None) => {
                Err(InputError::key("", "neither `matrix` nor `message` says what is sent").help("write one of them"))
            }
            (Some(_), Some(_)) => {
                let message = "there is a `matrix` already: `message` cannot stand beside it";
                Err(InputError::key("message", message).help("write one of them"))
            }
        }
    }
}

impl Kind for AllToAllv {
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let matrix = self.matrix(ranks, files, seed)?;
        let row = |src: u32| src as usize * ranks as usize;
        let messages = || (0..ranks).flat_map(|src| (src + 1..ranks).chain(0..src).map(move |dst| (src, dst)));
        let bytes = |(src, dst): (u32, u32)| matrix[row(src) + dst as usize];
        let total: u128 = messages().map(|pair| u128::from(bytes(pair))).sum();
        let key = if self.message.is_some() { "message" } else { "scale" };
        if total > u128::from(MAX_BYTES) {
            return Err(InputError::key(key, "all transfers together exceed 2^62 bytes").help("choose a smaller one"));
        }
        let extent = Extent {
            transfers: messages().filter(|&pair| bytes(pair) > 0).count() as u128,
            joins: 0,
            edges: 0,
            bytes: total,
        };
        draft.expect(key, Bytes(1), &extent)?;
        let mut firsts = Vec::with_capacity(matrix.len());
        let mut first = 0;
        for &bytes in &matrix {
            firsts.push(first);
            first += bytes;
        }
        for (src, dst) in messages() {
            let hop = Hop {
                src: Member(src),
                dst: Member(dst),
                step: 0,
                lane: None,
                effect: Effect::Copy,
            };
            let first = firsts[row(src) + dst as usize];
            draft.send(&hop, &(first..first + bytes((src, dst))), &[]);
        }
        Ok(())
    }

    fn size(&self) -> Option<Bytes> {
        self.message
    }

    fn algorithm_bytes(&self, ranks: u32) -> Option<Bytes> {
        Some(Bytes(self.message?.0.saturating_mul(u64::from(ranks))))
    }

    fn bus_factor(&self, ranks: u32) -> Option<f64> {
        Some(f64::from(ranks - 1) / f64::from(ranks))
    }
}
