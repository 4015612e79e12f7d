//! What every kind of workload answers.

use super::collective::CollectiveName;
use super::equal_steps::Steps;
use super::ranks::Ranked;
use super::schedule_writer::ScheduleWriter;
use crate::input::{Files, InputError};
use crate::units::Bytes;

/// A kind of workload, by its options.
pub(super) trait Kind: Ranked {
    /// Draws up the transfers between the ranks of the draft (at least 2).
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, seed: u64) -> Result<(), InputError>;

    /// Whether what it draws up depends on the seed; where that is not known, it is said to.
    fn is_drawn(&self) -> bool {
        true
    }

    /// Names the lanes that it can share with others between the same ranks.
    fn family(&self) -> &'static str {
        ""
    }

    /// Its size or message, if it has one.
    fn size(&self) -> Option<Bytes> {
        None
    }

    /// The size that its algorithm bandwidth counts, as nccl-tests does.
    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        None
    }

    /// Bus bandwidth over algorithm bandwidth, as in nccl-tests.
    fn bus_factor(&self, _ranks: u32) -> Option<f64> {
        None
    }

    /// The collective that it carries out, where it is one.
    fn collective(&self) -> Option<CollectiveName> {
        None
    }

    /// Whether switches add up what they pass on.
    fn in_network(&self) -> bool {
        false
    }

    /// The bytes that each rank sends to the next one in every step, and the number of steps, where that is all that
    /// happens.
    fn ring(&self, _ranks: u32) -> Option<(Bytes, u32)> {
        None
    }

    /// The same where every transfer of every step is of one size, and how many steps what arrives waits before it is
    /// passed on.
    fn equal_steps(&self, _ranks: u32) -> Option<Steps> {
        None
    }

    /// Whether it waits on each rank for what the rank did before in the same group.
    fn ordered(&self) -> bool {
        true
    }

    /// Refuses what is wrong on any fabric, before its ranks are counted.
    fn check_alone(&self) -> Result<(), InputError> {
        Ok(())
    }

    /// How long its computation takes at least, in microseconds, where its ranks do nothing else.
    fn least_time_us(&self) -> Option<f64> {
        None
    }
}
