//! The algorithms of collectives, each over the same data cut into pieces.
//!
//! The buffer is cut into one share per rank (or stays whole), and each share into parts: one for
//! every chunk of every channel. Parts know nothing of each other, but for the connections that the
//! chunks of a channel have in common: these carry one transfer after the other.

pub(super) mod binomial;
mod cut;
pub(super) mod direct;
pub(super) mod double_binary_tree;
mod options;
pub(super) mod pairwise;
pub(super) mod ring;

pub use options::{Algorithm, BroadcastAlgorithm, Order};
pub(super) use options::{Options, collective};

use cut::{Cut, Shares};

use super::draft::{Draft, Effect, Extent, Hop};
use crate::ids::TaskId;
use crate::input::InputError;
use crate::units::Bytes;

/// A collective to be drawn up.
pub(super) struct Job<'d, 'w> {
    draft: &'d mut Draft<'w>,
    ranks: u32,
    size: u64,
    channels: u32,
    chunks: u32,
}

impl<'d, 'w> Job<'d, 'w> {
    /// A collective over `size` bytes whose algorithm makes `extent` transfers and so on per part.
    pub fn new(
        draft: &'d mut Draft<'w>,
        ranks: u32,
        size: Bytes,
        [channels, chunks]: [u32; 2],
        extent: &Extent,
    ) -> Result<Self, InputError> {
        for (key, count) in [("channels", channels), ("chunks", chunks)] {
            if count == 0 {
                return Err(InputError::key(key, format!("`{key}` is 0")).help("it must be at least 1"));
            }
        }
        let parts = u128::from(channels) * u128::from(chunks);
        draft.expect(
            "size",
            size,
            &Extent {
                transfers: extent.transfers * parts,
                joins: extent.joins * parts,
                edges: extent.edges * parts,
                bytes: extent.bytes,
            },
        )?;
        Ok(Self {
            draft,
            ranks,
            size: size.0,
            channels,
            chunks,
        })
    }

    /// All parts: the first chunk of every channel, then the second, and so on.
    fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let channels = self.channels;
        (0..channels * self.chunks).map(move |index| Part {
            index,
            channel: index % channels,
            chunk: index / channels,
        })
    }

    /// The data as `shares` shares, each cut into all parts.
    fn cut(&self, shares: u32) -> Cut {
        Cut {
            bytes: self.size,
            shares,
            parts: self.channels * self.chunks,
        }
    }

    /// A number for a connection of the part's channel, among `count` of each channel.
    fn lane(part: Part, count: u32, connection: u32) -> Option<usize> {
        Some(part.channel as usize * count as usize + connection as usize)
    }

    /// The lockstep step of a part's transfer in round `round` of an algorithm that uses the same
    /// connections in every round: they carry all chunks of one round, then all of the next.
    fn step(&self, round: u32, part: Part) -> u32 {
        round * self.chunks + part.chunk
    }

    /// All ranks hold their data from the beginning.
    pub fn held_from_start(&self) -> Held {
        Held {
            ranks: self.ranks as usize,
            by: vec![None; self.ranks as usize * self.cut(1).parts as usize],
        }
    }
}

/// One chunk of one channel.
#[derive(Clone, Copy)]
struct Part {
    index: u32,
    channel: u32,
    chunk: u32,
}

/// What has to be delivered before a rank holds its data of a part.
pub(super) struct Held {
    ranks: usize,
    by: Vec<Option<TaskId>>,
}

impl Held {
    /// For every rank.
    fn of(&mut self, part: Part) -> &mut [Option<TaskId>] {
        &mut self.by[part.index as usize * self.ranks..][..self.ranks]
    }
}
