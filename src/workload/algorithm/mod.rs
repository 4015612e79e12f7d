//! The algorithms of collectives, each over the same data cut into pieces.
//!
//! The buffer is cut into one share per rank (or stays whole), and each share into parts: one for
//! every chunk of every channel. Parts know nothing of each other, but for the connections that the
//! chunks of a channel have in common: these carry one transfer after the other.

pub(super) mod binomial;
pub(super) mod bruck;
mod cut;
pub(super) mod direct;
pub(super) mod double_binary_tree;
mod exchange;
pub(super) mod hierarchical;
pub(super) mod in_network;
mod options;
pub(super) mod pairwise;
pub(super) mod pat;
pub(super) mod ring;
mod trip;
pub(super) mod two_step;

pub use options::{Algorithm, AllToAllAlgorithm, BroadcastAlgorithm, Order, ReduceAlgorithm};
pub(super) use options::{Options, collective};

use cut::{ChannelId, Cut, Part, PartId, Shares};
use trip::{Circle, Circles, Trip};

use super::schedule_writer::{Effect, Extent, Hop, ScheduleWriter};
use super::scope::Member;
use crate::ids::{IdVec, TaskId};
use crate::input::InputError;
use crate::units::Bytes;

/// A collective to be drawn up.
pub(super) struct Job<'d, 'w> {
    draft: &'d mut ScheduleWriter<'w>,
    ranks: u32,
    size: u64,
    channels: u32,
    chunks: u32,
    /// Every connection carries one transfer, which passes data on as they arrive.
    pipelined: bool,
}

impl<'d, 'w> Job<'d, 'w> {
    /// A collective over `size` bytes whose algorithm makes `extent` transfers and so on per part.
    pub(super) fn new(
        draft: &'d mut ScheduleWriter<'w>,
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
            pipelined: false,
        })
    }

    /// An exchange of `bytes` in one piece, of which the draft knows already.
    pub(super) fn of_one_piece(draft: &'d mut ScheduleWriter<'w>, bytes: u64) -> Self {
        Self {
            ranks: draft.ranks(),
            draft,
            size: bytes,
            channels: 1,
            chunks: 1,
            pipelined: false,
        }
    }

    /// The same with one transfer for every connection, if `pipelined`.
    ///
    /// # Errors
    /// Several chunks: there are none to tell apart.
    pub(super) fn pipelined(mut self, pipelined: bool) -> Result<Self, InputError> {
        if pipelined && self.chunks > 1 {
            let message = "what is pipelined goes on as it arrives, and has no chunks";
            return Err(InputError::key("chunks", message).help("leave out `chunks` or `pipelined`"));
        }
        self.pipelined = pipelined;
        self.begin_stream();
        Ok(self)
    }

    /// From here on each connection carries one transfer, if data are passed on as they arrive.
    fn begin_stream(&mut self) {
        if self.pipelined {
            self.draft.begin_stream();
        }
    }

    /// The rings of each channel: all ranks in their order. With several channels, and servers of several ranks, the
    /// rings go from server to server, and each leaves a server by another rank: up from place c in the first
    /// server and down again in the second, so that every crossing stays on one rail.
    fn circles(&self) -> Circles {
        let in_order: Circle = (0..self.ranks).map(Member).collect();
        let servers = match self.channels {
            1 => None,
            _ => self.draft.consecutive_servers(),
        };
        let of_channel = |channel: u32| match &servers {
            None => in_order.clone(),
            Some(servers) => {
                let size = servers[0].len();
                let first = channel as usize % size;
                let place = |number: usize, turn: usize| match number % 2 {
                    0 => (first + turn) % size,
                    _ => (first + 2 * size - 1 - turn) % size,
                };
                let members = servers
                    .iter()
                    .enumerate()
                    .flat_map(|(number, server)| (0..size).map(move |turn| server[place(number, turn)]));
                members.collect()
            }
        };
        (0..self.channels).map(|channel| vec![of_channel(channel)]).collect()
    }

    /// Where data stream around circles, every member is done when all of its circle are; `held` says so.
    fn settle_stream(&mut self, trip: Trip, circles: &Circles, held: &mut Held) {
        if !self.pipelined {
            return;
        }
        let [lanes, first_lane] = trip.lanes;
        for part in self.parts() {
            for members in &circles[part.channel] {
                let lane = |rank: &Member| Self::lane(part, lanes, first_lane + rank.0);
                let all = self.draft.end_stream(members, members.iter().filter_map(lane));
                let held = held.of(part);
                members.iter().for_each(|&rank| held[rank] = all.or(held[rank]));
            }
        }
    }

    /// All parts: the first chunk of every channel, then the second, and so on.
    fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let channels = self.channels;
        (0..channels * self.chunks).map(move |index| Part {
            index: PartId(index),
            channel: ChannelId(index % channels),
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
        Some(part.channel.0 as usize * count as usize + connection as usize)
    }

    /// The lockstep step of a part's transfer in round `round` of an algorithm that uses the same
    /// connections in every round: they carry all chunks of one round, then all of the next.
    fn step(&self, round: u32, part: Part) -> u32 {
        round * self.chunks + part.chunk
    }

    /// All ranks hold their data from the beginning.
    pub(super) fn held_from_start(&self) -> Held {
        let of_part = IdVec::filled(None, self.ranks as usize);
        Held {
            by: IdVec::filled(of_part, self.cut(1).parts as usize),
        }
    }
}

/// What has to be delivered before a rank holds its data of a part.
pub(super) struct Held {
    by: IdVec<PartId, IdVec<Member, Option<TaskId>>>,
}

impl Held {
    /// For every rank.
    fn of(&mut self, part: Part) -> &mut IdVec<Member, Option<TaskId>> {
        &mut self.by[part.index]
    }
}
