//! What a transport says before queue pairs exist, by its options.

use super::control::{CongestionControl, PathProperties};
use crate::input::InputError;
use crate::packet_engine::ecn::Ecn;
use crate::units::{Rate, Time};

/// What a transport says before queue pairs exist.
pub(super) trait Spec {
    /// Refuses options that make no sense. Keys are relative to the transport's table.
    fn check(&self) -> Result<(), InputError> {
        Ok(())
    }

    /// Marking at a port of this rate where the switch table names none; `bdp` in bytes.
    fn ecn(&self, _rate: Rate, _bdp: u64) -> Option<Ecn> {
        None
    }

    /// Limit in bytes of each queue where the switch table names none; none: a shared buffer.
    fn queue(&self, _trimming: bool, _bdp: u64, _full: u64) -> Option<u64> {
        None
    }

    /// Whether switches trim where the switch table does not say.
    fn trimming(&self) -> bool {
        false
    }

    /// Whether senders need credits of their receivers.
    fn needs_credits(&self) -> bool {
        false
    }

    /// Whether receivers send credits a little slower than their line could take the packets.
    fn paces_credits(&self) -> bool {
        false
    }

    /// Whether receivers lower the rate of their credits where the fabric is oversubscribed. Where senders keep a window,
    /// that does it.
    fn watches_fabric(&self) -> bool {
        false
    }

    /// Packets that a sender may send before it needs a credit, where it needs any.
    fn credits(&self, _conditions: &PathProperties) -> Option<u32> {
        None
    }

    /// Whether switches write into packets what they are like.
    fn reads_hops(&self) -> bool {
        false
    }

    /// Whether queue pairs ask for the rate at which all of their step end together.
    fn paced(&self) -> bool {
        false
    }

    /// Whether receivers answer. Senders that hear of nothing send nothing again.
    fn acknowledged(&self) -> bool {
        true
    }

    /// Whether buffers have limits where the switch table names none.
    fn limited_buffers(&self) -> bool {
        true
    }

    /// Shortest time between two congestion notifications of a receiver for one queue pair, where it sends any.
    fn notification_interval(&self) -> Option<Time> {
        None
    }

    /// What steady means for it (`packet.fast_forward`): how long what it does by a clock of its own takes to come round, in
    /// ps. Rates are steady only where times no shorter than this are alike. None where it has no steady state that could be
    /// seen. Default 0: all it does, it does by round trips.
    fn cycle(&self) -> Option<u64> {
        Some(0)
    }

    /// Shortest retransmission timeout, where round trips take `rtt` ps unloaded and a packet waits at most `queue` ps at a
    /// port; none where ports share a buffer. Default 1 ms (the paper's).
    fn rto(&self, _rtt: u64, _queue: Option<u64>) -> Time {
        Time::from_us(1_000)
    }
}

/// A transport with the congestion control of its queue pairs.
pub(in crate::packet_engine) trait Controlled {
    type Control: CongestionControl;

    /// The control of a queue pair that starts.
    fn control(&self, conditions: &PathProperties) -> Self::Control;
}

/// Refuses what is not a finite number above 0.
pub(super) fn check_positive(key: &str, value: f64) -> Result<(), InputError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(InputError::key(key, format!("`{key}` is {value}")).help("it is above 0"))
}

/// Refuses what is not above 0 and at most 1.
pub(super) fn check_fraction(key: &str, value: f64) -> Result<(), InputError> {
    if value > 0.0 && value <= 1.0 {
        return Ok(());
    }
    Err(InputError::key(key, format!("`{key}` is {value}")).help("it is above 0 and at most 1"))
}
