//! Over servers: rings inside each server, and one ring over all servers for the ranks in the same place (a rail).
//!
//! A rank's rail block is what its rail adds up or gathers: the shares of all ranks on it.

use std::ops::Range;

use super::ring::{collect, spread};
use super::trip::{Circle, Circles, Trip};
use super::{Cut, Held, Job, Member, Part, PartId};
use crate::ids::{IdVec, id};
use crate::input::InputError;
use crate::workload::schedule_writer::Data;

id! {
    /// The ranks of one place in all servers.
    RailId;
}

/// Ranks by server, and by place in their servers.
struct Layout {
    servers: Vec<Circle>,
    rails: IdVec<RailId, Circle>,
    /// The rail of each rank.
    rail: IdVec<Member, RailId>,
    cut: Cut,
    /// Bytes of the shares of each rail, by part.
    bytes: IdVec<PartId, IdVec<RailId, u64>>,
}

/// The shares of all ranks on a rail.
struct RailBlock<'l> {
    layout: &'l Layout,
    rail: RailId,
    part: Part,
    bytes: u64,
}

impl Data for RailBlock<'_> {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn ranges(&self) -> Box<dyn Iterator<Item = Range<u64>> + '_> {
        let rail = self.layout.rails[self.rail].iter();
        Box::new(rail.map(|&rank| self.layout.cut.piece(rank.0, self.part)))
    }
}

impl Layout {
    fn of(job: &Job, local: Option<u32>) -> Result<Self, InputError> {
        let servers = job.draft.servers(local)?;
        let size = servers[0].len();
        let rails: IdVec<RailId, Circle> = (0..size)
            .map(|place| servers.iter().map(|server| server[place]).collect())
            .collect();
        let mut rail = IdVec::filled(RailId(0), job.ranks as usize);
        for (number, members) in rails.entries() {
            members.iter().for_each(|&rank| rail[rank] = number);
        }
        let cut = job.cut(job.ranks);
        let of_rail =
            |part: Part, rail: &Circle| -> u64 { rail.iter().map(|&rank| cut.piece(rank.0, part).bytes()).sum() };
        let bytes = job
            .parts()
            .map(|part| rails.iter().map(|rail| of_rail(part, rail)).collect());
        Ok(Self {
            bytes: bytes.collect(),
            servers,
            rails,
            rail,
            cut,
        })
    }

    /// The shares of all ranks on a rank's rail.
    fn block(&self, rank: Member, part: Part) -> RailBlock<'_> {
        let rail = self.rail[rank];
        RailBlock {
            layout: self,
            rail,
            part,
            bytes: self.bytes[part.index][rail],
        }
    }

    fn share(&self, rank: Member, part: Part) -> Range<u64> {
        self.cut.piece(rank.0, part)
    }

    /// Rounds in a server, and over the servers.
    fn rounds(&self) -> (u32, u32) {
        (self.servers[0].len() as u32 - 1, self.servers.len() as u32 - 1)
    }

    /// Down: sums inside every server, then over each rail.
    fn collect(&self, job: &mut Job, held: Held) -> Held {
        let (inside, _) = self.rounds();
        let near = Self::trip(job, 0, 0);
        let held = Self::stage(job, near, &self.servers, |job, circles| {
            collect(job, near, held, circles, |rank, part| self.block(rank, part))
        });
        let far = Self::trip(job, inside, 1);
        Self::stage(job, far, &self.rails, |job, circles| {
            collect(job, far, held, circles, |rank, part| self.share(rank, part))
        })
    }

    /// Up: all shares over each rail, then inside every server, from a round on.
    fn spread(&self, job: &mut Job, held: Held, first_round: u32) {
        let (_, across) = self.rounds();
        let far = Trip {
            gathers: !job.draft.streams(),
            ..Self::trip(job, first_round, 1)
        };
        let held = Self::stage(job, far, &self.rails, |job, circles| {
            spread(job, far, held, circles, |rank, part| self.share(rank, part))
        });
        let near = Self::trip(job, first_round + across, 0);
        Self::stage(job, near, &self.servers, |job, circles| {
            spread(job, near, held, circles, |rank, part| self.block(rank, part))
        });
    }

    /// Rounds over one set of circles, the same for all channels.
    fn stage(job: &mut Job, trip: Trip, circles: &[Circle], rounds: impl FnOnce(&mut Job, &Circles) -> Held) -> Held {
        let circles = Circles::filled(circles.to_vec(), job.channels as usize);
        job.begin_stream();
        let mut held = rounds(job, &circles);
        job.settle_stream(trip, &circles, &mut held);
        held
    }

    /// The connections of a channel: those inside the servers, then those of the rails.
    fn trip(job: &Job, first_round: u32, level: u32) -> Trip {
        Trip {
            first_round,
            lanes: [2 * job.ranks, level * job.ranks],
            gathers: false,
        }
    }
}

/// Sums inside servers and over rails, and back.
pub(crate) fn all_reduce(job: &mut Job, local: Option<u32>) -> Result<(), InputError> {
    let layout = Layout::of(job, local)?;
    let (inside, across) = layout.rounds();
    let held = job.held_from_start();
    let held = layout.collect(job, held);
    layout.spread(job, held, inside + across);
    Ok(())
}

/// Sums inside servers, then over rails.
pub(crate) fn reduce_scatter(job: &mut Job, local: Option<u32>) -> Result<(), InputError> {
    let layout = Layout::of(job, local)?;
    let held = job.held_from_start();
    layout.collect(job, held);
    Ok(())
}

/// Shares over rails, then inside servers.
pub(crate) fn all_gather(job: &mut Job, local: Option<u32>) -> Result<(), InputError> {
    let layout = Layout::of(job, local)?;
    let held = job.held_from_start();
    layout.spread(job, held, 0);
    Ok(())
}
