//! Collectives in equal steps: what is said of the first step holds for all, so that the others need not be written down.

use super::{Schedule, ScheduleBuilder};
use crate::ids::HostId;
use crate::units::Bytes;

/// A collective around a ring whose transfers are all alike: in every step, each rank sends as many bytes to the next rank
/// over its own connection, once it has sent those of the step before and has got those that it passes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EqualSteps {
    /// The host of each rank; no two are the same.
    hosts: Vec<HostId>,
    bytes: u64,
    steps: u32,
    /// What a rank passes on has come to it so many steps before.
    chunks: u32,
}

/// What a kind of workload says of its steps, where they are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Steps {
    pub bytes: Bytes,
    pub steps: u32,
    pub chunks: u32,
}

impl Steps {
    /// Of data that go around a ring in so many rounds, a share of each rank in each, cut into `chunks`. None where not all
    /// pieces are of one size, or where there is a single step.
    pub(super) fn around(ranks: u32, size: Bytes, rounds: u32, chunks: u32) -> Option<Self> {
        let pieces = u64::from(ranks) * u64::from(chunks);
        let even = pieces > 0 && size.0 > 0 && size.0.is_multiple_of(pieces);
        let steps = rounds.checked_mul(chunks)?;
        (even && steps > 1).then(|| Self {
            bytes: Bytes(size.0 / pieces),
            steps,
            chunks,
        })
    }
}

impl EqualSteps {
    pub(super) fn new(hosts: Vec<HostId>, steps: Steps) -> Self {
        Self {
            hosts,
            bytes: steps.bytes.0,
            steps: steps.steps,
            chunks: steps.chunks,
        }
    }

    /// The first step by itself: the transfer of every rank, in order of rank.
    pub fn first(&self) -> Schedule {
        self.once(self.bytes)
    }

    /// The same with all that a connection ever carries in each of its transfers.
    pub fn together(&self) -> Schedule {
        self.once(self.bytes * u64::from(self.steps))
    }

    fn once(&self, bytes: u64) -> Schedule {
        let mut builder = ScheduleBuilder::default();
        builder.reserve(self.hosts.len(), 0);
        let next = self.hosts.iter().cycle().skip(1);
        for (&src, &dst) in self.hosts.iter().zip(next) {
            builder.transfer(src, dst, bytes, 0);
        }
        builder.build()
    }

    /// Number of steps, at least 2.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Number of transfers of all steps.
    pub fn transfers(&self) -> u64 {
        self.hosts.len() as u64 * u64::from(self.steps)
    }

    /// When the last transfer of each rank is delivered, if `sending` is how long every transfer is sent, and `delays` says
    /// of each rank how much later its data arrive. None where it is not plain which chain of transfers is the longest.
    pub fn ends(&self, sending: f64, delays: &[f64]) -> Option<Vec<f64>> {
        let sent = f64::from(self.steps) * sending;
        if self.chunks == 1 {
            // Whoever waits for the rank before waits a delay longer than for itself: the longest chain goes on from rank to rank.
            return Some(self.along_the_ring(delays).map(|delay| sent + delay).collect());
        }
        // To wait for the rank before is a delay longer, and as many transfers shorter as there are chunks but one.
        let saved = f64::from(self.chunks - 1) * sending;
        let stays = delays.iter().all(|&delay| delay <= saved);
        stays.then(|| delays.iter().map(|&delay| sent + delay).collect())
    }

    /// The delays of as many ranks in a row as there are steps, up to each rank.
    fn along_the_ring<'a>(&self, delays: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let (ranks, steps) = (delays.len(), self.steps as usize);
        let (turns, rest) = (steps / ranks, steps % ranks);
        let turns = turns as f64 * delays.iter().sum::<f64>();
        let mut rest_of: f64 = delays[ranks - rest..].iter().sum();
        (0..ranks).map(move |rank| {
            if rest > 0 {
                rest_of += delays[rank] - delays[(rank + ranks - rest) % ranks];
            }
            turns + rest_of
        })
    }
}
